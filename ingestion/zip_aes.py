"""Members of a ZIP archive under AES. Source: WinZip, "AES Encryption Information" (AE-1, AE-2)."""

from __future__ import annotations

import bz2
import hashlib
import hmac
import struct
import zipfile
import zlib

from core.counting import counted
from core.errors import Unfinishable

METHOD = 99
_EXTRA, _ROUNDS = 0x9901, 1_000
_KEYS = {1: 16, 2: 24, 3: 32}  # strength → bytes; the salt has half as many
_SEAL = 10  # bytes at the end that prove the rest
_STORED, _DEFLATED, _BZIP2 = 0, 8, 12


class Unsealed:
    """A member as a stream of its own bytes. Raises `Unfinishable` with code `encrypted` for a
    wrong password, `corrupted` where its proof does not fit."""

    def __init__(self, archive: bytes, info: zipfile.ZipInfo, password: bytes | None) -> None:
        strength, method = _told(info.extra)
        size = _KEYS.get(strength, 0)
        if not size or method not in (_STORED, _DEFLATED, _BZIP2):
            raise Unfinishable("its kind of compression is not read", code="corrupted")
        if password is None:
            raise locked(password)
        sealed = _bytes_of(archive, info)
        salt, rest = sealed[: size // 2], sealed[size // 2 :]
        if len(rest) < 2 + _SEAL:
            raise Unfinishable("it is damaged", code="corrupted")
        keys = hashlib.pbkdf2_hmac("sha1", password, salt, _ROUNDS, 2 * size + 2)
        if not hmac.compare_digest(keys[-2:], rest[:2]):
            raise locked(password)
        body = rest[2:-_SEAL]
        proof = hmac.new(keys[size : 2 * size], body, "sha1").digest()[:_SEAL]
        if not hmac.compare_digest(proof, rest[-_SEAL:]):
            raise Unfinishable("it is damaged", code="corrupted")
        self._left = counted(keys[:size], body)
        self._inflate = (
            zlib.decompressobj(-15) if method == _DEFLATED
            else bz2.BZ2Decompressor() if method == _BZIP2 else None
        )  # fmt: skip

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        if self._inflate is None:
            piece, self._left = self._left[:size], self._left[size:]
            return piece
        if self._inflate.eof:
            return b""
        piece = self._inflate.decompress(self._left, size)
        self._left = getattr(self._inflate, "unconsumed_tail", b"")
        if not piece and not self._inflate.eof:
            raise EOFError
        return piece


def locked(password: bytes | None) -> Unfinishable:
    """Says whether a password is missing or the one that was sent is wrong."""
    told = "the password does not open it" if password else "send the archive's password"
    return Unfinishable(f"it is encrypted; {told}", code="encrypted")


def _told(extra: bytes) -> tuple[int, int]:
    """Strength and the method beneath."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        if kind == _EXTRA and length >= 7 and at + 11 <= len(extra):
            _version, _maker, strength, method = struct.unpack_from("<H2sBH", extra, at + 4)
            return strength, method
        at += 4 + length
    return 0, 0


def _bytes_of(archive: bytes, info: zipfile.ZipInfo) -> bytes:
    begin = info.header_offset
    if archive[begin : begin + 4] != b"PK\x03\x04" or begin + 30 > len(archive):
        raise Unfinishable("it is damaged", code="corrupted")
    name, extra = struct.unpack_from("<HH", archive, begin + 26)
    begin += 30 + name + extra
    return archive[begin : begin + info.compress_size]
