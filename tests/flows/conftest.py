from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from agents.registry import AGENTS
from gateway.app import create_app
from tests.engine import QUEUES
from tests.gateway.people import Town
from tests.gateway.platform import opened
from workflows.relay import run_relay
from workflows.worker import Worker


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The whole embedded platform: gateway, workers and relay, with the tenant `acme`."""
    stop = threading.Event()
    with opened(tmp_path_factory.mktemp("weft"), sweep_seconds=0.1) as rt:
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
