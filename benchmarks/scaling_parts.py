"""Parts of `scaling` by themselves: a claim among 10,000 tenants, Kafka, the objects' requests."""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import create_engine, insert
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from agents import search, uploads
from agents.registry import AGENTS
from backends import s3_wire
from backends.build import open_runtime
from benchmarks import search as passages
from benchmarks.scaling_stack import Stack
from benchmarks.scaling_worker import QUEUES, flow
from core.context import PLATFORM, Ctx, scopes_of
from core.events import Event
from core.ids import new_id
from core.settings import Settings
from core.vault import Vault
from database import dispatch, jobs, tables
from runtime import Runtime
from vectorstore import Head, Query, Shelves
from workflows.worker import Worker

FEW, MANY, JOBS_EACH, CLAIMS = 10, 10_000, 4, 200
EVENTS, BATCH = 10_000, 500  # a relay's batch
DOCUMENTS, SEARCHES, WAIT_SECONDS = 20, 50, 120.0
_TEXT = "Refunds for order {n} are paid within fourteen days of the parcel's return. " * 8

DEEP = 10_000  # ready jobs of one tenant, in a queue of its own

# ms: p50 and p99 of many tenants, p50 of few, p50 of one tenant with many jobs
Claims = tuple[float, float, float, float]


@dataclass(frozen=True)
class Parts:
    """`ingest`, `cold` and `warm` are object requests by method, each of one."""

    claims: Mapping[str, Claims]
    publish: float  # events/s
    heard: float
    ingest: Mapping[str, float]
    cold: Mapping[str, float]
    warm: Mapping[str, float]
    passage_bytes: float  # in memory, of a passage of 60 words with its vector
    stored_bytes: float  # in the bucket


def measured(stack: Stack, given: Mapping[str, Any]) -> Parts:
    with open_runtime(Settings(_env_file=None, **given)) as rt:
        ctx = _somebody(rt)
        publish, heard = _kafka(rt, ctx)
        ingest, cold, warm = _objects(rt, ctx)
        claims = {"postgresql": _claims(rt, stack.superuser_url)}
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        alone = Settings(_env_file=None, data_dir=folder, models_dir=folder, models_url="none:")
        with open_runtime(alone) as rt:
            claims["sqlite"] = _claims(rt, rt.settings.database_url)
    return Parts(claims, publish, heard, ingest, cold, warm, *_passage())


def _somebody(rt: Runtime) -> Ctx:
    with rt.db.transaction(PLATFORM) as tx:
        row = tx.execute(tables.tenants.select().limit(1)).fetchone()
    assert row is not None
    return Ctx(row.id, "user:bench", frozenset({"admin"}), scopes_of(["admin"]))


