"""What a backup holds: one tar with the rows, the objects as files, the root key, a manifest.

Objects never change, so they are copied while Weft runs; what the rows of the copy need and a
merge took away meanwhile is met again in the next look at the rows.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from core.errors import Conflict, InvalidInput, NotFound, Unavailable, Unfinishable
from core.ports import BlobStore
from core.settings import Settings
from ops.output import progress

MANIFEST = "manifest.json"
_LOOKS = 6  # at the rows, until every object that they need is in the archive
_AT_ONCE = 8  # objects under way


@dataclass(slots=True)
class _Tar:
    tar: tarfile.TarFile
    digests: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, data: bytes) -> None:
        self.digests[name] = hashlib.sha256(data).hexdigest()
        self._put(name, data)

    def close(self, about: dict[str, Any]) -> None:
        made = datetime.now(UTC).isoformat(timespec="seconds")
        told = {"weft": 1, "made": made, **about, "files": self.digests}
        self._put(MANIFEST, json.dumps(told).encode())

    def _put(self, name: str, data: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o600
        self.tar.addfile(info, io.BytesIO(data))


def write(settings: Settings, archive: Path, scratch: Path, *, with_key: bool) -> int:
    """How many files it holds."""
    from backends.build import load_root_key, open_blobs, owner_mark

    if settings.database_url.startswith("sqlite") and not _file(settings).exists():
        raise InvalidInput(f"There is no database at {_file(settings)}. Type: weft up")
    key = load_root_key(settings)
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar:
        out = _Tar(tar)
        about = _copied(settings, open_blobs(settings), out, scratch)
        for path in sorted(one for one in scratch.rglob("*") if one.is_file()):
            out.add(path.relative_to(scratch).as_posix(), path.read_bytes())
        if with_key:
            out.add("root.key", key.hex().encode())
        out.close({**about, "owner": owner_mark(key)})
    return len(out.digests)


def _copied(settings: Settings, blobs: BlobStore, out: _Tar, scratch: Path) -> dict[str, Any]:
    done: set[str] = set()
    for _ in range(_LOOKS):
        about, needed = _rows(settings, scratch)
        _copy(blobs, out, done)
        missing = needed - done
        if not any("/segment/" in key for key in missing):
            return {**about, "missing": sorted(missing)}
    raise Unavailable(
        "The search indexes change faster than they can be copied. Try again later.",
        code="too_busy", retry_after=60,
    )  # fmt: skip


def _copy(blobs: BlobStore, out: _Tar, done: set[str]) -> None:
    from backends.files import packed

    def read(key: str) -> tuple[str, bytes | None]:
        try:
            return key, packed(blobs.get(key), blobs.metadata(key))
        except NotFound:
            return key, None  # deleted since it was listed

    keys = (key for key in list(blobs.list("")) if key not in done)
    with ThreadPoolExecutor(_AT_ONCE) as pool, progress() as bar:
        task = bar.add_task("objects", total=None)
        while some := list(islice(keys, _AT_ONCE * 4)):
            for key, data in pool.map(read, some):
                if data is not None:
                    out.add(f"blobs/{key}", data)
                    done.add(key)
            bar.advance(task, len(some))


def _rows(settings: Settings, scratch: Path) -> tuple[dict[str, Any], set[str]]:
    """The rows as files in `scratch`, and the keys of the objects that they need."""
    if settings.database_url.startswith("sqlite"):
        return {}, _snapshot(_file(settings), scratch / "weft.db")
    from database import copying

    copied = copying.out(settings.database_url, scratch / "database")
    about = {"version": copied.version, "tables": copied.tables}
    return about, {"/".join(("t", *one)) for one in copied.objects}


def _file(settings: Settings) -> Path:
    return Path(settings.database_url.partition(":///")[2])


def _snapshot(source: Path, target: Path) -> set[str]:
    """SQLite's own online backup: a consistent copy while others write."""
    target.unlink(missing_ok=True)
    with sqlite3.connect(source, timeout=30) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
        rows = copy.execute("SELECT tenant_id, id FROM documents").fetchall()
        needed = {f"t/{tenant}/original/{name}" for tenant, name in rows}
        for tenant, text in copy.execute("SELECT tenant_id, segments FROM shelf_heads").fetchall():
            for one in json.loads(text):
                if not one.get("retired_ms"):
                    needed |= {
                        f"t/{tenant}/segment/{name}"
                        for name in (
                            one["id"], one.get("vectors") or one["id"],
                            *(layer["vectors"] for layer in one.get("layers", ())),
                        )
                    }  # fmt: skip
    live.close()
    copy.close()
    return needed


# --- back again ----------------------------------------------------------------------------------


