"""How somebody wants to be answered: words of a closed list, and Weft's own words in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LANGUAGES = ("en", "de", "fr", "nl", "es")
LENGTHS = ("short", "long")
FORMATS = ("list", "prose")
SHORT_SENTENCES = 2  # an error code's line and what was asked about it

_WORDS: Mapping[str, tuple[str, str, str]] = {
    "en": ("The sources do not say.", "You told me:", "Noted."),
    "de": ("Die Quellen sagen dazu nichts.", "Sie haben mir gesagt:", "Notiert."),
    "fr": ("Les sources n'en disent rien.", "Vous m'avez dit :", "C'est noté."),
    "nl": ("De bronnen zeggen hier niets over.", "U vertelde mij:", "Genoteerd."),
    "es": ("Las fuentes no lo dicen.", "Usted me dijo:", "Anotado."),
}
_ORDERS = {
    "en": "Answer in English.", "de": "Answer in German.", "fr": "Answer in French.",
    "nl": "Answer in Dutch.", "es": "Answer in Spanish.",
    "short": "Answer in one short sentence.", "long": "Answer in detail.",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Style:
    """None: no wish."""

    language: str | None = None
    length: str | None = None
    format: str | None = None

    @classmethod
    def of(cls, preferences: Mapping[str, Any]) -> Style:
        """What is not on the lists says nothing."""
        return cls(
            _listed(preferences.get("language"), LANGUAGES),
            _listed(preferences.get("length"), LENGTHS),
            _listed(preferences.get("format"), FORMATS),
        )

    @property
    def refusal(self) -> str:
        return self._words[0]

    @property
    def you_told_me(self) -> str:
        return self._words[1]

    @property
    def noted(self) -> str:
        return self._words[2]

    @property
    def orders(self) -> tuple[str, ...]:
        """For a model that words an answer: fixed sentences of ours, never the person's words."""
        return tuple(_ORDERS[one] for one in (self.language, self.length) if one in _ORDERS)

    @property
    def as_it_comes(self) -> bool:
        """The sentences may be shown one by one, before the last of them is known."""
        return self.format != "list" and self.length != "short"

    def laid_out(self, sentences: Sequence[str]) -> str:
        if self.format == "list" and len(sentences) > 1:
            return "\n".join(f"- {one}" for one in sentences)
        return " ".join(sentences)

    @property
    def _words(self) -> tuple[str, str, str]:
        return _WORDS[self.language or "en"]


def _listed(value: Any, known: Sequence[str]) -> str | None:
    return value if value in known else None
