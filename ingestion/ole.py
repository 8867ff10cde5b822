"""Compound files: old Office documents and Outlook messages. Source: [MS-CFB]."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from core.errors import Unfinishable
from ingestion.limits import Limits

MARK = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_END = 0xFFFFFFFA  # sector numbers from here on are marks
_SMALL = 4096  # streams below this lie in the small sectors
_SMALL_SECTOR = 64
_STORAGE, _STREAM = 1, 2
_ENTRIES_MAX = 100_000


@dataclass(slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    begin: int
    size: int


@dataclass(slots=True)
class Storage:
    """A folder: its streams by name, its folders by name."""

    streams: dict[str, int] = field(default_factory=dict)
    storages: dict[str, Storage] = field(default_factory=dict)


class Compound:
    """Streams by their names. Several may share sectors, so what is read is counted."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Raises `Unfinishable` where no folder can be read."""
        self._data = data
        self._left = limits.unpacked_bytes
        self._depth = limits.depth * 3  # a message within takes two folders
        try:
            self._open()
        except (struct.error, IndexError) as error:
            raise damaged() from error

    def _open(self) -> None:
        shift = _number(self._data, 30, "<H")
        if not 7 <= shift <= 15:
            raise damaged()
        self._size = 1 << shift
        self._sectors = len(self._data) // self._size + 1
        self._table = self._links()
        folder = self._chain(_number(self._data, 48), self._table, self._sectors)
        self._entries = [_entry(folder[at : at + 128]) for at in range(0, len(folder) - 127, 128)]
        self._seen: set[int] = set()
        self._small: bytes | None = None
        self._small_table: list[int] = []
        self.root = Storage()
        if self._entries:
            self._fill(self.root, self._entries[0].child, 0)

    def _links(self) -> list[int]:
        """Where each sector goes on: the numbers of its own sectors are in the head and behind."""
        per = self._size // 4
        blocks = [at for at in struct.unpack_from("<109I", self._data, 76) if at < _END]
        follow, seen = _number(self._data, 68), 0
        while follow < _END and seen < self._sectors:
            more = struct.unpack_from(f"<{per}I", self._data, (follow + 1) * self._size)
            blocks += [at for at in more[:-1] if at < _END]
            follow, seen = more[-1], seen + 1
        table: list[int] = []
        for at in blocks[: self._sectors // per + 2]:
            piece = self._data[(at + 1) * self._size :][: self._size]
            table += struct.unpack_from(f"<{len(piece) // 4}I", piece)
        return table

    def _chain(self, at: int, table: list[int], most: int) -> bytes:
        """Sectors that follow each other; a circle ends when it is longer than the file."""
        pieces: list[bytes] = []
        while at < len(table) and len(pieces) < most:
            pieces.append(self._data[(at + 1) * self._size : (at + 2) * self._size])
            at = table[at]
        return b"".join(pieces)

    def _fill(self, storage: Storage, first: int, depth: int) -> None:
        """A folder's entries are a tree of neighbours; none is met twice."""
        stack = [first]
        while stack:
            at = stack.pop()
            if at >= len(self._entries) or at in self._seen:
                continue
            self._seen.add(at)
            entry = self._entries[at]
            stack += [entry.right, entry.left]
            if entry.kind == _STREAM:
                storage.streams[entry.name] = at
            elif entry.kind == _STORAGE and depth < self._depth:
                inner = storage.storages[entry.name] = Storage()
                self._fill(inner, entry.child, depth + 1)

    def read(self, name: str, storage: Storage | None = None) -> bytes:
        """Empty where there is no such stream. Raises `Unfinishable` when all streams together
        take too much."""
        streams = (storage or self.root).streams
        at = streams.get(name)
        if at is None:  # names are the same in any case
            at = next((n for told, n in streams.items() if told.lower() == name.lower()), None)
        if at is None:
            return b""
        entry = self._entries[at]
        found = self._stream(entry)
        self._left -= len(found)
        if self._left < 0:
            raise Unfinishable("The file unpacks to far too much.", code="limit_memory")
        return found

    def _stream(self, entry: _Entry) -> bytes:
        if entry.size >= _SMALL:
            most = min(entry.size // self._size + 1, self._sectors)
            return self._chain(entry.begin, self._table, most)[: entry.size]
        if self._small is None:
            self._small = self._chain(self._entries[0].begin, self._table, self._sectors)
            links = self._chain(_number(self._data, 60), self._table, self._sectors)
            self._small_table = list(struct.unpack(f"<{len(links) // 4}I", links))
        pieces: list[bytes] = []
        at = entry.begin
        while at < len(self._small_table) and len(pieces) * _SMALL_SECTOR < entry.size:
            pieces.append(self._small[at * _SMALL_SECTOR : (at + 1) * _SMALL_SECTOR])
            at = self._small_table[at]
        return b"".join(pieces)[: entry.size]


def damaged() -> Unfinishable:
    return Unfinishable("The file is damaged: its parts are cut off.", code="corrupted")


def _entry(raw: bytes) -> _Entry:
    length, kind = struct.unpack_from("<HB", raw, 64)
    left, right, child = struct.unpack_from("<III", raw, 68)
    begin, size = struct.unpack_from("<II", raw, 116)
    name = raw[: max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
    return _Entry(name, kind, left, right, child, begin, size)


def _number(data: bytes, at: int, form: str = "<I") -> int:
    return int(struct.unpack_from(form, data, at)[0])
