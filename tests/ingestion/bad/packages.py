# ruff: noqa: E501 - a file is told on a line
"""Containers: ZIP and what office programs put into it."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from functools import partial

from tests.ingestion import builders
from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, case

TYPES = '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
S = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_RELS = "http://schemas.openxmlformats.org/package/2006/relationships"
OPEN = frozenset({"unsupported_format"})
_KEPT = frozenset({READY, *LIMITED, *BROKEN, *OPEN, *EMPTY})


def docx(body: str, **parts: str) -> bytes:
    return builders.docx(body, **parts)


def word(document: str) -> bytes:
    return builders.zipped(word__document=document)


def sheet(xml: str, **more: str) -> bytes:
    """An honest workbook whose one sheet is exchanged."""
    parts: dict[str, bytes | str] = {}
    with zipfile.ZipFile(io.BytesIO(builders.xlsx(lambda book: book.active.append([1])))) as base:
        parts.update({name: base.read(name) for name in base.namelist()})
    parts["xl/worksheets/sheet1.xml"] = f'<worksheet xmlns="{S}">{xml}</worksheet>'
    return builders.archive({**parts, **more})


def merged() -> bytes:
    return sheet('<sheetData><row r="1"><c r="A1"><v>1</v></c></row></sheetData>'
                 '<mergeCells count="1"><mergeCell ref="A1:XFD1048576"/></mergeCells>')  # fmt: skip


def far_cells() -> bytes:
    return sheet('<sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
                 '<row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>')  # fmt: skip


def shared_strings() -> bytes:
    text = "<si><t>" + "x" * 30_000_000 + "</t></si>"
    return sheet('<sheetData><row r="1"><c r="A1" t="s"><v>0</v></c></row></sheetData>',
                 **{"xl/sharedStrings.xml": f'<sst xmlns="{S}">{text * 8}</sst>'})  # fmt: skip


def many_parts(count: int) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("word/document.xml", word_text("Many parts"))
        for number in range(count):
            out.writestr(f"word/media/{number}.xml", b"")
    return made.getvalue()


def word_text(text: str) -> str:
    return f'<w:document xmlns:w="{builders.W}"><w:body>{builders.paragraph(text)}</w:body></w:document>'


def billion_laughs() -> str:
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    return (f'<?xml version="1.0"?><!DOCTYPE d [{entities}]><w:document xmlns:w="{builders.W}">'
            "<w:body><w:p><w:r><w:t>&l9;</w:t></w:r></w:p></w:body></w:document>")  # fmt: skip


def outside(target: str) -> str:
    return (f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY x SYSTEM "{target}">]>'
            f'<w:document xmlns:w="{builders.W}"><w:body><w:p><w:r><w:t>&x;</w:t></w:r></w:p>'
            "</w:body></w:document>")  # fmt: skip


def lying_size() -> bytes:
    """The directory says ten bytes; what comes is 300 MB."""
    made = builders.archive({"word/document.xml": word_text("A" * 300_000_000)})
    real = struct.pack("<I", len(word_text("A" * 300_000_000).encode()))
    return made.replace(real, struct.pack("<I", 10))


def overlapping() -> bytes:
    """David Fifield's way: one stream of zeros that every entry of the directory points at."""
    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = b"".join(squeezer.compress(bytes(10_000_000)) for _ in range(10)) + squeezer.flush()
    name = b"word/document.xml"
    head = struct.pack(
        "<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, 0, len(body), 100_000_000, len(name), 0
    )
    local = head + name + body
    entries = b""
    for number in range(5_000):
        own = name if number == 0 else b"x%d.xml" % number
        entries += struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 8, 0, 0, 0, len(body),
                               100_000_000, len(own), 0, 0, 0, 0, 0, 0) + own  # fmt: skip
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 5_000, 5_000, len(entries), len(local), 0)
    return local + entries + end


def nested(levels: int) -> bytes:
    inner, name = b"the bottom\n", "a.txt"
    for _ in range(levels):
        inner, name = builders.archive({name: inner}), "in.zip"
    return inner


def wide(count: int = 16, levels: int = 4) -> bytes:
    """As 42.zip: each archive holds sixteen, and the last ones 4 MB of zeros."""
    inner: bytes = builders.archive({"0.txt": b"0" * 4_000_000})
    for _ in range(levels):
        inner = builders.archive({f"{n}.zip": inner for n in range(count)})
    return inner


def no_directory() -> bytes:
    """Entries without the directory at the end."""
    made = member("a.txt")
    return made[: made.index(b"PK\1\2")]


