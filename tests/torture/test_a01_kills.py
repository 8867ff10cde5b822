"""A1: kill -9 of gateway, worker and relay, at every boundary and at random."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.failpoints import NAMES
from tests.flows.platform import Forge
from tests.flows.program import until
from tests.torture.cast import LEASE_SECONDS, Cast
from tests.torture.checker import count
from tests.torture.figures import at_least, at_most, held, none
from tests.torture.stage import Stage, p99, stage
from tests.torture.worlds import urls

pytestmark = [pytest.mark.figure, pytest.mark.timeout(1800)]
RUNS = int(os.environ.get("WEFT_TORTURE_RUNS", "1000"))
ROUNDS_ALONE = 5
EACH = 20  # workflows at each boundary, in two rounds
# Messages that come in by Kafka are killed in tests/stack/test_kafka_intake.py.
OURS = [name for name in NAMES if name != "intake.commit"]
PLACES = [(name, side) for name in OURS for side in ("before", "after")]
WHO = {"submit.commit": "gateway", "upload.commit": "gateway", "relay.publish": "relay"}
BY_DOCUMENTS = {"upload.commit", "index.commit"}


def test_whatever_is_killed_nothing_is_lost_and_nothing_repeated(
    world: str, servers_of: Callable[[], Any], forge: Forge, tmp_path: Path
) -> None:
    chance = random.Random(1)
    found = urls(world, servers_of, "a1")
    hit: set[tuple[str, str]] = set()
    with stage(tmp_path, found, forge, gateways=2, workers=2) as one:
        done = 0
        for name, side in PLACES:
            for _ in range(2):
                _round(one, name, side, chance, EACH // 2)
            done += EACH
            hit |= _hit(one)
        while done < RUNS:
            _at_random(one, min(40, RUNS - done), chance)
            done += min(40, RUNS - done)
        taken = [found for _ in range(ROUNDS_ALONE) for found in _one_of_two(one, chance)]
        one.settle()
        breaches = one.judge()
    kills, unhit = one.kills(), sorted(set(PLACES) - hit)
    blind = [line for line in one.history.of("ended") if line["status"] == "needs_review"]
    assert unhit == [], "these boundaries killed nobody"
    short = held([
        at_least(f"A1.{world}.workflows", len(one.crowd.accepted), RUNS, "accepted",
                 f"{kills} kills, {len(PLACES)} boundaries"),
        none(f"A1.{world}.lost", count(breaches, "lost", "missing"), "runs"),
        none(f"A1.{world}.repeated", count(breaches, "duplicate", "twice", "changed"),
             "effects and runs"),
        none(f"A1.{world}.stale", count(breaches, "stale", "reordered", "unasked", "undecided"),
             "writes"),
        none(f"A1.{world}.rude", count(breaches, "rude"), "answers"),
        at_most(f"A1.{world}.in_doubt", len(blind), kills, "blind mails shown to a person"),
        at_most(f"A1.{world}.takeover_p99", p99(taken), 2 * LEASE_SECONDS, "s",
                f"lease {LEASE_SECONDS:g} s; one of two workers dies and stays dead, "
                f"{len(taken)} runs under way, until their ends"),
        at_most(f"A1.{world}.recovery_p99", p99(one.recoveries()), 2 * LEASE_SECONDS, "s",
                f"lease {LEASE_SECONDS:g} s, {len(one.recoveries())} runs under way; mostly all "
                "processes of a role die at once, so it holds the start of a process too"),
    ])  # fmt: skip
    assert not short, breaches[:20]


def _round(one: Stage, name: str, side: str, chance: random.Random, many: int) -> None:
    """Every process of the role that passes this boundary dies there, at a pass by chance."""
    actors = one.cast.of(WHO.get(name, "worker"))
    for actor in actors:
        # Two of a kind share the passes, and a relay gathers: a late pass might never come.
        nth = 1 if actor.role == "relay" else chance.randint(1, 3)
        one.cast.arm(actor, f"{name}:{side}:{nth}=kill")
    assert until(lambda: not any(actor.rule for actor in actors), 20), "they are not armed"
    one.cast.until_ready()
    if name in BY_DOCUMENTS:
        one.crowd.upload(many)
    else:
        one.crowd.run(many, mail_every=2)
    until(lambda: (name, side) in _hit(one), 20)  # a relay may start after all is done


def _hit(one: Stage) -> set[tuple[str, str]]:
    rules = (line["how"].split(":") for line in one.history.of("struck") if "=" in line["how"])
    return {(parts[0], parts[1]) for parts in rules}


def _one_of_two(one: Stage, chance: random.Random) -> list[float]:
    """A worker dies under load and stays dead until all runs have ended; seconds from then to the
    end of each that was under way."""
    victim, before = chance.choice(one.cast.of("worker")), len(one.history.of("ended"))
    crowd = threading.Thread(target=one.crowd.run, args=(EACH,))
    crowd.start()
    until(lambda: len(one.history.of("ended")) > before, 20)  # the load is there
    died = time.time()
    one.cast.kill_for_good(victim)
    crowd.join(120)
    one.cast.revive(victim)
    asked = {line["op"]: line["at"] for line in one.history.of("asked")}
    return [line["ended_at"] - died for line in one.history.of("ended")[before:]
            if asked[line["op"]] < died < line["ended_at"]]  # fmt: skip


def _at_random(one: Stage, many: int, chance: random.Random) -> None:
    """Somebody dies some times a second while the crowd works."""
    stop = threading.Event()
    killer = threading.Thread(target=_kill, args=(one.cast, chance, stop))
    killer.start()
    try:
        one.crowd.run(many, mail_every=2)
    finally:
        stop.set()
        killer.join(10)


def _kill(cast: Cast, chance: random.Random, stop: threading.Event) -> None:
    while not stop.wait(chance.uniform(0.1, 0.6)):
        cast.strike(chance.choice(cast.actors))
