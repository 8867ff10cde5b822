# ruff: noqa: E501 - a file is told on a line
"""Names that try to be paths, orders or one another. What they name is an honest note."""

from __future__ import annotations

from tests.ingestion.bad.case import READY, case

_TOLD = frozenset({READY, "unsupported_format", "bad_filename", "validation_error", "bad_form"})


def _note() -> bytes:
    return b"An honest note.\n"


CASES = tuple(
    case(f"name-{name}", filename, _note, _TOLD)
    for name, filename in {
        "traversal": "../../../../tmp/weft-escaped.txt", "absolute": "/etc/cron.d/weft-escaped.txt",
        "windows": "..\\..\\weft-escaped.txt", "device": "CON.txt", "dots": "...txt",
        "right-to-left": "invoice\u202efdp.txt", "long": "n" * 4_096 + ".txt",
        "nfc": "caf\u00e9.txt", "nfd": "cafe\u0301.txt", "newline": "a\r\nSet-Cookie: x=1.txt",
        "quote": 'a";filename="b.txt', "shell": "$(touch weft-escaped).txt", "empty-stem": ".txt",
        "format-signs": "%s%n%x{0}.txt", "html": "<img src=x onerror=alert(1)>.txt",
        "surrogate-like": "\ufffe\uffff.txt", "spaces": "   .txt", "two-ends": "invoice.pdf.exe.txt",
    }.items()
)  # fmt: skip