def member(name: str, data: bytes = b"Out of the box.\n", mode: int = 0o644) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        about = zipfile.ZipInfo(name)
        about.create_system, about.external_attr = 3, mode << 16
        out.writestr(about, data)
    return made.getvalue()


def locked() -> bytes:
    """The flag of encryption set on every entry."""
    made = bytearray(builders.archive({"a.txt": b"secret"}))
    for sign, at in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        made[made.index(sign) + at] |= 1
    return bytes(made)


def macros() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("word/document.xml", word_text("With a macro"))
        out.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000))
    return made.getvalue()


def linked() -> bytes:
    """A template and a picture elsewhere: nobody goes there."""
    rels = (f'<Relationships xmlns="{_RELS}"><Relationship Id="r1" Type="{R}/attachedTemplate" '
            'TargetMode="External" Target="http://127.0.0.1:48719/t.dotm"/><Relationship Id="r2" '
            f'Type="{R}/image" TargetMode="External" Target="file:///etc/passwd"/></Relationships>')  # fmt: skip
    return builders.archive({
        "word/document.xml": word_text("Linked"), "word/_rels/document.xml.rels": rels,
        "[Content_Types].xml": TYPES,
    })  # fmt: skip


def deep_table(levels: int) -> bytes:
    opened = "<w:tbl><w:tr><w:tc>" * levels
    return docx(opened + builders.paragraph("x") + "</w:tc></w:tr></w:tbl>" * levels)


def slides(text: str) -> bytes:
    a, p = ("http://schemas.openxmlformats.org/drawingml/2006/main",
            "http://schemas.openxmlformats.org/presentationml/2006/main")  # fmt: skip
    shape = f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"
    slide = (
        f'<p:sld xmlns:a="{a}" xmlns:p="{p}"><p:cSld><p:spTree>{shape}</p:spTree></p:cSld></p:sld>'
    )
    show = (f'<p:presentation xmlns:p="{p}" xmlns:r="{R}"><p:sldIdLst><p:sldId id="256" r:id="rId1"/>'
            "</p:sldIdLst></p:presentation>")  # fmt: skip
    rels = (f'<Relationships xmlns="{_RELS}"><Relationship Id="rId1" Type="{R}/slide" '
            'Target="slides/slide1.xml"/></Relationships>')  # fmt: skip
    return builders.archive({
        "[Content_Types].xml": TYPES, "ppt/presentation.xml": show, "ppt/slides/slide1.xml": slide,
        "ppt/_rels/presentation.xml.rels": rels,
    })  # fmt: skip


