"""Gateway, workers and relay in this process, for as long as stories are told of it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from starlette.testclient import TestClient

from agents.registry import AGENTS
from gateway.app import create_app
from runtime import Runtime
from tests.engine import QUEUES
from tests.gateway.people import Town
from workflows.relay import run_relay
from workflows.worker import Worker


@contextlib.contextmanager
def living(rt: Runtime) -> Iterator[Town]:
    """With the tenant `acme`."""
    stop = threading.Event()
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
