"""A4: Kafka goes in the middle of the work, or forgets everything. And streams over replicas."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from backends.kafka_topics import Cluster
from core.context import PLATFORM
from database import dispatch
from runtime import Runtime
from tests.engine import QUEUES, Script, flow, step
from tests.flows.person import Person
from tests.flows.platform import Platform, Process, command
from tests.stack.kafka_side import TORTURE, address, everything, until
from tests.stack.servers import Servers
from tests.torture.figures import at_most, held
from workflows.relay import run_relay
from workflows.tasks import Done, Work
from workflows.worker import Worker

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

RUNS, OUTAGE_SECONDS = (1_000, 60) if TORTURE else (150, 8)
BODY = {"definition": flow(step("a"), name="cheap")}
_nothing = threading.Event()


def gateway_only(env: dict[str, str], log: Path, only: str | None = None) -> Process:
    return command(env, log, only or "gateway")


@pytest.fixture
def url(servers: Servers) -> str:
    return address(servers)


@pytest.fixture
def platform(tmp_path: Path, url: str) -> Iterator[Platform]:
    made = Platform(tmp_path / "platform", {"WEFT_BUS_URL": url, "WEFT_SWEEP_SECONDS": "0.2"})
    made.provision(acme="unlimited")
    made.start()
    try:
        yield made
    finally:
        assert made.stop() == 0


def ask(who: Person, count: int, seconds: float = 0.0) -> list[str]:
    """That many runs over that time. An answer that is not 202 is not in the list."""
    found = []
    for _ in range(count):
        answer = who.http.post("/workflows/execute", json=BODY)
        found += [answer.json()["workflow_id"]] if answer.status_code == 202 else []
        _nothing.wait(seconds / count)
    return found


def unpublished(rt: Runtime) -> bool:
    with rt.db.read(PLATFORM) as tx:
        return bool(dispatch.unpublished(tx, 1))


@pytest.mark.parametrize("harm", ["stop", "wipe"])
def test_a4_nothing_is_lost_while_kafka_is_gone(
    servers: Servers, platform: Platform, url: str, harm: str
) -> None:
    third, cluster = RUNS // 3, Cluster.at(url)
    who = platform.person("acme")
    asked = ask(who, third)
    getattr(servers, harm)("kafka")
    try:
        asked += ask(who, third, OUTAGE_SECONDS)
    finally:
        servers.start("kafka")
    returned = time.monotonic()
    asked += ask(who, RUNS - 2 * third)
    with platform.opened() as rt:
        until(lambda: not unpublished(rt), 180, "publishing what waited")
        drained = time.monotonic() - returned
        until(lambda: ended(who) >= len(asked), 180, "the end of the runs")
        until(lambda: not unpublished(rt), 60, "publishing the last")
    statuses = {one["workflow_id"]: one["status"] for one in who.listing("/workflows")}
    lost = [one for one in asked if statuses.get(one) != "completed"]
    untold, disorder = told(cluster, asked if harm == "stop" else asked[2 * third :])
    who.close()
    world = f"{RUNS} runs, {OUTAGE_SECONDS} s"
    assert held([
        at_most(f"A4.{harm}.refused", RUNS - len(asked), 0, "answers that are not 202", world),
        at_most(f"A4.{harm}.lost", len(lost), 0, "runs", world),
        at_most(f"A4.{harm}.untold", untold, 0, "ends that no reader was told", world),
        at_most(f"A4.{harm}.disorder", disorder, 0, "runs told out of order", world),
        at_most(f"A4.{harm}.drained", drained, 60, "s after Kafka's return", world),
    ]) == []  # fmt: skip


def ended(who: Person) -> int:
    return sum(1 for one in who.listing("/workflows") if one["status"] == "completed")


def told(cluster: Cluster, asked: list[str]) -> tuple[int, int]:
    """Runs whose end a reader never hears of, and runs whose facts stand in a wrong order for one
    who drops what has no greater `seq`."""
    ends: set[str] = set()
    firsts: dict[str, list[int]] = {}
    for record in everything(cluster, cluster.events):
        event = json.loads(record.value)
        ends |= {event["run"]} if event["type"] == "workflow.completed" else set()
        seqs = firsts.setdefault(event["run"], [])
        if event["seq"] not in seqs:
            seqs.append(event["seq"])
    disorder = sum(1 for seqs in firsts.values() if seqs != sorted(seqs))
    return len(set(asked) - ends), disorder


def test_a_stream_on_one_replica_shows_what_another_one_s_worker_does(
    servers: Servers, tmp_path: Path, url: str
) -> None:
    """At once with Kafka, and within about a second, by looking at the table, without."""
    more = {"WEFT_BUS_URL": url}
    gateway = Platform(tmp_path / "platform", more, spawn=gateway_only)
    gateway.provision(acme="unlimited")
    gateway.start()
    stop, gate, script = threading.Event(), threading.Event(), Script()

    def wait(_work: Work) -> Done:
        assert gate.wait(60)
        return Done({})

    script.on("a", wait)
    with gateway.opened() as rt:
        crew = [
            threading.Thread(target=Worker(rt, script.agents(), QUEUES).run, args=(stop,)),
            threading.Thread(target=run_relay, args=(rt, stop)),
        ]
        for thread in crew:
            thread.start()
        try:
            who = gateway.person("acme")
            near = sorted(followed(who, gate) for _ in range(7))[3]
            servers.stop("kafka")
            far = sorted(followed(who, gate) for _ in range(3))[1]
            who.close()
        finally:
            servers.start("kafka")
            stop.set()
            for thread in crew:
                thread.join(25)
            assert gateway.stop() == 0
    assert held([
        at_most("SSE.replicas.kafka", near * 1000, 500, "ms from the commit to the line, median"),
        at_most("SSE.replicas.table", far * 1000, 2500, "ms, Kafka away, median"),
    ]) == []  # fmt: skip


def followed(who: Person, gate: threading.Event) -> float:
    """Seconds from a run's end to its line in a stream that waits for it: it looks at the table
    a second after the line before, which is 0.7 s after the end."""
    gate.clear()
    run: dict[str, Any] = who.post("/workflows/execute", json=BODY).json()
    with who.http.stream("GET", run["links"]["events"]) as stream:
        for line in stream.iter_lines():
            if not line.startswith("data: "):
                continue
            event = json.loads(line.removeprefix("data: "))
            if event["type"] == "step.started":
                threading.Timer(0.3, gate.set).start()
            if event["type"] == "workflow.completed":
                return max(0.0, time.time() - moment(event["at"]))
    raise AssertionError("the stream ended before its run")


def moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
