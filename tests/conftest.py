"""The embedded platform, opened fresh for a test: it is the product's own default, not a mock."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from backends.build import open_runtime
from core.clock import FakeClock
from core.context import Ctx
from core.settings import Settings
from core.telemetry import configure_logs
from runtime import Runtime
from tests.engine import Drain, drained, new_tenant

configure_logs("error")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Everything embedded in a folder of its own, no chat model, nothing from the environment."""
    return Settings(
        _env_file=None, data_dir=tmp_path / "data", models_dir=tmp_path / "none",
        models_url="none:", log_level="error",
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
