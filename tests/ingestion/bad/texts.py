# ruff: noqa: E501 - a file is told on a line
"""Text that is deep, wide, doubled, or no text."""

from __future__ import annotations

from tests.ingestion.bad.case import BROKEN, EMPTY, LIMITED, READY, REFUSED, case
from tests.ingestion.bad.packages import billion_laughs, outside

_OPEN = frozenset({"unsupported_format"})


def html_deep(levels: int) -> bytes:
    return b"<html><body>" + b"<div>" * levels + b"x" + b"</div>" * levels + b"</body></html>"


def json_deep(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


def rows(columns: int) -> bytes:
    return b",".join(b"c%d" % n for n in range(columns)) + b"\n" + b",".join([b"1"] * columns)


CASES = (
    case("html-200k-levels", "a.html", lambda: html_deep(80_000), READY, LIMITED),
    case("html-5k-levels", "a.html", lambda: html_deep(5_000), READY, LIMITED),
    case("html-open-tags", "a.html", lambda: b"<html>" + b"<b><i><table>" * 60_000, READY, LIMITED,
         EMPTY),
    case("html-refresh", "a.html", lambda: b'<html><head><meta http-equiv="refresh" content="0;url='
         b'http://127.0.0.1:48719/"><base href="file:///"><link rel=stylesheet href="//127.0.0.1:48719/">'
         b"</head><body><p>Here<iframe src=file:///etc/passwd></iframe></body></html>", READY),
    case("html-entities", "a.html", lambda: b"<html><body>" + b"&#x10FFFF;&#0;&#xD800;" * 10_000,
         READY, EMPTY),
    case("csv-nul", "a.csv", lambda: b"a,b\n1\0,2\n\0\0,3\n", READY, BROKEN, REFUSED),
    case("csv-million-columns", "a.csv", lambda: rows(300_000)[:990_000], READY, LIMITED),
    case("csv-open-quote", "a.csv", lambda: b'a,b\n"' + b"x,1\n" * 200_000, READY, LIMITED, BROKEN),
    case("csv-one-cell", "a.csv", lambda: b"a,b\n1," + b"y" * 900_000 + b"\n", READY, LIMITED),
    case("csv-formulas", "a.csv", lambda: b'a,b\n=cmd|"/c calc"!A1,@SUM(1)\n', READY),
    case("json-100k-deep", "a.json", lambda: json_deep(100_000), LIMITED, BROKEN, REFUSED, READY),
    case("json-nan", "a.json", lambda: b'{"a": NaN, "b": Infinity, "c": -Infinity}', READY, BROKEN),
    case("json-twice", "a.json", lambda: b'{"a": 1, "a": 2, "a": {"a": 3, "a": 4}}', READY, BROKEN),
    case("json-digits", "a.json", lambda: b'{"a": ' + b"9" * 100_000 + b"}", READY, BROKEN),
    case("json-surrogates", "a.json", lambda: b'{"a": "\\ud800\\udc00 \\ud800 \\u0000"}', READY,
         BROKEN),
    case("xml-laughs", "a.xml", lambda: billion_laughs().encode(), BROKEN, _OPEN),
    case("xml-xxe", "a.xml", lambda: outside("file:///etc/passwd").encode(), BROKEN, _OPEN),
    case("xml-deep", "a.xml", lambda: b"<?xml version='1.0'?>" + b"<a>" * 100_000 + b"</a>" * 100_000,
         LIMITED, BROKEN, READY, _OPEN),
    case("xml-attributes", "a.xml", lambda: b"<?xml version='1.0'?><a "
         + b" ".join(b"x%d='1'" % n for n in range(60_000)) + b"/>", LIMITED, BROKEN, READY, EMPTY,
         _OPEN),
    case("md-deep-list", "a.md", lambda: b"".join(b" " * n + b"- x\n" for n in range(1_000)), READY,
         LIMITED),
    case("md-brackets", "a.md", lambda: b"[" * 200_000 + b"](" * 50_000, READY),
    case("txt-binary", "a.txt", lambda: bytes(range(256)) * 300, READY, REFUSED, BROKEN, EMPTY),
    case("txt-nul", "a.txt", lambda: bytes(100_000), REFUSED, EMPTY, BROKEN, READY),
    case("txt-half-utf16", "a.txt", lambda: b"\xff\xfe" + b"\x00\xd8" * 1_001 + b"a", READY, BROKEN,
         EMPTY),
    case("txt-one-line", "a.txt", lambda: b"word " * 190_000, READY, LIMITED),
    case("txt-combining", "a.txt", lambda: ("a" + "\u0301" * 200_000).encode(), READY),
    case("txt-hidden-signs", "a.txt", lambda: ("\u202e\u2066\ufeff\U000e0041 hidden\n" * 500).encode(),
         READY),
    case("vtt-times", "a.vtt", lambda: b"WEBVTT\n\n99999999:99:99.999 --> 00:00:00.000\nx\n", READY,
         BROKEN, EMPTY, _OPEN),
    case("log-million", "a.log", lambda: b"2026-01-01 00:00:00 ERROR x\n" * 30_000, READY, LIMITED),
)  # fmt: skip
