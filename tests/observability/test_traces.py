"""Spans of one run in this process: who is whose child, and what they say."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from core import telemetry
from core.context import Ctx
from core.errors import Unavailable
from core.events import Event
from core.ports import ChatMessage, ChatPiece, ChatRequest
from core.telemetry.traces import BATCH_SPANS, QUEUE_SPANS
from models.bounded import Outlet
from models.engine import EngineChat
from runtime import Runtime
from tests.engine import Drain, Script, Sent, flow, intent, new_tenant, step
from tests.gateway.people import Town
from tests.observability.receiver import Receiver, Seen
from workflows import submit
from workflows.relay import relay_once
from workflows.submission import Submission
from workflows.tasks import Done, Work

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SECRET_TEXT = "The contract names the sum of 4711 euros"


@pytest.fixture
def collector() -> Iterator[Receiver]:
    with Receiver() as made:
        telemetry.configure_traces(made.url, "test", "0")
        try:
            yield made
        finally:
            telemetry.close_traces()


class Talks:
    """A chat engine that answers at once, or not at all."""

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def knows_tools(self) -> bool:
        return False

    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        if not self.answer:
            raise Unavailable("It is away.", code="model_away")
        outlet.put(ChatPiece(self.answer, 11, 7, "stop"))


def run_once(rt: Runtime, tenant: Ctx, drain: Drain, answer: str, **limits: float) -> str:
    """A run of two steps: one asks a model, the other sends something outside."""
    chat = EngineChat("tiny", Talks(answer))

    def think(work: Work) -> Done:
        try:
            chat.chat(ChatRequest((ChatMessage("user", SECRET_TEXT),)))
        except Unavailable:
            return Done({"said": "nothing"})
        return Done({"said": "something"})

    script = Script()
    script.on("ask", think)
    script.on("send", Done({}, (intent(text=SECRET_TEXT),)))
    agents = script.agents()
    definition = flow(
        step("ask", task="analysis.think", **limits), step("send", "ask", task="action.act")
    )
    run = submit(rt, tenant, Submission(definition=definition), catalog=agents.catalog)
    drain(rt, agents)
    return run.id


@pytest.fixture
def tenant(rt: Runtime) -> Ctx:
    """Its admin has said yes to every action."""
    return new_tenant(rt, config={"pre_approved": [{"connector": "sent", "target": "*"}]})


@pytest.fixture
def free(rt: Runtime) -> Runtime:
    return replace(rt, connectors={**rt.connectors, "sent": Sent()})


def named(spans: list[Seen], name: str) -> Seen:
    found = [span for span in spans if span.name == name]
    assert found, sorted({span.name for span in spans})
    return found[0]


def test_a_run_is_one_trace_from_its_submission_to_its_effect(
    free: Runtime, tenant: Ctx, drain: Drain, collector: Receiver
) -> None:
    run = run_once(free, tenant, drain, "yes")
    telemetry.close_traces()
    spans = collector.spans()
    submitted = named(spans, "workflow.submit")
    thought, asked = named(spans, "step analysis.think"), named(spans, "chat tiny")
    sent = named(spans, "effect sent")
    assert {span.trace for span in spans} == {submitted.trace}
    assert {thought.parent, sent.parent, named(spans, "workflow.advance").parent} == {submitted.id}
    assert asked.parent == thought.id
    assert (submitted.kind, thought.kind, asked.kind) == ("producer", "consumer", "client")
    assert asked.attributes["gen_ai.usage.output_tokens"] == 7
    for span in (submitted, thought, sent):
        assert span.attributes["weft.tenant_id"] == tenant.tenant
        assert span.attributes["weft.run_id"] == run
    assert all(SECRET_TEXT.encode() not in body for body in collector.raw)


def test_a_step_with_a_time_limit_keeps_its_trace_in_its_thread(
    free: Runtime, tenant: Ctx, drain: Drain, collector: Receiver
) -> None:
    run_once(free, tenant, drain, "yes", timeout_seconds=20)
    telemetry.close_traces()
    spans = collector.spans()
    assert named(spans, "chat tiny").parent == named(spans, "step analysis.think").id


def test_a_failed_call_says_its_code_and_no_word_of_the_prompt(
    free: Runtime, tenant: Ctx, drain: Drain, collector: Receiver
) -> None:
    run_once(free, tenant, drain, "")
    telemetry.close_traces()
    asked = named(collector.spans(), "chat tiny")
    assert asked.failed
    assert asked.attributes["error.type"] == "model_away"
    assert all(SECRET_TEXT.encode() not in body for body in collector.raw)


def test_events_carry_the_trace_of_their_run_to_the_bus(
    free: Runtime, tenant: Ctx, drain: Drain, collector: Receiver
) -> None:
    heard: list[Event] = []
    leave = free.bus.subscribe(heard.extend)
    run_once(free, tenant, drain, "yes")
    while relay_once(free):
        pass
    leave()
    telemetry.close_traces()
    submitted = named(collector.spans(), "workflow.submit")
    carried = {(event.traceparent or "").rpartition("-")[0] for event in heard}
    assert carried == {f"00-{submitted.trace}-{submitted.id}"}
    assert named(collector.spans(), "publish events").links[0] == submitted.trace


def test_a_callers_trace_goes_on(town: Town, collector: Receiver) -> None:
    headers = town.as_role("acme") | {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    body = {"definition": flow(step("a"))}
    run = town.http.post("/workflows/execute", json=body, headers=headers).json()["workflow_id"]
    telemetry.close_traces()
    asked = named(collector.spans(TRACE), "POST /workflows/execute")
    assert (asked.parent, asked.kind) == (PARENT, "server")
    assert asked.attributes["http.response.status_code"] == 202
    assert asked.attributes["weft.run_id"] == run
    assert named(collector.spans(TRACE), "workflow.submit").parent == asked.id


@pytest.mark.parametrize(
    "given", ["00-zz-zz-01", f"00-{'0' * 32}-{PARENT}-01", "x" * 4000, f"00-{TRACE}-{PARENT}-00"]
)
def test_a_bad_traceparent_begins_a_new_trace_and_an_unsampled_one_none(
    town: Town, collector: Receiver, given: str
) -> None:
    http = TestClient(town.app)
    assert http.get("/healthz", headers={"traceparent": given}).status_code == 200
    telemetry.close_traces()
    spans = collector.spans()
    assert len(spans) == (0 if given.endswith("-00") else 1)
    assert all(span.trace != TRACE and not span.parent for span in spans)


def test_a_collector_that_is_away_delays_no_exit_and_fills_no_memory() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        telemetry.configure_traces(f"http://127.0.0.1:{closed.getsockname()[1]}", "test", "0")
        began = time.perf_counter()
        for _ in range(5_000):
            with telemetry.span("x"):
                pass
        worked = time.perf_counter() - began
        began = time.perf_counter()
        telemetry.close_traces()
        assert time.perf_counter() - began < 5
        assert worked < 15, "spans wait for the collector"


def test_what_a_full_queue_drops_is_counted() -> None:
    def dropped() -> float:
        return telemetry.registry.get_sample_value("weft_spans_dropped_total") or 0.0

    count, kept = 4_000, QUEUE_SPANS + 2 * BATCH_SPANS  # what waits, and what is being sent
    with socket.create_server(("127.0.0.1", 0)) as silent:
        telemetry.configure_traces(f"http://127.0.0.1:{silent.getsockname()[1]}", "test", "0")
        before = dropped()
        for _ in range(count):
            with telemetry.span("x"):
                pass
        assert count - kept <= dropped() - before < count
        telemetry.close_traces()


def test_without_a_collector_there_are_no_spans_and_nothing_is_imported() -> None:
    code = (
        "import sys; from core import telemetry; telemetry.configure_traces('', 'x', '0')\n"
        "with telemetry.span('x') as s: s.set('a', 1); s.fail('b')\n"
        "assert telemetry.current() is None; assert not telemetry.traced()\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
