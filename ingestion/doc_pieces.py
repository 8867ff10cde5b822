"""The parts of an old Word file: pieces of text, and what each paragraph is. Source: [MS-DOC]."""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.errors import Unfinishable
from ingestion.code_pages import codec_of_language
from ingestion.ole import Compound, damaged
from ingestion.ole_about import code_page

GONE = "\x00"  # stands for a letter that is not shown, so that places stay
_WORD97, _WORD6, _FIRST_WORD97 = 0xA5EC, 0xA5DC, 0xC1
_COMPLEX, _ENCRYPTED, _TABLE_ONE, _OBFUSCATED = 0x04, 0x100, 0x200, 0x8000
_STORIES = (0x4C, 0x50, 0x54, 0x58, 0x5C, 0x60, 0x64)  # lengths, in letters
_NAMES = ("text", "notes", "edges", "macros", "comments", "endnotes", "boxes")
_PAGE = 512
_PIECES_MAX = 200_000
_SIZES = (1, 1, 2, 4, 2, 2, 0, 3)
_STAY = "\r\x07\x0c"  # ends of paragraphs, cells and pages
# Properties: deleted, hidden; in a table, end of a row, list, depth in it, outline.
_DELETED, _HIDDEN = 0x0800, 0x083C
_IN_TABLE, _ROW_END, _LIST, _DEPTH, _OUTLINE = 0x2416, 0x2417, 0x460B, 0x260A, 0x2640
_ROW = 0xD608


@dataclass(slots=True)
class Paragraph:
    style: int = 0
    values: dict[int, bytes] = field(default_factory=dict)

    def number(self, name: int) -> int:
        return int.from_bytes(self.values.get(name, b""), "little")

    @property
    def row_end(self) -> bool:
        return bool(self.number(_ROW_END))

    @property
    def in_table(self) -> bool:
        return bool(self.number(_IN_TABLE))

    @property
    def depth(self) -> int:
        """In a list, from 1; 0 outside."""
        return self.number(_DEPTH) + 1 if self.number(_LIST) else 0

    @property
    def heading(self) -> int:
        if 1 <= self.style <= 9:
            return self.style
        told = self.values.get(_OUTLINE)
        return told[0] + 1 if told and told[0] < 9 else 0

    def row(self) -> list[tuple[int, int]]:
        """Right edge and marks of each cell of the row that ends here."""
        raw = self.values.get(_ROW, b"")
        count = raw[0] if raw else 0
        edges = struct.unpack_from(f"<{count + 1}h", raw, 1) if len(raw) > 2 * count + 2 else ()
        marks = 1 + 2 * (count + 1)
        return [
            (edge, int.from_bytes(raw[marks + 20 * nth :][:2], "little"))
            for nth, edge in enumerate(edges[1:])
        ]


@dataclass(slots=True)
class _Piece:
    begin: int  # in letters
    end: int
    place: int  # in bytes of the stream
    width: int  # of a letter

    def letter(self, place: int) -> int:
        return self.begin + (place - self.place) // self.width


