"""Rows of any table, by the names of its columns: for arrays of objects that a schema asks for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ingestion.fields.columns import COLUMNS
from ingestion.fields.concepts import Concept
from ingestion.fields.context import Context
from ingestion.fields.labels import key_of
from ingestion.fields.layout import Row, Segment, Sheet
from ingestion.fields.reading import Candidate, Zone
from ingestion.fields.spans import READ

Record = dict[str, Candidate]

# Names of columns that mean the same, beside those of line items.
_ALIKE = (
    (
        "date datum fecha bookingdate buchungstag buchungsdatum buchung dateopération boekdatum"
        " boekingsdatum fechaoperación fechavalor transactiondate dateop"
    ),
    (
        "description text verwendungszweck buchungstext libellé omschrijving concepto details"
        " transaction vorgang narrative particulars opération mededeling bezeichnung désignation"
        " rubrique component lohnart lohnbestandteil element concept detalle"
    ),
    "amount betrag montant bedrag importe umsatz sum summe value wert",
    (
        "debit soll débit af cargo debet lastschrift moneyout paidout withdrawal withdrawals debe"
        " uit cargos paidout"
    ),
    "credit haben crédit bij abono moneyin paidin deposit deposits haber gutschrift abonos",
    "balance saldo solde kontostand",
    "quantity qty menge anzahl quantité aantal cantidad stück uds qté",
    "unit einheit unité eenheid unidad uom me",
    "reference ref referenz référence referentie referencia belegnr",
    "name nom naam nombre",
    "price preis prix prijs precio",
)
_SETS = tuple(frozenset(line.split()) for line in _ALIKE)


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is wanted: `names` are its possible heads."""

    key: str
    kind: str
    names: tuple[str, ...]

    def heads(self) -> frozenset[str]:
        own = {key_of(name) for name in self.names}
        known = {COLUMNS.get(name.lower()) for name in self.names}
        same = {
            key_of(n) for n, column in COLUMNS.items() if column in known and column != "!other"
        }
        alike = {word for group in _SETS if own & group for word in group}
        return frozenset(own | same | alike)


def records(columns: Sequence[Column], sheet: Sheet, context: Context) -> list[Record]:
    """The rows under the first header that names most of `columns`, on as many pages as they
    take."""
    heads = {column.key: column.heads() for column in columns}
    kinds = {column.key: column.kind for column in columns}
    best = 0
    found: list[Record] = []
    current: dict[str, Segment] = {}
    rows: list[Record] = []
    for number, row in enumerate(sheet.rows):
        named = _header(row, heads)
        if named:
            if len(named) > best:
                best, rows, found = len(named), [], []
            current = named if len(named) == best else {}
        elif current:
            record = _record(row, current, kinds, context, number)
            if record:
                rows.append(record)
                found = rows
    return found


def _header(row: Row, heads: Mapping[str, frozenset[str]]) -> dict[str, Segment]:
    """The segment that heads each wanted column; {} where the row is no header of enough."""
    named: dict[str, Segment] = {}
    for segment in row:
        if re.search(r"\d{2}", segment.text):
            return {}
        key = key_of(re.sub(r"\s*\([^()]*\)|[€$£%*:]", "", segment.text).strip())
        for column, words in heads.items():
            if column not in named and key in words:
                named[column] = segment
                break
    enough = max(min(2, len(heads)), (len(heads) + 1) // 2)
    return named if len(named) >= enough else {}


def _record(
    row: Row, heads: Mapping[str, Segment], kinds: Mapping[str, str], context: Context, number: int
) -> Record:
    found: Record = {}
    for segment in row:
        name = min(heads, key=lambda key: _distance(heads[key], segment))
        if name in found or _distance(heads[name], segment) > 8 * max(segment.unit, 1.0):
            continue
        value = READ[kinds[name]](Zone(segment, 0, len(segment.text), 0.85, number), context)
        if value:
            found[name] = value
    lead = [name for name in heads if kinds[name] in ("date", "text", "id", "party")]
    named = not lead or any(name in found for name in lead)
    least = 1 if len(heads) == 1 else 2
    return found if named and len(found) >= least and not _sum(row) else {}


def _distance(head: Segment, segment: Segment) -> float:
    """0 where they share width, less for more of it; else the gap between their edges."""
    shared = min(head.x1, segment.x1) - max(head.x0, segment.x0)
    if shared > 0:
        return -shared
    return min(abs(head.x0 - segment.x0), abs(head.x1 - segment.x1), -shared)


def _sum(row: Row) -> bool:
    first = next((s.first for s in row if re.search(r"\w", s.text)), None)
    return first is not None and first.name in ("total", "subtotal", "amount_due", "!carried")


def column(key: str, kind: str, names: Sequence[str], concept: Concept | None) -> Column:
    return Column(key, kind, (*names, *(concept.labels if concept else ())))


def single(names: Sequence[str], kind: str, sheet: Sheet, context: Context) -> Iterator[Candidate]:
    """The values of one column."""
    wanted = Column("value", kind, tuple(names))
    for record in records([wanted], sheet, context):
        yield record["value"]
