"""Real files for the tests, made by the libraries that people use."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from datetime import date
from email.message import EmailMessage
from typing import Any

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def pdf(draw: Callable[[Any], None], **options: Any) -> bytes:
    """A PDF drawn by hand; `draw` gets ReportLab's canvas."""
    from reportlab.pdfgen.canvas import Canvas

    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(595, 842), **options)
    draw(canvas)
    canvas.save()
    return target.getvalue()


def lines(*texts: str) -> Callable[[Any], None]:
    def draw(canvas: Any) -> None:
        for number, text in enumerate(texts):
            canvas.drawString(72, 770 - 14 * number, text)

    return draw


def pdf_tables(pages: Sequence[Sequence[Sequence[str]]], style: list[Any]) -> bytes:
    """A page per table."""
    from reportlab.platypus import PageBreak, SimpleDocTemplate, Table

    target = io.BytesIO()
    story: list[Any] = []
    for rows in pages:
        story += [Table([list(row) for row in rows], style=style), PageBreak()]
    SimpleDocTemplate(target).build(story)
    return target.getvalue()


def xlsx(fill: Callable[[Any], None]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    fill(book)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def ledger(book: Any) -> None:
    sheet = book.active
    sheet.title = "Payments"
    sheet.append(["Payment ledger 2026"])
    sheet.append([])
    sheet.append(["Date", "Invoice", "Amount", "Paid"])
    sheet.append([date(2026, 1, 3), "INV-1", 100.5, True])
    sheet.append([date(2026, 1, 4), "INV-2", 1000, False])
    hidden = book.create_sheet("Old")
    hidden.sheet_state = "hidden"
    hidden["B2"] = "kept"


def zipped(**parts: bytes | str) -> bytes:
    """`word__document` is `word/document.xml`."""
    return archive({f"{name.replace('__', '/')}.xml": data for name, data in parts.items()})


def archive(parts: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as made:
        for name, data in parts.items():
            made.writestr(name, data)
    return target.getvalue()


def paragraph(text: str, properties: str = "", extra: str = "") -> str:
    run = f'<w:r>{extra}<w:t xml:space="preserve">{text}</w:t></w:r>'
    return f"<w:p><w:pPr>{properties}</w:pPr>{run}</w:p>"


def docx(body: str, **parts: str) -> bytes:
    styles = (
        f'<w:styles xmlns:w="{W}"><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="Own"><w:name w:val="Own"/><w:basedOn w:val="H2"/></w:style></w:styles>'
    )
    document = f'<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    return zipped(word__document=document, word__styles=styles, **parts)


def table(*rows: Sequence[str]) -> str:
    def cell(text: str) -> str:
        return f"<w:tc>{paragraph(text)}</w:tc>"

    return (
        "<w:tbl>" + "".join(f"<w:tr>{''.join(map(cell, row))}</w:tr>" for row in rows) + "</w:tbl>"
    )


def mail(text: str, *, html: str = "", **headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    if text:
        message.set_content(text)
    if html and text:
        message.add_alternative(html, subtype="html")
    elif html:
        message.set_content(html, subtype="html")
    return message


def rezipped(data: bytes, parts: dict[str, bytes | str]) -> bytes:
    """The container with these parts put in, or in the place of its own."""
    with zipfile.ZipFile(io.BytesIO(data)) as there:
        kept: dict[str, bytes | str] = {name: there.read(name) for name in there.namelist()}
    return archive({**kept, **parts})
