# ruff: noqa: E501 - a file is told on a line
"""PDF: streams that inflate, trees that loop, tables that lie, scripts, encryption, polyglots."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from functools import partial

from reportlab.lib.pdfencrypt import StandardEncryption

from tests.ingestion import builders
from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, case


def paper(objects: Sequence[bytes], *, trailer: bytes = b"", start: int | None = None) -> bytes:
    """Objects from 1 up with a cross-reference table; 1 is the catalog."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    at = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R %s >>\n" % (len(objects) + 1, trailer)
    return bytes(out + b"startxref\n%d\n%%%%EOF" % (at if start is None else start))


def stream(data: bytes, **about: bytes) -> bytes:
    more = b" ".join(b"/" + name.encode() + b" " + value for name, value in about.items())
    return b"<< /Length %d %s >>\nstream\n" % (len(data), more) + data + b"\nendstream"


CATALOG = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES = b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
FONT = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
TEXT = b"BT /F1 12 Tf 72 700 Td (An honest line) Tj ET"


def page(resources: bytes = FONT, more: bytes = b"") -> bytes:
    return (b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources "
            + resources + more + b" >>")  # fmt: skip


def one(contents: bytes, *more: bytes, resources: bytes = FONT) -> bytes:
    return paper([CATALOG, PAGES, page(resources), contents, *more])


