from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fakes.sink import HttpSink
from tests.flows.platform import Platform
from tests.flows.town import living
from tests.gateway.people import Town
from tests.gateway.platform import opened


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """The whole embedded platform: gateway, workers and relay, with the tenant `acme`."""
    with opened(tmp_path_factory.mktemp("weft"), sweep_seconds=0.1) as rt, living(rt) as made:
        yield made


@pytest.fixture(scope="session")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpSink]:
    """An outside system that the operator of `platform` has allowed."""
    with HttpSink(tmp_path_factory.mktemp("sink") / "deliveries") as made:
        yield made


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory, sink: HttpSink) -> Iterator[Platform]:
    """`weft serve` in a process of its own, for stories that do not kill it."""
    made = Platform(tmp_path_factory.mktemp("platform"), {
        "WEFT_EGRESS_ALLOW": sink.place, "WEFT_SWEEP_SECONDS": "0.2",
        "WEFT_RETRY_BASE_SECONDS": "0.1", "WEFT_UPLOAD_BYTES_MAX": "1000000",
    })  # fmt: skip
    made.provision(clearpay="unlimited", mediops="unlimited", acme="unlimited", quiet="unlimited")
    made.start()
    try:
        yield made
    finally:
        assert made.stop() == 0
