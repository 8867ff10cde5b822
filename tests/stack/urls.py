"""URLs on the real servers that nobody else uses: a database, a bucket, topics, Redis numbers."""

from __future__ import annotations

import itertools
import secrets
from urllib.parse import urlsplit, urlunsplit

import psycopg
import redis

from tests.stack.servers import Servers

SERVERS = ("postgres", "redis", "kafka", "minio")
_numbers = itertools.count(2, 2)  # of the sixteen that a Redis has; 0 and 1 are people's


def fresh(servers: Servers, name: str) -> dict[str, str]:
    """`WEFT_…_URL` → URL, empty and apart from every other's. Starts what does not run."""
    servers.up(*SERVERS)
    given, mark = servers.env(), f"{name}{secrets.token_hex(3)}".replace("_", "")
    number = next(_numbers) % 16 or 2
    found = {
        "WEFT_DATABASE_URL": _path(given["WEFT_DATABASE_URL"], mark),
        "WEFT_DATABASE_ADMIN_URL": _path(given["WEFT_DATABASE_ADMIN_URL"], mark),
        "WEFT_JOBS_URL": _path(given["WEFT_JOBS_URL"], str(number)),
        "WEFT_LIMITS_URL": _path(given["WEFT_LIMITS_URL"], str(number + 1)),
        "WEFT_BUS_URL": f"{given['WEFT_BUS_URL']}?prefix={mark}",
        "WEFT_BLOBS_URL": _path(given["WEFT_BLOBS_URL"], f"weft-{mark}"),
    }
    _database(given["WEFT_DATABASE_ADMIN_URL"], mark)
    for url in (found["WEFT_JOBS_URL"].removeprefix("celery+"), found["WEFT_LIMITS_URL"]):
        with redis.Redis.from_url(url) as server:
            server.flushdb()
    return found


def database(servers: Servers, name: str) -> dict[str, str]:
    """The same for PostgreSQL alone."""
    servers.up("postgres")
    given, mark = servers.env(), f"{name}{secrets.token_hex(3)}"
    _database(given["WEFT_DATABASE_ADMIN_URL"], mark)
    names = ("WEFT_DATABASE_URL", "WEFT_DATABASE_ADMIN_URL")
    return {each: _path(given[each], mark) for each in names}


def _database(url: str, name: str) -> None:
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # its name is ours: letters and digits


def _path(url: str, path: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, f"/{path}", parts.query, ""))
