"""Objects as files. A write is a rename, so a reader sees all of it or nothing."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from backends.object_keys import PART, checked
from core.errors import NotFound, Outage
from core.ids import new_id

_SIZE = 4  # bytes before the metadata that say how long it is


class FileBlobs:
    """`BlobStore` in a folder. A file holds the metadata, then the object: one write, one sync."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        path = self._path(key)
        with _translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, (_head(metadata), data))

    def get(self, key: str) -> bytes:
        with _translated(key), self._path(key).open("rb") as file:
            file.seek(int.from_bytes(file.read(_SIZE)), os.SEEK_CUR)
            return file.read()

    def delete(self, key: str) -> None:
        path = self._path(key)
        with _translated():
            path.unlink(missing_ok=True)

    def list(self, prefix: str) -> Iterator[str]:
        """In order. `prefix` may end inside a name."""
        folder = self._root / prefix.rpartition("/")[0]
        for path in sorted(folder.rglob("*")):
            key = path.relative_to(self._root).as_posix()
            ours = not path.name.endswith(PART) and path.is_file()
            if ours and key.startswith(prefix):
                yield key

    def metadata(self, key: str) -> Mapping[str, str]:
        with _translated(key), self._path(key).open("rb") as file:
            found: dict[str, str] = json.loads(file.read(int.from_bytes(file.read(_SIZE))))
            return found

    def _path(self, key: str) -> Path:
        return self._root / checked(key)


def packed(data: bytes, metadata: Mapping[str, str]) -> bytes:
    """An object as a file holds it; a backup holds it so, too."""
    return _head(metadata) + data


def unpacked(file: bytes) -> tuple[bytes, Mapping[str, str]]:
    end = _SIZE + int.from_bytes(file[:_SIZE])
    return file[end:], json.loads(file[_SIZE:end])


def _head(metadata: Mapping[str, str]) -> bytes:
    about = json.dumps(dict(metadata)).encode()
    return len(about).to_bytes(_SIZE) + about


def _write(path: Path, parts: Iterable[bytes]) -> None:
    """Durable before it is visible: file, rename, folder."""
    part = path.with_name(f"{path.name}.{new_id()}{PART}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def _translated(key: str = "") -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotFound(f"There is no object {key}.") from error
    except OSError as error:
        raise Outage(
            f"The folder of objects cannot be used: {error.strerror}.",
            code="blobs_unavailable", retry_after=2,
        ) from error  # fmt: skip
