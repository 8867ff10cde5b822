"""The embedded platform, opened fresh for a test: it is the product's own default, not a mock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from backends.build import open_runtime
from core.clock import FakeClock
from core.context import Ctx
from core.settings import Settings
from core.telemetry import configure_logs
from runtime import Runtime
from tests import databases
from tests.engine import Drain, drained, new_tenant
from tests.stack.servers import servers as servers

configure_logs("error")

# The cores are shared, so no example is judged by the clock. On a submission every run draws the
# same examples: a new find belongs to the person who is working, not to whoever comes next.
hypothesis_settings.register_profile(
    "weft", deadline=None, suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true", database=None,
)  # fmt: skip
hypothesis_settings.load_profile("weft")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Archives hold the time they were made at: a test has the same name in every process."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(scope="session", autouse=True)
def _swept() -> Iterator[None]:
    yield
    databases.sweep()


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """Everything embedded in a folder of its own, no chat model, nothing from the environment. The
    database is SQLite's, or PostgreSQL's with `WEFT_TEST_DATABASE_URL`."""
    with databases.fresh() as url:
        yield Settings(
            _env_file=None, data_dir=tmp_path / "data", models_dir=tmp_path / "none",
            models_url="none:", log_level="error", database_url=url,
        )  # fmt: skip


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def rt(settings: Settings, clock: FakeClock) -> Iterator[Runtime]:
    with open_runtime(settings, clock=clock) as opened:
        yield opened


@pytest.fixture
def tenant(rt: Runtime) -> Ctx:
    """An admin of a fresh tenant of the tier `unlimited`."""
    return new_tenant(rt)


@pytest.fixture
def drain() -> Drain:
    """`drain(rt)`: works all jobs that are ready, without waiting; gives how many."""
    return drained
