"""`weft health`: what a container's health check asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, start_http_server

from backends.build import open_runtime
from core.clock import FakeClock
from core.context import PLATFORM
from core.settings import Settings
from database import events, workers
from ops.health import doubts
from runtime import Runtime
from tests.engine import Script, new_tenant
from workflows.worker import Worker


@pytest.fixture
def now(settings: Settings) -> Iterator[Runtime]:
    """The platform on the real clock, which is the one that a health check goes by."""
    with open_runtime(settings) as opened:
        yield opened


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def said(settings: Settings, role: str) -> str:
    return doubts(settings, role) or ""


def test_a_gateway_that_does_not_answer_is_not_well(settings: Settings) -> None:
    port = free_port()
    everywhere = settings.model_copy(update={"port": port, "host": "0.0.0.0"}).resolved()
    assert said(everywhere, "gateway") == f"http://127.0.0.1:{port} is not ready."


def test_a_worker_is_well_from_its_first_to_its_last_sign_of_life(now: Runtime) -> None:
    assert "No worker of" in said(now.settings, "worker")
    stop = threading.Event()
    thread = threading.Thread(target=Worker(now, Script().agents(), ["action"]).run, args=(stop,))
    thread.start()
    try:
        for _ in range(200):
            if not said(now.settings, "worker"):
                break
            threading.Event().wait(0.02)
        assert said(now.settings, "worker") == ""
    finally:
        stop.set()
        thread.join(timeout=30)
    assert "No worker of" in said(now.settings, "worker")


def test_a_silent_worker_is_not_well_and_one_of_another_host_does_not_speak_for_it(
    now: Runtime,
) -> None:
    with now.db.transaction(PLATFORM) as tx:
        workers.join(tx, "elsewhere", "worker", ["action"], 1, "another-host")
    assert "No worker of" in said(now.settings, "worker")
    with now.db.transaction(PLATFORM) as tx:
        workers.join(tx, "here", "worker", ["action"], 1, socket.gethostname())
    assert said(now.settings, "worker") == ""
    impatient = now.settings.model_copy(update={"heartbeat_seconds": -1.0})
    assert "has been silent for" in said(impatient, "worker")


def test_a_relay_is_well_while_no_event_has_waited_for_a_minute(settings: Settings) -> None:
    clock = FakeClock()
    clock.advance(-50)
    with open_runtime(settings, clock=clock) as rt:
        ctx = new_tenant(rt)
        with rt.db.transaction(ctx) as tx:
            events.append(tx, ctx, None, "test.happened", {})
        assert said(rt.settings, "relay") == ""
        clock.advance(-50)
        with rt.db.transaction(ctx) as tx:
            events.append(tx, ctx, None, "test.happened", {})
        assert said(rt.settings, "relay").startswith("Events wait for 10")


@pytest.mark.parametrize("role", ["worker", "relay", "intake"])
def test_a_process_that_does_not_answer_for_its_metrics_is_not_well(
    now: Runtime, role: str
) -> None:
    with now.db.transaction(PLATFORM) as tx:
        workers.join(tx, "here", "worker", ["action"], 1, socket.gethostname())
    port = free_port()
    told = now.settings.model_copy(update={"metrics_port": port})
    assert f"WEFT_METRICS_PORT={port}" in said(told, role)
    server, thread = start_http_server(port, "127.0.0.1", CollectorRegistry())
    try:
        assert said(told, role) == ""
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=10)
