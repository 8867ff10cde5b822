"""The DOCX and the XLSX invoice; spreadsheets carry a computed value beside each formula."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from examples.purchases import BUYER, Invoice

_STAMP = (2026, 11, 2, 9, 0, 0)  # every member of a zip file carries the same time


def pack(members: dict[str, bytes]) -> bytes:
    """A zip file whose bytes depend on its members alone."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


# DOCX ------------------------------------------------------------------------------------------

_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_REL = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_TYPES = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/word/document.xml" ContentType="\
application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>"""
_RELS = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="{_REL}"><Relationship Id="rId1" Type="{_OFFICE}/officeDocument" \
Target="word/document.xml"/></Relationships>"""


def _run(text: str, *, bold: bool = False, half_points: int = 20, color: str = "1F2933") -> str:
    strong = "<w:b/>" if bold else ""
    look = f'<w:rPr>{strong}<w:color w:val="{color}"/><w:sz w:val="{half_points}"/></w:rPr>'
    return f'<w:r>{look}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _paragraph(run: str, align: str = "left", after: int = 60) -> str:
    look = f'<w:pPr><w:spacing w:after="{after}"/><w:jc w:val="{align}"/></w:pPr>'
    return f"<w:p>{look}{run}</w:p>"


def _table(rows: Sequence[tuple[str, ...]], widths: tuple[int, ...], *, head: bool = True) -> str:
    edges = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:color="B8C4CE"/>'
        for side in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    body = []
    for n, row in enumerate(rows):
        first = head and n == 0
        fill = '<w:shd w:val="clear" w:fill="E8EEF4"/>' if first else ""
        cells = "".join(
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{fill}</w:tcPr>'
            + _paragraph(_run(text, bold=first), "right" if column > 1 else "left", 20)
            + "</w:tc>"
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        )
        body.append(f"<w:tr>{cells}</w:tr>")
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    look = f"<w:tblPr><w:tblBorders>{edges}</w:tblBorders></w:tblPr><w:tblGrid>{grid}</w:tblGrid>"
    return f"<w:tbl>{look}{''.join(body)}</w:tbl>"


def docx(invoice: Invoice) -> bytes:
    """A consultant's invoice written in a word processor."""
    vendor = invoice.vendor
    facts = [
        ("Invoice number", invoice.number),
        ("Invoice date", invoice.day(invoice.issued)),
        ("Due date", invoice.day(invoice.due)),
        ("Currency", invoice.currency),
    ]
    if invoice.po:
        facts.append(("Purchase order", invoice.po))
    rows = [("Code", "Description", "Quantity", "Unit price", "Amount")] + [
        (line.code, line.text, str(line.quantity), invoice.money(Decimal(line.price)),
         invoice.money(line.amount))
        for line in invoice.lines
    ]  # fmt: skip
    sums = [
        ("Subtotal", invoice.money(invoice.subtotal)),
        (f"{invoice.tax_name} {invoice.tax_percent} %", invoice.money(invoice.tax)),
        ("Total", f"{invoice.currency} {invoice.money(invoice.total)}"),
    ]
    body = [
        _paragraph(_run(vendor.name, bold=True, half_points=32, color="22577A")),
        _paragraph(_run(" · ".join((*vendor.address, vendor.tax_id)), half_points=17), after=240),
        _paragraph(_run("INVOICE", bold=True, half_points=40), after=160),
        _paragraph(_run("Bill to: " + ", ".join(BUYER)), after=160),
        _table(facts, (2600, 4200), head=False),
        _paragraph(_run("")),
        _table(rows, (1100, 4000, 1200, 1500, 1500)),
        _paragraph(_run("")),
        _table(sums, (2600, 2600), head=False),
        _paragraph(_run("")),
        _paragraph(_run(f"Payment within 30 days to {vendor.bank}, {vendor.iban}.")),
        _paragraph(_run(f"Questions? {vendor.mail}, {vendor.phone}")),
    ]
    document = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<w:document xmlns:w="{_W}">'
        f"<w:body>{''.join(body)}<w:sectPr/></w:body></w:document>"
    )
    return pack({
        "[Content_Types].xml": _TYPES.encode(),
        "_rels/.rels": _RELS.encode(),
        "word/document.xml": document.encode(),
    })  # fmt: skip