class Pieces:
    """The text with its places. Raises `Unfinishable`: `encrypted`, `corrupted`."""

    def __init__(self, file: Compound) -> None:
        self._data = file.read("WordDocument")
        try:
            self._open(file)
        except (struct.error, IndexError) as error:
            raise damaged() from error

    def _open(self, file: Compound) -> None:
        data = self._data
        mark, version = struct.unpack_from("<HH", data)
        (language, _page, flags) = struct.unpack_from("<HHH", data, 6)
        if mark not in (_WORD97, _WORD6):
            raise Unfinishable(
                "The file is older than Word 6. Save it as .docx and send it again.",
                code="corrupted",
            )
        if flags & (_ENCRYPTED | _OBFUSCATED):
            raise Unfinishable(
                "The document is encrypted. Save it without a password and send it again.",
                code="encrypted",
            )
        self.modern = version >= _FIRST_WORD97
        self._codec = "cp1252"  # pieces of one byte a letter; others are UTF-16
        if not self.modern:
            of_language = codec_of_language(language)
            self._codec = of_language if of_language != "cp1252" else code_page(file) or "cp1252"
        self._tables = file.read("1Table" if flags & _TABLE_ONE else "0Table")
        self._pieces = list(self._told(flags))
        self.text = "".join(map(self._letters, self._pieces))
        self._paragraphs: list[tuple[int, int, bytes, int]] = []
        if self.modern:
            self._paragraphs = sorted(self._runs(0x102, 13), key=lambda one: one[:2])
            self._hide()
        self._begins = [one[0] for one in self._paragraphs]
        self._firsts = [piece.begin for piece in self._pieces]

    def stories(self) -> dict[str, tuple[int, int]]:
        """Where each begins and ends."""
        found, at = {}, 0
        places = _STORIES if self.modern else (0x34, 0x38, 0x3C, 0x40, 0x44, 0x48, 0x4C)
        for name, place in zip(_NAMES, places, strict=True):
            (length,) = struct.unpack_from("<I", self._data, place)
            found[name] = at, min(at + length, len(self.text))
            at += length
        return found

    def paragraph(self, letter: int) -> Paragraph:
        """Of the mark that stands at `letter`."""
        nth = bisect_right(self._firsts, letter) - 1
        if nth < 0 or not self._begins:
            return Paragraph()
        piece = self._pieces[nth]
        place = piece.place + (letter - piece.begin) * piece.width
        found = bisect_right(self._begins, place) - 1
        if found < 0 or place >= self._paragraphs[found][1]:
            return Paragraph()
        return _paragraph(*self._paragraphs[found][2:])

    def _told(self, flags: int) -> Iterator[_Piece]:
        data = self._data
        begin, length = struct.unpack_from("<II", data, 0x1A2 if self.modern else 0x160)
        if not self.modern and not flags & _COMPLEX:
            first, last = struct.unpack_from("<II", data, 0x18)
            yield _Piece(0, max(0, min(last, len(data)) - first), first, 1)
            return
        table = _pieces_of((self._tables if self.modern else data)[begin : begin + length])
        count = min((len(table) - 4) // 12, _PIECES_MAX)
        letters = struct.unpack_from(f"<{count + 1}I", table)
        left = len(data)  # letters; no file says more than its bytes hold
        for nth in range(count):
            (place,) = struct.unpack_from("<I", table, 4 * (count + 1) + 8 * nth + 2)
            width = 2
            if not self.modern:
                width = 1
            elif place & 0x40000000:
                place, width = (place & ~0x40000000) // 2, 1
            size = min(letters[nth + 1] - letters[nth], (len(data) - place) // width, left)
            if size > 0:
                left -= size
                yield _Piece(letters[nth], letters[nth] + size, place, width)

    def _letters(self, piece: _Piece) -> str:
        count = piece.end - piece.begin
        raw = self._data[piece.place : piece.place + count * piece.width]
        if piece.width == 2:
            return "".join(map(chr, struct.unpack(f"<{count}H", raw)))
        made = raw.decode(self._codec, "replace")
        return made if len(made) == count else raw.decode("cp1252", "replace")

    def _hide(self) -> None:
        """Letters that are deleted or hidden are not shown."""
        gone = sorted(
            (begin, end) for begin, end, page, at in self._runs(0xFA, 1) if _is_hidden(page, at)
        )
        if not gone:
            return
        letters = list(self.text)
        for piece in self._pieces:
            last_place = piece.place + (piece.end - piece.begin) * piece.width
            nth = max(0, bisect_right(gone, (piece.place, 0)) - 1)
            while nth < len(gone) and gone[nth][0] < last_place:
                first = max(piece.begin, piece.letter(gone[nth][0]))
                last = min(piece.end, piece.letter(gone[nth][1]))
                for at in range(first, last):
                    if letters[at] not in _STAY:
                        letters[at] = GONE
                nth += 1
        self.text = "".join(letters)

    def _runs(self, place: int, width: int) -> Iterator[tuple[int, int, bytes, int]]:
        """Bytes from where to where have the properties that stand in a page of the file, and where
        they stand there."""
        begin, length = struct.unpack_from("<II", self._data, place)
        plan = self._tables[begin : begin + length]
        count = min((len(plan) - 4) // 8, len(self._data) // _PAGE)
        for nth in range(count):
            (number,) = struct.unpack_from("<I", plan, 4 * (count + 1) + 4 * nth)
            page = self._data[(number & 0x3FFFFF) * _PAGE :][:_PAGE]
            if len(page) < _PAGE:
                continue
            runs = min(page[-1], (_PAGE - 5) // (4 + width))
            places = struct.unpack_from(f"<{runs + 1}I", page)
            for run in range(runs):
                at = page[4 * (runs + 1) + run * width] * 2
                if places[run] < places[run + 1]:
                    yield places[run], places[run + 1], page, at


def _paragraph(page: bytes, at: int) -> Paragraph:
    if not at:
        return Paragraph()
    size = page[at] * 2 - 1
    if size < 0:
        at += 1
        size = page[at] * 2
    raw = page[at + 1 : at + 1 + size]
    return Paragraph(int.from_bytes(raw[:2], "little"), dict(_properties(raw[2:])))


def _is_hidden(page: bytes, at: int) -> bool:
    if not at:
        return False
    told = dict(_properties(page[at + 1 : at + 1 + page[at]]))
    return told.get(_DELETED) == b"\x01" or told.get(_HIDDEN) == b"\x01"


def _properties(raw: bytes) -> Iterator[tuple[int, bytes]]:
    """How many bytes a value has is in the three high bits of its name."""
    at = 0
    while at + 2 < len(raw):
        (name,) = struct.unpack_from("<H", raw, at)
        at += 2
        kind = name >> 13
        if name == _ROW:
            size = int.from_bytes(raw[at : at + 2], "little") - 1
            at += 2
        elif kind == 6:
            size = raw[at]
            at += 1
        else:
            size = _SIZES[kind]
        if size < 0:
            return
        yield name, raw[at : at + size]
        at += size


def _pieces_of(table: bytes) -> bytes:
    """The table of pieces, behind properties that some of them have."""
    at = 0
    while at + 5 <= len(table):
        if table[at] == 2:
            (length,) = struct.unpack_from("<I", table, at + 1)
            return table[at + 5 : at + 5 + length]
        if table[at] != 1:
            break
        at += 3 + int.from_bytes(table[at + 1 : at + 3], "little")
    raise damaged()
