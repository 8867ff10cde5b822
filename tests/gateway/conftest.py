from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from runtime import Runtime
from tests.gateway.people import Town
from tests.gateway.platform import opened


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with opened(tmp_path_factory.mktemp("weft")) as rt:
        yield rt


@pytest.fixture(scope="module")
def town(runtime: Runtime) -> Iterator[Town]:
    """One gateway for a module's tests, with the tenants `acme` and `other`."""
    app = create_app(runtime)
    with TestClient(app, raise_server_exceptions=False, client=("203.0.113.7", 4711)) as http:
        made = Town(runtime, app, http)
        made.tenant("acme")
        made.tenant("other")
        yield made


@pytest.fixture
def elsewhere(runtime: Runtime, tmp_path: Path) -> TestClient:
    """Another installation: the same rows, another root key."""
    return TestClient(create_app(replace(runtime, root_key=b"another root key of 32 bytes ..")))
