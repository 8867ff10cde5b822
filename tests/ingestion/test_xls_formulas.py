"""Formulas that old workbooks keep as numbers, in the words of a sheet."""

from __future__ import annotations

import struct

import pytest

from ingestion.xls_formulas import UNKNOWN, Book, text_of

FREE = 0xC000  # row and column move with the cell


def ref(row: int, col: int, fixed: bool = False, token: int = 0x44) -> bytes:
    return struct.pack("<BHH", token, row, col if fixed else col | FREE)


def area(top: int, left: int, bottom: int, right: int) -> bytes:
    return struct.pack("<BHHHH", 0x25, top, bottom, left | FREE, right | FREE)


def call(number: int, count: int | None = None) -> bytes:
    if count is None:
        return struct.pack("<BH", 0x41, number)
    return struct.pack("<BBH", 0x42, count, number)


def text(words: str) -> bytes:
    return struct.pack("<BBB", 0x17, len(words), 1) + words.encode("utf-16-le")


def whole(number: int) -> bytes:
    return struct.pack("<BH", 0x1E, number)


def book() -> Book:
    made = Book(sheets=["Main", "Two words", "It's"])
    made.supplies(b"\x01\x00\x01\x3a")
    made.outside(struct.pack("<H4xBB", 0, 7, 0) + b"EOMONTH")
    made.supplies(b"\x03\x00\x01\x04")
    made.supplies(b"\x01\x00\x05\x00")
    made.links(
        struct.pack("<H" + "Hhh" * 6, 6, 1, 0, 0, 1, 1, 1, 1, 0, 2, 2, 0, 0, 0, -2, -2, 1, -1, 0)
    )
    made.name(struct.pack("<HBB10xB", 0, 0, 3, 0) + b"Tax")
    made.name(struct.pack("<HBB10xB", 0x20, 0, 1, 0) + b"\x06")
    return made


@pytest.mark.parametrize(
    ("tokens", "told"),
    [
        (ref(0, 0) + ref(1, 1, fixed=True) + b"\x03", "=A1+$B$2"),
        (ref(0, 27) + whole(2) + b"\x05\x15" + b"\x13", "=-(AB1*2)"),
        (area(0, 0, 2, 1) + b"\x19\x10\x00\x00", "=SUM(A1:B3)"),
        (struct.pack("<BHHHH", 0x45, 0, 0xFFFF, 2 | FREE, 3 | FREE) + call(4, 1), "=SUM(C:D)"),
        (struct.pack("<BHHHH", 0x45, 1, 3, 0 | FREE, 255 | FREE) + call(4, 1), "=SUM(2:4)"),
        (ref(0, 0) + whole(0) + b"\x0d" + text('a "b"') + b"\x16" + call(1, 3),
         '=IF(A1>0,"a ""b""",)'),
        (whole(1) + b"\x1d\x01\x1c\x2a" + call(26), UNKNOWN),
        (ref(0, 0) + call(24), "=ABS(A1)"),
        (b"\x1f" + struct.pack("<d", 0.15) + b"\x14", "=0.15%"),
        (b"\x43\x01\x00\x00\x00" + whole(2) + b"\x05", "=Tax*2"),
        (b"\x43\x02\x00\x00\x00", "=Print_Area"),
        (struct.pack("<BHHH", 0x5A, 0, 0, FREE), "=Main!A1"),
        (struct.pack("<BHHH", 0x5A, 1, 0, FREE), "='Two words'!A1"),
        (struct.pack("<BHHHHH", 0x5B, 2, 0, 1, FREE, FREE) + call(4, 1),
         "=SUM('Main:It''s'!A1:A2)"),
        (struct.pack("<BHHH", 0x5A, 3, 0, FREE), "=[2]!A1"),
        (struct.pack("<BHHH", 0x5A, 5, 0, FREE), "=#REF!A1"),
        (struct.pack("<BHHH", 0x39, 4, 1, 0) + ref(0, 0) + whole(1) + call(255, 3),
         "=EOMONTH(A1,1)"),
        (ref(0xFFFF, 0xFF, token=0x4C), "=B4"),
        (b"\x1c\x07", "=#DIV/0!"), (b"\x2a\x00\x00\x00\x00", "=#REF!"),
    ],
)  # fmt: skip
def test_tokens_become_words(tokens: bytes, told: str) -> None:
    assert text_of(tokens, book(), 4, 2) == told


@pytest.mark.parametrize(
    "tokens",
    [b"", b"\x03", b"\x44\x00", b"\x1e\x01\x00\x1e\x01\x00", b"\x7f", b"\x02\x00\x00\x00\x00",
     call(9_999), call(4, 99), b"\x43\xff\x00\x00\x00", struct.pack("<BHHH", 0x5A, 99, 0, 0),
     b"\x1e\x01\x00" + b"\x12" * 60_000],
)  # fmt: skip
def test_what_is_not_known_is_said_to_be_a_formula(tokens: bytes) -> None:
    assert text_of(tokens, book(), 0, 0) == UNKNOWN
