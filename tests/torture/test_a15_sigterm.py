"""A15: SIGTERM to each role under load: what was accepted goes on, at once and elsewhere."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.flows.platform import Forge, pause
from tests.torture.cast import Actor
from tests.torture.checker import count
from tests.torture.figures import at_most, held, none
from tests.torture.stage import Stage, stage
from tests.torture.worlds import urls

pytestmark = [pytest.mark.figure, pytest.mark.timeout(900)]
ROUNDS = int(os.environ.get("WEFT_TORTURE_ROUNDS", "3"))
MANY = 60
HELD = "SELECT count(*) FROM jobs WHERE status = 'running' AND lease_owner LIKE :owner"


def test_a_process_that_is_told_to_go_goes_and_nobody_notices(
    world: str, servers_of: Callable[[], Any], forge: Forge, tmp_path: Path
) -> None:
    exits: list[float] = []
    wrong: list[str] = []
    kept = 0
    found = urls(world, servers_of, "a15")
    with stage(tmp_path, found, forge, ("slow",), gateways=2, workers=2, relays=2) as one:
        for turn in range(ROUNDS):
            for role in ("gateway", "worker", "relay"):
                crowd = threading.Thread(target=one.crowd.run, args=(MANY, 16))
                crowd.start()
                pause(0.4)
                actor = one.cast.of(role)[turn % 2]
                status, seconds, still = _ended(one, actor)
                exits.append(seconds)
                wrong += [f"{actor.name} ended with {status}"] if status else []
                kept += still
                crowd.join()
        one.settle()
        breaches = one.judge()
    failed = [line for line in one.history.of("answered") if line["status"] not in (202, 409)]
    short = held([
        at_most(f"A15.{world}.exit", max(exits), 30, "s", f"{len(exits)} exits under load"),
        none(f"A15.{world}.not_clean", len(wrong), "exits with a status other than 0"),
        none(f"A15.{world}.kept", kept, "jobs still held by a process that is gone"),
        none(f"A15.{world}.failed", count(breaches, "lost", "missing", "rude") + len(failed),
             "accepted requests"),
        none(f"A15.{world}.repeated", count(breaches, "duplicate", "twice", "stale", "reordered"),
             "effects"),
    ])  # fmt: skip
    assert not short, [*wrong, *breaches[:20], *failed[:5]]


def _ended(one: Stage, actor: Actor) -> tuple[int, float, int]:
    """(status, seconds, jobs that it still held after its end); then it plays again."""
    assert actor.running is not None
    pid = actor.running.pid
    one.history.note("struck", role=actor.role, how="SIGTERM", name=actor.name)
    status, seconds = actor.end()
    still = one.table.number(HELD, owner=f"%:{pid}:%")
    actor.start()
    actor.wanted = True
    one.cast.until_ready()
    return status, seconds, still
