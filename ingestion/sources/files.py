"""What all far folders have in common: which files are taken, when, and which are gone."""

from __future__ import annotations

import fnmatch
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from core.errors import Unavailable, Unfinishable
from ingestion.sources import Access, Config, Dead, Gone, Item, Pulled

FILES_MAX = 10_000
DEPTH_MAX = 20

Host = Annotated[str, Field(min_length=1, max_length=255, description="name of the server")]
Username = Annotated[str, Field(max_length=255, description="who signs in there")]


class FilesConfig(Config):
    pattern: Annotated[
        str, Field(max_length=200, description="which file names are taken, such as *.pdf")
    ] = "*"
    recursive: Annotated[bool, Field(description="folders inside the folder too")] = True
    settle_seconds: Annotated[
        float,
        Field(ge=0, le=3600, description="a file is taken when it has not changed for so long"),
    ] = 10.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A file as a listing shows it. `key`: its path below the folder; `changed_s`: seconds since
    1970 by the server's clock, None where it does not tell."""

    key: str
    version: str
    size: int
    changed_s: float | None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    wrong: str = ""  # why it cannot be taken


class Unreadable(Exception):
    """The file is there, but this user may not read it, or the server fails at it."""


BAD_NAME = "Its name is not UTF-8. Rename it there."


def spelled(key: str) -> str:
    """A path with bytes that are no text (`surrogateescape`) as text that every store takes."""
    return key.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def plain_name(name: str) -> bool:
    """Hidden files, ways out of the folder and control characters are left alone."""
    return not name.startswith(".") and name.isprintable() and not {"/", "\\"} & set(name)


def matching(entries: Iterable[Entry], config: FilesConfig) -> list[Entry]:
    """Raises `Unfinishable` for more than 10,000."""
    found: list[Entry] = []
    for one in entries:
        if fnmatch.fnmatch(posixpath.basename(one.key), config.pattern):
            found.append(one)
        if len(found) > FILES_MAX:
            raise Unfinishable(
                f"The place has more than {FILES_MAX:,} files that match. Narrow `pattern` or "
                "`path`, or make several integrations.",
                code="too_many_parts",
            )
    return found


def pulled(
    access: Access,
    entries: Sequence[Entry],
    read: Callable[[Entry], bytes | None],
    *,
    whole: bool = False,
) -> Iterator[Pulled]:
    """Oldest first. `read` gives at most one byte more than `bytes_max`, None for what was taken
    away meanwhile, and raises `Unreadable`. Without `whole` a file that is not as long as it was
    listed is being written: the next pull takes it."""
    for one in sorted(entries, key=lambda each: (each.changed_s or 0.0, each.key)):
        if access.stopped():
            return
        if access.known(one.key, one.version) or _settles(access, one):
            continue
        if one.wrong:
            yield Dead(one.key, one.version, "bad_name", one.wrong)
            continue
        if one.size > access.bytes_max:
            yield _too_large(access, one)
            continue
        try:
            data = read(one)
        except Unreadable as error:
            yield Dead(one.key, one.version, "unreadable", str(error))
            continue
        if data is None:
            continue
        if len(data) > access.bytes_max:
            yield _too_large(access, one)
        elif whole or len(data) == one.size:
            yield _item(one, data)
    here = {one.key for one in entries}
    for key in sorted(access.keys() - here):
        yield Gone(key)


def told(entries: Sequence[Entry]) -> str:
    count = len(entries)
    return f"Signed in. {count} file{'' if count == 1 else 's'} there match{'es' * (count == 1)}."


def stopped(access: Access) -> None:
    """Raises `Unavailable` once the run is over, so that a long listing ends too."""
    if access.stopped():
        raise Unavailable("The run was stopped.", code="stopped")


def _item(one: Entry, data: bytes) -> Item:
    folder, name = posixpath.split(one.key)
    about = {"folder": folder or ".", **one.metadata}
    return Item(one.key, one.version, name, "application/octet-stream", data, about)


def _too_large(access: Access, one: Entry) -> Dead:
    return Dead(one.key, one.version, "too_large", f"It is larger than {access.bytes_max:,} bytes.")


def _settles(access: Access, one: Entry) -> bool:
    if one.changed_s is None:
        return False
    age = access.clock.now_ms() / 1000 - one.changed_s
    return 0 <= age < float(access.config.settle_seconds)
