"""AES in the counting mode of ZIP archives, whose counter has its small end first."""

from __future__ import annotations

from array import array

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 16
_PIECE = 2**14  # blocks at a time


def counted(key: bytes, data: bytes) -> bytes:
    """`data` unsealed, or sealed; counted from 1. `key` has 16, 24 or 32 bytes."""
    # Each block of the counter is used once: ECB makes the stream that is laid over the data.
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    done: list[bytes] = []
    for at in range(0, len(data), _PIECE * _BLOCK):
        piece = data[at : at + _PIECE * _BLOCK]
        blocks = -(-len(piece) // _BLOCK)
        numbers = array("Q", bytes(blocks * _BLOCK))
        begin = at // _BLOCK + 1
        numbers[::2] = array("Q", range(begin, begin + blocks))
        stream = cipher.update(numbers.tobytes())[: len(piece)]
        mixed = int.from_bytes(piece, "little") ^ int.from_bytes(stream, "little")
        done.append(mixed.to_bytes(len(piece), "little"))
    return b"".join(done)
