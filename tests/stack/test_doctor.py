"""The doctor against real servers: what is well, and each fault that it must name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from backends.build import open_runtime
from backends.kafka_topics import Cluster, admin, ensure
from core.settings import Settings
from ops import doctor
from ops.doctor.finding import Finding
from tests.stack.servers import Servers
from tests.stack.urls import fresh

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def urls(servers: Servers) -> dict[str, str]:
    return fresh(servers, "doctor")


@pytest.fixture
def settings(urls: dict[str, str], tmp_path: Path) -> Iterator[Settings]:
    given = {name.removeprefix("WEFT_").lower(): url for name, url in urls.items()}
    made = Settings(
        _env_file=None, data_dir=tmp_path, models_dir=tmp_path / "none", log_level="error",
        root_key="ab" * 32, models_url="none:", **given,  # type: ignore[arg-type]
    ).resolved()  # fmt: skip
    ensure(Cluster.at(made.bus_url))  # as the relay does when it starts
    with open_runtime(made):
        yield made


def looked(settings: Settings, **changed: str) -> dict[str, Finding]:
    """Check → its worst finding."""
    rank = {"ok": 0, "warn": 1, "fail": 2}
    found: dict[str, Finding] = {}
    for one in doctor.examine(settings.model_copy(update=changed)):
        if one.check not in found or rank[one.state] > rank[found[one.check].state]:
            found[one.check] = one
    return found


def test_on_a_healthy_stack_nothing_fails(settings: Settings) -> None:
    found = looked(settings)
    assert {name for name, one in found.items() if one.state == "fail"} == set()
    assert set(found) >= {
        "bell", "limits", "kafka", "bucket", "bucket clock", "database", "database clock", "walls",
    }  # fmt: skip


def test_a_missing_topic_is_named(settings: Settings) -> None:
    cluster = Cluster.at(settings.bus_url)
    with admin(cluster) as client:
        client.delete_topics([cluster.dead])
    found = looked(settings)["kafka"]
    assert found.state == "fail"
    assert cluster.dead in found.detail


def test_a_role_that_could_look_over_the_walls_is_named(settings: Settings) -> None:
    found = looked(settings, database_url=settings.database_admin_url)["walls"]
    assert found.state == "fail"
    assert "role" in found.detail


def test_a_table_whose_wall_was_taken_down_is_named(settings: Settings) -> None:
    with psycopg.connect(
        settings.database_admin_url.replace("+psycopg", ""), autocommit=True
    ) as owner:
        owner.execute("ALTER TABLE documents NO FORCE ROW LEVEL SECURITY")
        try:
            found = looked(settings)["walls"]
        finally:
            owner.execute("ALTER TABLE documents FORCE ROW LEVEL SECURITY")
    assert found.state == "fail"
    assert "documents" in found.detail


def test_a_wrong_password_is_not_called_an_outage(settings: Settings) -> None:
    parts = urlsplit(settings.limits_url)
    wrong = urlunsplit((parts.scheme, f":nope@{parts.hostname}:{parts.port}", parts.path, "", ""))
    found = looked(settings, limits_url=wrong)["limits"]
    assert found.state == "fail"
    assert found.todo == "correct WEFT_LIMITS_URL"


@pytest.mark.parametrize(
    ("server", "check"),
    [("redis", "bell"), ("kafka", "kafka"), ("minio", "bucket"), ("postgres", "database")],
)
def test_a_killed_server_is_named(
    settings: Settings, servers: Servers, server: str, check: str
) -> None:
    servers.kill(server)
    try:
        found = looked(settings)
    finally:
        servers.start(server)
    assert found[check].state == "fail"
    assert looked(settings)[check].state == "ok"
