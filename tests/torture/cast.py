"""The platform as many processes on the same six URLs, each killed, paused and started by name."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Engine, create_engine, make_url, text

from ops import process
from tests.flows.platform import Platform, Process, free_port, pause
from tests.stack.servers import Servers
from tests.torture.history import History

LEASE_SECONDS = 2.0
QUICK = {
    "WEFT_LEASE_SECONDS": str(LEASE_SECONDS), "WEFT_HEARTBEAT_SECONDS": "0.5",
    "WEFT_SWEEP_SECONDS": "0.2", "WEFT_RETRY_BASE_SECONDS": "0.1", "WEFT_WORKER_THREADS": "4",
    "WEFT_LOG_LEVEL": "warning",
}  # fmt: skip
START_SECONDS = 60.0


@dataclass
class Actor:
    """One process of a role. `rule` is the failpoint that its next start is armed with, `armed` the
    one that it runs with; `struck` says that its death was ours."""

    cast: Cast
    role: str
    number: int
    port: int = 0
    rule: str = ""
    armed: str = ""
    struck: bool = False
    wanted: bool = True  # started again when it dies
    running: Process | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)  # nobody is killed half-started

    @property
    def name(self) -> str:
        return f"{self.role}-{self.number}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.cast.platform.folder / f"{self.name}.log"

    def start(self) -> None:
        with self.lock:
            self.running = None
            self.armed, self.rule, self.struck = self.rule, "", False
            env = {**self.cast.platform.env(self.armed), "WEFT_PORT": str(self.port)}
            self.running = self.cast.platform.spawn(env, self.log, self.role)

    def ready(self) -> bool:
        return self.role != "gateway" or process.ready(self.url)

    def signal(self, number: int) -> None:
        if self.running is not None and self.running.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.running.pid, number)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)

    def end(self, seconds: float = 35.0) -> tuple[int, float]:
        """SIGTERM, not started again; its exit status and how long it took."""
        self.wanted = False
        assert self.running is not None
        began = time.monotonic()
        self.signal(signal.SIGTERM)
        deadline = began + seconds
        while (status := self.running.poll()) is None:
            assert time.monotonic() < deadline, f"{self.name} does not end"
            pause(0.02)
        return status, time.monotonic() - began


@dataclass
class Cast:
    """Actors on one platform, with one who starts again whoever died, as an init system does."""

    platform: Platform
    history: History
    gateways: int = 1
    workers: int = 2
    relays: int = 1
    actors: list[Actor] = field(default_factory=list)

    def __post_init__(self) -> None:
        counts = {"gateway": self.gateways, "worker": self.workers, "relay": self.relays}
        for role, many in counts.items():
            for number in range(many):
                port = free_port() if role == "gateway" else 0
                self.actors.append(Actor(self, role, number, port))
        self._stop = threading.Event()
        self._keeper = threading.Thread(target=self._keep, daemon=True)

    def of(self, role: str) -> list[Actor]:
        return [one for one in self.actors if one.role == role]

    def urls(self) -> list[str]:
        return [one.url for one in self.of("gateway")]

    @contextlib.contextmanager
    def playing(self) -> Iterator[Cast]:
        """All started; at the end every one is told to go, and none may stay."""
        try:
            for one in self.actors:
                one.start()
            self.until_ready()
            self._keeper.start()
            yield self
        finally:
            self._stop.set()
            if self._keeper.is_alive():
                self._keeper.join(10)
            for one in self.actors:
                one.signal(signal.SIGCONT)
                one.signal(signal.SIGTERM)
            for one in self.actors:
                if one.running is not None and not _gone(one, 30):
                    one.kill()

    def until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not all(one.ready() for one in self.actors):
            dead = [one for one in self.actors if one.running and one.running.poll() is not None]
            if dead and not self._keeper.is_alive():
                raise AssertionError(f"{dead[0].name}:\n{dead[0].log.read_text()[-3000:]}")
            assert time.monotonic() < deadline, "a gateway does not get ready"
            pause()

    def strike(self, one: Actor, how: str = "kill -9") -> None:
        """Killed at whatever it does now; it is started again at once."""
        with one.lock:
            if one.running is not None and one.running.poll() is not None:
                return  # it died of itself just now
            self.history.note("struck", role=one.role, how=how, name=one.name)
            one.struck = True
            one.kill()

    def kill_for_good(self, one: Actor) -> None:
        """Until it is revived."""
        with one.lock:
            one.wanted = False
            self.strike(one, "kill -9, not started again")

    def revive(self, one: Actor) -> None:
        with one.lock:
            assert _gone(one, 10)
            one.wanted = True  # the keeper does it

    def arm(self, one: Actor, rule: str) -> None:
        """Its next start, which is now, dies by itself where the rule says."""
        with one.lock:
            one.rule = rule
            self.strike(one, "kill -9 to arm")

    def _keep(self) -> None:
        while not self._stop.wait(0.02):
            for one in self.actors:
                with one.lock:
                    if one.wanted and one.running is not None and one.running.poll() is not None:
                        self._again(one, one.running.poll())

    def _again(self, one: Actor, status: int | None) -> None:
        if status == -9 and one.armed and not one.struck:
            self.history.note("struck", role=one.role, how=one.armed, name=one.name)
        elif not one.struck:
            self.history.note("fell", name=one.name, status=status)
        one.start()


def _gone(one: Actor, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while one.running is not None and one.running.poll() is None:
        if time.monotonic() > deadline:
            return False
        pause(0.02)
    return True


class Table:
    """A look into the database itself, past every wall: what the platform says is not asked here.

    With PostgreSQL that takes the superuser of the test's own server."""

    def __init__(self, platform: Platform) -> None:
        url = make_url(platform.settings.database_url)
        if url.get_backend_name() != "sqlite":
            url = url.set(username="postgres", password=Servers().secret("postgres.superuser"))
        self.engine: Engine = create_engine(url, pool_pre_ping=True)

    def number(self, sql: str, **params: object) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(text(sql), params).scalar_one() or 0)

    def rows(self, sql: str, **params: object) -> list[tuple[object, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(sql), params)]

    def close(self) -> None:
        self.engine.dispose()
