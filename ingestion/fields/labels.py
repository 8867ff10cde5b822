"""Finds the words of `labels.toml` that stand beside a value, in five languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["date", "amount", "id", "text", "party", "percent", "tax_id", "iban"]

KINDS: dict[str, Kind] = {
    "vendor": "party", "customer": "party", "vendor_tax_id": "tax_id", "iban": "iban",
    "invoice_number": "id", "po_number": "id", "invoice_date": "date", "due_date": "date",
    "currency": "text", "subtotal": "amount", "tax": "amount", "tax_rate": "percent",
    "total": "amount", "amount_due": "amount", "payment_terms": "text",
}  # fmt: skip

LABELS: dict[str, dict[str, list[str]]] = tomllib.loads(
    Path(__file__).with_name("labels.toml").read_text(encoding="utf-8")
)

# How surely a total's label means the invoice's total; the others count as plain.
STRONG_TOTALS = re.compile(
    r"grand|invoice|incl|inc\b|rechnung|gesamt|brutto|end|ttc|tvac|factuur|factura|compris|general"
    r"|général|con iva|gross|t\.t\.c|rounded|round d",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Label:
    """A label at `start:end` of a segment's text. `loud` labels can stand anywhere in a line;
    the others need the line's start or a colon."""

    name: str
    start: int
    end: int
    loud: bool
    colon: bool

    @property
    def field(self) -> str | None:
        return None if self.name.startswith("!") else self.name


def _phrases() -> dict[str, tuple[str, bool]]:
    found: dict[str, tuple[str, bool]] = {}
    for name, languages in LABELS.items():
        for phrase in (phrase for words in languages.values() for phrase in words):
            key = key_of(phrase.rstrip("+"))
            found.setdefault(key, (name, not phrase.endswith("+")))
    return found


def key_of(phrase: str) -> str:
    return re.sub(r"[\s.\-_/]+", "", phrase.lower()).replace("’", "'").replace("º", "°")


def pattern_of(phrase: str) -> str:
    out = []
    for char in phrase.rstrip("+"):
        if char == " " or char == "-":
            out.append(r"[\s\-_.]*" if char == "-" else r"[\s_\-.]{0,3}")
        elif char == ".":
            out.append(r"\.?\s?" if out else r"\.?")
        elif char in "°º":
            out.append(r"[°ºo]")
        elif char in "'’":
            out.append(r"['’´`]\s?")
        else:
            out.append(re.escape(char))
    return "".join(out)


PHRASES = _phrases()
_ALL = sorted(
    {word.rstrip("+") for group in LABELS.values() for words in group.values() for word in words},
    key=len,
    reverse=True,
)
_ANY = re.compile(
    rf"(?<![\w])(?<!\w-)(?:{'|'.join(pattern_of(phrase) for phrase in _ALL)})"
    r"(?:\s?\((?!\s?[-\d])[^()\d]{1,24}\))?"
    r"(?:(?P<tail>\s*(?:#|№|n[°º]\.?|no\.|nr\.)?\s*[:：=]|\s*[#№])|(?!\w|-\w|/\d))",
    re.IGNORECASE,
)


def find_labels(text: str) -> Iterator[Label]:
    """Known labels in a segment's text, longest first at each place, left to right."""
    for match in _ANY.finditer(text):
        tail = match["tail"] or ""
        phrase = re.sub(r"\([^()]*\)$", "", match[0].removesuffix(tail)).strip()
        name, loud = PHRASES.get(key_of(phrase)) or PHRASES.get(
            key_of(match[0]), ("!other_id", False)
        )
        yield Label(name, match.start(), match.end(), loud, bool(tail.strip()))
