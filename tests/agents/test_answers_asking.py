"""Questions over a real shelf: sessions, streams, the task of a run, the wall between tenants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest

from agents.analysis_answers import answer as answer_task
from agents.answers import Question, ask, stream
from agents.ingestion import Upload, ingest, receive
from agents.memory import sessions
from core.context import Ctx
from core.errors import InvalidInput
from core.events import AgentMessage
from core.ids import new_id
from core.ports import ChatModel, Embedder
from database.chat import MESSAGES_MAX
from models import Models
from runtime import Runtime
from tests.agents.corpus import FOLDER
from tests.fakes.chat import ScriptedChat
from tests.fakes.memory import platform
from workflows.tasks import Done, Work


@dataclass
class ChatOnly:
    """Models without an embedder; the tasks' chat models by name."""

    chats: dict[str, ChatModel] = field(default_factory=dict)

    def embedder(self) -> Embedder | None:
        return None

    def chat(self, task: str, text: str = "") -> ChatModel | None:
        return self.chats.get(task)


@dataclass
class Desk:
    rt: Runtime
    models: ChatOnly
    clearpay: Ctx
    mediops: Ctx


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    house = platform(tmp_path_factory.mktemp("answers"))
    models = ChatOnly()
    rt = replace(house.rt, models=cast(Models, models))
    found = Desk(rt, models, house.tenant("clearpay"), house.tenant("mediops"))
    for name in ("kb-faq.md", "sop-refunds.md", "ClearPay_Error_Codes.txt"):
        _put(rt, found.clearpay, name, (FOLDER / "clearpay" / name).read_bytes())
    _put(rt, found.mediops, "kb-backup.md", (FOLDER / "mediops/kb-backup.md").read_bytes())
    yield found
    rt.db.close()


def _put(rt: Runtime, ctx: Ctx, name: str, data: bytes) -> None:
    got = receive(rt, ctx, [Upload(name, "text/plain", data)], lambda *_: None)[0]
    assert isinstance(ingest(_work(rt, ctx, "ingest", {"document_id": got.document_id})), Done)


def _work(rt: Runtime, ctx: Ctx, task: str, payload: dict[str, Any]) -> Work:
    return Work(rt, ctx, AgentMessage("analysis", "run", task, payload, 5, 0), "run", new_id())


def test_an_answer_has_the_shape_of_the_contract(desk: Desk) -> None:
    body = ask(desk.rt, desk.clearpay, Question("What does ERR-1042 mean?")).to_json()
    assert body["answered"] is True
    assert "Settlement file rejected" in body["answer"]
    assert body["citations"][0]["n"] == 1
    assert body["citations"][0]["filename"] == "ClearPay_Error_Codes.txt"
    assert body["sentences"][0]["citations"] == [1]
    counted = {"prompt_tokens": 0, "completion_tokens": 0, "cost_micro": 0}
    assert body["usage"] == {**counted, "cached": False, "saved_tokens": 0, "saved_ms": 0}
    assert (body["model"], body["route"]) == (None, "quotes")
    assert body["session_id"]
    assert "keywords" in body["degraded"]


def test_another_tenants_documents_answer_nothing(desk: Desk) -> None:
    question = Question("When is the patient database backed up?")
    assert "02:30" in ask(desk.rt, desk.mediops, question).text
    assert not ask(desk.rt, desk.clearpay, question).answered


def test_a_session_carries_the_question_over_and_keeps_twenty_messages(desk: Desk) -> None:
    first = ask(desk.rt, desk.clearpay, Question("What is ERR-2003?"))
    again = Question("And how do I resolve it?", first.session_id)
    assert "hotline" in ask(desk.rt, desk.clearpay, again).text
    for _ in range(12):
        ask(desk.rt, desk.clearpay, Question("Is ERR-2003 severe?", first.session_id))
    other = replace(desk.clearpay, actor="user:other")
    kept, others, foreign = (
        _said(desk, ctx, first.session_id) for ctx in (desk.clearpay, other, desk.mediops)
    )
    assert len(kept) == MESSAGES_MAX
    assert [m.role for m in kept[:2]] == ["user", "assistant"]
    assert (others, foreign) == ((), ())


