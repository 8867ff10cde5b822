"""A ledger: purchase orders and payments out of a workbook's tables, by what columns are called."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from agents.checks.facts import SourceFact
from agents.checks.papers import fact
from core.documents import Document
from ingestion.fields.context import Context, context
from ingestion.fields.dates import find_dates
from ingestion.fields.layout import Row, Segment, Sheet, sheet, source
from ingestion.fields.numbers import SIGNS, find_amounts

_COLUMNS: dict[str, str] = {
    "po": r"(?:p\.?o\.?|purchase order|order|bestell(?:ung|nummer|-?nr\.?)?|commande|bon de"
          r" commande"
    r"|inkooporder|pedido|orden de compra)",
    "invoice": r"(?:invoice|inv\.?|bill|rechnungs?(?:nummer|-?nr\.?)?|facture"
            r"|factuur(?:nummer)?|factura"
    r"|reference|document|beleg(?:nummer|-?nr\.?)?)",
    "vendor": r"(?:vendor|supplier|payee|creditor|beneficiary|company|counterparty|lieferant"
            r"|kreditor"
    r"|empfänger|fournisseur|leverancier|proveedor|name)",
    "gross": r"(?:gross|total|gross (?:amount|total|value)|brutto(?:betrag)?|total ttc|ttc"
            r"|gesamt(?:betrag)?"
    r"|approved (?:amount|total)|bruto)",
    "net": r"(?:net|net (?:amount|total|value)|netto(?:betrag)?|ht|total ht|neto|base)",
    "amount": r"(?:amount|value|paid|amount paid|paid amount|payment|payment amount|po"
            r" (?:amount|value|total)"
    r"|order (?:amount|value|total)|limit|betrag|zahlbetrag|summe|montant|montant payé|bedrag"
    r"|importe"
    r"|approved|budget|debit)",
    "currency": r"(?:currency|ccy|curr\.?|währung|devise|valuta|moneda)",
    "paid_on": r"(?:paid on|payment date|date paid|paid date|paid at|value date|date|datum"
            r"|zahlungsdatum"
    r"|bezahlt am|date de paiement|betaald op|betaaldatum|fecha(?: de pago)?|buchungsdatum"
    r"|booking date)",
    "status": r"(?:status|state|payment status|paid\?|bezahlt|statut|estado)",
}  # fmt: skip
_TAIL = r"(?:\s*(?:number|no\.?|nr\.?|#|id|nº|n°|name|ref\.?|\([A-Z€$£]{1,3}\)|in [A-Z]{3}))*"
_COMPILED = {
    name: re.compile(rf"\W*{words}{_TAIL}\W*", re.IGNORECASE) for name, words in _COLUMNS.items()
}
_OPEN = re.compile(r"^(?:open|unpaid|pending|due|outstanding|offen|no|nein|impayé|openstaand"
            r"|pendiente"
                   r"|scheduled|cancelled|rejected|failed)\b", re.IGNORECASE)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """A purchase order; `net` and `gross` as far as the ledger tells them apart."""

    number: str
    vendor: str | None
    net: Decimal | None
    gross: Decimal | None
    currency: str | None
    proof: dict[str, SourceFact]


@dataclass(frozen=True, slots=True)
class Payment:
    invoice: str | None
    vendor: str | None
    po: str | None
    amount: Decimal | None
    currency: str | None
    paid_on: str | None
    proof: dict[str, SourceFact]


@dataclass(frozen=True, slots=True)
class Ledger:
    document_id: str
    filename: str
    orders: tuple[Order, ...]
    payments: tuple[Payment, ...]

    @property
    def useful(self) -> bool:
        return bool(self.orders or self.payments)


def read_ledger(document: Document, document_id: str, filename: str) -> Ledger:
    """Every table whose header names orders or payments; an empty ledger when none does."""
    laid = sheet(document, whole=True)
    ctx = context(laid, document.language)
    orders: list[Order] = []
    payments: list[Payment] = []
    for heads, rows in _tables(laid):
        about_payments = _is_payments(heads, rows[0] if rows else ())
        for row in rows:
            record = _record(row, heads, ctx, document_id, filename)
            if about_payments and not _OPEN.match(record.text("status") or ""):
                payments += _payment(record)
            if "po" in heads and ("invoice" not in heads or not about_payments):
                orders += _order(record)
    return Ledger(document_id, filename, tuple(orders), tuple(payments))


def _is_payments(heads: dict[str, int], row: Row) -> bool:
    """A table of payments names invoices and what was paid; one of orders names neither."""
    money = heads.keys() & {"amount", "gross", "net"}
    titled = bool(row and re.search(r"pa(?:y|id)|zahl|paie|betal|pago", row[0].sheet or "", re.I))
    return bool(money) and ("invoice" in heads or (titled and "vendor" in heads))


def _tables(laid: Sheet) -> Iterator[tuple[dict[str, int], list[Row]]]:
    """Header (column name → number) and rows, table by table."""
    heads: dict[str, int] = {}
    rows: list[Row] = []
    place: tuple[int, str | None] | None = None
    for row in laid.rows:
        if row[0].cell is None:
            continue
        here = (row[0].page.number, row[0].sheet)
        found = _heads(row)
        if found or here != place:
            if heads:
                yield heads, rows
            heads, rows, place = found, [], here
        elif heads:
            rows.append(row)
    if heads:
        yield heads, rows


def _heads(row: Row) -> dict[str, int]:
    found: dict[str, int] = {}
    for segment in row:
        text = " ".join(segment.text.split())
        name = next((n for n, p in _COMPILED.items() if p.fullmatch(text)), None)
        if name and segment.cell and name not in found:
            found[name] = segment.cell.col
    known = found.keys() & {"po", "invoice", "vendor"}
    return found if known and len(found) >= 3 else {}


@dataclass(frozen=True, slots=True)
class _Record:
    cells: dict[str, Segment]
    context: Context
    document_id: str
    filename: str

    def text(self, name: str) -> str | None:
        segment = self.cells.get(name)
        return " ".join(segment.text.split()) or None if segment else None

    def amount(self, *names: str) -> Decimal | None:
        segment = next((self.cells[name] for name in names if name in self.cells), None)
        if segment is None or segment.cell is None:
            return None
        typed = segment.cell.value
        if segment.cell.address and isinstance(typed, (int, float)) and not isinstance(typed, bool):
            return Decimal(str(round(typed, 4)))
        amounts = find_amounts(segment.text, self.context.decimal, likely=self.context.likely)
        return amounts[-1].value if amounts else None

    def proof(self) -> dict[str, SourceFact]:
        return {
            name: fact(source(s, 0, len(s.text), self.document_id, self.filename))
            for name, s in self.cells.items()
        }

    @property
    def currency(self) -> str | None:
        written = self.text("currency")
        if written:
            return SIGNS.get(written, written.upper()) or None
        money = [self.cells[n] for n in ("amount", "gross", "net") if n in self.cells]
        signs = [a.currency for s in money for a in find_amounts(s.text) if a.currency]
        return signs[0] if signs else None

    @property
    def paid_on(self) -> str | None:
        segment = self.cells.get("paid_on")
        if segment is None or segment.cell is None:
            return None
        if segment.cell.kind == "date" and isinstance(segment.cell.value, str):
            return segment.cell.value[:10]
        hits = find_dates(segment.text)
        return hits[0].read(self.context.order).isoformat() if hits else None


def _record(
    row: Row, heads: dict[str, int], context: Context, document_id: str, filename: str
) -> _Record:
    by_column = {s.cell.col: s for s in row if s.cell}
    cells = {name: by_column[col] for name, col in heads.items() if col in by_column}
    return _Record(cells, context, document_id, filename)


def _order(record: _Record) -> Iterator[Order]:
    number = record.text("po")
    if not number or not re.search(r"\d", number) or len(number) > 40:
        return
    net, gross = record.amount("net"), record.amount("gross", "amount")
    yield Order(number, record.text("vendor"), net, gross, record.currency, record.proof())


def _payment(record: _Record) -> Iterator[Payment]:
    invoice, amount = record.text("invoice"), record.amount("amount", "gross", "net")
    named = bool(invoice and re.search(r"\d", invoice))
    if amount is None or not (named or (record.text("vendor") and record.paid_on)):
        return
    yield Payment(
        invoice if named else None, record.text("vendor"), record.text("po"), amount,
        record.currency, record.paid_on, record.proof(),
    )  # fmt: skip
