"""This machine: Python, disk, root key, the platform's process, the weights."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from core.settings import Settings
from ops import process
from ops.doctor.finding import Finding, fail, ok, warn

DISK_BYTES_MIN = 500 * 2**20


def examine(settings: Settings) -> Iterator[Finding]:
    yield ok("python", ".".join(str(part) for part in sys.version_info[:3]))
    yield _disk(settings)
    yield _root_key(settings)
    yield _platform(settings)
    yield from _weights(settings)


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir if settings.data_dir.exists() else settings.data_dir.parent
    free = shutil.disk_usage(folder if folder.exists() else "/").free
    words = f"{free / 2**30:.1f} GiB free for {settings.data_dir}"
    if free < DISK_BYTES_MIN:
        return fail("disk", words, "free some room or move WEFT_DATA_DIR")
    return ok("disk", words)


def _root_key(settings: Settings) -> Finding:
    path = settings.data_dir / "root.key"
    if settings.root_key.get_secret_value():
        return ok("root key", "from WEFT_ROOT_KEY")
    if not path.exists():
        return warn("root key", "none yet", "weft up makes one")
    if path.stat().st_mode & 0o077:
        return fail("root key", f"{path} can be read by others", f"chmod 600 {path}")
    return ok("root key", f"{path}, readable by its owner only")


def _platform(settings: Settings) -> Finding:
    """Roles of their own hold no lock on the data folder: then the gateway is asked."""
    found = process.running(settings)
    url = found.url if found else process.url_of(settings)
    if process.ready(url):
        return ok("platform", f"ready at {url}")
    if found is None:
        return warn("platform", f"nothing is ready at {url}", "weft up")
    return fail("platform", f"{url} does not answer", "weft down && weft up")


def _weights(settings: Settings) -> Iterator[Finding]:
    from models import Models

    for item in Models(settings).describe():
        name = str(item.get("id") or item.get("name"))
        if item.get("available", item.get("present", True)):
            yield ok("model", name)
        elif item.get("default", False):
            lacking = f"{name}: no weights; keywords and quotes only"
            yield warn("model", lacking, "weft models pull")
