"""The platform as a process of its own: started, stopped, killed and started again by a test."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import psutil

from core.errors import Unavailable
from core.settings import Settings
from ops import process
from runtime import Runtime
from tests.flows.person import Person
from tests.gateway.people import PASSWORD

ROOT = Path(__file__).parents[2]
START_SECONDS = 90.0
STOP_SECONDS = 40.0
_nothing = threading.Event()


def pause(seconds: float = 0.05) -> None:
    """Between two looks of a wait that has a deadline."""
    _nothing.wait(seconds)


class Process(Protocol):
    """A started platform; `wait` gives its exit status as `subprocess` does: -9 after SIGKILL."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float) -> int: ...


class Spawn(Protocol):
    def __call__(self, env: dict[str, str], log: Path, only: str | None = None) -> Process: ...


def command(env: dict[str, str], log: Path, only: str | None = None) -> Process:
    """`weft serve`, as an operator starts it."""
    with log.open("ab") as out:
        return subprocess.Popen(
            [sys.executable, "-m", "ops", "serve", *(["--only", only] if only else [])],
            env=env, cwd=log.parent, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True,
        )  # fmt: skip


@dataclass
class Platform:
    """One data folder and one port; `more` are further settings, as `WEFT_<NAME>`. `roles` are
    processes of their own on the same URLs; None is all of them in one."""

    folder: Path
    more: dict[str, str] = field(default_factory=dict)
    spawn: Spawn = command
    port: int = 0
    roles: tuple[str | None, ...] = (None,)
    running: list[Process] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = self.port or free_port()
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def settings(self) -> Settings:
        given = {name.removeprefix("WEFT_").lower(): text for name, text in self.env().items()
                 if name.startswith("WEFT_") and name != "WEFT_FAILPOINTS"}  # fmt: skip
        return Settings(_env_file=None, **given).resolved()  # type: ignore[arg-type]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "weft.log"

    def env(self, failpoints: str = "") -> dict[str, str]:
        """No chat model and no weights: what is told here must work without."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("WEFT_")}
        return {
            **kept, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1",
            "WEFT_DATA_DIR": str(self.folder), "WEFT_MODELS_DIR": str(self.folder / "none"),
            "WEFT_MODELS_URL": "none:", "WEFT_PORT": str(self.port), "WEFT_FAILPOINTS": failpoints,
            **self.more,
        }  # fmt: skip

    def start(self, failpoints: str = "") -> None:
        """Returns when `/readyz` answers 200, or when the process is dead already."""
        assert self.running == []
        self.running = [self.spawn(self.env(failpoints), self.log, role) for role in self.roles]
        deadline = time.monotonic() + START_SECONDS
        while not process.ready(self.url):
            if self.is_dead():
                assert failpoints, f"it did not start:\n{self.log.read_text()[-3000:]}"
                return
            assert time.monotonic() < deadline, "it does not get ready"
            pause()

    def stop(self) -> int:
        """SIGTERM; its exit status. Nothing that it started outlives it."""
        return self._end(lambda one: one.terminate())

    def kill(self) -> int:
        """kill -9, without a warning."""
        return self._end(lambda one: one.kill())

    def dead(self) -> int:
        """The exit status of a platform of which a failpoint kills a process: the others are
        killed too."""
        deadline = time.monotonic() + STOP_SECONDS
        while not self.is_dead():
            assert time.monotonic() < deadline, "it does not end"
            pause()
        status = next(found for one in self.running if (found := one.poll()) is not None)
        self._end(lambda one: one.kill())
        return status

    def is_dead(self) -> bool:
        return any(one.poll() is not None for one in self.running)

    def _end(self, act: Callable[[psutil.Process], None]) -> int:
        """The status of whichever process did not end as it was told."""
        assert self.running
        children = [child for one in self.running for child in family(one.pid)]
        for one in self.running:
            if one.poll() is None:
                act(psutil.Process(one.pid))
        found = [one.wait(timeout=STOP_SECONDS) for one in self.running]
        self.running = []
        _, left = psutil.wait_procs(children, timeout=10)
        assert left == [], "a child process outlives the platform"
        return min(found)

    def provision(self, **tenants: str) -> None:
        """slug=tier; each with a person of each role."""
        with self.opened() as rt:
            from gateway import provision

            for slug, tier in tenants.items():
                provision.provision(rt, slug, slug.title(), tier)
                ctx = provision.tenant_ctx(rt, slug)
                for role in ("admin", "viewer"):
                    provision.create_user(
                        rt, ctx, email=f"{role}@{slug}.example", password=PASSWORD, role=role
                    )

    @contextmanager
    def opened(self) -> Iterator[Runtime]:
        """The data folder as the operator's own commands open it, beside the platform or not."""
        from backends.build import open_runtime

        with open_runtime(self.settings) as rt:
            yield rt

    def objects(self, tenant: str) -> set[str]:
        """The keys of all that is stored for a tenant, wherever that is."""
        from backends import build

        blobs = build._blobs(self.settings, build.load_root_key(self.settings))
        return set(blobs.list(f"t/{tenant}/"))

    def person(self, slug: str, role: str = "admin") -> Person:
        """Signed in."""
        who = Person(self.url, {})
        body = {"email": f"{role}@{slug}.example", "password": PASSWORD, "tenant": slug}
        token = who.post("/auth/login", json=body).json()["access_token"]
        who.close()
        return Person(self.url, {"Authorization": f"Bearer {token}"})


def family(pid: int) -> list[psutil.Process]:
    """What that process has started and what those have."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Forge:
    """Starts platforms in a tenth of the time: they are forks of one warm process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.flows.forge"], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        self._lock = threading.Lock()
        self._told()

    def __call__(self, env: dict[str, str], log: Path, only: str | None = None) -> Process:
        found: int = self._ask(start=env, log=str(log), only=only)["pid"]
        return Forged(self, found)

    def ended(self, pid: int, seconds: float) -> int | None:
        """Its exit status, None while it runs."""
        status: int | None = self._ask(wait=pid, seconds=seconds)["status"]
        return status

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()

    def _ask(self, **order: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
            return self._told()

    def _told(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Unavailable("The forge has ended.")
        found: dict[str, Any] = json.loads(line)
        return found


@dataclass
class Forged:
    forge: Forge
    pid: int
    status: int | None = None

    def poll(self) -> int | None:
        self.status = self.forge.ended(self.pid, 0) if self.status is None else self.status
        return self.status

    def wait(self, timeout: float) -> int:
        if self.status is None:
            self.status = self.forge.ended(self.pid, timeout)
        assert self.status is not None, "it does not end"
        return self.status
