"""The four durable steps on PostgreSQL, beside DBOS on the same server, with the server's own
settings (fsync and synchronous_commit on). Rounds alternate; each side's best setting counts, by
its median. Every run must have completed, with each of its steps recorded once.

What each side waits for on the disk: DBOS every commit. Weft a run's acceptance and its end (and
effects, and what a model said); what lies between survives the death of every process, and a power
cut of the server takes at most steps that are then done again.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from benchmarks import workflow
from benchmarks.figures import at_least, at_most
from core.telemetry import configure_logs

STACK = Path(__file__).parents[1] / "deploy" / "native" / "stack"
OURS, THEIRS = "weft_bench", "dbos_bench"
ROUNDS = 3
THREADS = (8, 16)  # that work, of one process
POOLS = (20, 50)  # connections; 20 are DBOS's default


def run() -> Iterator[dict[str, Any]]:
    configure_logs("warning")  # the peer's is at ERROR
    app, owner = _server()
    ours: dict[int, list[tuple[float, float]]] = {}
    theirs: dict[int, list[tuple[float, float]]] = {}
    for _ in range(ROUNDS):
        for threads in THREADS:
            ours.setdefault(threads, []).append(_ours(app, owner, threads))
        for pool in POOLS:
            theirs.setdefault(pool, []).append(_theirs(owner, pool))
    (threads, rate), (pool, their_rate) = _best(ours), _best(theirs)
    p50 = statistics.median(p50 for rounds in ours.values() for p50, _ in rounds)
    their_p50 = statistics.median(p50 for rounds in theirs.values() for p50, _ in rounds)
    load = f"load {os.getloadavg()[0]:.1f}"
    said = f"DBOS {their_p50:.1f} ms, {their_rate:.0f}/s with {pool} connections; {load}"
    yield at_most("workflow.postgres_four_steps_p50", p50, 50, "ms", said)
    yield at_least(
        "workflow.postgres_fifty_at_once", rate, 50, "workflows/s", f"{threads} threads; {said}"
    )
    yield at_least(
        "workflow.postgres_times_dbos", rate / their_rate, 2, "x", f"DBOS on PostgreSQL; {load}"
    )
    for name in (OURS, THEIRS):
        _sql(owner, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _best(rounds: Mapping[int, Sequence[tuple[float, float]]]) -> tuple[int, float]:
    rates = {key: statistics.median(rate for _, rate in found) for key, found in rounds.items()}
    return max(rates.items(), key=lambda one: one[1])


def _fresh(owner: str, name: str) -> None:
    _sql(owner, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")


def _ours(app: str, owner: str, threads: int) -> tuple[float, float]:
    """(ms of a run alone, runs a second with fifty at once)."""
    _fresh(owner, OURS)
    urls = {"database_url": _at(app, OURS), "database_admin_url": _at(owner, OURS)}
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        alone, heap = workflow._ours(Path(folder), worker_threads=threads, **urls)
    engine = create_engine(_at(app, OURS), poolclass=NullPool)
    with engine.connect() as connection:
        connection.execute(text("SET ROLE weft_platform"))
        _all_once(
            connection, "SELECT count(*) FROM runs WHERE status = 'completed'",
            "SELECT count(DISTINCT (run_id, data->>'step')), count(*) FROM events "
            "WHERE type = 'step.completed'",
        )  # fmt: skip
    engine.dispose()
    return statistics.median(alone) * 1e3, heap


def _theirs(owner: str, pool: int) -> tuple[float, float]:
    _fresh(owner, THEIRS)
    found = workflow._peer("dbos", _at(owner, THEIRS), str(pool))
    engine = create_engine(_at(owner, THEIRS), poolclass=NullPool)
    with engine.connect() as connection:
        _all_once(
            connection, "SELECT count(*) FROM dbos.workflow_status WHERE status = 'SUCCESS'",
            "SELECT count(DISTINCT (workflow_uuid, function_id)), count(*) "
            "FROM dbos.operation_outputs",
        )  # fmt: skip
    engine.dispose()
    return found["p50_ms"], found["per_second"]


def _all_once(connection: Connection, completed: str, recorded: str) -> None:
    runs = 5 + workflow.ALONE + workflow.HEAP
    assert connection.execute(text(completed)).scalar_one() == runs
    assert tuple(connection.execute(text(recorded)).one()) == (4 * runs, 4 * runs)


def _server() -> tuple[str, str]:
    """A PostgreSQL with the server's own settings, by the tool that people type."""
    env = {key: value for key, value in os.environ.items() if key != "WEFT_STACK_FAST"}
    given = {"WEFT_STACK_DIR": "build/stack-bench", "WEFT_STACK_PORTS": "26000", **env}
    subprocess.run([sys.executable, STACK, "up", "postgres"], env=given, check=True, timeout=600)
    said = subprocess.run(
        [sys.executable, STACK, "env", "--json"], env=given, check=True, timeout=60,
        capture_output=True, text=True,
    )  # fmt: skip
    urls: dict[str, str] = json.loads(said.stdout)
    return urls["WEFT_DATABASE_URL"], urls["WEFT_DATABASE_ADMIN_URL"]


def _at(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _sql(owner: str, *statements: str) -> None:
    engine = create_engine(_at(owner, "postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()
