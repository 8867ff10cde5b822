"""A3: workers that are stopped past their lease and wake up in the middle of their work."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flows.platform import Forge, pause
from tests.torture.cast import LEASE_SECONDS, Actor
from tests.torture.checker import count
from tests.torture.figures import at_least, held, none
from tests.torture.stage import Stage, stage
from tests.torture.worlds import urls

pytestmark = [pytest.mark.figure, pytest.mark.timeout(900)]
ZOMBIES = int(os.environ.get("WEFT_TORTURE_ZOMBIES", "200"))
ROUND = 40
# The sink takes the call and answers half a second later: there a worker is caught in the act.
SLOW = {"WEFT_WORKER_THREADS": "16", "WEFT_TENANT_RUNNING_MAX": "64"}
HELD = "SELECT id, fence FROM jobs WHERE status = 'running' AND lease_owner LIKE :owner"
NOW = "SELECT count(*) FROM jobs WHERE id = :id AND fence = :fence AND status = 'running'"


def test_a_worker_that_wakes_up_too_late_changes_nothing(
    world: str, servers_of: Callable[[], Any], forge: Forge, tmp_path: Path
) -> None:
    found = urls(world, servers_of, "a3")
    woken = rounds = 0
    with stage(tmp_path, found, forge, ("slow",), SLOW, gateways=1, workers=2) as one:
        while woken < ZOMBIES and rounds < 60:
            rounds += 1
            crowd = threading.Thread(target=one.crowd.run, args=(ROUND, 40))
            crowd.start()
            woken += _pause(one, one.cast.of("worker")[rounds % 2])
            crowd.join()
        one.settle()
        breaches = one.judge()
    short = held([
        at_least(f"A3.{world}.zombies", woken, ZOMBIES, "jobs of paused workers",
                 f"{rounds} pauses of {LEASE_SECONDS * 2:g} s, lease {LEASE_SECONDS:g} s"),
        none(f"A3.{world}.stale", count(breaches, "stale", "reordered", "changed"), "writes"),
        none(f"A3.{world}.second", count(breaches, "duplicate", "twice"), "effects"),
        none(f"A3.{world}.lost", count(breaches, "lost", "missing", "rude", "unasked"), "runs"),
    ])  # fmt: skip
    assert not short, breaches[:20]


def _pause(one: Stage, actor: Actor) -> int:
    """Stops it with its hands full, until all that it held was taken; gives how many that were."""
    assert actor.running is not None
    owner = {"owner": f"%:{actor.running.pid}:%"}
    for _ in range(40):
        pause(0.05)
        if len(one.table.rows(HELD, **owner)) >= 8:
            break
    actor.signal(signal.SIGSTOP)
    one.history.note("struck", role=actor.role, how="SIGSTOP", name=actor.name)
    caught = one.table.rows(HELD, **owner)
    pause(LEASE_SECONDS * 2)
    taken = [job for job in caught if not one.table.number(NOW, id=job[0], fence=job[1])]
    actor.signal(signal.SIGCONT)
    one.history.note("struck", role=actor.role, how="SIGCONT", name=actor.name)
    return len(taken)