def _said(desk: Desk, ctx: Ctx, session_id: str) -> tuple[sessions.Message, ...]:
    with desk.rt.db.read(ctx) as tx:
        return sessions.messages(desk.rt, tx, ctx, session_id)


def test_a_stream_ends_with_the_whole_answer(desk: Desk) -> None:
    events = list(stream(desk.rt, desk.clearpay, Question("What does the Business plan cost?")))
    assert {name for name, _ in events} == {"token", "citation", "done"}
    text = "".join(data["text"] for name, data in events if name == "token")
    name, done = events[-1]
    assert name == "done"
    assert text.strip() == done["answer"]
    assert "480 EUR" in text


def test_an_empty_question_is_refused(desk: Desk) -> None:
    with pytest.raises(InvalidInput):
        ask(desk.rt, desk.clearpay, Question("  "))


def test_the_task_gives_answers_and_the_facts_of_the_digest(desk: Desk) -> None:
    questions = ["What does ERR-1042 mean?", "Who is the king of Spain?"]
    done = answer_task(_work(desk.rt, desk.clearpay, "answer", {"questions": questions}))
    facts = done.output["facts"]
    assert (facts["question_count"], facts["answered_count"], facts["refused_count"]) == (2, 1, 1)
    assert facts["questions"][0]["citations"][0]["quote"]
    assert facts["questions"][1]["citations"] == []
    assert facts["by_document"][0]["filename"] == "ClearPay_Error_Codes.txt"
    assert [one["question"] for one in done.output["answers"]] == questions


def test_what_the_model_said_is_not_asked_again_on_a_retry(desk: Desk) -> None:
    chat = ScriptedChat(["The Business plan costs 480 EUR per month."])
    desk.models.chats["answer"] = chat
    try:
        payload = {"questions": ["What does the Business plan cost?"]}
        work = _work(desk.rt, desk.clearpay, "answer", payload)
        first = answer_task(work)
        again = answer_task(replace(work, attempt=2))
    finally:
        desk.models.chats.clear()
    assert first.output == again.output
    assert first.output["answers"][0]["model"] == "scripted"
    assert first.usage["prompt_tokens"] == 10
    assert len(chat.asked) == 1


@pytest.mark.parametrize("questions", [None, [], [""], [1], {"a": 1}, ["x"] * 201])
def test_bad_question_lists_are_refused(desk: Desk, questions: object) -> None:
    with pytest.raises(InvalidInput):
        answer_task(_work(desk.rt, desk.clearpay, "answer", {"questions": questions}))


INVOICE = """Kessler GmbH
Hafenstr. 9, 20457 Hamburg

INVOICE
Invoice number: 4711
Invoice date: 2026-03-12
Due date: 2026-04-11

Assembly            8 x 65.00      520.00 EUR
Subtotal: EUR 520.00
VAT 19 %: EUR 98.80
Total: EUR 618.80
"""


def test_a_field_of_a_paper_is_answered_by_the_line_that_it_stands_in(desk: Desk) -> None:
    _put(desk.rt, desk.mediops, "kessler.txt", INVOICE.encode())
    for question, line in (
        ("What is the total of invoice 4711?", "Total: EUR 618.80"),
        ("When is invoice 4711 due?", "Due date: 2026-04-11"),
    ):
        answer = ask(desk.rt, desk.mediops, Question(question))
        assert [one.text for one in answer.sentences] == [line]
        [source] = answer.citations
        assert INVOICE[source.start : source.end].strip() == source.quote == line
        foreign = ask(desk.rt, desk.clearpay, Question(question))
        assert "618" not in foreign.text
    assert not ask(desk.rt, desk.mediops, Question("When is invoice 4712 due?")).answered
