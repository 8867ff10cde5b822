"""Runs under bad bells end in the state of one ordered run (figure A9, the doorbell's half)."""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import workflows
from core.context import Ctx
from core.events import Event
from runtime import Runtime
from tests.engine import QUEUES, Script, drained
from tests.fakes.bells import BadBells
from workflows import Submission
from workflows.relay import run_relay
from workflows.worker import Worker

WAIT = 60.0
AT_ONCE = 50
FLOW = {
    "name": "bells",
    "inputs": {"things": {"type": "list", "default": [1, 2]}},
    "steps": [
        {"id": "start", "agent": "supervisor", "task": "noop", "with": {"name": "start"}},
        {"id": "each", "for_each": "${inputs.things}", "as": "thing", "needs": ["start"],
         "steps": [{"id": "look", "agent": "analysis", "task": "think",
                    "with": {"name": "look", "thing": "${thing}"}}]},
        {"id": "left", "agent": "report", "task": "write", "needs": ["start"],
         "with": {"name": "left", "was": "${steps.start.output.name}"}},
        {"id": "end", "agent": "action", "task": "act", "needs": ["each", "left"],
         "with": {"name": "end", "was": "${steps.left.output.was}"}},
    ],
    "outputs": {"end": "${steps.end.output.was}", "each": "${steps.each.output}"},
}  # fmt: skip
STEPS_OF_A_RUN = 5  # two items


def state(rt: Runtime, ctx: Ctx, run_id: str) -> str:
    """SHA-256 of what a run came to; ids and times differ in every run."""
    found = workflows.status(rt, ctx, run_id)
    told = ("step_id", "status", "attempts", "progress", "error")
    steps = [{key: step[key] for key in told} for step in found["steps"]]
    kept = {key: found[key] for key in ("status", "outputs", "error", "progress")}
    text = json.dumps({**kept, "steps": steps}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def ordered(rt: Runtime, ctx: Ctx) -> str:
    """The state after one run, worked by one thread in order."""
    run_id = workflows.submit(rt, ctx, Submission(definition=FLOW)).id
    drained(rt, Script().agents())
    return state(rt, ctx, run_id)


def under_bad_bells(
    rt: Runtime, ctx: Ctx, count: int, seed: int, meanwhile: Callable[[int], None] = lambda _: None
) -> tuple[list[str], Script, BadBells]:
    """Hashes of `count` runs; `meanwhile` is called after each submission with its number."""
    bells, script, over = BadBells(rt.jobs, seed), Script(), Counted()
    leave = rt.bus.subscribe(over.hear)
    with working(replace(rt, jobs=bells), script):
        ids = []
        for number in range(count):
            ids.append(
                workflows.submit(replace(rt, jobs=bells), ctx, Submission(definition=FLOW)).id
            )
            meanwhile(number)
            over.wait(ids[:-AT_ONCE])
        over.wait(ids)
    leave()
    return [state(rt, ctx, run_id) for run_id in ids], script, bells


@contextlib.contextmanager
def working(rt: Runtime, script: Script) -> Iterator[None]:
    """A worker and a relay in this process."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=Worker(rt, script.agents(), QUEUES).run, args=(stop,)),
        threading.Thread(target=run_relay, args=(rt, stop)),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(WAIT)
            assert not thread.is_alive()


class Counted:
    """Waits for runs to end, told by the bus."""

    def __init__(self) -> None:
        self._over: set[str] = set()
        self._changed = threading.Condition()

    def hear(self, batch: Sequence[Event]) -> None:
        with self._changed:
            self._over |= {
                one.run_id for one in batch if one.run_id and one.type == "workflow.completed"
            }
            self._changed.notify_all()

    def wait(self, ids: Sequence[str], seconds: float = WAIT) -> None:
        """`seconds` without any progress is too long."""
        wanted = set(ids)
        with self._changed:
            while not wanted <= self._over:
                before = len(self._over)
                assert self._changed.wait(seconds), f"{len(wanted - self._over)} runs did not end"
                assert len(self._over) >= before
