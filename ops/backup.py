"""backup and restore: the database, the objects and the root key in one checked archive."""

from __future__ import annotations

import hashlib
import io
import json
import os
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from core.errors import Conflict, InvalidInput, Rejected, Unfinishable
from core.settings import Settings
from ops import process
from ops.output import emit, guarded, json_option, progress, say

MANIFEST = "manifest.json"


@click.command(
    epilog="Example: weft backup weft-2026-11-21.tar && weft restore weft-2026-11-21.tar --data new"
)
@click.argument("archive", type=click.Path(path_type=Path))
@click.option("--without-key", is_flag=True, help="Leave the root key out; keep it elsewhere.")
@json_option
@click.pass_obj
@guarded
def backup(settings: Settings, archive: Path, without_key: bool, as_json: bool) -> None:
    """Write everything Weft keeps into ARCHIVE, also while it runs (weights and logs left out)."""
    source = _database_file(settings)
    if not source.exists():
        raise InvalidInput(f"There is no database at {source}. Type: weft up")
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as scratch:
        snapshot = Path(scratch) / "weft.db"
        _snapshot(source, snapshot)
        members = [("weft.db", snapshot), *_blobs(settings)]
        if not without_key:
            members.append(("root.key", settings.data_dir / "root.key"))
        partial = archive.with_name(archive.name + ".part")
        _write(partial, members)
        os.replace(partial, archive)
    value = {"archive": str(archive), "files": len(members), "bytes": archive.stat().st_size}
    words = f"{archive}: {len(members)} files, {archive.stat().st_size:,} bytes."
    key = "Keep it safe: it holds the root key." if not without_key else "Without the root key."
    emit(value, as_json, lambda: say(f"{words} {key}"))


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder to restore into.")
@click.option("--force", is_flag=True, help="Replace what is in the folder (kept as *.before).")
@json_option
@click.pass_obj
@guarded
def restore(
    settings: Settings, archive: Path, data: Path | None, force: bool, as_json: bool
) -> None:
    """Check ARCHIVE, then put it in place of an empty data folder."""
    target = settings if data is None else Settings(data_dir=data).resolved()
    if process.running(target) is not None:
        raise Conflict("Weft runs on that folder. Type: weft down")
    if (target.data_dir / "weft.db").exists() and not force:
        raise Conflict(f"{target.data_dir} already holds a database. Use --data NEW or --force.")
    target.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.data_dir) as scratch:
        manifest = _unpack(archive, Path(scratch))
        _put_in_place(Path(scratch), target.data_dir)
    value = {
        "files": len(manifest["files"]),
        "made": manifest["made"],
        "data": str(target.data_dir),
    }
    emit(
        value,
        as_json,
        lambda: say(f"{len(manifest['files'])} files of {manifest['made']} are back, all checked."),
    )


def _database_file(settings: Settings) -> Path:
    scheme, _, path = settings.database_url.partition(":///")
    if scheme != "sqlite" or not path:
        raise Rejected("This backup is for the embedded database. For PostgreSQL type: pg_dump")
    return Path(path)


def _snapshot(source: Path, target: Path) -> None:
    """SQLite's own online backup: a consistent copy while others write."""
    with sqlite3.connect(source, timeout=30) as live, sqlite3.connect(target) as copy:
        live.backup(copy)
    live.close()
    copy.close()


def _blobs(settings: Settings) -> Iterator[tuple[str, Path]]:
    scheme, _, folder = settings.blobs_url.partition(":")
    if scheme != "file":
        raise Rejected("This backup is for objects in a folder. For a bucket use its own copy.")
    root = Path(folder)
    for path in sorted(root.rglob("*")):
        if path.is_file():
            yield f"blobs/{path.relative_to(root)}", path


def _write(archive: Path, members: list[tuple[str, Path]]) -> None:
    descriptor = os.open(archive, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    digests: dict[str, str] = {}
    with os.fdopen(descriptor, "wb") as raw, tarfile.open(fileobj=raw, mode="w") as tar, progress() as bar:  # fmt: skip # noqa: E501
        task = bar.add_task("backup", total=len(members))
        for name, path in members:
            data = path.read_bytes()
            digests[name] = hashlib.sha256(data).hexdigest()
            _add(tar, name, data)
            bar.advance(task)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        _add(tar, MANIFEST, json.dumps({"weft": 1, "made": made, "files": digests}).encode())


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o600
    tar.addfile(info, io.BytesIO(data))


def _unpack(archive: Path, scratch: Path) -> dict[str, Any]:
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


def _put_in_place(scratch: Path, data: Path) -> None:
    for name in ("weft.db-wal", "weft.db-shm"):
        (data / name).unlink(missing_ok=True)
    for name in ("blobs", "root.key", "weft.db"):
        if not (scratch / name).exists():
            continue
        if (data / name).exists():
            os.replace(data / name, data / f"{name}.before")
        os.replace(scratch / name, data / name)
