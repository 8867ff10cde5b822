"""The set-up script says in one line what to type when something is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone's files that the script needs, on a path with a blank in it."""
    clone = tmp_path / "fresh clone"
    (clone / "ops").mkdir(parents=True)
    shutil.copy(ROOT / "ops" / "setup.sh", clone / "ops")
    shutil.copytree(ROOT / "requirements", clone / "requirements")
    shutil.copy(ROOT / "pyproject.toml", clone)
    return clone


def set_up(clone: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Runs it where only `sh`, a few plain tools and the named programs exist."""
    tools = clone.parent / "bin"
    tools.mkdir()
    for name in ("sh", "dirname", "cat", "cksum", "env"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    for name, text in programs.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    return subprocess.run(
        [shutil.which("sh") or "sh", str(clone / "ops" / "setup.sh"), "default"],
        env={"PATH": str(tools), "HOME": os.environ.get("HOME", "/")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip


def test_no_python_says_what_to_install(clone: Path) -> None:
    done = set_up(clone)
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed. Type: sudo apt-get install python3" in done.stderr


def test_an_old_python_is_not_taken(clone: Path) -> None:
    done = set_up(clone, python3="exit 1")
    assert done.returncode != 0
    assert "Python 3.11 or newer is needed" in done.stderr


def test_a_python_without_venv_says_what_to_install(clone: Path) -> None:
    done = set_up(clone, python3='case "$2" in *version_info*) exit 0;; *) exit 1;; esac')
    assert done.returncode != 0
    assert "Type: sudo apt-get install python3-venv" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_no_network_says_what_to_check(clone: Path) -> None:
    makes_venv = """
case "$1" in
  --version) echo Python 3.12.0;;
  -c) exit 0;;
  -m) case "$2" in
        venv) mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
        pip) exit 1;;
      esac;;
esac"""
    for name in ("mkdir", "cp"):
        found = shutil.which(name)
        assert found is not None
    done = set_up(clone, python3=f"PATH={os.environ['PATH']}\n{makes_venv}")
    assert done.returncode != 0
    assert "could not be reached. Check the network" in done.stderr
    assert "type: make setup" in done.stderr
