"""The four durable steps on PostgreSQL, beside DBOS on the same server, equally durable: with the
server's own settings (fsync and synchronous_commit on)."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from benchmarks import workflow
from benchmarks.figures import at_least, at_most

STACK = Path(__file__).parents[1] / "deploy" / "native" / "stack"
OURS, THEIRS = "weft_bench", "dbos_bench"


def run() -> Iterator[dict[str, Any]]:
    app, owner = _server()
    for name in (OURS, THEIRS):
        _sql(owner, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", f"CREATE DATABASE {name}")
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        urls = {"database_url": _at(app, OURS), "database_admin_url": _at(owner, OURS)}
        # Some work while others wait for the server and its disk.
        alone, heap = workflow._ours(Path(folder), worker_threads=8, **urls)
    dbos = workflow._peer("dbos", _at(owner, THEIRS))
    said = f"DBOS {dbos['p50_ms']:.1f} ms, {dbos['per_second']:.0f}/s"
    p50 = statistics.median(alone) * 1e3
    yield at_most("workflow.postgres_four_steps_p50", p50, 50, "ms", said)
    yield at_least("workflow.postgres_fifty_at_once", heap, 50, "workflows/s", said)
    yield at_least(
        "workflow.postgres_times_dbos", heap / dbos["per_second"], 2, "x", "DBOS on PostgreSQL"
    )
    for name in (OURS, THEIRS):
        _sql(owner, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


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
