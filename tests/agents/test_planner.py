from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import workflows
from agents.plan_rules import by_rules, questions_in, recipients
from agents.planner import by_model, in_words, notes_on
from agents.registry import AGENTS
from core.context import Ctx
from database import run_logs, steps, users
from runtime import Runtime
from tests.engine import Drain, new_tenant
from tests.fakes.chat import ScriptedChat
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


def test_a_models_plan_is_taken_only_when_it_is_valid() -> None:
    good = '{"name": "x", "steps": [{"id": "a", "agent": "analysis", "task": "answer", "with": {"questions": ["q"]}}]}'  # noqa: E501
    made = by_model(ScriptedChat([good]), AGENTS.catalog, "q", [])
    assert made is not None
    assert made["steps"][0]["task"] == "answer"
    for bad in ("", "[]", "{}", good.replace("answer", "steal"), good.replace('"a"', '"a b"')):
        assert by_model(ScriptedChat([bad]), AGENTS.catalog, "q", []) is None


TELL = "Check these invoices against the ledger and mail me the exceptions"


@pytest.mark.parametrize(
    ("goal", "inputs", "own", "told"),
    [
        (f"{TELL} at a@b.example.", {"notify_email": "no"}, "no", {"email": "a@b.example"}),
        (TELL, {"notify_email": "ap@x.example"}, "no", {"email": "ap@x.example"}),
        (TELL, {"notify_email": ""}, "me@x.example", {"email": "me@x.example"}),
        (TELL, {}, None, {}),
        ("Check these invoices", {"notify_email": "ap@x.example"}, "me@x.example", {}),
    ],
)
def test_who_is_told_stands_in_the_goal_or_the_inputs_or_is_the_caller(
    goal: str, inputs: dict[str, Any], own: str | None, told: dict[str, str]
) -> None:
    assert recipients(goal, inputs, own) == told


def test_a_plan_is_shown_in_words() -> None:
    read, *_, notify = in_words(by_rules(f"{TELL} at a@b.example"), AGENTS.catalog)
    assert read.startswith("read: for each document: read a document and make it searchable, then")
    assert "if steps.check.output.exception_count > 0" in notify


def planned(rt: Runtime, ctx: Ctx, drain: Drain) -> tuple[list[str], list[str]]:
    """Tasks of the plan that the run took on, and the warnings in its log."""
    run_id = workflows.submit(rt, ctx, workflows.Submission(goal=TELL)).id
    drain(rt)
    with rt.db.read(ctx) as tx:
        lines = run_logs.of_run(tx, ctx, run_id).items
        plan = steps.of_run(tx, ctx, run_id)["plan"].output
    assert plan is not None
    tasks = [step.get("task", "") for step in plan["definition"]["steps"]]
    return tasks, [line.message for line in lines if line.level == "warning"]


def test_me_is_the_user_who_asks(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    with rt.db.transaction(tenant) as tx:
        me = users.create(tx, tenant, email="me@x.example", password_hash="-", role="operator")
    tasks, warnings = planned(rt, replace(tenant, actor=f"user:{me.id}"), drain)
    assert tasks[-1] == "notify"
    assert warnings == []


def test_a_key_has_no_address_and_the_run_says_so(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    tasks, warnings = planned(rt, replace(tenant, actor="key:k1"), drain)
    assert "notify" not in tasks
    assert any("inputs.notify_email" in line for line in warnings)


def test_a_keys_me_is_the_tenants_address(rt: Runtime, drain: Drain) -> None:
    ctx = new_tenant(rt, config={"notify_email": "ap@x.example"})
    tasks, warnings = planned(rt, replace(ctx, actor="key:k1"), drain)
    assert (tasks[-1], warnings) == ("notify", [])


def test_what_cannot_be_sent_is_noted() -> None:
    asks = by_rules("Summarise the notes and mail me the answer at a@b.example")
    (note,) = notes_on(asks, TELL, {"email": "a@b.example"})
    assert "its result is the report" in note