def flated(data: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    names = b"[" + b"/FlateDecode " * times + b"]"
    return stream(data, Filter=names)


def lzw_bomb(size: int = 300_000_000) -> bytes:
    """Codes that each give a longer run of the same byte (PDF 32000-1, 7.4.4)."""
    bits, width, code, made = 0, 9, 258, 0
    out, held = bytearray(), 0

    def put(value: int) -> None:
        nonlocal bits, held
        held, bits = held << width | value, bits + width
        while bits >= 8:
            out.append(held >> (bits - 8) & 255)
            held, bits = held & (1 << (bits - 8)) - 1, bits - 8

    while made < size:
        put(256)
        width, code = 9, 258
        put(32)
        while code < 4093:
            put(code)
            made += code - 256
            code += 1
            width = 9 + (code >= 511) + (code >= 1023) + (code >= 2047)
    put(257)
    return one(stream(bytes(out) + b"\0", Filter=b"/LZWDecode"))


def many_pages(count: int) -> bytes:
    kids = b" ".join(b"3 0 R" for _ in range(count))
    return paper([CATALOG, b"<< /Type /Pages /Kids [" + kids + b"] /Count %d >>" % count,
                  page(), stream(TEXT)])  # fmt: skip


def to_unicode() -> bytes:
    """A font of few bytes that claims a text for every code there is, each a long one."""
    ranges = b"\n".join(b"<0000> <FFFF> <%s>" % (b"0041" * 250) for _ in range(100))
    cmap = (b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> "
            b"endcodespacerange 100 beginbfrange\n" + ranges + b"\nendbfrange endcmap end")  # fmt: skip
    font = (b"<< /Font << /F1 << /Type /Font /Subtype /Type0 /BaseFont /X /Encoding /Identity-H "
            b"/ToUnicode 5 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /X"
            b" /CIDSystemInfo << /Registry (A) /Ordering (I) /Supplement 0 >> >>] >> >> >>")  # fmt: skip
    shown = b"BT /F1 12 Tf 72 700 Td <" + b"00410042" * 20_000 + b"> Tj ET"
    return one(flated(shown), flated(cmap), resources=font)


def form_bomb(levels: int = 10, each: int = 10) -> bytes:
    """A form that draws ten forms, each of which draws ten…"""
    objects = []
    for level in range(levels):
        last = level == levels - 1
        inner = TEXT if last else b" ".join(b"/X Do" for _ in range(each))
        below = FONT if last else b"<< /XObject << /X %d 0 R >> >>" % (6 + level)
        objects.append(stream(inner, Type=b"/XObject", Subtype=b"/Form", BBox=b"[0 0 9 9]",
                              Resources=below))  # fmt: skip
    top = b"<< /XObject << /X 5 0 R >> >>"
    return one(stream(b"/X Do " * each), *objects, resources=top)


def form_loop() -> bytes:
    itself = b"<< /XObject << /X 5 0 R >> >>"
    form = stream(b"/X Do", Type=b"/XObject", Subtype=b"/Form", BBox=b"[0 0 9 9]", Resources=itself)
    return one(stream(b"/X Do"), form, resources=itself)


def loops() -> Mapping[str, bytes]:
    return {
        "pages-loop": paper([CATALOG, b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>"]),
        "parent-loop": paper([CATALOG, b"<< /Type /Pages /Parent 2 0 R /Kids [2 0 R 3 0 R] /Count 2 >>",
                              page(), stream(TEXT)]),
        "length-cycle": one(b"<< /Length 4 0 R >>\nstream\n" + TEXT + b"\nendstream"),
        "length-pair": one(b"<< /Length 5 0 R >>\nstream\n" + TEXT + b"\nendstream", b"4 0 R"),
        "xref-prev-loop": paper([CATALOG, PAGES, page(), stream(TEXT)], trailer=b"/Prev 9"),
        "xref-far-away": paper([CATALOG, PAGES, page(), stream(TEXT)], start=2**40),
        "outline-loop": paper([b"<< /Type /Catalog /Pages 2 0 R /Outlines 5 0 R >>", PAGES, page(),
                               stream(TEXT), b"<< /First 6 0 R /Last 6 0 R /Count 1 >>",
                               b"<< /Title (x) /Parent 5 0 R /Next 6 0 R /First 6 0 R >>"]),
    }  # fmt: skip


def lying_count() -> bytes:
    return paper(
        [CATALOG, b"<< /Type /Pages /Kids [3 0 R] /Count 1000000 >>", page(), stream(TEXT)]
    )


def lying_length() -> bytes:
    return one(b"<< /Length 99999999 >>\nstream\n" + TEXT + b"\nendstream")


def deep(levels: int) -> bytes:
    return paper([b"<< /Type /Catalog /Pages 2 0 R /X " + b"[" * levels + b"]" * levels + b" >>",
                  PAGES, page(), stream(TEXT)])  # fmt: skip


def active() -> bytes:
    """Everything that a reader could be made to do: none of it is done."""
    root = (b"<< /Type /Catalog /Pages 2 0 R /OpenAction << /S /JavaScript /JS (app.launchURL("
            b"'http://127.0.0.1:48719/x')) >> /AA << /WC << /S /URI /URI (http://127.0.0.1:48719/y) >> >> "
            b"/Names << /EmbeddedFiles << /Names [(a.exe) << /F (..\\\\..\\\\a.exe) /EF << >> >>]"
            b" >> >> >>")  # fmt: skip
    launch = b"/Annots [<< /Type /Annot /Subtype /Link /Rect [0 0 9 9] /A << /S /Launch /F (/bin/sh) >> >>]"
    return paper([root, PAGES, page(more=launch), stream(TEXT)])


def many_fonts() -> bytes:
    fonts = b" ".join(b"/F%d << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>" % n
                      for n in range(1, 20_000))  # fmt: skip
    return one(stream(TEXT), resources=b"<< /Font << " + fonts + b" >> >>")


def secret() -> bytes:
    return builders.pdf(builders.lines("secret"), encrypt=StandardEncryption("s", strength=128))


def honest() -> bytes:
    return builders.pdf(builders.lines("An honest line"))


def zip_and_pdf() -> bytes:
    return honest() + builders.archive({"a.txt": "another file"})


CASES = (
    case("pdf-flate-bomb", "a.pdf", lambda: one(flated(b" " * 900_000_000)), LIMITED, EMPTY, READY),
    case("pdf-flate-twice", "a.pdf", lambda: one(flated(b"\0" * 1_000_000_000, 2)), LIMITED, EMPTY,
         READY, BROKEN),
    case("pdf-lzw-bomb", "a.pdf", lzw_bomb, LIMITED, EMPTY, READY, BROKEN),
    case("pdf-to-unicode-bomb", "a.pdf", to_unicode, LIMITED, EMPTY, READY, BROKEN),
    case("pdf-form-bomb", "a.pdf", form_bomb, LIMITED, EMPTY, READY, BROKEN),
    case("pdf-form-loop", "a.pdf", form_loop, LIMITED, EMPTY, READY, BROKEN),
    *(case(f"pdf-{name}", "a.pdf", partial(bytes, data), BROKEN, EMPTY, READY, LIMITED,
           "encrypted") for name, data in loops().items()),
    case("pdf-million-pages-claimed", "a.pdf", lying_count, BROKEN, EMPTY, READY),
    case("pdf-20k-pages", "a.pdf", lambda: many_pages(20_000), READY, LIMITED, BROKEN),
    case("pdf-lying-length", "a.pdf", lying_length, READY, BROKEN, EMPTY),
    case("pdf-deep-arrays", "a.pdf", lambda: deep(200_000), READY, BROKEN, EMPTY, LIMITED),
    case("pdf-active", "a.pdf", active, READY),
    case("pdf-20k-fonts", "a.pdf", many_fonts, READY, LIMITED, EMPTY),
    case("pdf-encrypted", "a.pdf", secret, "encrypted"),
    case("pdf-header-alone", "a.pdf", lambda: b"%PDF-1.7\n", BROKEN, EMPTY),
    case("pdf-noise", "a.pdf", lambda: b"%PDF-1.7\n" + bytes(range(256)) * 400, BROKEN, EMPTY),
    case("pdf-and-zip", "a.pdf", zip_and_pdf, READY, REFUSED),
    case("pdf-named-docx", "a.docx", honest, "wrong_extension"),
)  # fmt: skip
