"""The flow stories' platform on real servers; roles are processes of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.sink import HttpSink
from tests.flows.platform import Platform
from tests.flows.town import living
from tests.gateway.people import Town
from tests.gateway.platform import opened
from tests.stack.servers import Servers
from tests.stack.urls import fresh

ROLES = ("gateway", "worker", "relay")


@pytest.fixture(scope="module")
def town(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Gateway, workers and relay in this process, on the real servers."""
    found = {
        name.removeprefix("WEFT_").lower(): url for name, url in fresh(servers, "town").items()
    }
    with (
        opened(tmp_path_factory.mktemp("weft"), sweep_seconds=0.2, **found) as rt,
        living(rt) as made,
    ):
        yield made


@pytest.fixture(scope="session")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpSink]:
    with HttpSink(tmp_path_factory.mktemp("sink") / "deliveries") as made:
        yield made


@pytest.fixture(scope="session")
def platform(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory, sink: HttpSink
) -> Iterator[Platform]:
    """`weft serve --only …`, three processes, for stories that do not kill them."""
    made = Platform(tmp_path_factory.mktemp("platform"), {
        **fresh(servers, "flows"), "WEFT_EGRESS_ALLOW": sink.place, "WEFT_SWEEP_SECONDS": "0.2",
        "WEFT_RETRY_BASE_SECONDS": "0.1", "WEFT_UPLOAD_BYTES_MAX": "1000000",
    }, roles=ROLES)  # fmt: skip
    made.provision(clearpay="unlimited", mediops="unlimited", acme="unlimited", quiet="unlimited")
    made.start()
    try:
        yield made
    finally:
        assert made.stop() == 0
