"""Names of files within files: for showing, never a path."""

from __future__ import annotations

import re

from ingestion.page_text import one_line, tidy

_MARKS = re.compile(r'[\x00-\x1f\x7f<>:"|?*\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]')
_NAME_MAX = 200
UNNAMED = "content"  # what a gzip file holds that names nothing


def plain(name: str) -> str:
    """The last part of a path, one line, without marks that mean something to a file system or
    turn the order of letters; empty when nothing is left."""
    name = one_line(tidy(name)).replace("\\", "/").rsplit("/", 1)[-1]
    name = _MARKS.sub("_", name).strip(". ")
    stem, dot, last = name.rpartition(".")
    if len(name) > _NAME_MAX and dot and len(last) < 12:
        return f"{stem[: _NAME_MAX - len(last) - 1]}.{last}"
    return name[:_NAME_MAX]


class Distinct:
    """Gives each name once: the second `a.txt` is `a (2).txt`."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def name(self, wanted: str) -> str:
        key = wanted.casefold()
        times = self._seen[key] = self._seen.get(key, 0) + 1
        if times == 1:
            return wanted
        stem, dot, last = wanted.rpartition(".")
        return self.name(f"{stem} ({times}).{last}" if dot and stem else f"{wanted} ({times})")
