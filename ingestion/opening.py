"""What cannot be opened as it was sent is told to the sender at once, not in a failed run."""

from __future__ import annotations

from core.errors import InvalidInput, Unfinishable
from ingestion.formats import shows_pages
from ingestion.limits import Limits
from ingestion.ole import MARK
from ingestion.sandbox import parse

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
        # Whether it opens does not depend on its pictures: nobody looks at them here.
        parse(
            data, filename, format, password=password, limits=limits,
            keep=lambda _place, _file: None,
        )  # fmt: skip
    except Unfinishable as error:
        if error.slug in _TOLD:
            raise InvalidInput(error.detail, code=error.slug) from error


def _doubtful(data: bytes, format: str) -> bool:
    if format == "pdf":
        return b"/Encrypt" in data or not shows_pages(data)
    return data.startswith(MARK) and format != "msg"
