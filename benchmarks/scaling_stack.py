"""What `scaling` needs of the real servers: URLs nobody else uses, and what they have done so far.

CPU is read from /proc by process id, so the servers are those of `deploy/native/stack`.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis
from sqlalchemy.engine import make_url

STACK = Path(__file__).parents[1] / "deploy" / "native" / "stack"
SERVERS = ("postgres", "redis", "kafka", "minio")
NAME = "weft_scaling"


@dataclass(frozen=True)
class Done:
    """Counters since the servers' start; of two of them the difference counts."""

    postgres_cpu: float  # seconds
    redis_cpu: float
    kafka_cpu: float
    commits: float
    wal_bytes: float
    table_bytes: float
    rows_added: float
    rows_changed: float
    redis_commands: float
    events: float
    kafka_bytes: float

    def __sub__(self, other: Done) -> Done:
        return Done(*(getattr(self, f.name) - getattr(other, f.name) for f in fields(self)))

    def __truediv__(self, count: float) -> Done:
        return Done(*(getattr(self, f.name) / count for f in fields(self)))


class Stack:
    """PostgreSQL as durable as it comes: WEFT_STACK_FAST is not passed on."""

    def __init__(self) -> None:
        env = {key: value for key, value in os.environ.items() if key != "WEFT_STACK_FAST"}
        ours = {"WEFT_STACK_DIR": "build/stack-bench", "WEFT_STACK_PORTS": "26000"}
        self._env = {**ours, **env}
        self._folder = Path(self._env["WEFT_STACK_DIR"])
        before = {one["name"]: one["state"] for one in self._status()}
        self._started = [name for name in SERVERS if before[name] != "up"]
        self._run("up", *SERVERS)
        given: dict[str, str] = json.loads(self._run("env", "--json"))
        self.urls = {
            "database_url": _at(given["WEFT_DATABASE_URL"], NAME),
            "database_admin_url": _at(given["WEFT_DATABASE_ADMIN_URL"], NAME),
            "jobs_url": given["WEFT_JOBS_URL"].removesuffix("/0") + "/14",
            "limits_url": given["WEFT_LIMITS_URL"].removesuffix("/1") + "/15",
            "bus_url": f"{given['WEFT_BUS_URL']}?prefix=scaling",
            "blobs_url": given["WEFT_BLOBS_URL"] + "-scaling",
        }
        self._owner = _at(given["WEFT_DATABASE_ADMIN_URL"], "postgres")
        secrets = json.loads((self._folder / "secrets.json").read_text())
        self._superuser = make_url(self.urls["database_admin_url"]).set(
            username="postgres", password=secrets["postgres.superuser"]
        )
        self._pids = {one["name"]: int(one["pid"]) for one in self._status() if one["pid"]}

    def __enter__(self) -> Stack:
        self._again(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)", f"CREATE DATABASE {NAME}")
        return self

    def __exit__(self, *_: object) -> None:
        self._again(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        if self._started:
            self._run("down", *self._started)

    @property
    def superuser_url(self) -> str:
        return self._superuser.render_as_string(hide_password=False)

    @contextlib.contextmanager
    def superuser(self) -> Iterator[psycopg.Connection[Any]]:
        """Past every wall."""
        url = self.superuser_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def done(self) -> Done:
        """When nobody works: PostgreSQL counts a session's work at its end at the latest."""
        with self.superuser() as connection:
            row = connection.execute(
                "SELECT xact_commit, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0'), "
                "(SELECT sum(pg_total_relation_size(relid)) FROM pg_stat_user_tables), "
                "(SELECT sum(n_tup_ins) FROM pg_stat_user_tables), "
                "(SELECT sum(n_tup_upd + n_tup_del) FROM pg_stat_user_tables), "
                "(SELECT count(*) FROM events) FROM pg_stat_database "
                "WHERE datname = current_database()"
            ).fetchone()
        assert row is not None
        commits, wal, size, added, changed, events = map(float, row)
        with redis.Redis.from_url(self.urls["jobs_url"].removeprefix("celery+")) as server:
            commands = float(server.info("stats")["total_commands_processed"])
        return Done(
            self._cpu("postgres"), self._cpu("redis"), self._cpu("kafka"), commits, wal,
            size, added, changed, commands, events, self._kafka_bytes(),
        )  # fmt: skip

    def _cpu(self, name: str) -> float:
        """Seconds of a server and of all it ever started, also of what has ended."""
        process, total = psutil.Process(self._pids[name]), 0.0
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def _kafka_bytes(self) -> float:
        """In the logs of the events' partitions."""
        logs = (self._folder / "kafka").rglob("scaling.events-*/*.log")
        return float(sum(path.stat().st_size for path in logs))

    def _again(self, *statements: str) -> None:
        with psycopg.connect(self._owner.replace("+psycopg", ""), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def _status(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self._run("status", "--json"))
        return found

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            [sys.executable, STACK, *arguments],
            env=self._env, check=True, timeout=1800, stdout=subprocess.PIPE, text=True,
        ).stdout  # fmt: skip


def _at(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def cpu_of(pid: int) -> float:
    """Seconds of one process alone."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
