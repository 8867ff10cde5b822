"""Rows of a worksheet written as XML (ECMA-376 part 1, §18.3), 10 × faster than cell objects.

openpyxl keeps everything else: workbook, styles, widths, filters, charts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from reports.theme import TINTS, code_of
from reports.value import Tone, Value
from reports.wording import clean, decimals, plain, words

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_EPOCH = date(1899, 12, 30)
_TEXT_MAX = 32_767  # characters of one cell
LINKS_MAX = 65_000  # Excel repairs a sheet with more than 65,530 links
_ESCAPE_LIKE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_FORMULA_LIKE = ("=", "+", "-", "@", "\t", "\r", "\n", "'")


@dataclass(frozen=True, slots=True)
class Look:
    """A cell's style, as few as possible: they are shared by number."""

    format: str = "General"
    bold: bool = False
    size: float = 10
    ink: str = "1F2733"
    fill: str = ""
    wrap: bool = False
    right: bool = False
    quote: bool = False  # Excel keeps text as text even when a person edits the cell


BODY = Look()
LINK = Look(ink="1F4E99")


@cache
def column_letters(index: int) -> str:
    """1 → A, 27 → AA."""
    letters = ""
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@dataclass
class Sheet:
    """A worksheet under construction: rows from `add`, links from `link`."""

    ws: Worksheet
    count: int = 0
    _rows: list[str] = field(default_factory=list)
    _links: list[str] = field(default_factory=list)
    _styles: dict[Look, int] = field(default_factory=dict)

    def add(self, cells: Iterable[tuple[str | Decimal | date | None, Look]], lines: int = 0) -> int:
        """Writes the next row, `lines` high where that is known; returns its number, from 1."""
        self.count += 1
        row = self.count
        xml = [self._cell(f"{column_letters(i)}{row}", *cell) for i, cell in enumerate(cells, 1)]
        high = f' ht="{lines * 14}" customHeight="1"' if lines else ""
        self._rows.append(f'<row r="{row}"{high}>{"".join(xml)}</row>')
        return row

    def link(self, cell: str, place: str, tip: str) -> None:
        if len(self._links) < LINKS_MAX:
            where, said = quoteattr(place), quoteattr(tip[:250])
            self._links.append(f'<hyperlink ref="{cell}" location={where} tooltip={said}/>')

    def _cell(self, ref: str, held: str | Decimal | date | None, look: Look) -> str:
        if held is None or held == "":
            return f'<c r="{ref}" s="{self._style(look)}"/>' if look.fill else ""
        if isinstance(held, Decimal):
            return f'<c r="{ref}" s="{self._style(look)}"><v>{plain(held)}</v></c>'
        if isinstance(held, date):
            return f'<c r="{ref}" s="{self._style(look)}"><v>{(held - _EPOCH).days}</v></c>'
        text = clean(held)
        if len(text) > _TEXT_MAX:
            text = text[: _TEXT_MAX - 1] + "…"
        if text.startswith(_FORMULA_LIKE):
            look = _quoted(look)
        text = escape(_ESCAPE_LIKE.sub("_x005F_", text))
        return (
            f'<c r="{ref}" s="{self._style(look)}" t="inlineStr">'
            f'<is><t xml:space="preserve">{text}</t></is></c>'
        )

    def _style(self, look: Look) -> int:
        if look not in self._styles:
            self._styles[look] = _register(self.ws, look)
        return self._styles[look]

    def splice(self, xml: bytes) -> bytes:
        """Puts the rows and links into the sheet that openpyxl wrote without them."""
        rows = f"<sheetData>{''.join(self._rows)}</sheetData>".encode()
        xml = re.sub(rb"<sheetData\s*/>|<sheetData>.*</sheetData>", lambda _: rows, xml, count=1)
        if not self._links:
            return xml
        links = f"<hyperlinks>{''.join(self._links)}</hyperlinks>".encode()
        return re.sub(rb"<printOptions|<pageMargins", lambda found: links + found[0], xml, count=1)


@cache
def _quoted(look: Look) -> Look:
    from dataclasses import replace

    return replace(look, quote=True)


def _register(ws: Worksheet, look: Look) -> int:
    from openpyxl.cell import Cell
    from openpyxl.styles import Alignment, Font, PatternFill

    probe = Cell(ws, row=1, column=1)
    probe.font = Font(name="Calibri", size=look.size, bold=look.bold, color="FF" + look.ink)
    probe.number_format = look.format
    probe.alignment = Alignment(
        vertical="top", wrap_text=look.wrap, horizontal="right" if look.right else None
    )
    if look.fill:
        probe.fill = PatternFill("solid", fgColor="FF" + look.fill)
    if look.quote:
        probe.quotePrefix = True
    return int(probe.style_id)


def typed(value: Value) -> str | Decimal | date | None:
    """What the cell holds: Excel keeps 15 digits and no day before 1900, so the rest is text."""
    held = value.value
    if isinstance(held, Decimal):
        fits = len(held.normalize().as_tuple().digits) <= 15 and abs(held.adjusted()) < 15
        return held if fits and decimals(held) <= 15 else words(value)
    if isinstance(held, date):
        return held if held >= date(1900, 3, 1) else words(value)
    return held


@cache
def look_of(kind: str, places: int, currency: str, tone: Tone, linked: bool) -> Look:
    ink = LINK.ink if linked else BODY.ink
    if kind == "money":
        # A quote or backslash in a currency could break out of the format.
        unit = re.sub(r'["\\]', "", currency)
        return Look(f'#,##0.{"0" * places} "{unit}"' if unit else f"#,##0.{'0' * places}",
                    ink=ink, right=True)  # fmt: skip
    if kind in ("number", "percent"):
        digits = f".{'0' * places}" if places else ""
        return Look(f"0{digits}%" if kind == "percent" else f"#,##0{digits}", ink=ink, right=True)
    if kind == "date":
        return Look("yyyy-mm-dd", ink=ink)
    if kind == "status":
        fill, colour = TINTS[tone]
        return Look(fill=code_of(fill), ink=code_of(colour), bold=True)
    return Look(ink=ink, wrap=True)


def look(value: Value) -> Look:
    held, linked = value.value, bool(value.sources)
    if not isinstance(held, Decimal):
        return look_of(value.kind if isinstance(typed(value), date) else _worded(value.kind), 0,
                       "", value.tone, linked)  # fmt: skip
    shown = held * 100 if value.kind == "percent" else held
    places = decimals(shown, 2 if value.kind == "money" else 0)
    return look_of(value.kind, places, clean(value.currency), value.tone, linked)


def _worded(kind: str) -> str:
    return "status" if kind == "status" else "text"


class FixedZip(ZipFile):
    """An archive without the time of day; `sheets` maps a part's name to the rows it gets."""

    sheets: dict[str, Sheet]
    stamp: tuple[int, int, int, int, int, int]

    def writestr(self, zinfo_or_arcname, data, *args, **kwargs):  # type: ignore[no-untyped-def]
        info = ZipInfo(str(zinfo_or_arcname), self.stamp)
        info.compress_type = ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        super().writestr(info, data, compresslevel=1)

    def write(self, filename, arcname=None, *args, **kwargs):  # type: ignore[no-untyped-def]
        with open(filename, "rb") as part:
            xml = part.read()
        sheet = self.sheets.get(str(arcname))
        self.writestr(arcname, sheet.splice(xml) if sheet else xml)  # type: ignore[no-untyped-call]
