"""One hop by Celery and Redis between two processes: from a commit to the start of its step.

Each run is one step of a task that says when it began; the decision that starts it is in the hop.
On the database that WEFT_DATABASE_URL names, else on SQLite; Redis by WEFT_JOBS_URL, else started.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import workflows
from backends.build import open_runtime
from benchmarks.dispatch_worker import AGENTS, settings
from benchmarks.figures import at_most
from benchmarks.workflow import Ends, _tenant
from core.context import Ctx
from core.ports import JobQueue
from database import steps
from runtime import Runtime
from workflows import Submission
from workflows.relay import run_relay

HOPS, WARM, REST_SECONDS = 300, 20, 0.02
ROOT = Path(__file__).parents[1]
STACK = ROOT / "deploy" / "native" / "stack"
FLOW = {"name": "one", "steps": [{"id": "s", "agent": "supervisor", "task": "clock"}]}


def run() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder, _redis() as jobs_url:
        kind = os.environ.get("WEFT_DATABASE_URL", "sqlite").partition(":")[0]
        with _worker(folder, jobs_url):
            hops = _hops(folder, jobs_url)
    yield at_most("dispatch.hop_p50", statistics.median(hops), 10, "ms", f"celery, redis, {kind}")
    yield at_most("dispatch.hop_p99", sorted(hops)[int(len(hops) * 0.99)], 100, "ms")


class Stamped:
    """`JobQueue` that remembers when the first bell after a commit was rung."""

    def __init__(self, inner: JobQueue) -> None:
        self._inner = inner
        self.rung_ns: int | None = None

    def ring(self, queue: str) -> None:
        self.rung_ns = self.rung_ns or time.time_ns()
        self._inner.ring(queue)

    def serve(
        self,
        queues: Sequence[str],
        work: Callable[[], bool],
        stop: threading.Event,
        threads: int = 1,
    ) -> None:
        self._inner.serve(queues, work, stop, threads)


def _hops(folder: str, jobs_url: str) -> list[float]:
    """Milliseconds of each hop."""
    stop, ends = threading.Event(), Ends()
    with open_runtime(settings(folder, jobs_url), more_connectors={}) as rt:
        ctx = _tenant(rt)
        rt.bus.subscribe(ends.hear)
        relay = threading.Thread(target=run_relay, args=(rt, stop))
        relay.start()
        try:
            found = [_hop(rt, ctx, ends) for _ in range(WARM + HOPS)]
        finally:
            stop.set()
            relay.join()
    return found[WARM:]


def _hop(rt: Runtime, ctx: Ctx, ends: Ends) -> float:
    stamped = Stamped(rt.jobs)
    run_id = workflows.submit(
        replace(rt, jobs=stamped), ctx, Submission(definition=FLOW), catalog=AGENTS.catalog
    ).id
    ends.wait(run_id)
    threading.Event().wait(REST_SECONDS)  # what the relay does after a run is not the next hop's
    with rt.db.read(ctx) as tx:
        row = steps.of_run(tx, ctx, run_id)["s"]
    assert stamped.rung_ns is not None
    return (int(row.output["began_ns"]) - stamped.rung_ns) / 1e6


@contextlib.contextmanager
def _worker(folder: str, jobs_url: str) -> Iterator[None]:
    worker = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.dispatch_worker", folder, jobs_url],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        yield
    finally:
        worker.terminate()
        worker.wait(30)


@contextlib.contextmanager
def _redis() -> Iterator[str]:
    """WEFT_JOBS_URL, else a Redis for this bench alone."""
    if given := os.environ.get("WEFT_JOBS_URL"):
        yield given
        return
    ours = {"WEFT_STACK_DIR": str(ROOT / "build" / "stack-bench"), "WEFT_STACK_PORTS": "26000"}
    environment = {**ours, **os.environ}
    _stack(environment, "up", "redis")
    try:
        yield json.loads(_stack(environment, "env", "--json"))["WEFT_JOBS_URL"]
    finally:
        _stack(environment, "down", "redis")


def _stack(environment: Mapping[str, str], *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, STACK, *arguments],
        env=environment, check=True, timeout=300, stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
