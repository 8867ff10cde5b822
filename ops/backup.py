"""backup and restore: the database, the objects and the root key in one checked archive."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from core.errors import Conflict
from core.settings import Settings
from ops import archive as archives
from ops import process
from ops.output import emit, guarded, json_option, say


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
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    partial = archive.with_name(archive.name + ".part")
    with tempfile.TemporaryDirectory(dir=settings.data_dir) as scratch:
        count = archives.write(settings, partial, Path(scratch), with_key=not without_key)
        os.replace(partial, archive)
    value = {"archive": str(archive), "files": count, "bytes": archive.stat().st_size}
    words = f"{archive}: {count} files, {archive.stat().st_size:,} bytes."
    key = "Keep it safe: it holds the root key." if not without_key else "Without the root key."
    emit(value, as_json, lambda: say(f"{words} {key}"))


@click.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Folder to restore into.")
@click.option(
    "--force", is_flag=True,
    help="Replace what is there (a folder's is kept as *.before; a server's database is emptied).",
)  # fmt: skip
@json_option
@click.pass_obj
@guarded
def restore(
    settings: Settings, archive: Path, data: Path | None, force: bool, as_json: bool
) -> None:
    """Check ARCHIVE, then put it in place of an empty data folder, database and bucket."""
    target = settings if data is None else settings.model_copy(update=_inside(data)).resolved()
    if process.running(target) is not None:
        raise Conflict("Weft runs on that folder. Type: weft down")
    target.data_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.data_dir) as scratch:
        manifest = archives.put_back(target, archive, Path(scratch), force=force)
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


def _inside(data: Path) -> dict[str, object]:
    """Everything embedded in that folder, whatever the settings say of servers."""
    return {"data_dir": data, "database_url": "", "blobs_url": "", "smtp_url": ""}
