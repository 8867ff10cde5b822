"""A finding, the kinds there are, and the text without what was found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

KINDS = (
    "email", "phone", "iban", "card", "tax_id", "national_id", "ip", "birth_date", "name",
    "address", "vat_id",
)  # fmt: skip
# A VAT number is a business's, and public: it is looked for only where it is asked for.
BY_DEFAULT = frozenset(KINDS) - {"vat_id"}
DOT = "•"


@dataclass(frozen=True, slots=True)
class Finding:
    """`text[start:end]` is personal data. Confidence: 1 with check digits, less by shape alone."""

    kind: str
    start: int
    end: int
    confidence: float


def hidden(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The same length, with a dot for every character of the spans but white space: citations by
    offset still fit, and lines stay lines."""
    shown = list(text)
    for start, end in spans:
        for at in range(max(0, start), min(end, len(shown))):
            if not shown[at].isspace():
                shown[at] = DOT
    return "".join(shown)
