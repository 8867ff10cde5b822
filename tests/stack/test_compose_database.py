"""The database as docker-compose.yml makes it: first start, migration, and Weft's own role."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from core.clock import SystemClock
from core.errors import InvalidInput
from database import Database, migrate

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.stack


@dataclass(frozen=True)
class Cluster:
    admin_url: str
    url: str


def run(argv: list[str | Path], user: str | None, **env: str) -> None:
    done = subprocess.run(
        [str(part) for part in argv], capture_output=True, text=True, timeout=120,
        user=user, cwd="/",
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", **env},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server of its own, since roles belong to the whole server; set up by the image's script."""
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)
    assert binaries, "PostgreSQL is not installed. Type: deploy/native/stack install postgres"
    user = "postgres" if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="weft-pg-") as name, socket.socket() as sock:
        folder = Path(name)
        sock.bind(("127.0.0.1", 0))
        port = int(sock.getsockname()[1])
        sock.close()
        secrets = folder / "secrets"
        secrets.mkdir()
        for word in ("owner", "app"):
            (secrets / f"{word}_password").write_text(word * 8)
        script = folder / "roles.sh"
        text = (ROOT / "deploy/compose/postgres-roles.sh").read_text()
        assert "/run/secrets/" in text
        script.write_text(text.replace("/run/secrets/", f"{secrets}/"))
        if user:
            for path in (folder, secrets):
                shutil.chown(path, user)
        data = folder / "data"
        run([binaries / "initdb", "-D", data, "-U", "postgres", "--auth-local=trust",
             "--auth-host=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"], user)  # fmt: skip
        server = subprocess.Popen(
            [binaries / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1",
             "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"],
            user=user, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            wait(folder / f".s.PGSQL.{port}", server)
            run(["sh", script], user, POSTGRES_USER="postgres", PGHOST=name, PGPORT=str(port))
            at = f"127.0.0.1:{port}/weft"
            yield Cluster(
                f"postgresql+psycopg://weft_owner:{'owner' * 8}@{at}",
                f"postgresql+psycopg://weft_app:{'app' * 8}@{at}",
            )
        finally:
            server.terminate()
            server.wait(timeout=30)


def wait(path: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert server.poll() is None, "PostgreSQL did not start"
        assert time.monotonic() < deadline, "PostgreSQL does not listen"
        threading.Event().wait(0.1)


def test_its_owner_can_migrate_and_weft_can_work_behind_the_wall(cluster: Cluster) -> None:
    owner, weft = (Database(url, SystemClock()) for url in (cluster.admin_url, cluster.url))
    try:
        with pytest.raises(InvalidInput, match="weft migrate"):
            migrate.ready(weft)
        migrate.upgrade(owner, application=cluster.url)
        migrate.ready(weft)
        migrate.upgrade(owner, application=cluster.url)  # at each start
        with weft.engine.connect() as connection:
            powers = connection.exec_driver_sql(
                "SELECT bool_or(rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb) "
                "FROM pg_roles WHERE rolname LIKE 'weft%%'"
            ).scalar_one()
        assert powers is False
    finally:
        owner.close()
        weft.close()
