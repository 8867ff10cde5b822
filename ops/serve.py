"""Runs the platform, or one role of it, in the foreground until SIGTERM."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib.metadata
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from types import FrameType
from typing import Any

import structlog
from prometheus_client import start_http_server

from core import telemetry
from core.ports import JobQueue
from core.settings import Settings
from core.telemetry import configure_logs
from ops import default_secrets, process
from runtime import Runtime

ROLES = ("gateway", "worker", "relay", "intake")
QUEUES = ("supervisor", "ingestion", "analysis", "report", "action")

log = structlog.get_logger(room="ops")


def serve(settings: Settings, only: str | None = None) -> None:
    """The whole platform in this process, or only one role beside others on the same URLs."""
    configure_logs(settings.log_level)
    default_secrets.refuse(settings)
    roles = (only,) if only else _roles(settings)
    with contextlib.ExitStack() as stack:
        sock = process.bind(settings) if "gateway" in roles else None
        if only is None:
            stack.enter_context(process.holding(settings, process.url_of(settings)))
        # Imported before any thread starts: two threads that import one package at the same time
        # can each see the other's half.
        from backends.build import open_runtime

        if sock is not None:
            import gateway.app  # noqa: F401
        rt = stack.enter_context(open_runtime(settings))
        stop = threading.Event()
        _obey(stop)
        stack.enter_context(_observed(rt, roles))
        manners = Manners()
        stack.enter_context(_background(rt, roles, stop, manners))
        if sock is None:
            _settle()
            while not stop.wait(timeout=3600):
                pass
        else:
            _gateway(rt, sock, stop, manners)


def _roles(settings: Settings) -> tuple[str, ...]:
    from backends.build import has_intake

    return tuple(role for role in ROLES if role != "intake" or has_intake(settings))


class Manners:
    """The worker beside a gateway in one process: whoever waits for an answer goes first. While
    requests are at work claims begin one after the other with a rest before each, and none waits
    until another one's steps are over: else a quiet tenant's run waits for a loud one's. Each busy
    thread takes a share of the interpreter from the event loop."""

    TURN, REST = 0.1, 0.01  # seconds

    def __init__(self) -> None:
        self._busy: Callable[[], bool] = bool
        self._turn = threading.Lock()

    def mind(self, busy: Callable[[], bool]) -> None:
        self._busy = busy

    def polite(self, work: Callable[[], bool], stop: threading.Event) -> Callable[[], bool]:
        def act() -> bool:
            if not self._busy():
                return work()
            if self._turn.acquire(timeout=self.TURN):
                try:
                    stop.wait(self.REST)
                finally:
                    self._turn.release()
            return work()

        return act


@dataclasses.dataclass(frozen=True)
class _Polite:
    """`JobQueue` with manners."""

    jobs: JobQueue
    manners: Manners

    def ring(self, queue: str) -> None:
        self.jobs.ring(queue)

    def serve(
        self,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        threads: int = 1,
    ) -> None:
        self.jobs.serve(queues, self.manners.polite(work, stop), stop, threads)


def _gateway(rt: Runtime, sock: socket.socket, stop: threading.Event, manners: Manners) -> None:
    import uvicorn

    from gateway.app import create_app

    # The event loop asks for the interpreter often; with the usual 5 ms each busy thread may make
    # it wait that long.
    sys.setswitchinterval(0.0005)
    app = create_app(rt)
    manners.mind(lambda: app.state.gate.short.at_work > 0)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=10,
        timeout_keep_alive=30,
    )
    server = uvicorn.Server(config)

    def follow() -> None:
        stop.wait()
        server.should_exit = True  # also for a signal that came before uvicorn listened to any

    threading.Thread(target=follow, name="weft-stop", daemon=True).start()
    _settle()
    sock.listen(2048)
    log.info("listening", url=process.url_of(rt.settings))
    try:
        server.run(sockets=[sock])
    finally:
        stop.set()


def _settle() -> None:
    """What was imported and built by now lives as long as the process, so the collector looks at it
    no more: each full look stopped all threads for 200 ms, every ten seconds under load."""
    gc.collect()
    gc.freeze()


@contextlib.contextmanager
def _observed(rt: Runtime, roles: tuple[str, ...]) -> Iterator[None]:
    """Traces and a port for metrics, where the settings ask for them."""
    from runtime.scrape import registry_of

    settings, role = rt.settings, roles[0] if len(roles) == 1 else "platform"
    version = importlib.metadata.version("weft")
    telemetry.build.labels(version, role).set(1)
    telemetry.configure_traces(settings.traces_url, role, version, settings.traces_share)
    server = None
    if settings.metrics_port:
        server, _ = start_http_server(
            settings.metrics_port, settings.metrics_host,
            registry_of(rt, tables="gateway" in roles),
        )  # fmt: skip
    try:
        yield
    finally:
        if server is not None:
            server.shutdown()
            server.server_close()
        telemetry.close_traces()


@contextlib.contextmanager
def _background(
    rt: Runtime, roles: tuple[str, ...], stop: threading.Event, manners: Manners
) -> Iterator[None]:
    """Worker and relay threads; at the end they are told to stop and waited for."""
    threads: list[threading.Thread] = []
    from agents.registry import AGENTS
    from workflows.relay import run_relay
    from workflows.worker import Worker

    if "worker" in roles:
        AGENTS.supervisor.warm()  # else the first decision would, while all writers wait
        mine = rt
        if "gateway" in roles:
            mine = dataclasses.replace(rt, jobs=_Polite(rt.jobs, manners))
        threads.append(_thread("worker", Worker(mine, AGENTS, QUEUES).run, stop))
    if "relay" in roles:
        threads.append(_thread("relay", run_relay, rt, stop))
    if "intake" in roles:
        threads.append(_intake(rt, stop))
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=25)


def _intake(rt: Runtime, stop: threading.Event) -> threading.Thread:
    """Messages from Kafka. Raises `InvalidInput` where there is none."""
    from agents.arriving import receive
    from backends.build import intake
    from workflows.intake import is_ready

    door = intake(rt.settings, rt.clock)
    take, ready = partial(receive, rt), partial(is_ready, rt)
    return _thread("intake", door.serve, take, ready, stop)


def _thread(name: str, target: Callable[..., None], *args: Any) -> threading.Thread:
    thread = threading.Thread(target=target, args=args, name=f"weft-{name}", daemon=True)
    thread.start()
    return thread


def _obey(stop: threading.Event) -> None:
    """A signal asks for an orderly end. Uvicorn takes signals over while it serves and raises them
    again afterwards: the default action would then end the workers in the middle of a step."""

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask)
