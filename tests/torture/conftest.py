from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.flows.platform import Forge
from tests.torture.worlds import WORLDS

TORTURE = os.environ.get("WEFT_TORTURE") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    skip = pytest.mark.skip(reason="WEFT_TORTURE=1 measures the figures")
    for item in items:
        if item.get_closest_marker("figure") is not None and not TORTURE:
            item.add_marker(skip)


@pytest.fixture(scope="session")
def forge() -> Iterator[Forge]:
    made = Forge()
    yield made
    made.close()


@pytest.fixture(scope="session", params=WORLDS)
def world(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def servers_of(request: pytest.FixtureRequest) -> Callable[[], Any]:
    """The real servers, started only by a world that has some."""
    return lambda: request.getfixturevalue("servers")
