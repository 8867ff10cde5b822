"""Frozen values to JSON and back, checked on the way in; for blobs and for the parser's child."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from core import memory
from core.errors import Unfinishable

T = TypeVar("T")


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def encode(kind: type[T], value: T) -> bytes:
    """Compact JSON; bytes fields as base64."""
    return _adapter(kind).dump_json(value)


def decode(kind: type[T], data: bytes) -> T:
    """Raises `Unfinishable` when the JSON is not of that shape."""
    try:
        with memory.growing(len(data)):
            return _adapter(kind).validate_json(data)
    except ValidationError as error:
        raise Unfinishable(f"Stored data is not a {kind.__name__}.", code="bad_data") from error
