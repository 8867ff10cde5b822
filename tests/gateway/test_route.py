"""`POST /route` and `model: "auto"`: one choice, explained, and made by the gates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client import generate_latest
from starlette.testclient import TestClient

from core import telemetry
from gateway.app import create_app
from models import gates
from tests.fakes.ollama import MODEL, fake_ollama
from tests.gateway.people import Town
from tests.gateway.platform import opened


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("route")
    with fake_ollama() as server, opened(folder, models_url=f"ollama:{server.url[5:]}") as rt:
        app = create_app(rt)
        with TestClient(app, raise_server_exceptions=False) as http:
            made = Town(rt, app, http)
            made.tenant("acme")
            line = {"passed": 9, "cases": 10, "share": 0.9, "gate": "open", "seconds": 1.0,
                    "tokens_per_second": 40.0, "faults": []}  # fmt: skip
            tasks = {t: {**line, "digest": gates.gate(t).digest} for t in ("json", "summarising")}
            card = {"model": MODEL, "digest": server.digest, "tasks": tasks, "at_ms": 0}
            gates.write(rt.settings, card)
            yield made


def _route(town: Town, **body: Any) -> Any:
    return town.http.post("/route", json=body, headers=town.key("acme", "models:use"))


def test_the_choice_its_cost_and_its_reasons(town: Town) -> None:
    told = _route(town, text="Summarise this report in two sentences.").json()
    assert (told["model"], told["task"], told["complexity"]) == (MODEL, "summarising", "simple")
    assert told["tokens"]["prompt"] > 0
    assert told["cost"]["cpu_seconds"] > 0
    assert told["features"]["languages"] == ["en"]
    (one,) = told["candidates"]
    assert (one["taken"], one["share"]) == (True, 0.9)
    assert len(told["reasons"]) == 3


def test_a_task_whose_gate_is_shut_gets_no_model(town: Town) -> None:
    told = _route(town, messages=[{"role": "user", "content": "What does CP-1042 mean?"}]).json()
    assert (told["model"], told["task"]) == (None, "answer")
    assert "has not passed the gate of answer and refusing" in told["candidates"][0]["why"]


@pytest.mark.parametrize("body", [{}, {"text": "a", "messages": []}, {"text": "a", "task": "fly"}])
def test_nothing_or_an_unknown_task_is_refused(town: Town, body: dict[str, Any]) -> None:
    assert _route(town, **body).status_code == 422


def test_auto_takes_the_same_model_or_says_that_none_may(town: Town) -> None:
    key = town.key("acme", "models:use")

    def say(text: str) -> Any:
        body = {"model": "auto", "messages": [{"role": "user", "content": text}]}
        return town.http.post("/v1/chat/completions", json=body, headers=key)

    assert say("Summarise: all is well.").json()["model"] == MODEL
    assert say("Good morning, nice to meet you.").json()["model"] == MODEL
    refused = say("Who approves a refund above 5,000 EUR?")
    assert (refused.status_code, refused.json()["code"]) == (503, "no_model_passed")
    assert refused.json()["candidates"][0]["model"] == MODEL


def test_a_choice_is_counted_and_no_word_of_the_text_with_it(town: Town) -> None:
    labels = {"task": "summarising", "model": MODEL, "complexity": "simple"}
    name = "weft_model_routes_total"
    before = telemetry.registry.get_sample_value(name, labels) or 0
    _route(town, text="Summarise the xylophone.")
    assert telemetry.registry.get_sample_value(name, labels) == before + 1
    assert b"xylophone" not in generate_latest(telemetry.registry)