# XLSX ------------------------------------------------------------------------------------------

Cached = dict[str, dict[str, Decimal]]  # sheet part → address → computed value


def finish(book: Any, cached: Cached) -> bytes:
    """Saves the book with a computed value beside each formula, and with fixed times."""
    out = io.BytesIO()
    book.save(out)
    members: dict[str, bytes] = {}
    with zipfile.ZipFile(out) as archive:
        for name in archive.namelist():
            members[name] = archive.read(name)
    for name, values in cached.items():
        xml = members[name].decode()
        for address, value in values.items():
            cell = rf'(<c r="{address}"[^>]*><f>[^<]*</f>)(?:<v ?/>|<v></v>)'
            xml, found = re.subn(cell, rf"\g<1><v>{value}</v>", xml, count=1)
            if not found:
                raise ValueError(f"no formula at {address} of {name}")
        members[name] = xml.encode()
    core = members["docProps/core.xml"].decode()
    core = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "2026-11-02T09:00:00Z", core)
    members["docProps/core.xml"] = core.encode()
    return pack(members)


def put_heads(sheet: Any, row: int, names: tuple[str, ...], widths: tuple[int, ...]) -> None:
    from openpyxl.styles import Font, PatternFill
    from openpyxl.utils import get_column_letter

    for column, (name, width) in enumerate(zip(names, widths, strict=True), 1):
        cell = sheet.cell(row, column, name)
        cell.font = Font(bold=True, color="FFFFFF")
        cell.fill = PatternFill("solid", fgColor="22577A")
        sheet.column_dimensions[get_column_letter(column)].width = width


def xlsx(invoice: Invoice) -> bytes:
    """An invoice made in a spreadsheet: amounts and totals are formulas."""
    from openpyxl import Workbook
    from openpyxl.styles import Font

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Invoice"
    sheet["A1"] = invoice.vendor.name
    sheet["A1"].font = Font(bold=True, size=16, color="22577A")
    sheet["A2"] = " · ".join((*invoice.vendor.address, invoice.vendor.tax_id))
    facts: tuple[tuple[str, str | date], ...] = (
        ("Invoice number", invoice.number), ("Invoice date", invoice.issued),
        ("Due date", invoice.due), ("PO number", invoice.po), ("Currency", invoice.currency),
        ("Bill to", ", ".join(BUYER)),
    )  # fmt: skip
    for n, (name, value) in enumerate(facts, 4):
        sheet.cell(n, 1, name).font = Font(bold=True)
        sheet.cell(n, 2, value).number_format = "yyyy-mm-dd" if isinstance(value, date) else "@"
    put_heads(sheet, 11, ("Code", "Description", "Quantity", "Unit price", "Amount"),
           (16, 44, 12, 14, 16))  # fmt: skip
    cached: dict[str, Decimal] = {}
    row = 11
    for row, line in enumerate(invoice.lines, 12):
        for column, item in enumerate((line.code, line.text, line.quantity), 1):
            sheet.cell(row, column, item)
        sheet.cell(row, 4, float(line.price)).number_format = "#,##0.00"
        put_formula(sheet, f"E{row}", f"=C{row}*D{row}", line.amount, cached)
    rate = Decimal(invoice.tax_percent) / 100
    tax = f"{invoice.tax_name} {invoice.tax_percent} %"
    sums = (
        ("Subtotal", f"=SUM(E12:E{row})", invoice.subtotal),
        (tax, f"=ROUND(E{row + 2}*{rate},2)", invoice.tax),
        ("Total", f"=E{row + 2}+E{row + 3}", invoice.total),
    )  # fmt: skip
    for n, (name, formula, amount) in enumerate(sums, row + 2):
        sheet.cell(n, 4, name).font = Font(bold=True)
        put_formula(sheet, f"E{n}", formula, amount, cached)
    sheet.cell(row + 6, 1, f"IBAN {invoice.vendor.iban}, {invoice.vendor.bank}")
    return finish(book, {"xl/worksheets/sheet1.xml": cached})


def put_formula(
    sheet: Any, address: str, formula: str, value: Decimal, cached: dict[str, Decimal]
) -> None:
    sheet[address] = formula
    sheet[address].number_format = "#,##0.00"
    cached[address] = value
