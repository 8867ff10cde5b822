"""A no-op workflow of four durable steps, alone and fifty at once; DBOS and LangGraph beside it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import workflows
from agents.registry import AGENTS
from backends.build import open_runtime
from benchmarks.figures import at_least, at_most
from benchmarks.peers import peer_python
from core.context import PLATFORM, Ctx, scopes_of
from core.events import Event
from core.ids import new_id
from core.settings import Settings
from database import tenants
from database.keys import new_tenant_key
from runtime import Runtime
from workflows import Submission
from workflows.relay import run_relay
from workflows.worker import Worker

ALONE, HEAP, AT_ONCE = 100, 300, 50
WAIT_SECONDS = 60.0
PEER_CODE = Path(__file__).with_name("workflow_peer.py")
PACKAGES = ("dbos", "langgraph", "langgraph-checkpoint-sqlite", "aiosqlite")
FLOW = {
    "name": "four",
    "steps": [
        {"id": f"s{n}", "agent": "supervisor", "task": "noop", "with": {"x": n},
         "needs": [f"s{n - 1}"] if n else []}
        for n in range(4)
    ],
}  # fmt: skip


class Ends:
    """Waits for runs to end: told by the bus, like any client of the event stream."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._over: dict[str, threading.Event] = {}

    def hear(self, batch: Sequence[Event]) -> None:
        for event in batch:
            if event.type == "workflow.completed" and event.run_id:
                self._of(event.run_id).set()

    def wait(self, run_id: str) -> None:
        if not self._of(run_id).wait(WAIT_SECONDS):
            raise TimeoutError(f"the run {run_id} did not end")

    def _of(self, run_id: str) -> threading.Event:
        with self._lock:
            return self._over.setdefault(run_id, threading.Event())


def run() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        alone, heap = _ours(Path(folder))
    peers = {name: _peer(name) for name in ("dbos", "langgraph")}
    said = ", ".join(f"{name} {one['p50_ms']:.1f} ms" for name, one in peers.items())
    yield at_most("workflow.four_steps_p50", statistics.median(alone) * 1e3, 15, "ms", said)
    yield at_most("workflow.four_steps_p99", _p99(alone) * 1e3, 100, "ms")
    rates = ", ".join(f"{name} {one['per_second']:.0f}/s" for name, one in peers.items())
    yield at_least("workflow.fifty_at_once", heap, 200, "workflows/s", rates)
    dbos, langgraph = peers["dbos"]["per_second"], peers["langgraph"]["per_second"]
    yield at_least("workflow.times_dbos", heap / dbos, 2, "x", "DBOS on SQLite")
    yield at_least("workflow.times_langgraph", heap / langgraph, 1, "x", "AsyncSqliteSaver")


def _ours(folder: Path, **more: Any) -> tuple[list[float], float]:
    """(seconds of each run alone, runs a second of a heap with fifty at once)."""
    stop, ends = threading.Event(), Ends()
    # One thread: the steps do nothing, so a second one only takes turns with the first.
    settings = Settings(
        **{"_env_file": None, "data_dir": folder, "models_dir": folder, "models_url": "none:",
           "worker_threads": 1, **more}
    )  # fmt: skip
    with open_runtime(settings) as rt:
        ctx = _tenant(rt)
        rt.bus.subscribe(ends.hear)
        worker = Worker(rt, AGENTS, ("supervisor",))
        threads = [
            threading.Thread(target=worker.run, args=(stop,)),
            threading.Thread(target=run_relay, args=(rt, stop)),
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                _one(rt, ctx, ends)
            alone = [_one(rt, ctx, ends) for _ in range(ALONE)]
            return alone, _heap(rt, ctx, ends)
        finally:
            stop.set()
            rt.jobs.ring("relay")
            for thread in threads:
                thread.join(WAIT_SECONDS)


def _tenant(rt: Runtime) -> Ctx:
    tenant_id = new_id()
    with rt.db.transaction(PLATFORM) as tx:
        tenants.create(
            tx, Ctx("", "system"), new_tenant_key(rt.root_key, tenant_id), tenant_id=tenant_id,
            slug="bench", name="Bench", tier="unlimited",
        )  # fmt: skip
    return Ctx(tenant_id, "user:bench", frozenset({"admin"}), scopes_of(["admin"]))


def _one(rt: Runtime, ctx: Ctx, ends: Ends) -> float:
    begun = time.perf_counter()
    ends.wait(workflows.submit(rt, ctx, Submission(definition=FLOW)).id)
    return time.perf_counter() - begun


def _heap(rt: Runtime, ctx: Ctx, ends: Ends) -> float:
    begun = time.perf_counter()
    open_: list[str] = []
    for _ in range(HEAP):
        if len(open_) == AT_ONCE:
            ends.wait(open_.pop(0))
        open_.append(workflows.submit(rt, ctx, Submission(definition=FLOW)).id)
    for run_id in open_:
        ends.wait(run_id)
    return HEAP / (time.perf_counter() - begun)


def _p99(times: Sequence[float]) -> float:
    return sorted(times)[int(len(times) * 0.99)]


def _peer(name: str, database: str = "", *more: str) -> dict[str, float]:
    """Another engine in its own environment, in this same run; on SQLite without a URL."""
    python = peer_python("workflow", PACKAGES)
    counts = [str(ALONE), str(HEAP), str(AT_ONCE)]
    done = subprocess.run(
        [python, "-P", PEER_CODE.absolute(), name, *counts, database, *more],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    found = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not found:
        sys.stderr.write(done.stderr[-2000:])
        raise RuntimeError(f"the peer {name} did not run")
    figures: dict[str, float] = json.loads(found[-1])
    return figures
