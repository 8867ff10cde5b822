"""The real servers of a test, by the same tool that people type: `deploy/native/stack`.

Tests have a stack of their own (build/stack-test, ports from 25000), so that they never wipe what a
person keeps in build/stack; WEFT_STACK_DIR and WEFT_STACK_PORTS name another.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STACK = ROOT / "deploy" / "native" / "stack"
UP_SECONDS = 1800  # a first build; `make test-stack` installs before the tests begin
DO_SECONDS = 120


class Servers:
    """Starts what a test asks for. What it started it stops at the end; the rest goes on."""

    def __init__(self, state: Path | None = None, ports: int | None = None) -> None:
        ours = {
            "WEFT_STACK_DIR": str(state or ROOT / "build" / "stack-test"),
            "WEFT_STACK_PORTS": str(ports or 25000),
        }
        given = {} if state else {key: os.environ[key] for key in ours if key in os.environ}
        # Nobody reads a test's database after a power cut.
        self.environment = {**os.environ, "WEFT_STACK_FAST": "1", **ours, **given}
        self._started: list[str] = []

    def up(self, *names: str) -> None:
        """Returns when all of them answer. A paused or killed one must be resumed or started."""
        before = {each["name"]: each["state"] for each in self.status()}
        self._run(["up", *names], UP_SECONDS)
        self._started += [
            n for n in names if before[n] in ("down", "dead") and n not in self._started
        ]

    def url(self, name: str) -> str:
        """As Weft's settings want it; for PostgreSQL the application's role, for Redis the jobs."""
        return self._run(["url", name]).strip()

    def env(self) -> dict[str, str]:
        """The `WEFT_…_URL`s of everything that runs, with WEFT_DATABASE_ADMIN_URL."""
        found: dict[str, str] = json.loads(self._run(["env", "--json"]))
        return found

    def secret(self, name: str) -> str:
        """A password that the stack made: `postgres.superuser`, for a look past every wall."""
        path = Path(self.environment["WEFT_STACK_DIR"]) / "secrets.json"
        return str(json.loads(path.read_text())[name])

    def port(self, name: str) -> int:
        return next(int(str(each["port"])) for each in self.status() if each["name"] == name)

    def status(self) -> list[dict[str, str | int | None]]:
        found: list[dict[str, str | int | None]] = json.loads(self._run(["status", "--json"]))
        return found

    def kill(self, name: str) -> None:
        """SIGKILL of the whole tree; `start` brings it back on the same port with its data."""
        self._run(["kill", name])

    def pause(self, name: str) -> None:
        self._run(["pause", name])

    def resume(self, name: str) -> None:
        self._run(["resume", name])

    def stop(self, name: str) -> None:
        self._run(["stop", name])

    def start(self, name: str) -> None:
        self.up(name)

    def wipe(self, name: str) -> None:
        """Stops it and forgets its data."""
        self._run(["wipe", name])

    def close(self) -> None:
        if self._started:
            self._run(["down", *self._started])
            self._started = []

    def _run(self, arguments: list[str], seconds: float = DO_SECONDS) -> str:
        done = subprocess.run(
            [sys.executable, STACK, *arguments],
            env=self.environment, capture_output=True, text=True, timeout=seconds,
        )  # fmt: skip
        if done.returncode != 0:
            why = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
            pytest.fail(f"stack {' '.join(arguments)}: {' '.join(why)}", pytrace=False)
        return done.stdout


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """`servers.up("redis")` in a test or a fixture. Never with parallel workers."""
    found = Servers()
    yield found
    found.close()
