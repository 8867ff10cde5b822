"""A recorded run is put to another model: the same prompts, new replies, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import pytest
from starlette.testclient import TestClient

from agents import episodes
from agents.metering import chat_for
from core.context import Ctx
from core.events import AgentMessage
from core.ports import ChatMessage, ChatRequest
from database import journal, runs, steps
from gateway.app import create_app
from models import Models, gates, judging
from tests.fakes.chat import ScriptedChat
from tests.fakes.ollama import MODEL, FakeOllama, fake_ollama
from tests.gateway.people import Town
from tests.gateway.platform import opened
from workflows.tasks import Work

ASK = "Question: How long are logs kept?\nQuotes:\n1. Logs are kept for 400 days."
OLD = "Logs are kept for 30 days."
NOOP: dict[str, Any] = {
    "name": "n", "steps": [{"id": "a", "agent": "supervisor", "task": "noop"}],
}  # fmt: skip


@dataclass
class OneChat:
    chat_: ScriptedChat

    def chat(self, task: str, text: str = "") -> ScriptedChat:
        return self.chat_


@dataclass
class Desk:
    town: Town
    server: FakeOllama
    run_id: str
    work: Work


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder: Path = tmp_path_factory.mktemp("replay")
    with fake_ollama() as server, opened(folder, models_url=f"ollama:{server.url[5:]}") as rt:
        app = create_app(rt)
        with TestClient(app, raise_server_exceptions=False) as http:
            town = Town(rt, app, http)
            ctx = town.tenant("acme")
            town.tenant("other")
            body = {"definition": NOOP}
            headers = town.as_role("acme", "operator")
            run_id = http.post("/workflows/execute", json=body, headers=headers).json()
            yield Desk(town, server, run_id["workflow_id"], _thought(town, ctx, run_id))


def _thought(town: Town, ctx: Ctx, run: dict[str, Any]) -> Work:
    """A step that asked a model once, in the run's journal."""
    message = AgentMessage("analysis", run["workflow_id"], "answer", {}, 5, 0)
    scripted = OneChat(ScriptedChat([OLD]))
    rt = replace(town.rt, models=cast(Models, scripted))
    with rt.db.read(ctx) as tx:
        found = steps.of_run(tx, ctx, run["workflow_id"])
    step_id = next((row.id for row in found.values()), "step-1")
    work = Work(rt, ctx, message, run["workflow_id"], step_id)

    def think() -> str:
        chat = chat_for(rt, ctx, "answer")
        assert chat is not None
        return chat.chat(
            ChatRequest((ChatMessage("system", "Be brief."), ChatMessage("user", ASK)))
        ).text

    assert episodes.remember(work, "wording.0", think) == OLD
    assert episodes.remember(work, "wording.0", think) == OLD, "thought once"
    with rt.db.transaction(ctx) as tx:
        for key, value in work.desk.journal.items():  # type: ignore[attr-defined]
            journal.put(tx, ctx, run["workflow_id"], step_id, key, value)
    return work


def _replay(desk: Desk, slug: str = "acme", **body: Any) -> Any:
    path = f"/workflows/{desk.run_id}/replay"
    return desk.town.http.post(
        path, json={"model": MODEL, **body}, headers=desk.town.as_role(slug, "operator")
    )


def test_a_step_keeps_what_its_model_was_told_sealed(desk: Desk) -> None:
    kept = desk.work.desk.journal  # type: ignore[attr-defined]
    assert set(kept) == {"wording.0", "wording.0#calls"}
    assert "400" not in str(kept["wording.0#calls"])
    (call,) = episodes.opened(
        desk.work.rt, desk.work.ctx, "r", desk.work.step_id, "wording.0#calls",
        kept["wording.0#calls"],
    )  # fmt: skip
    assert (call.text, call.task, call.messages[1].content) == (OLD, "answer", ASK)
    assert episodes.opened(desk.work.rt, desk.work.ctx, "r", "elsewhere", "k", "AAAA") == []


def test_the_same_prompt_another_reply_and_what_the_checks_say(desk: Desk) -> None:
    desk.server.reply = "Logs are kept for 400 days."
    desk.server.asked.clear()
    before = _state(desk)
    told = _replay(desk).json()
    (call,) = told["calls"]
    assert (call["old"]["text"], call["new"]["text"]) == (OLD, desk.server.reply)
    assert (call["old"]["faults"], call["new"]["faults"]) == (["makes up 30"], [])
    assert (told["same"], told["old_faults"], told["new_faults"]) == (0, 1, 0)
    assert f"-{OLD}" in call["diff"]
    assert f"+{desk.server.reply}" in call["diff"]
    assert call["new"]["completion_tokens"] == 5
    (asked,) = desk.server.asked
    assert [m["content"] for m in asked["messages"]] == ["Be brief.", ASK]
    assert _state(desk) == before, "no step ran and nothing was recorded"


def _state(desk: Desk) -> Any:
    ctx = desk.town.ctx("acme")
    with desk.town.rt.db.read(ctx) as tx:
        entries = journal.listing(tx, ctx, desk.run_id)
        return runs.get(tx, ctx, desk.run_id), steps.of_run(tx, ctx, desk.run_id), entries


def test_another_order_stands_for_the_system_message(desk: Desk) -> None:
    desk.server.asked.clear()
    assert _replay(desk, order="Answer in Latin.").status_code == 200
    assert desk.server.asked[0]["messages"][0] == {"role": "system", "content": "Answer in Latin."}


def test_a_model_that_fails_is_told_and_the_old_reply_stands(desk: Desk) -> None:
    desk.server.fault = "empty"
    try:
        (call,) = _replay(desk).json()["calls"]
    finally:
        desk.server.fault = None
    assert call["new"] is None
    assert "nothing" in call["error"]


def test_a_judge_is_believed_when_it_passed_and_only_then(desk: Desk) -> None:
    refused = _replay(desk, judge=MODEL)
    assert (refused.status_code, refused.json()["code"]) == (422, "judge_not_passed")
    line = {"passed": 12, "cases": 12, "share": 1.0, "steady": 1.0, "gate": "open",
            "digest": judging.bench().digest, "seconds": 1.0, "tokens_per_second": None,
            "faults": []}  # fmt: skip
    card = {"model": MODEL, "digest": desk.server.digest, "tasks": {"judging": line}, "at_ms": 0}
    gates.write(desk.town.rt.settings, card)
    desk.server.replies = ["It is 400 days.", '{"better": "B"}', '{"better": "A"}']
    (call,) = _replay(desk, judge=MODEL).json()["calls"]
    assert call["judged"] == "new"


def test_neither_an_unknown_model_nor_another_tenants_run(desk: Desk) -> None:
    assert _replay(desk, model="gpt-none").json()["code"] == "model_not_found"
    assert _replay(desk, slug="other").status_code == 404