def ods(rows: str, kind: str = "spreadsheet") -> bytes:
    o = "urn:oasis:names:tc:opendocument:xmlns"
    content = (
        f'<office:document-content xmlns:office="{o}:office:1.0" xmlns:table="{o}:table:1.0" '
        f'xmlns:text="{o}:text:1.0"><office:body><office:{kind}>{rows}</office:{kind}>'
        "</office:body></office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as out:
        out.writestr(zipfile.ZipInfo("mimetype"), f"application/vnd.oasis.opendocument.{kind}")
        out.writestr("content.xml", content)
    return made.getvalue()


def repeated_cells() -> bytes:
    cell = ('<table:table-cell table:number-columns-repeated="16384" office:value-type="string">'
            "<text:p>x</text:p></table:table-cell>")  # fmt: skip
    return ods(f'<table:table table:name="A"><table:table-row table:number-rows-repeated="1048576">{cell}'
               "</table:table-row></table:table>")  # fmt: skip


def ole(size: int = 4_096) -> bytes:
    """A compound file whose chain of sectors goes round."""
    head = bytearray(512)
    head[:8] = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    struct.pack_into("<5H", head, 24, 0x3E, 3, 0xFFFE, 9, 6)
    struct.pack_into("<2I", head, 44, 1, 1)
    struct.pack_into("<5I", head, 56, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    struct.pack_into("<I", head, 76, 0)
    sector = struct.pack("<128I", *([0xFFFFFFFD, 1] + [1] * 126))
    name = "Workbook".encode("utf-16-le").ljust(64, b"\0")
    entry = (
        name
        + struct.pack("<H", 18)
        + b"\x02\x01"
        + b"\xff" * 12
        + bytes(44)
        + struct.pack("<2I", 1, 2**31 - 1)
    )
    return bytes(head) + sector + entry.ljust(512, b"\0") + bytes(size)


def bomb(text: str = "A" * 1_000_000, times: int = 1_000) -> bytes:
    """1 GB of one paragraph, written by halves so that making it takes no memory."""
    made = io.BytesIO()
    with (
        zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out,
        out.open("word/document.xml", "w") as part,
    ):
        part.write(f'<w:document xmlns:w="{builders.W}"><w:body>'.encode())
        for _ in range(times):
            part.write(builders.paragraph(text).encode())
        part.write(b"</w:body></w:document>")
    return made.getvalue()


CASES = (
    case("docx-bomb-1gb", "a.docx", bomb, LIMITED),
    case("docx-lying-size", "a.docx", lying_size, LIMITED, BROKEN),
    case("docx-overlapping", "a.docx", overlapping, LIMITED, BROKEN, REFUSED),
    case("docx-100k-parts", "a.docx", lambda: many_parts(60_000), LIMITED, BROKEN, "too_large"),
    case("docx-billion-laughs", "a.docx", lambda: word(billion_laughs()), BROKEN),
    case("docx-xxe-file", "a.docx", lambda: word(outside("file:///etc/passwd")), BROKEN),
    case("docx-xxe-http", "a.docx", lambda: word(outside("http://127.0.0.1:48719/x")), BROKEN),
    case("docx-macros", "a.docm", macros, READY, REFUSED),
    case("docx-linked", "a.docx", linked, READY),
    case("docx-deep-tables", "a.docx", lambda: deep_table(5_000), READY, LIMITED, BROKEN),
    case("docx-no-document", "a.docx", lambda: builders.zipped(word__styles="<x/>"), REFUSED,
         BROKEN),
    case("docx-encrypted", "a.docx", lambda: ole(), REFUSED, "encrypted", BROKEN),
    case("xlsx-merged-all", "a.xlsx", merged, READY, LIMITED),
    case("xlsx-far-cells", "a.xlsx", far_cells, READY, LIMITED),
    case("xlsx-shared-strings", "a.xlsx", shared_strings, LIMITED, READY),
    case("xlsx-laughs", "a.xlsx", lambda: sheet("", **{"xl/sharedStrings.xml": billion_laughs()}),
         BROKEN, READY, EMPTY),
    case("xls-chain-loop", "a.xls", ole, BROKEN, REFUSED, LIMITED, EMPTY),
    case("ods-repeated-cells", "a.ods", repeated_cells, _KEPT),
    case("ods-deep", "a.ods", lambda: ods("<text:p>" * 50_000 + "</text:p>" * 50_000), _KEPT),
    case("odt-deep", "a.odt", lambda: ods("<text:p>" * 5_000 + "</text:p>" * 5_000, "text"), _KEPT),
    case("pptx-laughs", "a.pptx", lambda: builders.archive({
        "[Content_Types].xml": TYPES, "ppt/presentation.xml": billion_laughs()}), BROKEN, OPEN,
         EMPTY, REFUSED),
    case("pptx-bomb", "a.pptx", lambda: slides("A" * 250_000_000), LIMITED, OPEN),
    case("zip-nested-40", "a.zip", lambda: nested(40), _KEPT),
    case("zip-wide", "a.zip", partial(wide, 10, 3), _KEPT),
    case("zip-no-directory", "a.zip", no_directory, BROKEN, OPEN, EMPTY),
    case("zip-slip", "a.zip", lambda: member("../../../../tmp/weft-escaped.txt"), _KEPT),
    case("zip-absolute", "a.zip", lambda: member("/tmp/weft-escaped.txt"), _KEPT),
    case("zip-backslash", "a.zip", lambda: member("..\\..\\weft-escaped.txt"), _KEPT),
    case("zip-link", "a.zip", lambda: member("etc", b"/etc/passwd", 0o120777), _KEPT),
    case("zip-device", "a.zip", lambda: member("dev", b"", 0o020666), _KEPT),
    case("zip-encrypted", "a.zip", locked, "encrypted", OPEN, BROKEN),
    case("zip-empty", "a.zip", lambda: builders.archive({}), _KEPT),
    case("zip-of-bombs", "a.zip", lambda: builders.archive({"b.txt": b"0" * 400_000_000}), _KEPT),
    case("zip-same-names", "a.zip", lambda: twins(), _KEPT),
    case("zip-named-pdf", "a.pdf", lambda: member("a.txt"), "wrong_extension"),
)  # fmt: skip


def twins() -> bytes:
    """Two members of one name, as NFC and NFD write it, and a third of the very same."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        out.writestr("caf\u00e9.txt", "one\n")
        out.writestr("cafe\u0301.txt", "two\n")
        out.writestr("Caf\u00e9.txt", "three\n")
    return made.getvalue()
