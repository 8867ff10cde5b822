"""What `/metrics` says: what this process counted and, where it is asked to look, what the tables
say. The look is taken when somebody scrapes, at most every few seconds, and by no request."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import WeftError
from database import Tx, gauges
from runtime import Runtime

LOOK_SECONDS = 5.0
SILENT_MS = 30_000
QUIET_MS = 60_000
TENANTS_MAX = 20  # the busiest ones by id; the others together are `other`
_OPEN = ("pending", "running", "waiting_approval")
_NOBODY = Ctx("00000000-0000-0000-0000-000000000000", "system")


def registry_of(rt: Runtime, *, tables: bool) -> CollectorRegistry:
    """For the exposition; `tables` in processes that have a gateway (one look is enough)."""
    found = CollectorRegistry(auto_describe=False)
    found.register(_Counted(rt))
    if tables:
        found.register(_Looks(rt))
    return found


class _Counted(Collector):
    def __init__(self, rt: Runtime) -> None:
        self._rt = rt

    def collect(self) -> Iterator[Metric]:
        yield from telemetry.registry.collect()
        disk = shutil.disk_usage(self._rt.settings.data_dir)
        yield _gauge("weft_disk_free_bytes", "Free where WEFT_DATA_DIR lies", disk.free)
        yield _gauge("weft_disk_size_bytes", "Size of what WEFT_DATA_DIR lies on", disk.total)
        pool = GaugeMetricFamily(
            "weft_database_pool_connections", "Connections of this process", labels=["state"]
        )
        for state, count in self._rt.db.pool().items():
            pool.add_metric([state], count)
        yield pool


class _Looks(Collector):
    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._lock = threading.Lock()
        self._found: list[Metric] = []
        self._until = 0.0

    def collect(self) -> list[Metric]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = list(_look(self._rt))
                self._until = time.monotonic() + LOOK_SECONDS
            return self._found


def _look(rt: Runtime) -> Iterator[Metric]:
    """A dependency that is down is a fact to show; what it would have told is left out then."""
    up = GaugeMetricFamily("weft_dependency_up", "1 when it answers", labels=["dependency"])
    tables: list[Metric] = []

    def database() -> None:
        with rt.db.read(PLATFORM) as tx:
            tables.extend(_tables(tx))

    for name, ask in (
        ("database", database),
        ("objects", lambda: next(iter(rt.vault.names(_NOBODY, "health")), None)),
        ("limiter", lambda: rt.limiter.hit("health", 1_000_000, 1)),
    ):  # fmt: skip
        up.add_metric([name], _answers(ask))
    yield up
    yield from tables


def _answers(ask: Callable[[], object]) -> int:
    try:
        ask()
    except (WeftError, OSError):
        return 0
    return 1


def _tables(tx: Tx) -> Iterator[Metric]:
    loads = gauges.loads(tx)
    yield from _queues(loads, gauges.crews(tx, SILENT_MS))
    yield _of_tenants(loads)
    open_ = {**dict.fromkeys(_OPEN, 0), **gauges.open_runs(tx)}
    yield _family("weft_runs_open", "Runs that have not ended", "status", open_)
    stuck = gauges.stuck_runs(tx, QUIET_MS)
    yield _gauge("weft_runs_stuck", "Open runs that nothing would ever move", stuck)
    count, age = gauges.unpublished(tx)
    yield _gauge("weft_events_unpublished", "Facts that the bus has not had", count)
    yield _gauge("weft_events_unpublished_age_seconds", "Age of the oldest of them", age)
    count, age = gauges.approvals_waiting(tx)
    yield _gauge("weft_approvals_waiting", "Actions that wait for a person", count)
    yield _gauge("weft_approvals_oldest_age_seconds", "Age of the oldest of them", age)
    damaged = gauges.damaged_indexes(tx)
    yield _gauge("weft_index_damaged_tenants", "Tenants whose index waits for a repair", damaged)
    yield _family("weft_tenants", "Tenants", "status", gauges.tenants_by_status(tx))


def _queues(loads: list[gauges.Load], crews: dict[str, gauges.Crew]) -> Iterator[Metric]:
    """Every queue that has a job or a listener, with zeros."""
    names = sorted({load.queue for load in loads} | set(crews) - {""})
    jobs: Counter[tuple[str, str]] = Counter()
    oldest = dict.fromkeys(names, 0.0)
    for load in loads:
        jobs[load.queue, load.state] += load.jobs
        if load.state == "ready":
            oldest[load.queue] = max(oldest[load.queue], load.oldest_seconds)
    for state, words in (
        ("ready", "Jobs that could run now"), ("later", "Jobs that wait for their time"),
        ("running", "Jobs in a worker's hands"), ("dead", "Jobs that gave up: dead letters"),
    ):  # fmt: skip
        counts = {queue: jobs[queue, state] for queue in names}
        yield _family(f"weft_jobs_{state}", words, "queue", counts)
    yield _family("weft_jobs_oldest_age_seconds", "Wait of the oldest ready job", "queue", oldest)
    listening = {queue: crews[queue].living if queue in crews else 0 for queue in names}
    yield _family("weft_queue_listeners", "Living workers that serve it", "queue", listening)
    everyone = {"living": crews[""].living, "silent": crews[""].silent}
    yield _family("weft_workers", "Worker processes", "state", everyone)


def _of_tenants(loads: list[gauges.Load]) -> Metric:
    """The tenants with most jobs, by their opaque ids."""
    total: Counter[str] = Counter()
    for load in loads:
        total[load.tenant] += load.jobs
    shown = {tenant for tenant, _ in total.most_common(TENANTS_MAX)}
    counts: Counter[tuple[str, str]] = Counter()
    for load in loads:
        counts[load.tenant if load.tenant in shown else "other", load.state] += load.jobs
    family = GaugeMetricFamily(
        "weft_tenant_jobs", "Jobs of the busiest tenants", labels=["tenant", "state"]
    )
    for (tenant, state), count in counts.items():
        family.add_metric([tenant, state], count)
    return family


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _family(name: str, words: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
