"""Workflows a second of 1, 2 and 4 worker processes on the full stack, and what one run costs.

Runs are submitted first; then the workers begin, so that whoever submits is no limit. Two kinds:
`noop`, four steps that do nothing (the engine and its servers are the limit), and `outside`, four
steps that wait 20 ms each for somebody else (the workers' threads are). `docs/scaling.md` counts
with these figures; this prints its rows too.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

import workflows
from backends.build import open_runtime
from benchmarks import scaling_parts
from benchmarks.figures import at_least, at_most
from benchmarks.scaling_stack import Done, Stack, cpu_of
from benchmarks.scaling_worker import AGENTS, flow
from core.context import PLATFORM, Ctx, scopes_of
from core.ids import new_id
from core.settings import Settings
from core.telemetry import configure_logs
from database import tenants
from database.keys import new_tenant_key
from runtime import Runtime
from workflows import Submission

ROOT = Path(__file__).parents[1]
WORKERS, THREADS, TENANTS = (1, 2, 4), 2, 16
RUNS = int(os.environ.get("WEFT_BENCH_RUNS", "300"))
WAIT_SECONDS = 300.0
GOAL, DAY = 1_000, 86_400
_OPEN = "SELECT count(*) FROM runs WHERE completed_ms IS NULL"
_UNTOLD = "SELECT count(*) FROM events WHERE published_ms IS NULL"


@dataclass(frozen=True)
class Measured:
    """Of one kind of run with so many workers; all but `rate` for each run."""

    kind: str
    workers: int
    rate: float
    idle: float  # share of the machine's cores that nobody used
    worker_cpu: float
    relay_cpu: float
    submit_cpu: float
    done: Done
    submitted: Done


def run() -> Iterator[dict[str, Any]]:
    configure_logs("error")
    with Stack() as stack, tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        given = {
            **stack.urls, "data_dir": folder, "models_dir": folder, "models_url": "none:",
            "worker_threads": THREADS,
        }  # fmt: skip
        people = _prepared(given)
        found = [
            _measured(stack, given, people, kind, workers)
            for kind in ("noop", "outside") for workers in WORKERS
        ]  # fmt: skip
        parts = scaling_parts.measured(stack, given)
    _show(found, parts)
    yield from _figures(found, parts)


def _prepared(given: Mapping[str, Any]) -> list[Ctx]:
    """Tables and tenants; a first run of everything."""
    with open_runtime(Settings(_env_file=None, **given)) as rt:
        return [_tenant(rt, n) for n in range(TENANTS)]


def _tenant(rt: Runtime, number: int) -> Ctx:
    tenant_id = new_id()
    with rt.db.transaction(PLATFORM) as tx:
        tenants.create(
            tx, Ctx("", "system"), new_tenant_key(rt.root_key, tenant_id), tenant_id=tenant_id,
            slug=f"bench-{number}", name="Bench", tier="unlimited",
        )  # fmt: skip
    return Ctx(tenant_id, "user:bench", frozenset({"admin"}), scopes_of(["admin"]))


def _measured(
    stack: Stack, given: Mapping[str, Any], people: list[Ctx], kind: str, workers: int
) -> Measured:
    count = RUNS if kind == "noop" else RUNS // 4 * workers
    sys.stderr.write(f"bench scaling: {count} {kind} runs, {workers} workers ...\n")
    before = stack.done()
    submit_cpu = _submit(given, people, kind, count)
    submitted = stack.done()
    with contextlib.ExitStack() as hold:
        relay = hold.enter_context(_child("relay", given))
        crew = [hold.enter_context(_child("worker", given)) for _ in range(workers)]
        started = stack.done()  # what their start cost is not the runs'
        mine = {child.pid: cpu_of(child.pid) for child in (relay, *crew)}
        psutil.cpu_percent()
        begun = time.perf_counter()
        for child in (relay, *crew):
            _say(child, "go")
        _until_none(stack, _OPEN)
        seconds = time.perf_counter() - begun
        idle = 1 - psutil.cpu_percent() / 100
        _until_none(stack, _UNTOLD)
        spent = {pid: cpu_of(pid) - was for pid, was in mine.items()}
    after = stack.done()
    return Measured(
        kind, workers, count / seconds, idle,
        sum(spent[one.pid] for one in crew) / count, spent[relay.pid] / count, submit_cpu / count,
        (after - started) / count, (submitted - before) / count,
    )  # fmt: skip


def _submit(given: Mapping[str, Any], people: list[Ctx], kind: str, count: int) -> float:
    """CPU seconds of this process; how long it took is nobody's figure."""
    with open_runtime(Settings(_env_file=None, **given)) as rt:
        begun = time.process_time()
        for n in range(count):
            asked = Submission(definition=flow(kind))
            workflows.submit(rt, people[n % TENANTS], asked, catalog=AGENTS.catalog)
        return time.process_time() - begun


