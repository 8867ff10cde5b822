"""What may be an object's key, in every store alike."""

from __future__ import annotations

import re

from core.errors import InvalidInput

_KEY = re.compile(r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$")
_LENGTH_MAX = 900  # S3 allows 1024 bytes, with the prefix
PART = ".part"  # files that are still being written


def checked(key: str) -> str:
    """The key; raises `InvalidInput` for one that could lead outside or be taken for a file that
    is still being written."""
    if len(key) > _LENGTH_MAX or not _KEY.fullmatch(key) or key.endswith(PART):
        raise InvalidInput(f"Not an object key: {key!r}.", code="bad_key")
    return key
