"""What text and JSON from outside must be before anything is done with it."""

from __future__ import annotations

import math
from typing import Any

DEPTH_MAX = 32
INTEGER_MAX = 2**53


def check_text(text: str) -> str:
    """No NUL (PostgreSQL refuses it) and no lone surrogate (it cannot be written as UTF-8).
    Raises `ValueError`."""
    if "\x00" in text:
        raise ValueError("text must not contain a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("text must not contain half of a surrogate pair") from error
    return text


def check_plain(value: Any, depth: int = 0) -> Any:
    """Plain JSON of bounded depth, with integers that every client can hold."""
    if depth > DEPTH_MAX:
        raise ValueError(f"JSON may be nested {DEPTH_MAX} deep")
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("JSON has no NaN and no infinity")
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        raise ValueError("an integer may have at most 53 bits")
    if isinstance(value, dict):
        for name, item in value.items():
            check_plain(name, depth + 1)
            check_plain(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            check_plain(item, depth + 1)
    return value