def _until_none(stack: Stack, question: str) -> None:
    until = time.monotonic() + WAIT_SECONDS
    with stack.superuser() as connection:
        while True:
            row = connection.execute(question.encode()).fetchone()
            if row is not None and row[0] == 0:
                return
            if time.monotonic() > until:
                raise TimeoutError(f"{question}: still {row} after {WAIT_SECONDS:.0f} s")
            threading.Event().wait(0.05)


@contextlib.contextmanager
def _child(role: str, given: Mapping[str, Any]) -> Iterator[subprocess.Popen[str]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.scaling_worker", role],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        _say(child, json.dumps(dict(given)))
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        yield child
    finally:
        child.terminate()
        child.wait(60)


def _say(child: subprocess.Popen[str], line: str) -> None:
    assert child.stdin is not None
    child.stdin.write(line + "\n")
    child.stdin.flush()


def _figures(found: list[Measured], parts: scaling_parts.Parts) -> Iterator[dict[str, Any]]:
    """The goal is what the arithmetic stands on: more processes give more, where cores allow it."""
    rates = {(one.kind, one.workers): one.rate for one in found}
    for (kind, workers), rate in rates.items():
        goal = 0.0 if (kind, workers) in (("noop", 4), ("noop", 1)) else 1.0
        yield at_least(f"scaling.{kind}_{workers}", rate, goal, "workflows/s",
                       f"{THREADS} threads each, {os.cpu_count()} cores")  # fmt: skip
    for workers in WORKERS[1:]:
        times = rates["outside", workers] / rates["outside", 1]
        yield at_least(f"scaling.outside_{workers}_times", times, 0.7 * workers, "x one worker")
    for name, (p50, p99, few, _deep) in parts.claims.items():
        yield at_most(f"scaling.claim_{name}_p50", p50, 10, "ms of 10,000 tenants",
                      f"{few:.2f} ms of 10 tenants")  # fmt: skip
        yield at_most(f"scaling.claim_{name}_p99", p99, 50, "ms of 10,000 tenants")
    yield at_least("scaling.kafka_publish", parts.publish, 5_000, "events/s by one relay")
    yield at_most("scaling.ingest_requests", sum(parts.ingest.values()), 20,
                  "object requests a document", _words(parts.ingest))  # fmt: skip
    yield at_most("scaling.search_requests_warm", sum(parts.warm.values()), 0,
                  "object requests a search", f"cold: {_words(parts.cold)}")  # fmt: skip


def _words(requests: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {count:.2g}" for name, count in sorted(requests.items())) or "none"


def _show(found: list[Measured], parts: scaling_parts.Parts) -> None:
    """The rows of docs/scaling.md."""
    print(
        "| kind | workers | workflows/s | × one | cores unused |\n| --- | --- | --- | --- | --- |"
    )
    one = {each.kind: each.rate for each in found if each.workers == 1}
    for each in found:
        print(f"| {each.kind} | {each.workers} | {each.rate:.1f} | "
              f"{each.rate / one[each.kind]:.2f} | {each.idle:.0%} |")  # fmt: skip
    print("\n| one run costs | " + " | ".join(f"{m.kind} {m.workers}" for m in found) + " |")
    print("| --- |" + " --- |" * len(found))
    for name, tell in _ROWS.items():
        print(f"| {name} | " + " | ".join(f"{tell(each):.3g}" for each in found) + " |")
    print("\n| part | measured |\n| --- | --- |")
    for database, (p50, p99, few, deep) in parts.claims.items():
        print(f"| claim, {database}: 10,000 tenants, p50 / p99 | {p50:.2f} / {p99:.2f} ms |")
        print(f"| claim, {database}: 10 tenants, p50 | {few:.2f} ms |")
        print(f"| claim, {database}: 10,000 jobs of one tenant, p50 | {deep:.2f} ms |")
    print(f"| Kafka, published by one process | {parts.publish:,.0f} events/s |")
    print(f"| Kafka, heard by one process | {parts.heard:,.0f} events/s |")
    print(f"| object requests a document taken in | {_words(parts.ingest)} |")
    print(f"| object requests a search, cold | {_words(parts.cold)} |")
    print(f"| object requests a search, warm | {_words(parts.warm)} |")
    print(
        f"| a passage of 60 words with its vector, in memory | {parts.passage_bytes:,.0f} bytes |"
    )
    print(f"| the same in the bucket | {parts.stored_bytes:,.0f} bytes |")
    _count(found)


def _count(found: list[Measured]) -> None:
    """What so many runs a second need, by the costs of the busiest row."""
    one = next(each for each in found if (each.kind, each.workers) == ("noop", WORKERS[-1]))
    print(f"\n| {GOAL:,} runs/s | need |\n| --- | --- |")
    for name, tell in _ROWS.items():
        need = tell(one) * GOAL
        if name.endswith(", ms"):
            print(f"| {name.removesuffix(', ms')} | {need / 1e3:.1f} cores |")
        elif name.endswith(", KB"):
            print(f"| {name.removesuffix(', KB')} | {need / 1e3:.1f} MB/s, "
                  f"{need * DAY / 1e9:.2f} TB a day |")  # fmt: skip
        else:
            print(f"| {name} | {need:,.0f} a second, {need * DAY / 1e6:,.0f} million a day |")


_ROWS: dict[str, Callable[[Measured], float]] = {
    "CPU of submitting, ms": lambda m: m.submit_cpu * 1e3,
    "CPU of workers, ms": lambda m: m.worker_cpu * 1e3,
    "CPU of the relay, ms": lambda m: m.relay_cpu * 1e3,
    "CPU of PostgreSQL, ms": lambda m: (m.done.postgres_cpu + m.submitted.postgres_cpu) * 1e3,
    "CPU of Redis, ms": lambda m: (m.done.redis_cpu + m.submitted.redis_cpu) * 1e3,
    "CPU of Kafka, ms": lambda m: m.done.kafka_cpu * 1e3,
    "commits and looks at PostgreSQL": lambda m: m.done.commits + m.submitted.commits,
    "write-ahead log, KB": lambda m: (m.done.wal_bytes + m.submitted.wal_bytes) / 1e3,
    "rows added": lambda m: m.done.rows_added + m.submitted.rows_added,
    "rows changed or deleted": lambda m: m.done.rows_changed + m.submitted.rows_changed,
    "tables and indexes grow, KB": lambda m: (m.done.table_bytes + m.submitted.table_bytes) / 1e3,
    "Redis commands": lambda m: m.done.redis_commands + m.submitted.redis_commands,
    "events": lambda m: m.done.events + m.submitted.events,
    "Kafka's log, KB": lambda m: m.done.kafka_bytes / 1e3,
}
