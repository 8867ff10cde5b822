"""Bytes of a 7-Zip folder, piece by piece, through the coders that made them."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Iterator
from typing import Any, Protocol

from core.errors import Unfinishable
from ingestion.limits import MIB
from ingestion.seven_header import Coder, Folder

PIECE = 2**18
DAMAGED = (lzma.LZMAError, zlib.error, OSError, EOFError, ValueError, IndexError)
_WINDOW_MAX = 192 * MIB  # of memory that an archive's maker may ask for
_COPY, _LZMA, _LZMA2, _DELTA = b"\x00", b"\x03\x01\x01", b"\x21", b"\x03"
_DEFLATE, _BZIP2, _AES = b"\x04\x01\x08", b"\x04\x02\x02", b"\x06\xf1\x07\x01"
_BRANCHES = {
    b"\x03\x03\x01\x03": lzma.FILTER_X86, b"\x04": lzma.FILTER_X86,
    b"\x03\x03\x02\x05": lzma.FILTER_POWERPC, b"\x05": lzma.FILTER_POWERPC,
    b"\x03\x03\x04\x01": lzma.FILTER_IA64, b"\x06": lzma.FILTER_IA64,
    b"\x03\x03\x05\x01": lzma.FILTER_ARM, b"\x07": lzma.FILTER_ARM,
    b"\x03\x03\x07\x01": lzma.FILTER_ARMTHUMB, b"\x08": lzma.FILTER_ARMTHUMB,
    b"\x03\x03\x08\x05": lzma.FILTER_SPARC, b"\x09": lzma.FILTER_SPARC,
}  # fmt: skip
_NAMES = {
    b"\x03\x04\x01": "PPMd", b"\x04\x01\x09": "Deflate64", b"\x04\xf7\x11\x01": "Zstandard",
    b"\x04\xf7\x11\x02": "Brotli", b"\x04\xf7\x11\x04": "LZ4", b"\x0a": "ARM64",
    b"\x03\x03\x01\x1b": "BCJ2",
}  # fmt: skip


class _Inflater(Protocol):
    def decompress(self, data: bytes, max_length: int = ...) -> bytes: ...


def plain(data: bytes, folder: Folder) -> Iterator[bytes]:
    """`folder.size` bytes at most, in pieces of `PIECE` at most. Raises `Unfinishable`:
    `encrypted`, `unsupported_format` with the method's name, or what `DAMAGED` names."""
    body = data[folder.start : folder.start + folder.packed]
    if len(body) < folder.packed:
        raise Unfinishable("it is cut off", code="corrupted")
    filters, inflater = _coders(folder)
    if inflater is None and not filters:
        most = min(folder.size, len(body))
        return (body[at : min(at + PIECE, most)] for at in range(0, most, PIECE))
    opened = inflater or lzma.LZMADecompressor(lzma.FORMAT_RAW, filters=filters)
    return _inflated(opened, body, folder.size)


def _inflated(opened: _Inflater, body: bytes, left: int) -> Iterator[bytes]:
    while left > 0:
        piece, body = _next(opened, body, min(PIECE, left))
        if not piece:
            raise EOFError
        left -= len(piece)
        yield piece


def _next(opened: Any, body: bytes, most: int) -> tuple[bytes, bytes]:
    """What comes out next; zlib hands back what it has not taken, the others keep it."""
    if isinstance(opened, (lzma.LZMADecompressor, bz2.BZ2Decompressor)):
        if opened.eof:
            return b"", b""
        return opened.decompress(body, most), b""
    piece = opened.decompress(body, most)
    return piece, opened.unconsumed_tail


def _coders(folder: Folder) -> tuple[list[dict[str, Any]], _Inflater | None]:
    """Filters of liblzma, or one inflater; neither for bytes that were only copied."""
    if folder.coders is None:
        raise _unknown("BCJ2")
    coders = [one for one in folder.coders if one.method != _COPY]
    if any(one.method == _AES for one in coders):
        why = "it is encrypted; pack it anew as a ZIP and send the password with it"
        raise Unfinishable(why, code="encrypted")
    if len(coders) == 1 and coders[0].method == _DEFLATE:
        return [], zlib.decompressobj(-15)
    if len(coders) == 1 and coders[0].method == _BZIP2:
        return [], bz2.BZ2Decompressor()
    filters = [_filter(one, folder.size) for one in coders]
    if coders and filters[0]["id"] not in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2):
        raise _unknown("a filter without LZMA")
    if any(one["id"] in (lzma.FILTER_LZMA1, lzma.FILTER_LZMA2) for one in filters[1:]):
        raise _unknown("LZMA twice")
    if len(filters) > 1 and filters[0]["id"] == lzma.FILTER_LZMA1 and _branches(filters):
        raise _unknown("BCJ with LZMA")  # liblzma keeps its last bytes for ever
    return filters[::-1], None


def _branches(filters: list[dict[str, Any]]) -> bool:
    return any(one["id"] in _BRANCHES.values() for one in filters)


def _filter(one: Coder, size: int) -> dict[str, Any]:
    told = one.properties
    if one.method == _LZMA and len(told) >= 5:
        lclppb, rest = told[0] % 9, told[0] // 9
        window = _window(int.from_bytes(told[1:5], "little"), size)
        return {"id": lzma.FILTER_LZMA1, "dict_size": window, "lc": lclppb, "lp": rest % 5,
                "pb": rest // 5}  # fmt: skip
    if one.method == _LZMA2 and told and told[0] <= 40:
        window = 2**32 - 1 if told[0] == 40 else (2 | told[0] & 1) << (told[0] // 2 + 11)
        return {"id": lzma.FILTER_LZMA2, "dict_size": _window(window, size)}
    if one.method == _DELTA and told:
        return {"id": lzma.FILTER_DELTA, "dist": told[0] + 1}
    if one.method in _BRANCHES:
        return {"id": _BRANCHES[one.method]}
    raise _unknown(_NAMES.get(one.method, f"method {one.method.hex()}"))


def _window(claimed: int, size: int) -> int:
    """No more than there is to look back on."""
    window = max(4096, min(claimed, size))
    if window > _WINDOW_MAX:
        raise Unfinishable("unpacking it takes more memory than allowed", code="limit_memory")
    return window


def _unknown(method: str) -> Unfinishable:
    return Unfinishable(
        f"it is packed by {method}, which is not read; pack it anew as a ZIP or with LZMA2",
        code="unsupported_format",
    )
