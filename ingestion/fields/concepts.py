"""What a name asks for: a field that is always read, or a value by its labels."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.fields.labels import KINDS, LABELS, key_of

_FILE = Path(__file__).with_name("concepts.toml")


@dataclass(frozen=True, slots=True)
class Concept:
    """`labels` stand beside the value, `prose` before it in a sentence, `after` behind it; a
    sentence counts only where it speaks of `need`."""

    name: str
    kind: str
    labels: tuple[str, ...]
    prose: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    need: str = ""


def _concept(name: str, data: dict[str, Any]) -> Concept:
    labels, prose, after = (tuple(data.get(part, ())) for part in ("labels", "prose", "after"))
    return Concept(name, data["kind"], labels, prose, after, data.get("need", ""))


CONCEPTS = {
    name: _concept(name, data)
    for name, data in tomllib.loads(_FILE.read_text(encoding="utf-8")).items()
}
# Names that programs use and papers do not print.
_ALIASES = {
    "amount": "total", "gross": "total", "grosstotal": "total", "sum": "total", "net": "subtotal",
    "nettotal": "subtotal", "number": "invoice_number", "date": "invoice_date", "invoiceid":
    "invoice_number", "suppliervat": "vendor_tax_id", "vendorvat": "vendor_tax_id", "vatid":
    "vendor_tax_id", "vendorvatid": "vendor_tax_id", "suppliervatid": "vendor_tax_id",
    "suppliertaxid": "vendor_tax_id", "bankaccount": "iban", "ponumber": "po_number", "po":
    "po_number", "currencycode": "currency", "recipient": "customer", "company": "vendor",
    "issuer": "vendor", "from": "vendor", "to": "customer", "startdate": "contract_start",
    "enddate": "contract_end", "start": "contract_start", "end": "contract_end", "taxamount":
    "tax", "vatamount": "tax", "totalamount": "total", "totalgross": "total", "totalnet":
    "subtotal", "issuedate": "invoice_date", "duedate": "due_date",
}  # fmt: skip


def words_of(name: str) -> str:
    """`contractStart`, `contract_start` → "contract start"."""
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])", " ", name)
    return " ".join(re.split(r"[\s_\-]+", spaced.strip()))


@cache
def _known() -> dict[str, str]:
    """Label without spaces → field or concept; fields of invoices first."""
    found: dict[str, str] = {name.replace("_", ""): name for name in CONCEPTS}
    for concept in CONCEPTS.values():
        for label in concept.labels:
            found.setdefault(key_of(label), concept.name)
    for name in KINDS:
        for phrase in (p for words in LABELS[name].values() for p in words):
            if not phrase.endswith("+"):
                found[key_of(phrase)] = name
            else:
                found.setdefault(key_of(phrase.rstrip("+")), name)
    found.update({name.replace("_", ""): name for name in CONCEPTS})
    found.update({name.replace("_", ""): name for name in KINDS})
    return found | _ALIASES


def resolve(*names: str) -> str | None:
    """The field or concept that the first known of `names` means, whatever its language and
    spelling; None when none is known."""
    for name in names:
        found = _known().get(key_of(words_of(name)))
        if found:
            return found
    return None


def is_label(text: str) -> bool:
    """Whether a text is nothing but a known label."""
    return key_of(text.strip(" :")) in _known()


def asked(name: str, kind: str = "text") -> Concept:
    """The concept called `name`, or one whose only label is the name itself."""
    if name in CONCEPTS:
        return CONCEPTS[name]
    return Concept(name, kind, (words_of(name),))


_GUESSES = (
    ("date", r"date|datum|fecha|deadline|(?:_on|_at)$"),
    ("amount", (r"amount|price|fee|cost|total|betrag|montant|importe|bedrag|discount|freight"
               r"|balance|saldo|salary|gehalt|miete|rent$|gebühr|kosten|prix|precio|prijs")),
    ("duration", r"duration|period$|frist$|laufzeit|durée|délai|termijn|looptijd|plazo|duración"),
    ("percent", r"percent|prozent|(?:tax|vat)_?rate|zinssatz|interest_?rate"),
    ("email", r"e-?mail"), ("phone", r"phone|telefon|fax"),
)  # fmt: skip


def guess_kind(name: str) -> str:
    """By the words of the name: `delivery_date` is a date, `cleaning_fee` an amount."""
    return next((kind for kind, p in _GUESSES if re.search(p, name, re.IGNORECASE)), "text")


def kind_named(name: str) -> str:
    """How the values of a name are written."""
    meant = resolve(name)
    if meant in CONCEPTS:
        return CONCEPTS[meant].kind
    return KINDS[meant] if meant in KINDS else guess_kind(name)
