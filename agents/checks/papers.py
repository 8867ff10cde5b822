"""An invoice as the checks see it: amounts in Decimal, each figure with its proof; and findings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import SequenceMatcher
from typing import cast

from agents.checks.facts import ExceptionFact, Figure, Kind, Severity, SourceFact
from core.documents import Fields, FieldValue, Source

BILLS = ("invoice", "receipt", "credit_note")
_FORMS = re.compile(
    r"\b(?:gmbh|mbh|co|kg|ag|ug|ohg|ltd|limited|llc|llp|plc|inc|corp|corporation|company|sarl|sas|sa"
    r"|bv|nv|sl|slu|spa|srl|the|und|and|et)\b"
)


def fact(source: Source) -> SourceFact:
    return cast(SourceFact, asdict(source))


@dataclass(frozen=True, slots=True)
class Paper:
    """One document with its fields. `tolerance` and currencies belong to the checks."""

    document_id: str
    filename: str
    document_type: str
    fields: Fields

    def value(self, name: str) -> FieldValue:
        return self.fields.fields.get(name) or FieldValue(None)

    def text(self, name: str) -> str | None:
        return self.value(name).value

    def amount(self, name: str) -> Decimal | None:
        return decimal(self.text(name))

    def day(self, name: str) -> date | None:
        text = self.text(name)
        return date.fromisoformat(text) if text else None

    def sources(self, *names: str) -> list[SourceFact]:
        found = (self.value(name).source for name in names)
        return [fact(source) for source in found if source]

    def figure(self, name: str) -> Figure:
        value = self.value(name)
        return {"value": value.value, "source": fact(value.source) if value.source else None}

    def sure(self, *names: str) -> bool:
        return all(self.value(name).confidence >= 0.5 for name in names)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found in `paper`; `detail` tells two findings of one kind apart."""

    kind: Kind
    severity: Severity
    message: str
    paper: Paper
    amount: Decimal | None = None
    sources: Iterable[SourceFact] = ()
    detail: str = ""
    currency: str | None = field(default=None)

    def exception(self) -> ExceptionFact:
        seed = "|".join((self.kind, self.paper.document_id, self.detail or self.message))
        return {
            "id": hashlib.sha256(seed.encode()).hexdigest()[:16],
            "kind": self.kind,
            "severity": self.severity,
            "message": self.message,
            "document_id": self.paper.document_id,
            "filename": self.paper.filename,
            "vendor": self.paper.text("vendor"),
            "invoice_number": self.paper.text("invoice_number"),
            "amount": None if self.amount is None else money(self.amount),
            "currency": self.currency or self.paper.text("currency"),
            "sources": list(self.sources),
        }


def decimal(text: str | None) -> Decimal | None:
    try:
        return Decimal(text) if text else None
    except InvalidOperation:
        return None


def money(amount: Decimal) -> str:
    """`1234.50`"""
    return f"{amount.quantize(Decimal('0.01')):f}"


def shown(amount: Decimal, currency: str | None) -> str:
    """`EUR 1,234.50`, for messages."""
    return f"{currency} {amount:,.2f}" if currency else f"{amount:,.2f}"


def code_key(number: str | None) -> str:
    """`INV-2026/0412` → `INV20260412`."""
    return re.sub(r"[^A-Z0-9]", "", (number or "").upper())


def same_code(a: str | None, b: str | None) -> bool:
    """Equal but for punctuation, or for the letters in front (`PO-10231` and `10231`)."""
    x, y = code_key(a), code_key(b)
    if not x or not y:
        return False
    bare = re.sub(r"^[A-Z]+", "", x), re.sub(r"^[A-Z]+", "", y)
    return x == y or (bare[0] == bare[1] and len(bare[0]) >= 4 and (x in bare or y in bare))


def same_vendor(a: str | None, b: str | None) -> bool | None:
    """Whether two names are one company's; None where one is unknown."""
    if not a or not b:
        return None
    x, y = _name_key(a), _name_key(b)
    if not x or not y:
        return a.strip().lower() == b.strip().lower()
    if x == y or set(x.split()) <= set(y.split()) or set(y.split()) <= set(x.split()):
        return True
    return SequenceMatcher(None, x.replace(" ", ""), y.replace(" ", "")).ratio() > 0.82


def _name_key(name: str) -> str:
    words = re.sub(r"[^\w\s]", " ", re.sub(r"(?<=\w)\.(?=\w)", "", name.lower()))
    return " ".join(_FORMS.sub(" ", words).split())
