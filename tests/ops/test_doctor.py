"""The doctor on what the tables and clocks say; the servers' part is in tests/stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.clock import FakeClock
from core.context import PLATFORM
from core.settings import Settings
from database import Database, workers
from database.migrate import upgrade
from ops.doctor import servers
from ops.doctor.finding import Finding
from ops.doctor.tables import _workers


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path, models_dir=tmp_path / "none").resolved()


def crew(settings: Settings, *silent_seconds: float) -> list[Finding]:
    """What the doctor says of workers that gave their last sign of life so long ago."""
    clock = FakeClock()
    db = Database(settings.database_url, clock)
    upgrade(db)
    for seconds in sorted(silent_seconds, reverse=True):
        with db.transaction(PLATFORM) as tx:
            workers.join(tx, f"w{seconds}", "worker", ["analysis"], 7, "far-away")
        clock.advance(seconds - max((s for s in silent_seconds if s < seconds), default=0))
    with db.read(PLATFORM) as tx:
        found = list(_workers(tx, settings))
    db.close()
    return found


def test_a_worker_that_fell_silent_is_named_and_a_living_one_is_not(settings: Settings) -> None:
    dead, living = crew(settings, 40.0, 1.0)
    assert (dead.check, dead.state) == ("worker", "warn")
    assert "far-away (process 7) has been silent for 40 s" in dead.detail
    assert living == Finding("worker", "ok", "1 at work")


def test_when_no_other_worker_is_left_something_must_be_done(settings: Settings) -> None:
    (dead,) = crew(settings, 40.0)
    assert dead.state == "fail"
    assert "weft serve --only worker" in dead.todo


@pytest.mark.parametrize(("seconds", "state"), [(0.2, "ok"), (-4.9, "ok"), (6.0, "fail"),
                                                (-3600.0, "fail")])  # fmt: skip
def test_a_clock_that_went_wrong_is_said(seconds: float, state: str) -> None:
    found = servers.clock("database clock", seconds)
    assert found.state == state
    assert ("ahead of" if seconds > 0 else "behind") in found.detail


@pytest.mark.parametrize(
    ("setting", "check"),
    [
        ({"jobs_url": "celery+redis://:geheim@127.0.0.1:9/0"}, "bell"),
        ({"limits_url": "redis://:geheim@127.0.0.1:9/1"}, "limits"),
        ({"bus_url": "kafka://127.0.0.1:9"}, "kafka"),
        ({"blobs_url": "s3://key:geheim@127.0.0.1:9/weft"}, "bucket"),
        ({"models_url": "ollama://127.0.0.1:9"}, "ollama"),
    ],
)
def test_a_server_that_is_away_is_named_with_its_setting_and_no_secret(
    settings: Settings, setting: dict[str, str], check: str
) -> None:
    (found,) = servers.examine(settings.model_copy(update=setting))
    assert (found.check, found.state) == (check, "fail")
    assert next(iter(setting)).upper() in found.todo
    assert "geheim" not in f"{found.detail} {found.todo}"


def test_the_embedded_defaults_have_no_server_to_ask(settings: Settings) -> None:
    assert list(servers.examine(settings)) == []