def _claims(rt: Runtime, owner: str) -> Claims:
    """Each claim in a transaction of its own, ended at once."""
    _fill(owner, 0, FEW)
    few = _claimed(rt, CLAIMS // 10)
    _fill(owner, FEW, MANY)
    many = _claimed(rt, CLAIMS)
    _fill(owner, MANY, MANY + 1, DEEP, ("deep",))
    deep = _claimed(rt, CLAIMS // 10, ("deep",))
    p99 = many[int(len(many) * 0.99)]
    return statistics.median(many), p99, statistics.median(few), statistics.median(deep)


def _claimed(rt: Runtime, count: int, queues: Sequence[str] = QUEUES) -> list[float]:
    """Milliseconds, sorted."""
    taken, round_ = [], dispatch.Round()
    for _ in range(count):
        begun = time.perf_counter()
        with rt.db.transaction(PLATFORM, durable=False) as tx:
            claim = dispatch.claim(
                tx, queues, "bench", lease_ms=60_000, running_max=8, round_=round_
            )
            assert claim is not None
            jobs.end(tx, claim)
        taken.append((time.perf_counter() - begun) * 1e3)
    return sorted(taken)


def _fill(
    owner: str, first: int, last: int, each: int = JOBS_EACH, queues: Sequence[str] = QUEUES
) -> None:
    """Tenants with ready jobs, written past every wall."""
    now = int(time.time() * 1000)
    people = [
        {"id": new_id(), "slug": f"many-{n}", "name": "Bench", "tier": "team", "status": "active",
         "config": {}, "wrapped_key": b"", "created_ms": now}
        for n in range(first, last)
    ]  # fmt: skip
    runs = [
        {"tenant_id": one["id"], "id": new_id(), "workflow": "noop", "definition_hash": "",
         "definition": flow("noop"), "status": "pending", "inputs": {}, "documents": [],
         "metadata": {}, "actor": "system", "roles": [], "scopes": [], "usage": {},
         "deadline_ms": now + 10**9, "created_ms": now}
        for one in people
    ]  # fmt: skip
    heap = [
        {"tenant_id": one["tenant_id"], "id": new_id(), "run_id": one["id"], "kind": "advance",
         "queue": queues[n % len(queues)], "status": "ready", "ready_ms": now, "created_ms": now}
        for one in runs for n in range(each)
    ]  # fmt: skip
    engine = create_engine(owner, poolclass=NullPool)
    with engine.begin() as connection:
        for table, rows in ((tables.tenants, people), (tables.runs, runs), (tables.jobs, heap)):
            connection.execute(insert(table), rows)
    if make_url(owner).get_backend_name() == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")  # as its own cleaner does within a minute
    engine.dispose()


def _kafka(rt: Runtime, ctx: Ctx) -> tuple[float, float]:
    """Events a second: in a relay's batches, and until one reader has heard them all."""
    told, everything = 0, threading.Event()

    def hear(batch: Sequence[Event]) -> None:
        nonlocal told
        told += len(batch)
        if told >= EVENTS:
            everything.set()

    leave = rt.bus.subscribe(hear)
    batches = [
        [Event(at + n, ctx.tenant, new_id(), "step.completed", 0, {"step": "s1"})
         for n in range(BATCH)]
        for at in range(0, EVENTS, BATCH)
    ]  # fmt: skip
    begun = time.perf_counter()
    for batch in batches:
        rt.bus.publish(batch)
    published = time.perf_counter() - begun
    assert everything.wait(WAIT_SECONDS), f"{told} of {EVENTS} events were heard"
    heard = time.perf_counter() - begun
    leave()
    return EVENTS / published, EVENTS / heard


def _objects(rt: Runtime, ctx: Ctx) -> tuple[dict[str, float], dict[str, float], dict[str, float]]:
    """HTTP requests to the bucket by method: of a document taken in, of a search whose shelf is
    not in memory, and of one whose is."""
    asked: Counter[str] = Counter()
    inner = s3_wire.Wire._asked

    def counted(wire: s3_wire.Wire, method: str, url: str, until: float, kw: Any) -> Any:
        asked[method] += 1
        return inner(wire, method, url, until, kw)

    s3_wire.Wire._asked = counted  # type: ignore[method-assign, assignment]
    try:
        _ingest(rt, ctx)
        ingest = {name: count / DOCUMENTS for name, count in asked.items()}
        rt.shelves.forget(ctx)
        asked.clear()
        search.search(rt, ctx, "refunds")
        cold = {name: float(count) for name, count in asked.items()}
        asked.clear()
        for n in range(SEARCHES):
            assert search.search(rt, ctx, f"refunds order {n}").hits
        warm = {name: count / SEARCHES for name, count in asked.items()}
    finally:
        s3_wire.Wire._asked = inner  # type: ignore[method-assign]
    return ingest, cold, warm


def _passage() -> tuple[float, float]:
    """Bytes of one: on an opened shelf, and stored."""
    count, data, store = 5_000, passages._made(5_000), passages._Memory()
    ctx = Ctx(new_id(), "system")
    shelves = Shelves(Vault(store, lambda _ctx: bytes(32)), 2**30)
    head = Head(1, (shelves.write(ctx, data.entries, data.vectors, "digest"),))
    for mode in ("keyword", "hybrid"):
        shelves.search(ctx, head, Query(data.asked[0], data.questions[0], "digest", 10, mode, {}))
    return shelves.cache.bytes / count, sum(map(len, store.objects.values())) / count


def _ingest(rt: Runtime, ctx: Ctx) -> None:
    for n in range(DOCUMENTS):
        data = _TEXT.format(n=n).encode()
        uploads.receive(rt, ctx, [uploads.Upload(f"{n}.txt", "text/plain", data)])
    stop = threading.Event()
    crew = threading.Thread(target=Worker(rt, AGENTS, QUEUES).run, args=(stop,))
    crew.start()
    until = time.monotonic() + WAIT_SECONDS
    try:
        while _open(rt):
            assert time.monotonic() < until, "the documents were not read"
            stop.wait(0.1)
    finally:
        stop.set()
        crew.join()


def _open(rt: Runtime) -> int:
    with rt.db.read(PLATFORM) as tx:
        return sum(dispatch.depths(tx).values())
