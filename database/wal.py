"""SQLite's write-ahead log made durable outside of the writer's lock, many commits by one sync."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from core.errors import Outage


class Log:
    """`sync()` gives back when every commit made before the call is on the disk.

    The log is sequential, so one sync serves all who have committed when it begins. SQLite itself
    would hold the write lock meanwhile (`synchronous=FULL`), and everybody would wait.
    """

    def __init__(self, database: Path) -> None:
        self._file = database.with_name(database.name + "-wal")
        self._lock = threading.Lock()
        self._begun = self._done = 0
        self._known: int | None = None

    def sync(self) -> None:
        mine = self._begun + 1  # the first sync that begins after now
        with self._lock:
            if self._done >= mine:
                return
            self._begun += 1
            try:
                self._write_out()
            except OSError as error:
                raise Outage(
                    f"The disk does not answer: {error}", code="database_unavailable"
                ) from error
            self._done = self._begun

    def _write_out(self) -> None:
        # No lock of SQLite lies on this file, so closing a second handle of it drops none.
        handle = os.open(self._file, os.O_RDWR)
        try:
            os.fsync(handle)
            inode = os.fstat(handle).st_ino
        finally:
            os.close(handle)
        if inode != self._known:
            _sync_folder(self._file.parent)
            self._known = inode


def _sync_folder(folder: Path) -> None:
    """A new file's name is durable with its folder."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
