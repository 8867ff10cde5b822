"""What cannot be opened as it was sent is told to the sender at once, not in a failed run."""

from __future__ import annotations

import re

from core.errors import InvalidInput, Unfinishable
from ingestion.limits import Limits
from ingestion.sandbox import parse

_PAGE = re.compile(rb"/Type\s*/Page\b")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # around an encrypted Office file
_TOLD = frozenset({"encrypted", "no_pages"})


def check_openable(
    data: bytes, filename: str, format: str, *, password: str | None, limits: Limits
) -> None:
    """Raises `InvalidInput` with code `encrypted` (no or a wrong password) or `no_pages`.

    Only a file that looks like one of these is opened, in the parser's child. A damaged file
    passes: it is accepted, and its own error says what is wrong with it.
    """
    if not _doubtful(data, format):
        return
    try:
        parse(data, filename, format, password=password, limits=limits)
    except Unfinishable as error:
        if error.slug in _TOLD:
            raise InvalidInput(error.detail, code=error.slug) from error


def _doubtful(data: bytes, format: str) -> bool:
    if format == "pdf":
        return b"/Encrypt" in data or not (_PAGE.search(data) or b"/ObjStm" in data)
    return data.startswith(_OLE)
