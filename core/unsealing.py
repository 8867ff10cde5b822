"""An object is decrypted and hashed while it comes: a large one is ready when its last byte is.

Nothing is handed out before the whole of it is known to be what was sealed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.errors import Unfinishable

MAGIC = b"WV1"
_SALT_BYTES, _NONCE_BYTES, _TAG_BYTES = 16, 12, 16
_START = len(MAGIC) + _SALT_BYTES + _NONCE_BYTES
_PIECE = 1 << 18  # what is decrypted is hashed while it is still in the processor's cache
_BLOCK = 16


def damaged(why: str) -> Unfinishable:
    return Unfinishable(f"A stored object is damaged{why}", code="object_damaged")


def derived(key: bytes, salt: bytes) -> bytes:
    """The key of one object."""
    return HKDF(SHA256(), 32, salt, b"weft object").derive(key)


class Sink(Protocol):
    """Takes an object in pieces. A transfer that broke off begins again, from its first byte."""

    def begin(self, size: int) -> None: ...
    def feed(self, piece: bytes | memoryview) -> None: ...


@runtime_checkable
class Streaming(Protocol):
    """A store that gives an object while it comes. That all of it came is the store's to say; that
    it is what was stored is the sink's: raises what `get` raises."""

    def stream(self, key: str, sink: Sink) -> None: ...


@dataclass(frozen=True, slots=True)
class Opened:
    """What was sealed, read-only, and its SHA-256 in hex."""

    data: memoryview
    sha256: str


class Unsealing:
    """A `Sink` for what `core.vault.seal` made under `key` and `address`."""

    def __init__(self, key: bytes, address: str) -> None:
        self._key, self._address = key, address
        self.begin(0)

    def begin(self, size: int) -> None:
        self._body = size - _START - _TAG_BYTES
        # numpy asks for large pages, which are there at once; `update_into` wants a block to spare
        self._plain = np.empty(max(self._body, 0) + _BLOCK, np.uint8).data
        self._head, self._tag, self._at = b"", b"", 0
        self._hash = hashlib.sha256()
        self._cipher: Any = None

    def feed(self, piece: bytes | memoryview) -> None:
        """Never raises: a store that delivers other bytes has delivered."""
        rest = memoryview(piece)
        if self._cipher is None:
            missing = _START - len(self._head)
            self._head, rest = self._head + rest[:missing], rest[missing:]
            if len(self._head) < _START or not self._head.startswith(MAGIC) or self._body < 0:
                return
            self._cipher = self._decryptor(self._head)
        while rest and self._at < self._body:
            size = min(len(rest), _PIECE, self._body - self._at)
            plain = self._plain[self._at : self._at + size + _BLOCK - 1]
            done = self._cipher.update_into(rest[:size], plain)
            self._hash.update(plain[:done])
            self._at, rest = self._at + done, rest[size:]
        self._tag += rest

    def opened(self) -> Opened:
        """Once everything was fed. Raises `Unfinishable` when the bytes, the key or the address are
        not the ones sealed."""
        if self._cipher is None:
            raise damaged(": it has no header.")
        try:
            self._cipher.finalize_with_tag(self._tag)
        except (InvalidTag, ValueError) as error:
            raise damaged(" or was sealed with another key. Restore it from a backup.") from error
        return Opened(self._plain[: self._at].toreadonly(), self._hash.hexdigest())

    def _decryptor(self, head: bytes) -> Any:
        salt, nonce = head[len(MAGIC) : -_NONCE_BYTES], head[-_NONCE_BYTES:]
        cipher = Cipher(algorithms.AES(derived(self._key, salt)), modes.GCM(nonce)).decryptor()
        cipher.authenticate_additional_data(self._address.encode())
        return cipher
