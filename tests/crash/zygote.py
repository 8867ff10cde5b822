"""Kills real processes at named boundaries and lets a second one finish what they left.

`python -m tests.crash.zygote FOLDER NAME:SIDE:N …` prints one JSON line a scenario. Everything is
imported once and each process is a fork, so that a start costs milliseconds.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import workflows
from agents.supervisor import Supervisor
from backends.build import open_runtime
from core import failpoints
from core.context import PLATFORM, Ctx, scopes_of
from core.ids import new_id
from core.ports import EffectCall
from core.settings import Settings
from database import dispatch, triggers
from runtime import Runtime
from tests.engine import QUEUES, flow, intent, new_tenant, step
from workflows import Submission, registry, relay, sweeper
from workflows.engine import work_once
from workflows.supervision import Agents
from workflows.tasks import Catalog, Done, TaskSpec, Work

FLOW = flow(
    step("one"),
    step("two", "one", task="analysis.think"),
    {"id": "each", "needs": ["one"], "for_each": "${documents}", "steps": [step("item")]},
    step("act", "two", "each", task="action.act", when="true"),
    step("last", "act"),
)
SMALL = flow(step("two", task="analysis.think"), name="small")
CONFIG = {"pre_approved": [{"connector": "sink", "target": "*"}]}
CATALOG = Catalog([
    TaskSpec(agent, task, lambda job: Done({}), "stands for those of `agents`")
    for agent, task in (("supervisor", "noop"), ("analysis", "think"), ("action", "act"))
])  # fmt: skip
SECONDS = 20.0


class Sink:
    """Keyed: writes down each delivery's id before it answers."""

    effect_class = "keyed"

    def __init__(self, folder: Path) -> None:
        self._file = folder / "delivered"

    def check(self, call: EffectCall) -> None: ...

    def send(self, call: EffectCall) -> dict[str, Any]:
        note(self._file, call.key)
        return {"ok": True}

    def lookup(self, call: EffectCall) -> None:
        return None


def note(path: Path, line: str) -> None:
    """One line that survives the death of this process."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(descriptor, (line + "\n").encode())
    os.close(descriptor)


def lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def agents(folder: Path, supervisor: Supervisor) -> Agents:
    def work(job: Work) -> Done:
        name = str(job.message.payload["name"])
        note(folder / "done", job.step_id)
        if name == "two":
            job.remember("idea", lambda: note(folder / "thought", job.step_id))
        return Done({"name": name}, effects=(intent("sink"),) if name == "act" else ())

    tasks = (("supervisor", "noop"), ("analysis", "think"), ("action", "act"))
    return Agents(Catalog(TaskSpec(a, t, work, "notes that it ran") for a, t in tasks), supervisor)


def settings(folder: Path) -> Settings:
    return Settings(
        _env_file=None, data_dir=folder, models_dir=folder, models_url="none:",
        lease_seconds=0.05, retry_base_seconds=0.01, log_level="critical",
    )  # fmt: skip


def opened(folder: Path, action: Callable[[Runtime], None]) -> None:
    sink = Sink(folder)
    more: dict[str, Any] = {"sink": sink, "webhook": sink}
    with open_runtime(settings(folder), more_connectors=more) as rt:
        action(rt)


def accept(rt: Runtime, ctx: Ctx, folder: Path) -> None:
    """From the moment that `submit` returns, the run is promised."""
    submission = Submission(
        definition=FLOW, documents=("d1", "d2"), callback_url="https://hook.example/"
    )
    for one in (submission, Submission(definition=SMALL)):
        note(folder / "accepted", workflows.submit(rt, ctx, one).id)


def schedule(rt: Runtime, ctx: Ctx) -> None:
    """A workflow whose time has come, once."""
    definition = {**SMALL, "name": "timely"}
    registry.save(rt, ctx, "timely", json.dumps(definition), CATALOG)
    with rt.db.transaction(ctx) as tx:
        triggers.create(tx, ctx, new_id(), {
            "name": "timely", "kind": "schedule", "config": {"cron": "0 0 1 1 *"}, "secret": None,
            "workflow": "timely", "inputs": {}, "scopes": [], "enabled": True, "due_ms": 1,
        })  # fmt: skip


def finish(rt: Runtime, crew: Agents) -> None:
    """Works until no job is left: silent workers' leases run out on the way."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if work_once(rt, QUEUES, crew) or relay.relay_once(rt):
            continue
        sweeper.sweep(rt, crew)
        with rt.db.read(PLATFORM) as tx:
            if not dispatch.depths(tx):
                return
        time.sleep(0.01)


