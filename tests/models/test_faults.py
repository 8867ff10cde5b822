"""Twelve ways in which a model server fails: each ends within the deadline, as `Unavailable`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from core import telemetry
from core.breaker import Breaker
from core.clock import FakeClock
from core.errors import Unavailable
from core.ports import ChatMessage, ChatRequest
from models.chat_ollama import OllamaEngine, installed
from models.engine import EngineChat, is_loop
from tests.fakes.ollama import FAULTS, MODEL, FakeOllama, fake_ollama

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
}
ASK = ChatRequest((ChatMessage("user", "How is it?"),), deadline_seconds=5)
DEADLINE = 1.0


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with fake_ollama() as fake:
        yield fake


def _chat(server: FakeOllama, breaker: Breaker | None = None) -> EngineChat:
    return EngineChat(MODEL, OllamaEngine(server.url, MODEL), breaker)


def test_a_healthy_server_answers_with_its_counts(server: FakeOllama) -> None:
    reply = _chat(server).chat(ASK)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("All is well.", 12, 5)
    assert "".join(piece.text for piece in _chat(server).stream(ASK)) == "All is well."
    assert [model.name for model in installed(server.url)] == [MODEL]


def test_json_of_the_wanted_shape_is_given_back(server: FakeOllama) -> None:
    server.reply = '{"answer": "fine"}'
    assert _chat(server).chat(replace(ASK, schema=SCHEMA)).text == server.reply
    assert server.chats == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_within_the_deadline(server: FakeOllama, fault: str) -> None:
    server.fault = fault
    schema = None if fault == "loop" else SCHEMA
    started = time.monotonic()
    if fault == "loop":
        reply = _chat(server).chat(replace(ASK, schema=schema, deadline_seconds=DEADLINE))
        assert reply.finish_reason == "length"
        assert len(reply.text) < 2000
    else:
        with pytest.raises(Unavailable):
            _chat(server).chat(replace(ASK, schema=schema, deadline_seconds=DEADLINE))
    assert time.monotonic() - started < DEADLINE + 8
    assert server.chats <= 3


def test_nobody_listening_is_unavailable_at_once() -> None:
    with fake_ollama() as gone:
        url = gone.url
    with pytest.raises(Unavailable):
        EngineChat("x", OllamaEngine(url, "x")).chat(ASK)
    with pytest.raises(Unavailable):
        installed(url, 0.3)


def test_five_failures_open_the_breaker_and_one_probe_closes_it(server: FakeOllama) -> None:
    clock = FakeClock()
    chat = _chat(server, Breaker(clock))
    server.fault = "http_500"
    for _ in range(8):
        with pytest.raises(Unavailable):
            chat.chat(ASK)
    assert server.chats == 5
    clock.advance(31)
    for _ in range(3):
        with pytest.raises(Unavailable):
            chat.chat(ASK)
    assert server.chats == 6
    server.fault = None
    clock.advance(31)
    assert chat.chat(ASK).text == "All is well."
    assert not chat.breaker.open(MODEL)


def test_a_server_that_dies_and_comes_back_is_asked_again_after_the_rest() -> None:
    clock = FakeClock()
    with fake_ollama() as alive:
        port = int(alive.url.rsplit(":", 1)[1])
        chat = _chat(alive, Breaker(clock))
        assert chat.chat(ASK).text == "All is well."
    refused = []
    for _ in range(4):
        with pytest.raises(Unavailable) as caught:
            chat.chat(ASK)
        refused.append(caught.value)
    assert chat.breaker.open(MODEL)
    assert refused[-1].extra["retry_after"] <= 30
    with fake_ollama(port) as back:
        with pytest.raises(Unavailable):
            chat.chat(ASK)
        assert back.chats == 0
        clock.advance(31)
        assert chat.chat(ASK).text == "All is well."
        assert chat.chat(ASK).text == "All is well."
        assert back.chats == 2


def test_an_abandoned_stream_lets_its_request_go(server: FakeOllama) -> None:
    server.fault = "loop"
    stream = _chat(server).stream(ASK)
    assert next(stream)
    stream.close()  # type: ignore[attr-defined]
    server.fault = None
    assert _chat(server).chat(ASK).text == "All is well."


@pytest.mark.parametrize(
    ("tail", "looping"), [("abc " * 200, True), ("x" * 600, True), ("a1 b2 c3. " * 3, False)]
)
def test_a_loop_is_one_short_unit_over_and_over(tail: str, looping: bool) -> None:
    assert is_loop(tail[-480:]) is looping


def _counted(result: str) -> float:
    labels = {"model": MODEL, "result": result}
    return telemetry.registry.get_sample_value("weft_model_calls_total", labels) or 0.0


@pytest.mark.parametrize(("reply", "schema", "times"), [("  ", None, 1), ("no JSON", SCHEMA, 3)])
def test_a_reply_of_no_use_is_counted_as_an_error(
    server: FakeOllama, reply: str, schema: dict[str, Any] | None, times: int
) -> None:
    server.reply = reply
    bad, good = _counted("model_output"), _counted("ok")
    with pytest.raises(Unavailable) as caught:
        _chat(server).chat(replace(ASK, schema=schema))
    assert caught.value.slug == "model_output"
    assert (_counted("model_output") - bad, _counted("ok") - good) == (times, 0)
