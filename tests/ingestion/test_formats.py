"""A file is what its bytes are."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput, UnsupportedFormat
from ingestion import FORMATS, sniff
from tests.ingestion import builders

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("name", "data", "format"),
    [
        ("a.pdf", b"%PDF-1.7\n...", "pdf"),
        ("upload.bin", b"\n\n%PDF-1.4\n", "pdf"),
        ("notes.txt", b"Some words.\n", "txt"),
        ("notes.log", b"2026-01-01 INFO started\n", "txt"),
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
        ("a.png", PNG),
        ("a.exe", b"MZ\x90\x00" + bytes(100)),
        ("a.zip", builders.archive({"a.txt": "x"})),
        ("a.doc", OLE),
        ("a.xls", OLE),
        ("noname", bytes(range(256)) * 4),
        ("a.py", b"print()\n"),
        ("a.gz", b"\x1f\x8b\x08" + bytes(20)),
    ],
)
def test_what_is_not_read_is_refused_with_the_list(name: str, data: bytes) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        sniff(data, name)
    assert caught.value.extra["supported_formats"] == list(FORMATS)
