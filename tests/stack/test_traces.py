"""One trace through a gateway, a worker and a relay on PostgreSQL, Celery and Kafka; the bell
carries nothing, and yet whoever hears of the run in Kafka is told its trace."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from kafka import KafkaConsumer

from tests.engine import flow, step
from tests.fakes.sink import HttpSink
from tests.observability.receiver import Seen
from tests.observability.roles import Roles, started
from tests.stack.servers import Servers
from tests.stack.urls import fresh

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
TRACE = "7d3f1c1a6b0e4d1f9a2b3c4d5e6f7081"
URLS = dict[str, str]


@pytest.fixture(scope="module")
def urls(servers: Servers) -> URLS:
    return fresh(servers, "traces")


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpSink]:
    with HttpSink(tmp_path_factory.mktemp("sink") / "deliveries") as made:
        yield made


@pytest.fixture(scope="module")
def roles(urls: URLS, sink: HttpSink, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Roles]:
    more = {**urls, "WEFT_EGRESS_ALLOW": sink.place}
    with started(tmp_path_factory.mktemp("roles"), **more) as made:
        yield made


@pytest.fixture(scope="module")
def run(roles: Roles, sink: HttpSink) -> str:
    who = roles.platform.person("acme")
    made = str(
        who.post(
            "/workflows/execute", 202,
            json={"definition": flow(step("a"), step("b", "a")), "callback_url": f"{sink.url}/x"},
            headers={"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"},
        ).json()["workflow_id"]
    )  # fmt: skip
    assert who.status(made)["status"] == "completed"
    who.close()
    return made


def test_the_run_is_one_trace_in_three_processes(roles: Roles, run: str) -> None:
    wanted = {"POST /workflows/execute", "workflow.submit", "workflow.advance",
              "step supervisor.noop", "effect webhook"}  # fmt: skip

    def whole(spans: list[Seen]) -> bool:
        return wanted <= {span.name for span in spans if span.trace == TRACE}

    roles.receiver.wait(whole, 30)
    spans = {span.name: span for span in roles.receiver.spans(TRACE)}
    submitted = spans["workflow.submit"]
    assert submitted.parent == spans["POST /workflows/execute"].id
    for name in ("workflow.advance", "step supervisor.noop", "effect webhook"):
        assert (spans[name].service, spans[name].parent) == ("weft-worker", submitted.id)
        assert spans[name].attributes["weft.tenant_id"]


def test_who_hears_of_the_run_in_kafka_is_told_its_trace(urls: URLS, run: str) -> None:
    address, _, prefix = urls["WEFT_BUS_URL"].removeprefix("kafka://").partition("?prefix=")
    heard: list[str] = []
    consumer = KafkaConsumer(
        bootstrap_servers=address.rstrip("/"), auto_offset_reset="earliest", group_id=None
    )
    try:
        topics = [name for name in consumer.topics() if prefix in name and name.endswith("events")]
        consumer.subscribe(topics)
        deadline = time.monotonic() + 60
        while not heard and time.monotonic() < deadline:
            for records in consumer.poll(timeout_ms=500).values():
                for record in records:
                    if run.encode() in (record.key or b""):
                        heard.append(dict(record.headers)["traceparent"].decode())
    finally:
        consumer.close()
    assert heard, topics
    assert {text.split("-")[1] for text in heard} == {TRACE}
