"""The flow stories' platform on real servers; roles are processes of their own."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from agents.registry import AGENTS
from gateway.app import create_app
from tests.engine import QUEUES
from tests.fakes.sink import HttpSink
from tests.flows.platform import Platform
from tests.gateway.people import Town
from tests.gateway.platform import opened
from tests.stack.servers import Servers
from tests.stack.urls import fresh
from workflows.relay import run_relay
from workflows.worker import Worker

ROLES = ("gateway", "worker", "relay")


@pytest.fixture(scope="module")
def town(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Gateway, workers and relay in this process, on the real servers."""
    stop = threading.Event()
    found = {
        name.removeprefix("WEFT_").lower(): url for name, url in fresh(servers, "town").items()
    }
    with opened(tmp_path_factory.mktemp("weft"), sweep_seconds=0.2, **found) as rt:
        crew = [
            threading.Thread(target=Worker(rt, AGENTS, QUEUES).run, args=(stop,)),
            threading.Thread(target=run_relay, args=(rt, stop)),
        ]
        for thread in crew:
            thread.start()
        app = create_app(rt)
        try:
            with TestClient(app, raise_server_exceptions=False) as http:
                made = Town(rt, app, http)
                made.tenant("acme")
                yield made
        finally:
            stop.set()
            for thread in crew:
                thread.join(25)


@pytest.fixture(scope="session")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpSink]:
    with HttpSink(tmp_path_factory.mktemp("sink") / "deliveries") as made:
        yield made


@pytest.fixture(scope="session")
def platform(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory, sink: HttpSink
) -> Iterator[Platform]:
    """`weft serve --only …`, three processes, for stories that do not kill them."""
    made = Platform(tmp_path_factory.mktemp("platform"), {
        **fresh(servers, "flows"), "WEFT_EGRESS_ALLOW": sink.place, "WEFT_SWEEP_SECONDS": "0.2",
        "WEFT_RETRY_BASE_SECONDS": "0.1", "WEFT_UPLOAD_BYTES_MAX": "1000000",
    }, roles=ROLES)  # fmt: skip
    made.provision(clearpay="unlimited", mediops="unlimited", acme="unlimited", quiet="unlimited")
    made.start()
    try:
        yield made
    finally:
        assert made.stop() == 0
