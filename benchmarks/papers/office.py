"""Word files, workbooks, web pages and mails of the same words."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from html import escape
from typing import Any

from benchmarks.papers.values import Rows, Sample, Speech


def _parts(sample: Sample, speech: Speech, count: int) -> list[tuple[str, str, Rows]]:
    """Heading, prose and a table each, told to the sample in this order."""
    parts = []
    for _ in range(count):
        title, text = sample.heading(speech.title()), speech.prose(4)
        sample.says(text)
        parts.append((title, text, sample.table(speech.rows(4, 5))))
    return parts


def word(name: str, variant: int) -> Sample:
    sample = Sample(name, "docx")
    body = ""
    for title, text, rows in _parts(sample, Speech(name), 2 + variant):
        body += _paragraph(title, f"Heading{1 + variant}") + _paragraph(text) + "<w:tbl>"
        for row in rows:
            cells = "".join(f"<w:tc>{_paragraph(cell)}</w:tc>" for cell in row)
            body += f"<w:tr>{cells}</w:tr>"
        body += "</w:tbl>"
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for part, told in _DOCX.items():
            made.writestr(part, told.replace("BODY", body))
    sample.data = target.getvalue()
    return sample


def _paragraph(text: str, style: str = "") -> str:
    look = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{look}<w:r><w:t>{escape(text)}</w:t></w:r></w:p>"


_OFFICE = "http://schemas.openxmlformats.org"
_W = f'xmlns:w="{_OFFICE}/wordprocessingml/2006/main"'
_RELATION = f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument/2006/relationships'
_RELATIONS = f'<Relationships xmlns="{_OFFICE}/package/2006/relationships">'
_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml"
_DOCX = {
    "[Content_Types].xml": f'''<Types xmlns="{_OFFICE}/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="{_TYPE}.document.main+xml"/>
<Override PartName="/word/styles.xml" ContentType="{_TYPE}.styles+xml"/></Types>''',
    "_rels/.rels": f'{_RELATIONS}{_RELATION}/officeDocument" Target="word/document.xml"/>'
    "</Relationships>",
    "word/_rels/document.xml.rels": f'{_RELATIONS}{_RELATION}/styles" Target="styles.xml"/>'
    "</Relationships>",
    "word/document.xml": f"<w:document {_W}><w:body>BODY</w:body></w:document>",
    "word/styles.xml": f"<w:styles {_W}>"
    + "".join(
        f'<w:style w:type="paragraph" w:styleId="Heading{n}">'
        f'<w:name w:val="heading {n}"/></w:style>'
        for n in (1, 2, 3)
    )
    + "</w:styles>",
}


def book(name: str, variant: int) -> Sample:
    import openpyxl

    sample, speech = Sample(name, "xlsx"), Speech(name)
    made: Any = openpyxl.Workbook()
    for sheet in range(1 + variant):
        page = made.active if sheet == 0 else made.create_sheet("Second")
        for row in sample.table(speech.rows(5, 20, empty=0.1)):
            page.append([cell or None for cell in row])
    sample.data = _saved(made)
    return sample


def web(name: str, variant: int) -> Sample:
    sample = Sample(name, "html")
    body = ""
    for title, text, rows in _parts(sample, Speech(name), 2 + variant):
        cells = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
        )
        body += f"<h2>{title}</h2><p>{text}</p><table>{cells}</table>"
    sample.data = f"<!doctype html><html><body><main>{body}</main></body></html>".encode()
    return sample


def mail(name: str, variant: int) -> Sample:
    sample, speech = Sample(name, "eml"), Speech(name)
    subject, text = speech.title(), speech.prose(6 + variant)
    made = EmailMessage()
    made["From"], made["To"] = "ada@example.org", "bob@example.org"
    made["Subject"] = subject
    made.set_content(text)
    sample.says("From: ada@example.org To: bob@example.org Subject:", subject, text)
    sample.data = made.as_bytes()
    return sample


def _saved(made: Any) -> bytes:
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


MAKERS = {"word": word, "book": book, "web": web, "mail": mail}
