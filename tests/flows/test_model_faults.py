"""The twelve faults of a model's server behind `/ask`: each ends in time, with the quotes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from core.context import PLATFORM, Ctx
from core.ports import ChatReply, ChatRequest
from database import tenants
from gateway.app import create_app
from models import Models
from models.chat_ollama import OllamaEngine, installed
from models.engine import EngineChat
from tests.fakes.ollama import FAULTS, MODEL, FakeOllama, fake_ollama
from tests.flows.waiting import document_when_read
from tests.gateway.people import Town

SECONDS = 0.5
ASK = {"question": "What is the daily allowance within Germany?"}
# The model's call ends well; what it says is no sentence that the quotes support.
SAID = {"broken_json", "truncated_json", "wrong_schema", "loop"}


class Hasty(EngineChat):
    """Its callers have less patience than they say."""

    def chat(self, request: ChatRequest) -> ChatReply:
        seconds = min(SECONDS, request.deadline_seconds)
        return super().chat(replace(request, deadline_seconds=seconds))


class One:
    """Models with one that may word answers, and none that embeds."""

    def __init__(self, server: FakeOllama) -> None:
        self._chat = Hasty(MODEL, OllamaEngine(server.url, MODEL))

    def chat(self, task: str, text: str = "") -> EngineChat:
        return self._chat

    def embedder(self, name: str | None = None) -> None:
        return None

    def candidates(self) -> list[Any]:
        return []


@pytest.fixture(scope="module")
def read(town: Town) -> Town:
    headers = town.as_role("acme")
    text = b"# Travel\n\nThe daily allowance is 48 EUR within Germany.\n"
    made = town.http.post("/documents", files={"file": ("travel.md", text)}, headers=headers)
    document_when_read(town, headers, made.json()["items"][0]["document_id"])
    return town


@pytest.fixture
def server() -> Iterator[FakeOllama]:
    with fake_ollama() as fake:
        installed(fake.url, 10)  # its client is imported: that is no part of a call's time
        yield fake


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_leaves_the_quotes(read: Town, server: FakeOllama, fault: str) -> None:
    server.fault = fault
    rt = replace(read.rt, models=cast(Models, One(server)))
    began = time.monotonic()
    with TestClient(create_app(rt)) as http:
        headers = {**read.as_role("acme"), "Cache-Control": "no-cache"}
        answer = http.post("/ask", json=ASK, headers=headers)
    assert time.monotonic() - began < SECONDS + 15
    told = answer.json()
    assert answer.status_code == 200
    assert told["answered"] is True
    assert told["route"] == "quotes"
    assert "48 EUR" in told["answer"]
    assert told["citations"][0]["quote"]
    assert 1 <= server.chats <= 3
    if fault not in SAID:
        assert "model" in (told["degraded"] or ""), "a degraded answer says so"


def test_without_a_budget_the_quotes_answer_and_say_why(read: Town, server: FakeOllama) -> None:
    ctx = read.ctx("acme")
    rt = replace(read.rt, models=cast(Models, One(server)))
    headers = {**read.as_role("acme"), "Cache-Control": "no-cache"}
    _allow(read, ctx, 0)
    try:
        with TestClient(create_app(rt)) as http:
            told = http.post("/ask", json=ASK, headers=headers).json()
    finally:
        _allow(read, ctx, None)
    assert (told["answered"], told["route"], server.chats) == (True, "quotes", 0)
    assert "budget" in told["degraded"]


def _allow(town: Town, ctx: Ctx, tokens: int | None) -> None:
    with town.rt.db.transaction(PLATFORM) as tx:
        tenants.set_budget(tx, PLATFORM, ctx.tenant, {"tokens_per_day": tokens})