def forked(action: Callable[[], None]) -> int:
    """The signal that ended the child, 0 when it ended well, -1 when it broke."""
    child = os.fork()
    if child == 0:
        code = 0
        try:
            action()
        except BaseException:  # noqa: BLE001 (the child's edge)
            traceback.print_exc()
            code = 1
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    return -os.WEXITSTATUS(status)


def kept(folder: Path) -> dict[str, Any]:
    """What the dead process had made durable: finished steps and thoughts, with their counts."""
    with sqlite3.connect(folder / "weft.db") as db:
        steps = [row[0] for row in db.execute("SELECT id FROM steps WHERE status = 'completed'")]
        thoughts = [row[0] for row in db.execute("SELECT step_id FROM journal")]
    done, thought = lines(folder / "done"), lines(folder / "thought")
    return {
        "done": {one: done.count(one) for one in steps},
        "thought": {one: thought.count(one) for one in thoughts},
    }


def scenario(
    rule: str, template: Path, folder: Path, ctx: Ctx, supervisor: Supervisor
) -> dict[str, Any]:
    """One process dies at `rule`, the next one finishes; what was promised, and what was kept?"""
    shutil.copytree(template, folder)
    crew = agents(folder, supervisor)

    def first() -> None:
        failpoints.reset(f"{rule}=kill")

        def act(rt: Runtime) -> None:
            accept(rt, ctx, folder)
            relay.relay_once(rt)
            finish(rt, crew)

        opened(folder, act)

    died = forked(first)
    before = kept(folder)
    ended = forked(lambda: opened(folder, lambda rt: finish(rt, crew)))
    after_done, after_thought = lines(folder / "done"), lines(folder / "thought")
    with sqlite3.connect(folder / "weft.db") as db:
        runs = dict(db.execute("SELECT id, status FROM runs WHERE parent_run_id IS NULL"))
        timely = db.execute("SELECT count(*) FROM runs WHERE workflow = 'timely'").fetchone()[0]
        acting = db.execute("SELECT count(*) FROM runs WHERE callback_url IS NOT NULL").fetchone()
        unpublished = db.execute("SELECT count(*) FROM events WHERE published_ms IS NULL")
        silent = unpublished.fetchone()[0]
    delivered, accepted = lines(folder / "delivered"), lines(folder / "accepted")
    shutil.rmtree(folder)
    return {
        "rule": rule,
        "killed": died == signal.SIGKILL,
        "recovered": ended == 0,
        "lost": [one for one in accepted if runs.get(one) != "completed"],
        "runs": runs,
        "timely": timely,
        "intended": 2 * acting[0],
        "repeated_steps": [k for k, n in before["done"].items() if after_done.count(k) != n],
        "repeated_thoughts": [
            k for k, n in before["thought"].items() if after_thought.count(k) != n
        ],
        "deliveries": len(set(delivered)),
        "raw_deliveries": len(delivered),
        "unpublished": silent,
    }


def main(root: Path, rules: list[str]) -> None:
    template, supervisor = root / "template", Supervisor()
    supervisor.warm()
    made: list[str] = []

    def found(rt: Runtime) -> None:
        ctx = new_tenant(rt, config=CONFIG)
        schedule(rt, ctx)
        made.append(ctx.tenant)

    opened(template, found)
    ctx = Ctx(made[0], "user:u1", frozenset({"admin"}), scopes_of(["admin"]))
    for number, rule in enumerate(rules):
        print(json.dumps(scenario(rule, template, root / str(number), ctx, supervisor)), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
