"""A file is what its bytes are."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, UnsupportedFormat
from ingestion import FORMATS, sniff
from tests.ingestion import builders

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
LOG = (
    b"2026-01-01 10:00:00 INFO api started\n2026-01-01 10:00:01 ERROR api no disk\n"
    b"2026-01-01 10:00:02 WARN api slow\n"
)
MBOX = b"From a@b.example Sat Jan  3 01:05:34 2026\nFrom: a@b.example\nSubject: x\n\nbody\n"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def opened(kind: str) -> bytes:
    """An OpenDocument container that says what it is."""
    return builders.archive({"mimetype": f"application/vnd.oasis.opendocument.{kind}"})


@pytest.mark.parametrize(
    ("name", "data", "format"),
    [
        ("a.pdf", b"%PDF-1.7\n...", "pdf"),
        ("upload.bin", b"\n\n%PDF-1.4\n", "pdf"),
        ("upload.bin", b"HTTP/1.1 200\r\n\r\n%PDF-1.4\n1 0 obj<<>>endobj\n", "pdf"),
        ("about.md", b"A PDF begins with %PDF-1.7.\n", "md"),
        ("bills.zip", builders.archive({"a.pdf": b"%PDF-1.4\n1 0 obj<<>>endobj"}, 0), "zip"),
        ("notes.txt", b"Some words.\n", "txt"),
        ("notes.log", b"2026-01-01 INFO started\n", "log"),
        ("readme.md", b"# Title\n", "md"),
        ("a.csv", b"a,b\n1,2\n", "csv"),
        ("a.tsv", b"a\tb\n1\t2\n", "tsv"),
        ("a.json", b'{"a": 1}', "json"),
        ("lines.jsonl", b'{"a": 1}\n{"a": 2}\n', "json"),
        ("logs.txt", b'{"a": 1}\n{"a": 2}\n', "json"),
        ("a.html", b"<!doctype html><p>x", "html"),
        ("noname", b"<!doctype html><p>x", "html"),
        ("noname", b"a;b\n1;2\n", "csv"),
        ("a.eml", b"From: a@b.example\nTo: c@d.example\nSubject: x\n\nbody\n", "eml"),
        ("noname", b"From: a@b.example\nTo: c@d.example\nSubject: x\n\nbody\n", "eml"),
        ("umlaut.txt", "Grüße aus Köln".encode("cp1252"), "txt"),
        ("wide.txt", "Grüße".encode("utf-16"), "txt"),
        ("a.docx", builders.docx(builders.paragraph("x")), "docx"),
        ("a.xlsx", builders.xlsx(builders.ledger), "xlsx"),
        ("BMW.txt", b"BMW and MZ are words", "txt"),
        ("a.png", PNG, "png"),
        ("noname", PNG, "png"),
        ("photo.JPG", b"\xff\xd8\xff\xe0" + bytes(40), "jpeg"),
        ("scan.tif", b"II*\x00" + bytes(40), "tiff"),
        ("scan.tiff", b"MM\x00*" + bytes(40), "tiff"),
        ("a.webp", b"RIFF\x10\x00\x00\x00WEBPVP8 " + bytes(20), "webp"),
        ("a.bmp", b"BM" + bytes(12) + b"\x28\x00\x00\x00" + bytes(40), "bmp"),
        ("a.gif", b"GIF89a" + bytes(40), "gif"),
        ("IMG_1.HEIC", b"\x00\x00\x00\x18ftypheic" + bytes(40), "heic"),
        ("a.pptx", builders.archive({"ppt/presentation.xml": "<p/>"}), "pptx"),
        ("a.odt", opened("text"), "odt"),
        ("a.ods", opened("spreadsheet"), "ods"),
        ("noname", opened("spreadsheet"), "ods"),
        ("a.xls", OLE + "Workbook\0".encode("utf-16-le"), "xls"),
        ("a.msg", OLE + "__substg1.0_".encode("utf-16-le"), "msg"),
        ("a.doc", OLE, "doc"),
        ("a.odp", opened("presentation"), "odp"),
        ("noname", OLE + "PowerPoint Document\0".encode("utf-16-le"), "ppt"),
        ("noname", OLE + "WordDocument\0".encode("utf-16-le"), "doc"),
        ("a.tar.gz", b"\x1f\x8b\x08" + bytes(20), "gz"),
        ("a.tgz", b"\x1f\x8b\x08" + bytes(20), "gz"),
        ("a.tar", bytes(257) + b"ustar\x00" + bytes(250), "tar"),
        ("a.rtf", b"{\\rtf1 x}", "rtf"),
        ("makro.xlsm", builders.xlsx(builders.ledger), "xlsx"),
        ("a.zip", builders.archive({"a.txt": "x"}), "zip"),
        ("a.xml", b"<?xml version='1.0'?><a/>", "xml"),
        ("a.txt", b"<?xml version='1.0'?><a/>", "xml"),
        ("noname", b'<Invoice xmlns="urn:x"><ID>1</ID></Invoice>', "xml"),
        ("a.mbox", MBOX, "mbox"),
        ("noname", MBOX, "mbox"),
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "vtt"),
        ("talk.txt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", "vtt"),
        ("talk.txt", b"1\r\n00:00:01,000 --> 00:00:02,000\r\nHi\r\n", "srt"),
        ("noname", LOG, "log"),
        ("server.txt", LOG, "log"),
        ("server.log", b'{"ts": 1, "msg": "a"}\n{"ts": 2, "msg": "b"}\n', "log"),
    ],
)
def test_format_comes_from_the_content(name: str, data: bytes, format: str) -> None:
    assert sniff(data, name) == format


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(InvalidInput) as caught:
        sniff(b"", "a.pdf")
    assert caught.value.slug == "empty_file"


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("scan.pdf", PNG, "PNG"),
        ("letter.docx", b"%PDF-1.7\n", "PDF"),
        ("letter.pdf", b"just some words", "plain text"),
        ("table.xlsx", builders.docx(builders.paragraph("x")), "DOCX"),
        ("table.csv", b"MZ\x90\x00" + bytes(100), "Windows program"),
        ("page.csv", b"<html><body>x</body></html>", "HTML"),
        ("photo.png", b"%PDF-1.7\n", "PDF"),
        ("photo.png", b"\xff\xd8\xff\xe0" + bytes(40), "JPEG"),
        ("a.docx", builders.archive({"a.txt": "x"}), "ZIP"),
        ("a.csv", b'[{"a": 1}, {"a": 2}]', "JSON"),
        ("a.jar", builders.archive({"a.txt": "x"}), "ZIP"),
        ("clip.heic", b"\x00\x00\x00\x18ftypisom" + bytes(40), "video"),
    ],
)
def test_a_wrong_extension_is_named_with_the_true_content(
    name: str, data: bytes, told: str
) -> None:
    with pytest.raises(InvalidInput, match=told) as caught:
        sniff(data, name)
    assert caught.value.slug == "wrong_extension"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.exe", b"MZ\x90\x00" + bytes(100)),
        ("a.pub", OLE),
        ("a.odg", opened("graphics")),
        ("noname", bytes(range(256)) * 4),
        ("a.py", b"print()\n"),
        ("a.rar", b"Rar!\x1a\x07\x00" + bytes(20)),
    ],
)
def test_what_is_not_read_is_refused_with_the_list(name: str, data: bytes) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        sniff(data, name)
    assert caught.value.extra["supported_formats"] == list(FORMATS)


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("a.xlsb", builders.archive({"xl/workbook.bin": "x"}), "read: save it as .xlsx."),
        ("a.vsdx", builders.archive({"visio/document.xml": "<v/>"}), "a Visio drawing (.vsdx)"),
        ("a.xps", builders.archive({"FixedDocumentSequence.fdseq": "x"}), "read: save it as .pdf."),
        ("a.pst", b"!BDN" + bytes(600), "export its mails as .eml or .mbox."),
        ("a.lnk", b"L\0\0\0\x01\x14\x02\0" + bytes(90), "a Windows shortcut"),
        ("a.mdb", b"\0\x01\0\0Standard Jet DB" + bytes(90), "an Access database"),
        ("a.one", b"\xe4R\\{\x8c\xd8\xa7M" + bytes(90), "a OneNote notebook"),
    ],
)
def test_what_other_programs_wrote_is_named_with_the_way_out(
    name: str, data: bytes, told: str
) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        sniff(data, name)
    assert told in caught.value.detail
