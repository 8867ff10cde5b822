"""A5: PostgreSQL stopped in an instant, Redis flushed and killed, under load."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flows.platform import Forge, pause
from tests.torture.checker import count
from tests.torture.figures import at_least, at_most, held, none
from tests.torture.stage import Stage, stage
from tests.torture.worlds import WORLDS, urls

pytestmark = [
    pytest.mark.figure, pytest.mark.timeout(900),
    pytest.mark.skipif("full" not in WORLDS, reason="the embedded default has no such servers"),
]  # fmt: skip
DEATHS = int(os.environ.get("WEFT_TORTURE_DEATHS", "10"))
MANY = 30
NORMAL_SECONDS = 10.0


@pytest.mark.parametrize("server", ["postgres", "redis"])
def test_a_server_that_dies_costs_time_only(
    server: str, servers_of: Callable[[], Any], forge: Forge, tmp_path: Path
) -> None:
    servers = servers_of()
    found = urls("full", servers_of, f"a5{server}")
    normal: list[float] = []
    with stage(tmp_path, found, forge, gateways=2, workers=2) as one:
        for turn in range(DEATHS):
            crowd = threading.Thread(target=one.crowd.run, args=(MANY, 8))
            crowd.start()
            pause(0.3)
            one.history.note("struck", role=server, how="immediate stop", name=server)
            _die(servers, server, found, turn)
            normal.append(_until_normal(one, turn))
            crowd.join()
        one.settle()
        breaches = one.judge()
    refused = [line for line in one.history.of("answered") if line["status"] == 503]
    name = "A5.full.postgres" if server == "postgres" else "A5.full.redis"
    short = held([
        at_least(f"{name}.deaths", DEATHS, DEATHS, "immediate stops under load",
                 f"{len(one.crowd.accepted)} workflows, {len(refused)} answers 503"),
        none(f"{name}.lost", count(breaches, "lost", "missing"), "runs"),
        none(f"{name}.rude", count(breaches, "rude"), "answers"),
        none(f"{name}.repeated", count(breaches, "duplicate", "twice", "stale", "changed",
                                       "reordered", "unasked", "undecided"), "effects and writes"),
        at_most(f"{name}.normal", max(normal), NORMAL_SECONDS, "s after its return",
                "a workflow is accepted and ends"),
    ])  # fmt: skip
    assert not short, breaches[:20]


def _die(servers: Any, server: str, found: dict[str, str], turn: int) -> None:
    """SIGKILL of all its processes is what `-m immediate` is to the data: no checkpoint, recovery
    from the log. Every other time Redis only forgets everything."""
    if server == "redis" and turn % 2:
        import redis

        with redis.Redis.from_url(found["WEFT_JOBS_URL"].removeprefix("celery+")) as client:
            client.flushall()
        return
    servers.kill(server)
    pause(1.0)
    servers.start(server)


def _until_normal(one: Stage, turn: int) -> float:
    """Seconds until a new workflow has been accepted and has ended."""
    began = time.monotonic()
    op = f"op-{turn + 1}-{turn + 1}"
    one.crowd.one(op)
    return time.monotonic() - began
