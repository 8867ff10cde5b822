"""The image, without an engine: the Dockerfile's steps as plain commands in a clean folder, and the
process that they make, as a user who owns nothing, on a source tree that it cannot write."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.deploy.dockerfile import Step, context, stages

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

ROOT = Path(__file__).parents[2]
UID = 10001
OUTSIDE = re.compile(r"(?<![\w./-])/(app|data|models)\b")


@dataclass
class Built:
    """What the last stage left: `/app` is `root/app`, and so on."""

    root: Path
    env: dict[str, str] = field(default_factory=dict)
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    writable: list[Path] = field(default_factory=list)


class Builder:
    """Every stage is built at the same place, since a virtual environment knows its path."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.root = folder, folder / "root"
        self._named: dict[str, Path] = {}
        python = folder / "python"
        python.mkdir()
        (python / "python").symlink_to(open_python())
        outer = {"PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME"}
        clean = {k: v for k, v in os.environ.items() if k not in outer and k[:5] != "WEFT_"}
        self._outer = {**clean, "PATH": f"{python}:/usr/local/bin:/usr/bin:/bin"}

    def build(self, dockerfile: Path) -> Built:
        for stage in stages(dockerfile):
            built = self._stage(stage)
        return built

    def _stage(self, stage: list[Step]) -> Built:
        if self.root.exists():
            raise AssertionError("the stage before has no name")
        self.root.mkdir(mode=0o755)
        built, workdir, arguments = Built(self.root), "/", dict[str, str]()
        for step in stage[1:]:
            match step.word:
                case "WORKDIR":
                    workdir = step.text
                    self._at(workdir).mkdir(parents=True, exist_ok=True)
                case "ENV":
                    built.env |= dict(part.split("=", 1) for part in shlex.split(step.text))
                case "ARG":
                    arguments |= dict([step.text.split("=", 1)])
                case "COPY":
                    self._copy(step, workdir)
                case "RUN":
                    self._run(step.text, workdir, {**built.env, **arguments})
                case "ENTRYPOINT":
                    built.entrypoint = step.listed()
                case "CMD":
                    built.command = step.listed()
                case "HEALTHCHECK":
                    built.health = Step("CMD", step.text.split("CMD ", 1)[1]).listed()
                case "VOLUME":
                    built.writable = [self._at(path) for path in step.listed()]
        words = stage[0].text.split()
        if "AS" in words:
            self._named[words[-1]] = self.root.rename(self._folder / words[-1])
        return built

    def _at(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def _copy(self, step: Step, workdir: str) -> None:
        *sources, target = step.listed()
        to = self._at(target if target.startswith("/") else f"{workdir}/{target}")
        if "from" in step.flags:
            base = self._named[step.flags["from"]]
            # Hard links: half a gigabyte is not copied twice.
            to.mkdir(parents=True, exist_ok=True)
            subprocess.run(["cp", "-al", f"{base}/{sources[0].lstrip('/')}/.", to], check=True)
        else:
            given = list(context(ROOT))
            for path in given if sources == ["."] else map(Path, sources):
                assert path in given, f"{path} is not let in by .dockerignore"
                place = to / (path if sources == ["."] else path.name)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, place)
        if "chown" in step.flags and os.geteuid() == 0:
            subprocess.run(["chown", "-R", step.flags["chown"], to], check=True)

    def _run(self, text: str, workdir: str, env: dict[str, str]) -> None:
        if text.startswith("apt-get"):
            check_packages(text)
            return
        command = OUTSIDE.sub(lambda found: f"{self.root}/{found[1]}", text)
        if os.geteuid() != 0:
            command = re.sub(r" -[og] 10001", "", command)
        done = subprocess.run(
            ["sh", "-ec", command], cwd=self._at(workdir), timeout=900,
            capture_output=True, text=True, env={**self._outer, **env},
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"


def check_packages(text: str) -> None:
    """Debian has them; they are not installed on this machine for a test."""
    names = re.search(r"apt-get install ((?:--?[\w-]+ )*)([\w. +-]+?) &&", text)
    assert names is not None
    for name in names[2].split():
        told = subprocess.run(["apt-cache", "policy", name], capture_output=True, text=True).stdout
        assert "Candidate: (none)" not in told
        assert "Candidate:" in told, f"Debian has no package {name}"


def open_python() -> Path:
    """A Python 3.11 that another user may enter, where this machine has one."""
    found = [Path(sys.base_prefix) / "bin" / "python3.11", Path("/usr/bin/python3.11")]
    able = [path for path in found if path.exists() and makes_environments(path)]
    assert able, "Python 3.11 with venv is needed. Type: apt-get install python3.11-venv"
    return next((path for path in able if entered_by_all(path)), able[0])


def makes_environments(python: Path) -> bool:
    asked = [str(python), "-c", "import ensurepip, venv"]
    return subprocess.run(asked, capture_output=True).returncode == 0


def entered_by_all(path: Path) -> bool:
    return all(each.stat().st_mode & stat.S_IXOTH for each in path.resolve().parents)


@pytest.fixture(scope="module")
def built() -> Iterator[Built]:
    with tempfile.TemporaryDirectory(prefix="weft-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield Builder(folder).build(ROOT / "Dockerfile")
        subprocess.run(["chmod", "-R", "u+w", folder], check=False)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Running:
    """The image's process as Compose starts it: another user, a root that is only read, an empty
    home, nothing in the environment but what the image and the test say."""

    def __init__(self, built: Built, *arguments: str, **settings: str) -> None:
        self.home = built.root / "tmp"
        self.home.mkdir(exist_ok=True, mode=0o777)
        self.home.chmod(0o1777)
        self.port = free_port()
        image = {
            key: OUTSIDE.sub(lambda found: f"{built.root}/{found[1]}", value)
            for key, value in built.env.items()
        }
        image["PATH"] = image["PATH"].replace("$PATH", "/usr/bin:/bin")
        self.env = {
            **image, "HOME": str(self.home), "TMPDIR": str(self.home), "WEFT_HOST": "127.0.0.1",
            "WEFT_PORT": str(self.port), "WEFT_MODELS_URL": "none:", **settings,
        }  # fmt: skip
        root = os.geteuid() == 0
        self.nobody: int | None = UID if root else None
        self.groups: list[int] | None = [] if root else None
        self.cwd = built.root / "app"
        self.process = subprocess.Popen(
            [*built.entrypoint, *(arguments or built.command)],
            cwd=self.cwd, env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            user=self.nobody, group=self.nobody, extra_groups=self.groups,
        )  # fmt: skip

    def answer(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as got:
                return int(got.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def wait_ready(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while self.answer("/readyz") != 200:
            assert self.process.poll() is None, self.rest()
            assert time.monotonic() < deadline, "not ready"
            threading.Event().wait(0.2)

    def ask(self, *argv: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=self.cwd, env=self.env, capture_output=True, text=True, timeout=60,
            user=self.nobody, group=self.nobody, extra_groups=self.groups,
        )  # fmt: skip

    def end(self) -> tuple[int, float]:
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        return code, time.monotonic() - began

    def rest(self) -> str:
        assert self.process.stdout is not None
        return str(self.process.stdout.read().decode(errors="replace"))[-4000:]

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()


def test_the_steps_make_a_program_that_runs_as_nobody_on_a_tree_it_cannot_write(
    built: Built,
) -> None:
    if os.geteuid() != 0:
        subprocess.run(["chmod", "-R", "a-w", built.root / "app"], check=True)
    running = Running(built)
    try:
        running.wait_ready()
        assert running.answer("/healthz") == 200
        assert running.ask(*built.health).returncode == 0
        denied = running.ask("python", "-c", "open('core/settings.py', 'a')")
        assert "PermissionError" in denied.stderr
        code, seconds = running.end()
        assert (code, seconds <= 30) == (0, True), running.rest()
        assert running.ask(*built.health).returncode == 3
    finally:
        running.close()
    if os.geteuid() == 0:
        mine = [path for path in built.root.rglob("*") if path.lstat().st_uid == UID]
        allowed = [*built.writable, running.home]
        assert [p for p in mine if not any(p.is_relative_to(one) for one in allowed)] == []


def test_nothing_that_builds_or_tests_is_left_in_it(built: Built) -> None:
    names = {path.name for path in (built.root / "app" / ".venv" / "bin").iterdir()}
    assert "weft" in names
    assert not names & {"uv", "pip", "pytest", "mypy", "ruff", "hadolint"}
    assert not (built.root / "app" / ".uv").exists()
    assert not (built.root / "app" / "tests").exists()
    packages = built.root / "app" / ".venv" / "lib" / "python3.11" / "site-packages"
    assert (packages / "fastapi" / "__pycache__").is_dir(), (
        "compiled once, since roots are read-only"
    )


def test_the_command_migrates_and_refuses_a_secret_that_everyone_knows(built: Built) -> None:
    running = Running(built, "--version")
    try:
        assert running.process.wait(timeout=60) == 0
        moved = running.ask("weft", "migrate")
        assert "The database is at version" in moved.stdout, moved.stderr
        running.env["WEFT_BLOBS_URL"] = "s3://minioadmin:minioadmin@store:9000/weft"
        refused = running.ask("weft", "serve")
        assert refused.returncode != 0
        assert "WEFT_BLOBS_URL holds a password that everyone knows" in refused.stderr
    finally:
        running.close()
