"""A watched folder on the server, inside the tenant's own inbox and nowhere else."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net
from ingestion.sources import Access, Config, Dead, Gone, Item, Pulled
from ingestion.sources.files import BAD_NAME, spelled

_FILES_MAX = 100_000


class FolderConfig(Config):
    path: Annotated[
        str,
        Field(
            max_length=500, description="a folder in the tenant's inbox; empty: the inbox itself"
        ),
    ] = ""
    pattern: Annotated[
        str, Field(max_length=200, description="which file names are taken, such as *.pdf")
    ] = "*"
    settle_seconds: Annotated[
        float,
        Field(ge=0, le=3600, description="a file is taken when it has not changed for so long"),
    ] = 2.0


class Folder:
    kind = "folder"
    config: type[Config] = FolderConfig
    secrets: Mapping[str, str] = {}

    def check(self, config: FolderConfig, net: Net) -> None:
        del net
        if Path(config.path).is_absolute() or ".." in Path(config.path).parts:
            raise InvalidInput(
                "`path` is a folder inside the inbox, such as invoices/2026.",
                code="bad_path", field="config.path",
            )  # fmt: skip

    def test(self, access: Access) -> str:
        count = sum(1 for _ in _files(access))
        return f"The folder has {count} file{'' if count == 1 else 's'} that match."

    def pull(self, access: Access) -> Iterator[Pulled]:
        here = set()
        settle = float(access.config.settle_seconds)
        for path, name, seen in sorted(
            _files(access), key=lambda one: (one[2].st_mtime_ns, one[1])
        ):
            key, version = spelled(name), f"{seen.st_mtime_ns}-{seen.st_size}"
            here.add(key)
            age = access.clock.now_ms() / 1000 - seen.st_mtime
            if access.known(key, version) or 0 <= age < settle:
                continue
            if key != name:
                yield Dead(key, version, "bad_name", BAD_NAME)
                continue
            if seen.st_size > access.bytes_max:
                yield Dead(
                    name, version, "too_large", f"It is larger than {access.bytes_max} bytes."
                )
                continue
            try:
                data = _read(path, access.bytes_max)
            except OSError as error:
                yield Dead(name, version, "unreadable", f"It cannot be read: {error.strerror}.")
                continue
            yield Item(name, version, path.name, "application/octet-stream", data,
                       {"folder": str(Path(name).parent)})  # fmt: skip
        for name in sorted(access.keys() - here):
            yield Gone(name)


def _root(access: Access) -> Path:
    """Inside the inbox also after every link was followed. Raises `Unfinishable`."""
    inbox = access.inbox.resolve()
    inbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    root = (inbox / access.config.path).resolve()
    if not root.is_relative_to(inbox):
        raise Unfinishable("The folder leads out of the tenant's inbox.", code="bad_path")
    if not root.is_dir():
        raise Unfinishable(
            f"The inbox has no folder {access.config.path!r}. Make it on the server: {root}",
            code="no_folder",
        )
    return Path(root)


def _files(access: Access) -> Iterator[tuple[Path, str, os.stat_result]]:
    """Plain files, `name` relative to the folder; links and hidden files are left alone."""
    root, count = _root(access), 0
    for place, folders, files in os.walk(root, onerror=_unlisted, followlinks=False):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for file in sorted(files):
            path = Path(place, file)
            if file.startswith(".") or not fnmatch.fnmatch(file, access.config.pattern):
                continue
            try:
                seen = path.lstat()
            except OSError as error:
                _unlisted(error)
                continue
            if stat.S_ISREG(seen.st_mode):
                count += 1
                if count > _FILES_MAX:
                    raise Unfinishable(
                        f"The folder has more than {_FILES_MAX} files.", code="too_many_parts"
                    )
                yield path, path.relative_to(root).as_posix(), seen


def _unlisted(error: OSError) -> None:
    """What is not left out: its files would look as if they were gone."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return  # taken away meanwhile
    raise Unavailable(
        f"A part of the folder cannot be listed: {error.strerror}. Let the user that Weft runs as "
        "read it on the server, or move it out.",
        code="folder_unreadable",
    ) from error


def _read(path: Path, cap: int) -> bytes:
    """Never through a link that somebody put there after the look."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    with os.fdopen(descriptor, "rb") as file:
        return file.read(cap + 1)[:cap]


SOURCE = Folder()
