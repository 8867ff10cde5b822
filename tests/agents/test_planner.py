from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from agents.planner import by_model, by_rules, questions_in
from agents.registry import AGENTS
from core.ports import ChatMessage, ChatReply
from workflows import definitions


@pytest.mark.parametrize(
    ("goal", "steps"),
    [
        (
            "Check these invoices against the ledger and mail me the exceptions at a@b.example",
            ["read", "check", "report", "notify"],
        ),
        ("Find overdue invoices and write a PDF", ["read", "check", "report"]),
        ("Answer these: What does CP-1042 mean? Who wrote it?", ["read", "answer", "report"]),
        ("Summarise what was decided in the meeting notes", ["read", "answer", "report"]),
    ],
)
def test_a_goal_becomes_a_valid_definition(goal: str, steps: list[str]) -> None:
    found = definitions.parse(by_rules(goal), AGENTS.catalog)
    assert [step.id for step in found.steps] == steps


def test_the_kinds_of_documents_decide_when_the_words_do_not() -> None:
    plain = definitions.parse(by_rules("look at these"), AGENTS.catalog)
    papers = definitions.parse(by_rules("look at these", ["invoice"]), AGENTS.catalog)
    assert "answer" in plain.by_id
    assert "check" in papers.by_id


def test_questions_are_taken_apart() -> None:
    goal = "Answer these: What is it? Why was it?"
    assert questions_in(goal) == ["What is it?", "Why was it?"]


def test_a_persons_words_are_never_read_as_expressions() -> None:
    found = by_rules("What is ${steps.read.output}?")
    assert "${steps.read.output}" not in str(found["steps"][1]["with"]["questions"])


def test_formats_are_taken_from_the_words() -> None:
    assert by_rules("check invoices, as Excel")["steps"][-1]["with"]["formats"] == ["xlsx"]


class Says:
    """A chat model that says one thing."""

    name = "says"

    def __init__(self, text: str) -> None:
        self.text = text

    def chat(
        self, messages: Sequence[ChatMessage], *, schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512, temperature: float = 0.0, deadline_seconds: float = 60.0,
    ) -> ChatReply:  # fmt: skip
        return ChatReply(self.text, self.name)

    def stream(
        self, messages: Sequence[ChatMessage], *, max_tokens: int = 512, temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> Any:  # fmt: skip
        return iter([self.text])


def test_a_models_plan_is_taken_only_when_it_is_valid() -> None:
    good = '{"name": "x", "steps": [{"id": "a", "agent": "analysis", "task": "answer", "with": {"questions": ["q"]}}]}'  # noqa: E501
    made = by_model(Says(good), AGENTS.catalog, "q", [])
    assert made is not None
    assert made["steps"][0]["task"] == "answer"
    for bad in ("", "[]", "{}", good.replace("answer", "steal"), good.replace('"a"', '"a b"')):
        assert by_model(Says(bad), AGENTS.catalog, "q", []) is None
