"""Runs the platform, or one role of it, in the foreground until SIGTERM."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import structlog

from core.settings import Settings
from core.telemetry import configure_logs
from ops import process
from runtime import Runtime

ROLES = ("gateway", "worker", "relay")
QUEUES = ("supervisor", "ingestion", "analysis", "report", "action")

log = structlog.get_logger(room="ops")


def serve(settings: Settings, only: str | None = None) -> None:
    """The whole platform in this process, or only one role beside others on the same URLs."""
    configure_logs(settings.log_level)
    roles = (only,) if only else ROLES
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
        stack.enter_context(_background(rt, roles, stop))
        if sock is None:
            while not stop.wait(timeout=3600):
                pass
        else:
            _gateway(rt, sock, stop)


def _gateway(rt: Runtime, sock: socket.socket, stop: threading.Event) -> None:
    import uvicorn

    from gateway.app import create_app

    config = uvicorn.Config(
        create_app(rt),
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
    sock.listen(2048)
    log.info("listening", url=process.url_of(rt.settings))
    try:
        server.run(sockets=[sock])
    finally:
        stop.set()


@contextlib.contextmanager
def _background(rt: Runtime, roles: tuple[str, ...], stop: threading.Event) -> Iterator[None]:
    """Worker and relay threads; at the end they are told to stop and waited for."""
    threads: list[threading.Thread] = []
    from agents.registry import AGENTS
    from workflows.relay import run_relay
    from workflows.worker import Worker

    if "worker" in roles:
        threads.append(_thread("worker", Worker(rt, AGENTS, QUEUES).run, stop))
    if "relay" in roles:
        threads.append(_thread("relay", run_relay, rt, stop))
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=25)


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