def put_back(settings: Settings, archive: Path, scratch: Path, *, force: bool) -> dict[str, Any]:
    """The manifest. Everything is checked before anything is touched."""
    manifest = _unpacked(archive, scratch)
    made_on_server = "tables" in manifest
    on_server = not settings.database_url.startswith("sqlite")
    if made_on_server != on_server:
        kinds = ("SQLite", "PostgreSQL")
        raise InvalidInput(
            f"This backup was made on {kinds[made_on_server]}, and WEFT_DATABASE_URL names "
            f"{kinds[on_server]}.",
            code="other_database",
        )
    if not on_server and _file(settings).exists() and not force:
        raise Conflict(f"{settings.data_dir} already holds a database. Use --data NEW or --force.")
    _bring_key(settings, scratch, manifest, force=force)
    if on_server:
        _made_ready(settings, force=force)
    if settings.blobs_url.startswith("file:"):
        _replace(scratch / "blobs", Path(settings.blobs_url.removeprefix("file:")))
    else:
        _upload(settings, scratch / "blobs", force=force)
    if on_server:
        _load(settings, scratch, manifest, force=force)
    else:
        for name in ("weft.db-wal", "weft.db-shm"):
            (settings.data_dir / name).unlink(missing_ok=True)
        _replace(scratch / "weft.db", _file(settings))
    return manifest


def _unpacked(archive: Path, scratch: Path) -> dict[str, Any]:
    """Unpacks and compares every digest before anything is put in place."""
    damaged = Unfinishable(f"{archive} is not a whole Weft backup. Use another copy.")
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(scratch, filter="data")
        manifest: dict[str, Any] = json.loads((scratch / MANIFEST).read_bytes())
        for name, digest in manifest["files"].items():
            if hashlib.sha256((scratch / name).read_bytes()).hexdigest() != digest:
                raise damaged
    except (tarfile.TarError, OSError, ValueError, KeyError) as error:
        raise damaged from error
    return manifest


def _bring_key(settings: Settings, scratch: Path, manifest: dict[str, Any], *, force: bool) -> None:
    """The key of the archive goes to its file; one that is here already has to be the same."""
    from backends.build import ROOT_KEY_FILE, load_root_key, owner_mark

    path, held = settings.data_dir / ROOT_KEY_FILE, scratch / ROOT_KEY_FILE
    given = bool(settings.root_key.get_secret_value())
    if held.exists() and not given and (force or not path.exists()):
        _replace(held, path)
    elif not given and not path.exists():
        raise InvalidInput(
            "This backup was made without its root key. Set WEFT_ROOT_KEY to it: without that "
            "key nothing in it can be read.",
            code="no_root_key",
        )
    if manifest.get("owner") not in (None, owner_mark(load_root_key(settings))):
        where = "WEFT_ROOT_KEY" if given else str(path)
        raise InvalidInput(
            f"{where} is not the root key that this backup was sealed with. Nothing in it could be "
            "read: bring the right key.",
            code="wrong_root_key",
        )


def _upload(settings: Settings, folder: Path, *, force: bool) -> None:
    from backends.build import open_blobs
    from backends.files import unpacked

    blobs = open_blobs(settings)
    if not force and next(iter(blobs.list("t/")), None) is not None:
        raise Conflict("The bucket already holds objects. Use an empty one, ?prefix=…, or --force.")

    def put(path: Path) -> None:
        data, metadata = unpacked(path.read_bytes())
        blobs.put(path.relative_to(folder).as_posix(), data, metadata)

    with ThreadPoolExecutor(_AT_ONCE) as pool, progress() as bar:
        paths = sorted(path for path in folder.rglob("*") if path.is_file())
        task = bar.add_task("objects", total=len(paths))
        for some in _parts(paths, _AT_ONCE * 4):
            list(pool.map(put, some))
            bar.advance(task, len(some))


def _parts(paths: Iterable[Path], size: int) -> Iterator[list[Path]]:
    left = iter(paths)
    while some := list(islice(left, size)):
        yield some


def _made_ready(settings: Settings, *, force: bool) -> None:
    """Tables of this version, in a database that may be written to."""
    from backends.build import open_runtime
    from database import copying

    if not settings.database_admin_url:
        raise InvalidInput("WEFT_DATABASE_ADMIN_URL is needed: the role that owns the tables.")
    with open_runtime(settings):
        pass
    copying.check_free(settings.database_url, replace=force)


def _load(settings: Settings, scratch: Path, manifest: dict[str, Any], *, force: bool) -> None:
    """Then what is there is compared with what was copied."""
    from database import copying

    copying.into(
        settings.database_admin_url, scratch / "database", manifest["version"], replace=force
    )
    now = copying.out(settings.database_url, scratch / "again")
    wrong = [name for name, told in manifest["tables"].items() if now.tables.get(name) != told]
    if wrong:
        raise Unfinishable(
            f"What the database holds now differs from the backup in: {', '.join(wrong)}. "
            "Restore into another database.",
            code="restore_differs",
        )


def _replace(source: Path, target: Path) -> None:
    if not source.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        os.replace(target, target.with_name(f"{target.name}.before"))
    os.replace(source, target)
