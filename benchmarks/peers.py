"""Other people's libraries, each set in an environment of its own beside Weft's."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PEERS = Path("build/peers")


def peer_python(name: str, packages: Sequence[str]) -> Path:
    """The interpreter that has `packages`; installed once, by the first who asks for `name`."""
    home = PEERS / name
    python, ready = home / "bin" / "python", home / "ready"
    if not ready.exists():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "-q", "--python", sys.executable, home], check=True)
        subprocess.run([*uv, "pip", "install", "-q", "--python", python, *packages], check=True)
        ready.touch()
    return python.absolute()
