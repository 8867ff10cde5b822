"""A parsed document's tables as grids: every cell typed, units told apart, total rows set aside."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from agents.answers.tables import dates, numbers
from agents.answers.tables.dates import Period
from agents.answers.tables.grids import NO, YES, Column, Grid, Kind, Row
from agents.answers.tables.layout import Laid, Line, laid
from agents.answers.tables.marks import Marks, marks
from agents.answers.tables.totals import total_rows
from agents.answers.tables.words import ADDITIVE, concepts
from core.documents import Cell, Document
from ingestion.fields.numbers import CODES, SIGNS
from ingestion.values import letters
from vectorstore.words import fold

_TYPED = frozenset(("xlsx", "xls", "xlsm", "xlsb", "ods", "json"))
_ID = re.compile(
    r"\b(?:ids?|nos?|nrs?|n[°o]|number|num|code|codes|zip|plz|postleitzahl|phone|tel|telefon|mobile|"
    r"fax|iban|bic|sku|ean|isbn|account|konto|siret|siren|numero|ref|reference|referenz|postcode|"
    r"pin|serial|pos|position|line|row|rank|rang|zeile|ligne|week|kw|semaine|index)\b|"
    r"(?:nummer|-nr|nr\.)$|#"
)
_COUNT = re.compile(r"^(?:number of|no\.? of|nr\.? of|anzahl|nombre|aantal|numero de)\b")
_YEAR = re.compile(r"\b(?:year|jahr|annee|jaar|ano|fiscal year|fy)\b|jahr$")
_UNIT = re.compile(
    r"[(\[]\s*(?:in |en )?(?P<a>[^()\[\]]{1,6})\s*[)\]]\s*$|(?:,|\bin|\ben|/)\s*(?P<b>\S{1,5})$"
    r"|(?<!\bto)\s(?P<c>[A-Z]{3}|[€$£%])$|(?P<d>%)$"
)
_READ_IN_PART = re.compile(
    r"cell limit|could not be read|rows after it are missing|was skipped|reading stopped",
    re.IGNORECASE,
)


def grids(document: Document, document_id: str, filename: str) -> list[Grid]:
    """Every table of a document that questions can be computed over."""
    mark = _table_mark(document)
    shown = marks(document)
    hidden = document.metadata.get("hidden_sheets") or []
    partial = next((w for w in document.warnings if _READ_IN_PART.search(w)), None)
    return [
        _grid(
            one,
            document,
            document_id,
            filename,
            number,
            mark,
            one.sheet in hidden,
            partial,
            shown.get(one.sheet, Marks()),
        )
        for number, one in enumerate(laid(document), 1)
    ]


def _table_mark(document: Document) -> numbers.Mark | None:
    """What a lone mark before three digits means where the column itself does not tell."""
    if document.metadata.get("decimal_comma"):
        return ","
    return None


def _grid(
    one: Laid, document: Document, document_id: str, filename: str, number: int,
    mark: numbers.Mark | None, hidden: bool, partial: str | None, shown: Marks,
) -> Grid:  # fmt: skip
    typed = document.format in _TYPED
    comma = document.metadata.get("separator") == ","
    drafts = [
        _draft([line.cells[at] for line in one.lines], typed, mark, comma, shown.units)
        for at in range(len(one.names))
    ]
    values = [[draft.numbers[r] for draft in drafts] for r in range(len(one.lines))]
    totals = total_rows(one.lines, values)
    filled = [r for r in range(len(one.lines)) if r not in totals and _filled(one.lines[r])]
    kept = [r for r in filled if one.lines[r].number not in shown.rows]
    columns = tuple(
        _column(at, one, draft, kept, document.language)
        for at, draft in enumerate(drafts)
        if one.names[at] and letters(one.first_column + at) not in shown.columns
    )
    return Grid(
        document_id, filename, one.sheet, one.title, number, one.addressed, _row(one.header),
        columns, tuple(_row(one.lines[r]) for r in kept), one.pages,
        tuple(_row(one.lines[r], label) for r, label in totals.items()), hidden, partial,
        one.over, _wide(one, document.format),
        tuple(one.lines[r].number for r in filled if one.lines[r].number in shown.rows),
    )  # fmt: skip


def _row(line: Line, label: str = "") -> Row:
    return Row(line.number, line.page, line.start, line.end, label)


def _wide(one: Laid, format: str) -> tuple[int, ...]:
    """Of text files: a mark within a cell that is not quoted moves the cells behind it."""
    if format not in ("csv", "tsv") or not any(one.names):
        return ()
    last = max(at for at, name in enumerate(one.names) if name)
    found = [r.number for r in one.lines if any(cell.text for cell in r.cells[last + 1 :])]
    return tuple(found) if 2 * len(found) < len(one.lines) else ()


def _filled(line: Line) -> bool:
    return any(cell.text or cell.formula for cell in line.cells)


@dataclass(frozen=True, slots=True)
class _Draft:
    """A column before total rows are set aside."""

    cells: Sequence[Cell]
    numbers: list[Decimal | None]
    units: list[str | None]
    doubtful: set[int]
    unknown: set[int]
    as_text: set[int]


def _draft(
    cells: Sequence[Cell],
    typed: bool,
    mark: numbers.Mark | None,
    comma: bool,
    shown: Mapping[str, str],
) -> _Draft:
    reads = [None if _is_typed(cell, typed) else _read(cell) for cell in cells]
    some = [read for read in reads if read is not None]
    settled = numbers.mark_of(some) or _ungrouped(cells, reads) or mark
    found: list[Decimal | None] = []
    draft = _Draft(cells, found, [r.unit if r else None for r in reads], set(), set(), set())
    for place, (cell, read) in enumerate(zip(cells, reads, strict=True)):
        if read is None and _is_typed(cell, typed):
            value, unit = _shown(cell, shown.get(cell.address or ""))
            found.append(value)
            draft.units[place] = unit
            continue
        found.append(read.number(settled) if read else None)
        if read and found[-1] is None and comma and "," in cell.text and "." not in cell.text:
            found[-1] = read.number(".")  # a comma within quotes among commas parts thousands
        if read and found[-1] is None:
            draft.doubtful.add(place)
        if read and typed:
            draft.as_text.add(place)
        if (cell.kind == "empty" and cell.formula) or cell.kind == "error" or cell.text[:1] == "=":
            draft.unknown.add(place)
    return draft


def _is_typed(cell: Cell, typed: bool) -> bool:
    return typed and cell.kind == "number" and not isinstance(cell.value, (str, bool))


def _shown(cell: Cell, unit: str | None) -> tuple[Decimal, str | None]:
    """As the number format shows it: 0.05 as 5 %, a duration as hours."""
    value = _exact(cell.value)
    if unit == "%":
        return (value * 100).normalize() + 0, unit
    if unit is None and ":" in cell.text:
        return value / 3600, "h"
    return value, unit


def _exact(value: object) -> Decimal:
    """As the sheet shows it: 15 digits, the most that a double is sure of."""
    return Decimal(value) if isinstance(value, int) else Decimal(format(value, ".15g"))


def _read(cell: Cell) -> numbers.Read | None:
    return numbers.read(cell.text) if cell.kind in ("number", "text") else None


def _ungrouped(cells: Sequence[Cell], reads: Sequence[numbers.Read | None]) -> numbers.Mark | None:
    """Thousands without marks (`12500`) beside `1.234` make that mark the decimal one."""
    pairs = zip(cells, reads, strict=True)
    unsure = [cell.text for cell, read in pairs if read and not read.proves and not read.sure]
    doubtful = {c for text in unsure for c in text if c in ".,"}
    if not doubtful or not any(re.fullmatch(r"[-+]?\d{4,}", cell.text) for cell in cells):
        return None
    return "." if doubtful == {"."} else "," if doubtful == {","} else None


def _column(at: int, one: Laid, draft: _Draft, kept: Sequence[int], language: str | None) -> Column:
    name, unit = _named(one.names[at])
    cells = [draft.cells[r] for r in kept]
    texts = tuple(" ".join(cell.text.split()) for cell in cells)
    values = [draft.numbers[r] for r in kept]
    kind, periods, doubtful_dates = _kind(name, cells, texts, values, language)
    doubtful = frozenset(i for i, r in enumerate(kept) if r in draft.doubtful)
    if kind == "date":
        doubtful = frozenset(range(len(kept))) if doubtful_dates else frozenset()
    low = fold(name)
    return Column(
        at, letters(one.first_column + at) if one.addressed else "", name, kind, texts,
        tuple(values) if kind == "number" else (),
        tuple(draft.units[r] for r in kept) if kind == "number" else (),
        tuple(periods) if kind == "date" else (),
        unit,
        frozenset(i for i, r in enumerate(kept) if r in draft.unknown), doubtful,
        frozenset(i for i, r in enumerate(kept) if r in draft.as_text),
        _ID.search(low) is not None and _COUNT.match(low) is None,
        max((numbers.decimals(v) for v in values if v is not None), default=0),
        frozenset(u for r in kept if (u := draft.units[r])) if kind == "number" else frozenset(),
        _gapped(at, texts, kind),
    )  # fmt: skip


def _named(name: str) -> tuple[str, str | None]:
    """The header, and the unit in it: `Amount (EUR)`, `Weight, kg`, `Amount EUR`, `Tax %`."""
    match = _UNIT.search(name)
    told = next((g.strip() for g in match.groups() if g), "") if match else ""
    if told in SIGNS or told.upper() in CODES:
        return name, SIGNS.get(told, told.upper())
    if told == "%" or told.lower() in numbers.KNOWN_UNITS:
        return name, told
    return name, None


def _kind(
    name: str, cells: Sequence[Cell], texts: Sequence[str], values: Sequence[Decimal | None],
    language: str | None,
) -> tuple[Kind, list[Period | None], bool]:  # fmt: skip
    used = [i for i, text in enumerate(texts) if text]
    if not used:
        return "empty", [], False
    if all(cells[i].kind == "bool" or fold(texts[i]) in YES | NO for i in used):
        bits = {texts[i] for i in used}
        if not bits & {"0", "1"} or (bits == {"0", "1"} and _is_bit(name)):
            return "flag", [], False
    amounts = sum([values[i] is not None or cells[i].kind == "number" for i in used])
    if _YEAR.search(fold(name)) and all(re.fullmatch(r"(?:19|20)\d\d", texts[i]) for i in used):
        return "date", [dates.period_in(text) for text in texts], False
    if amounts >= 0.6 * len(used):
        return "number", [], False
    if any(cells[i].kind == "date" for i in used) or _looks_dated([texts[i] for i in used[:20]]):
        isos = [
            dates.iso(t) if c.kind == "date" else None for t, c in zip(texts, cells, strict=True)
        ]
        others = ["" if iso else text for iso, text in zip(isos, texts, strict=True)]
        read, doubtful = dates.column_of(others, language)
        periods = [iso or other for iso, other in zip(isos, read, strict=True)]
        if sum(p is not None for p in periods) >= 0.8 * len(used) or doubtful:
            return "date", periods, doubtful
    return "text", [], False


def _is_bit(name: str) -> bool:
    """Whether 0 and 1 below this name are no and yes, and not numbers of things."""
    told = concepts(name)
    return not told & (ADDITIVE | {"number", "score", "rate", "price", "age"})


def _looks_dated(texts: Sequence[str]) -> bool:
    dated = sum(dates.day_in(t) is not None or dates.period_in(t) is not None for t in texts)
    return dated >= 0.8 * len(texts)


def _gapped(at: int, texts: Sequence[str], kind: Kind) -> bool:
    """Labels of groups, each written once: what stands in the rows below one is not said."""
    used = [text for text in texts if text]
    if kind != "text" or at > 1 or not texts or not texts[0] or len(used) < 2:
        return False
    return len(set(used)) == len(used) and len(texts) - len(used) >= 0.3 * len(texts)
