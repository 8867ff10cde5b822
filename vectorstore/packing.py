"""Named arrays and texts in one run of bytes: a JSON header, then the arrays, aligned to 64 bytes.

Reading copies nothing: arrays and texts are views of the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from core.errors import Unfinishable

Array = npt.NDArray[Any]
_MAGIC = b"WSEG1\n"
_ALIGN = 64
_KINDS = {"i1", "u1", "u2", "i4", "u4", "i8", "f2", "f4"}


class Texts(Sequence[bytes]):
    """Many UTF-8 strings as one blob and their offsets; sorted ones can be bisected.

    Both are read as memoryviews: one number of a numpy array costs ten times as much.
    """

    __slots__ = ("_blob", "_ends")

    def __init__(self, blob: Array, ends: Array) -> None:
        self._blob = blob.data
        self._ends = ends.data

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: Any) -> Any:
        return bytes(self._blob[self._ends[at] : self._ends[at + 1]])

    def text(self, at: int) -> str:
        start, end = self._ends[at], self._ends[at + 1]
        return str(self._blob[start:end], "utf-8") if end > start else ""


def texts(strings: Sequence[str]) -> dict[str, Array]:
    """The two arrays of a `Texts`: `blob` and `ends`."""
    parts = [string.encode("utf-8", "replace") for string in strings]
    ends = np.zeros(len(parts) + 1, "<i8")
    np.cumsum([len(part) for part in parts], out=ends[1:])
    return {"blob": np.frombuffer(b"".join(parts), "u1"), "ends": ends}


def pack(header: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """The same values give the same bytes, so that a segment can be named by its hash."""
    shapes, pieces, at = {}, [], 0
    for name, array in arrays.items():
        data = np.ascontiguousarray(array).tobytes()
        shapes[name] = [array.dtype.str[1:], list(array.shape), at]
        pieces.append(data + bytes(-len(data) % _ALIGN))
        at += len(pieces[-1])
    plan = json.dumps({"header": header, "arrays": shapes}, sort_keys=True).encode()
    plan += b" " * (-(len(plan) + len(_MAGIC) + 4) % _ALIGN)
    return b"".join([_MAGIC, len(plan).to_bytes(4, "little"), plan, *pieces])


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], dict[str, Array]]:
    """Raises `Unfinishable` for bytes that `pack` did not make."""
    try:
        if data[: len(_MAGIC)] != _MAGIC:
            raise ValueError("no header")
        start = len(_MAGIC) + 4
        size = int.from_bytes(data[len(_MAGIC) : start], "little")
        plan = json.loads(bytes(data[start : start + size]))
        arrays = {
            name: _view(data, kind, shape, start + size + at)
            for name, (kind, shape, at) in plan["arrays"].items()
        }
        return plan["header"], arrays
    except (ValueError, KeyError, TypeError) as error:
        raise Unfinishable("A search segment is damaged.", code="segment_damaged") from error


def _view(data: bytes | memoryview, kind: str, shape: list[int], at: int) -> Array:
    if kind not in _KINDS:
        raise ValueError(f"array of {kind}")
    count = prod(shape)
    return np.frombuffer(data, f"<{kind}", count, at).reshape(shape)
