# ruff: noqa: E501 - a file is told on a line
"""What a second hand made against the same readers: lies in streams and tables, repetition counts,
slow patterns, charsets that are none, and the names of members."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
import zlib
from collections.abc import Mapping

from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, case
from tests.ingestion.bad.packages import sheet

_TEXT = b"BT /F1 12 Tf 72 700 Td (Invoice number 4711) Tj ET"
_HEAD = b"From: a@example.com\r\nTo: b@example.com\r\nSubject: s\r\n"
_ODF = "urn:oasis:names:tc:opendocument:xmlns:"


def stream(data: bytes, about: bytes = b"", *, flate: bool = False) -> bytes:
    if flate:
        data, about = zlib.compress(data), b"/Filter /FlateDecode " + about
    return b"<< /Length %d %s >>\nstream\n" % (len(data), about) + data + b"\nendstream"


def pdf(
    contents: bytes = stream(_TEXT), *, catalog: bytes = b"", resources: bytes = b"",
    more: Mapping[int, bytes] | None = None, font: bytes = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
) -> bytes:  # fmt: skip
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> %s >> >>" % resources,
        4: contents, 5: font, **(more or {}),
    }  # fmt: skip
    out = bytearray(b"%PDF-1.7\n")
    for number, body in objects.items():
        out += b"%d 0 obj\n" % number + body + b"\nendobj\n"
    return bytes(out) + b"trailer << /Root 1 0 R /Size 9 >>\n%%EOF\n"


def picture(about: bytes, data: bytes = b"\0" * 100, *more: bytes) -> bytes:
    """A page that is one picture."""
    image = stream(data, b"/Type /XObject /Subtype /Image " + about)
    return pdf(
        stream(b"q 600 0 0 700 0 0 cm /I Do Q"), resources=b"/XObject << /I 6 0 R >>",
        more=dict(enumerate((image, *more), 6)),
    )  # fmt: skip


def to_unicode(told: bytes) -> bytes:
    font = b"<< /Type /Font /Subtype /Type0 /BaseFont /A /Encoding /Identity-H /ToUnicode 6 0 R /DescendantFonts [<< /Type /Font /Subtype /CIDFontType2 /BaseFont /A >>] >>"
    return pdf(stream(b"BT /F1 12 Tf 72 700 Td <0001000200030041> Tj ET"), font=font,
               more={6: stream(told)})  # fmt: skip


def odf(kind: str, body: str) -> bytes:
    spaces = " ".join(f'xmlns:{name}="{_ODF}{name}:1.0"' for name in ("office", "table", "text"))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", f"application/vnd.oasis.opendocument.{kind}")
        archive.writestr(
            "content.xml",
            f"<office:document-content {spaces}><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>",
        )
    return made.getvalue()


def packed(method: int, data: bytes = b"\0" * 2**28) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        archive.writestr("a.txt", data)
    return made.getvalue()


def claiming(offset: int, value: bytes) -> bytes:
    """An honest archive whose member says something else of itself, in both places."""
    made = bytearray(packed(zipfile.ZIP_DEFLATED, b"an honest line\n"))
    for mark, more in ((b"PK\3\4", 0), (b"PK\1\2", 2)):
        at = made.find(mark) + offset + more
        made[at : at + len(value)] = value
    return bytes(made)


def tiff(*entries: tuple[int, int, int, int], following: int = 0) -> bytes:
    told = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + told + struct.pack("<I", following)


def mail(*parts: bytes) -> bytes:
    head = _HEAD + b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="B"\r\n\r\n'
    return head + b"".join(b"--B\r\n" + part + b"\r\n" for part in parts) + b"--B--\r\n"


def _charset(name: bytes, body: bytes = b"words") -> bytes:
    return b"Content-Type: text/plain; charset=" + name + b"\r\n\r\n" + body + b"\r\n"


CASES = (
    case("json-1m-keys", "a.json", lambda: b'{' + b", ".join(b'"k%d": %d' % (n, n) for n in range(1_000_000)) + b"}", READY),
    case("vtt-300k-cues", "a.vtt", lambda: b"WEBVTT\n\n" + b"00:00:00.000 --> 00:00:01.000\nx\n\n" * 300_000, READY),
    case("xlsx-1m-cells", "a.xlsx", lambda: sheet("<sheetData>" + "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 1_000_001)) + "</sheetData>"), READY, LIMITED),
    case("mbox-100k", "a.mbox", lambda: b"From a@b Mon Jan  1 00:00:00 2024\nSubject: x\n\nbody\n\n" * 100_000, READY),
    case("md-600k-headings", "a.md", lambda: b"a\n===\n\n" * 600_000, READY, LIMITED),
    case("pdf-2000-scans", "a.pdf", lambda: picture(b"/Width 5000 /Height 5000 /BitsPerComponent 8 /ColorSpace /DeviceGray /Filter /FlateDecode", zlib.compress(b"\x80" * 25_000_000)).replace(b"/Kids [3 0 R] /Count 1", b"/Kids [" + b"3 0 R " * 2_000 + b"] /Count 2000"), EMPTY, LIMITED, READY),
    case("pdf-20k-names-of-one-file", "a.pdf", lambda: pdf(catalog=b"/Names << /EmbeddedFiles << /Names [" + b"".join(b"(%d.txt) << /F (%d.txt) /EF << /F 6 0 R >> >>" % (n, n) for n in range(20_000)) + b"] >> >>", more={6: stream(b"words\n")}), READY, LIMITED),
    case("pdf-xref-size-lies", "a.pdf", lambda: pdf().replace(b"/Size 9", b"/Size 2147483647"), READY, BROKEN, LIMITED),
    case("pdf-object-stream-itself", "a.pdf", lambda: pdf(more={6: stream(b"9 0 << >>", b"/Type /ObjStm /N 1 /First 4 /Extends 6 0 R")}), READY, BROKEN),
    case("pdf-object-stream-counts", "a.pdf", lambda: pdf(more={6: stream(b"1 0", b"/Type /ObjStm /N 2147483647 /First 2147483647")}), READY, BROKEN),
    case("pdf-20k-filters", "a.pdf", lambda: pdf(b"<< /Length 4 /Filter [" + b"/ASCIIHexDecode " * 20_000 + b"] >>\nstream\n0000\nendstream"), READY, LIMITED, BROKEN, EMPTY),
    case("pdf-stream-of-a-file", "a.pdf", lambda: pdf(b"<< /Length 0 /F (/etc/passwd) >>\nstream\n\nendstream"), EMPTY, READY, BROKEN),
    case("pdf-stream-of-a-url", "a.pdf", lambda: pdf(b"<< /Length 0 /F << /FS /URL /F (http://127.0.0.1:48719/) >> >>\nstream\n\nendstream"), EMPTY, READY, BROKEN),
    case("pdf-attached-exe", "a.pdf", lambda: pdf(catalog=b"/Names << /EmbeddedFiles << /Names [(x) << /F (../../tmp/weft-escaped.exe) /EF << /F 6 0 R >> >>] >> >>", more={6: stream(b"MZ" + b"\0" * 500)}), READY),
    case("pdf-attached-loop", "a.pdf", lambda: pdf(catalog=b"/Names << /EmbeddedFiles 6 0 R >>", more={6: b"<< /Kids [6 0 R 6 0 R] >>"}), READY, BROKEN),
    case("pdf-attached-bomb", "a.pdf", lambda: pdf(catalog=b"/Names << /EmbeddedFiles << /Names [(a.txt) << /F (a.txt) /EF << /F 6 0 R >> >>] >> >>", more={6: stream(b"\0" * 2**28, flate=True)}), READY, LIMITED),
    case("pdf-to-unicode-far", "a.pdf", lambda: to_unicode(b"1 beginbfrange <00000000> <FFFFFFFF> <0041> endbfrange"), READY, EMPTY, LIMITED, BROKEN),
    case("pdf-to-unicode-long", "a.pdf", lambda: to_unicode(b"1 beginbfrange <0000> <FFFF> <" + b"0041" * 100_000 + b"> endbfrange"), READY, EMPTY, LIMITED, BROKEN),
    case("pdf-type3-itself", "a.pdf", lambda: pdf(font=b"<< /Type /Font /Subtype /Type3 /FontBBox [0 0 9 9] /FontMatrix [1 0 0 1 0 0] /FirstChar 73 /LastChar 73 /Widths [9] /Encoding << /Differences [73 /I] >> /CharProcs << /I 6 0 R >> /Resources << /Font << /F1 5 0 R >> >> >>", more={6: stream(b"9 0 d0 BT /F1 9 Tf (III) Tj ET")}), READY, EMPTY, LIMITED, BROKEN),
    case("pdf-jbig2-lies", "a.pdf", lambda: picture(b"/Width 100000 /Height 100000 /BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /JBIG2Decode", b"\0\0\0\0\x30\0\1\0\0\0\x13" + b"\x7f\xff\xff\xff" * 2 + b"\0" * 11), EMPTY, READY, LIMITED, BROKEN),
    case("pdf-jpx-lies", "a.pdf", lambda: picture(b"/Width 60000 /Height 60000 /Filter /JPXDecode", b"\xff\x4f\xff\x51\0\x29\0\0" + struct.pack(">8I", 60000, 60000, 0, 0, 1, 1, 0, 0) + b"\0\1\7\1\1"), EMPTY, READY, LIMITED, BROKEN),
    case("pdf-ccitt-lies", "a.pdf", lambda: picture(b"/Width 60000 /Height 60000 /BitsPerComponent 1 /ColorSpace /DeviceGray /Filter /CCITTFaxDecode /DecodeParms << /K -1 /Columns 60000 /Rows 60000 >>"), EMPTY, READY, LIMITED, BROKEN),
    case("pdf-mask-itself", "a.pdf", lambda: picture(b"/Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace /DeviceGray /SMask 6 0 R"), EMPTY, READY, LIMITED, BROKEN),
    case("pdf-icc-bomb", "a.pdf", lambda: picture(b"/Width 10 /Height 10 /BitsPerComponent 8 /ColorSpace [/ICCBased 7 0 R]", b"\0" * 300, stream(b"\0" * 2**27, b"/N 3", flate=True)), EMPTY, READY, LIMITED, BROKEN),
    case("pdf-far-coordinates", "a.pdf", lambda: pdf(stream(b"1e38 0 0 1e38 0 0 cm " * 50 + _TEXT)), READY, EMPTY, BROKEN),
    case("pdf-form-field-itself", "a.pdf", lambda: pdf(catalog=b"/AcroForm << /Fields [6 0 R] >>", more={6: b"<< /FT /Tx /T (a) /V 6 0 R /Kids [6 0 R] /Parent 6 0 R >>"}), READY, BROKEN),
    case("pdf-xmp-outside", "a.pdf", lambda: pdf(catalog=b"/Metadata 6 0 R", more={6: stream(b'<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:48719/">]><x>&e;</x>', b"/Type /Metadata /Subtype /XML")}), READY, BROKEN),
    case("zip-lzma-bomb", "a.zip", lambda: packed(zipfile.ZIP_LZMA), LIMITED),
    case("zip-bzip2-bomb", "a.zip", lambda: packed(zipfile.ZIP_BZIP2), LIMITED),
    case("zip-unknown-method", "a.zip", lambda: claiming(8, b"\x62\0"), BROKEN),
    case("zip-petabyte-claimed", "a.zip", lambda: claiming(22, b"\xfe\xff\xff\xff"), READY, BROKEN, LIMITED),
    case("odt-blanks", "a.odt", lambda: odf("text", '<text:p>a<text:s text:c="2147483647"/>b</text:p>'), READY, LIMITED),
    case("odt-spans", "a.odt", lambda: odf("text", '<table:table><table:table-row table:number-rows-repeated="99999999"><table:table-cell table:number-columns-repeated="99999999" table:number-columns-spanned="2147483647"><text:p>x</text:p></table:table-cell></table:table-row></table:table>'), READY, LIMITED),
    case("ods-odd-values", "a.ods", lambda: odf("spreadsheet", '<table:table table:name="a"><table:table-row>' + "".join(f'<table:table-cell office:value-type="{kind}" office:{name}="{value}"/>' for kind, name, value in (("date", "date-value", "99999-99-99"), ("float", "value", "NaN"), ("float", "value", "1e99999"), ("time", "time-value", "PT999999999999H"))) + "<table:table-cell><text:p>x</text:p></table:table-cell></table:table-row></table:table>"), READY),
    case("tiff-65k-pages", "a.tif", lambda: b"II*\0" + struct.pack("<I", 8) + b"".join(struct.pack("<HHHIII", 1, 256, 3, 1, 1, 8 + (n + 1) * 18) for n in range(65_535)) + b"\0" * 8, EMPTY, READY, LIMITED, BROKEN),
    case("tiff-counts", "a.tif", lambda: tiff((256, 4, 2**32 - 1, 100), (273, 4, 2**31, 100), (700, 1, 2**32 - 1, 50)), EMPTY, BROKEN, LIMITED),
    case("tiff-inner-itself", "a.tif", lambda: tiff((256, 4, 1, 10), (257, 4, 1, 10), (330, 4, 1, 8), (34665, 4, 1, 8)), EMPTY, BROKEN, LIMITED),
    case("jpeg-500k-comments", "a.jpg", lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 500_000 + b"\xff\xd9", EMPTY, BROKEN, LIMITED, REFUSED),
    case("webp-100k-frames", "a.webp", lambda: b"RIFF" + struct.pack("<I", 2_400_022) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\x02\0\0\0\xff\x3f\0\xff\x3f\0" + (b"ANMF" + struct.pack("<I", 16) + b"\0" * 16) * 100_000, EMPTY, BROKEN, LIMITED),
    case("xml-utf7-outside", "a.xml", lambda: b'<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE x+AFs-+ADwAIQ-ENTITY e SYSTEM +ACI-file:///etc/passwd+ACI-+AD4-+AF0-+AD4-+ADw-x+AD4-+ACY-e+ADs-+ADw-/x+AD4-', BROKEN, READY, REFUSED),
    case("xml-included", "a.xml", lambda: b'<x xmlns:xi="http://www.w3.org/2001/XInclude"><a>hi</a><xi:include href="file:///etc/passwd" parse="text"/></x>', READY),
    case("xml-long-name", "a.xml", lambda: b"<" + b"a" * 900_000 + b">t</" + b"a" * 900_000 + b">", READY, BROKEN, LIMITED),
    case("xml-wide", "a.xml", lambda: b"<r>" + b"<a/>" * 5_000_000 + b"</r>", LIMITED, EMPTY),
    case("html-rowspans", "a.html", lambda: b"<html><body><table><tr>" + b"<td rowspan=65534 colspan=1000>a</td>" * 1_000 + b"</tr><tr><td>x</td></tr></table>", READY, LIMITED),
    case("md-backticks", "a.md", lambda: b"".join(b"`" * n + b" " for n in range(1_000)), READY, LIMITED, EMPTY),
    case("md-labels", "a.md", lambda: b"[a]: b\n" * 100_000 + b"[a]\n", READY, LIMITED),
    case("txt-mail-signs", "a.txt", lambda: b"a@" * 500_000 + b"\n" + b"a." * 500_000 + b"@\n", READY),
    case("txt-parentheses", "a.txt", lambda: b"+49 " + b"(0" * 500_000, READY),
    case("txt-far-dates", "a.txt", lambda: b"Invoice date: 99.99.9999\nDue 31.02.2024\nTotal: 1e400 EUR\nTotal: " + b"9" * 100_000 + b" EUR\n", READY),
    case("csv-ragged", "a.csv", lambda: b"a,b,c\n" + b"".join(b"1" + b"," * (n % 3_000) + b"\n" for n in range(1_000)), READY, LIMITED, REFUSED),
    case("eml-charsets-that-are-codecs", "a.eml", lambda: mail(*(_charset(name, b"x\x9c words") for name in (b"zlib_codec", b"hex", b"unicode_escape", b"undefined", b"idna", b"../../x", b"utf-7", b"\0"))), READY),
    case("eml-charset-bomb", "a.eml", lambda: mail(b"Content-Type: text/plain; charset=zlib\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(zlib.compress(b"a" * 2**27))), READY, LIMITED),
    case("eml-parameters", "a.eml", lambda: mail(b"Content-Type: text/plain; " + b"; ".join(b"name*%d*=utf-8''%%FF%%00%%2e%%2e%%2f" % n for n in range(5_000)) + b"\r\nContent-Disposition: attachment; filename*0*=x'y'..%2Fweft-escaped; filename*-1=q\r\n\r\nwords"), READY),
    case("eml-far-date", "a.eml", lambda: _HEAD + b"Date: Mon, 31 Dec 9999 23:59:59 -2359\r\n\r\nbody\r\n", READY),
    case("eml-outside-body", "a.eml", lambda: _HEAD + b'Content-Type: message/external-body; access-type=URL; URL="http://127.0.0.1:48719/"\r\n\r\nContent-Type: text/plain\r\n\r\nphantom\r\n', READY, EMPTY),
    case("eml-comments-in-comments", "a.eml", lambda: b"From: a@example.com\r\nTo: " + b"(" * 100_000 + b"a" + b")" * 100_000 + b"\r\nSubject: s\r\n\r\nbody\r\n", READY, LIMITED),
    case("eml-uuencoded", "a.eml", lambda: mail(b"Content-Type: text/plain\r\nContent-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 /tmp/weft-escaped\r\nM#0V%T\r\nend"), READY),
)  # fmt: skip
