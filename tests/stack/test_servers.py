"""The starter does to real servers what its words say."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.stack.servers import Servers

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def own(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A second stack beside the tests' own: what is killed and wiped here is nobody else's."""
    ports = int(servers.environment["WEFT_STACK_PORTS"]) + 60
    found = Servers(tmp_path_factory.mktemp("own") / "st ack", ports)
    yield found
    found.wipe("all")


def state(servers: Servers, name: str) -> str:
    return next(str(each["state"]) for each in servers.status() if each["name"] == name)


def plain(url: str) -> str:
    """As psycopg itself reads it."""
    return url.replace("postgresql+psycopg:", "postgresql:")


@pytest.mark.parametrize(
    "name",
    [
        "postgres", "redis", "kafka", "minio", "seaweedfs", "ollama", "toxiproxy",
        "alertmanager", "prometheus",
    ],
)  # fmt: skip
def test_each_server_comes_up_and_its_port_answers(servers: Servers, name: str) -> None:
    servers.up(name)
    assert state(servers, name) == "up"
    with socket.create_connection(("127.0.0.1", servers.port(name)), timeout=5):
        pass


def test_a_server_is_killed_paused_wiped_and_comes_back_at_the_same_address(
    own: Servers,
) -> None:
    own.up("redis")
    url = own.url("redis")
    own.pause("redis")
    assert state(own, "redis") == "paused"
    own.resume("redis")
    assert state(own, "redis") == "up"
    own.kill("redis")
    assert state(own, "redis") == "dead"
    own.start("redis")
    assert state(own, "redis") == "up"
    own.wipe("redis")
    assert state(own, "redis") == "down"
    own.start("redis")
    assert own.url("redis") == url


def test_postgres_keeps_its_rows_when_it_is_killed(own: Servers) -> None:
    own.up("postgres")
    admin = plain(own.env()["WEFT_DATABASE_ADMIN_URL"])
    with psycopg.connect(admin) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 41 + 1 AS n")
    own.kill("postgres")
    own.start("postgres")
    with psycopg.connect(admin) as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
        connection.execute("DROP TABLE kept")


def test_the_applications_role_owns_nothing_and_must_know_its_password(servers: Servers) -> None:
    servers.up("postgres")
    app = plain(servers.url("postgres"))
    with (
        psycopg.connect(app) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute("CREATE TABLE mine (n int)")
    with psycopg.connect(app) as connection:
        roles = connection.execute(
            "SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname LIKE %s",
            ["weft%"],
        ).fetchall()
    assert len(roles) == 4
    assert not any(row[0] for row in roles)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(app.replace(str(urlsplit(app).password), "guess"))


def test_redis_and_minio_refuse_strangers(servers: Servers) -> None:
    servers.up("redis", "minio")
    with socket.create_connection(("127.0.0.1", servers.port("redis")), timeout=5) as wire:
        wire.sendall(b"PING\r\n")
        assert wire.recv(64).startswith(b"-NOAUTH")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(f"http://127.0.0.1:{servers.port('minio')}/", timeout=5)


def test_ollama_has_wefts_own_small_model(servers: Servers) -> None:
    servers.up("ollama")
    at = f"http://127.0.0.1:{servers.port('ollama')}/api/tags"
    with urllib.request.urlopen(at, timeout=5) as answer:
        names = [each["name"] for each in json.load(answer)["models"]]
    assert names == ["smollm2:135m"]


def test_what_runs_is_told_as_settings(servers: Servers) -> None:
    servers.up("postgres", "redis", "kafka", "minio", "ollama")
    found = servers.env()
    assert {key: urlsplit(url).scheme for key, url in found.items()} == {
        "WEFT_DATABASE_URL": "postgresql+psycopg",
        "WEFT_DATABASE_ADMIN_URL": "postgresql+psycopg",
        "WEFT_JOBS_URL": "celery+redis",
        "WEFT_LIMITS_URL": "redis",
        "WEFT_BUS_URL": "kafka",
        "WEFT_BLOBS_URL": "s3",
        "WEFT_MODELS_URL": "ollama",
    }
