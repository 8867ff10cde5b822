from __future__ import annotations

from typing import Any, Protocol

import pytest

import workflows
from core.clock import FakeClock
from core.context import Ctx
from core.errors import InvalidInput, Unfinishable
from database import dispatch, events, run_logs, runs
from database import steps as step_rows
from runtime import Runtime
from tests.engine import Drain, Script, flow, step
from workflows import Submission
from workflows.tasks import Defer, Done


class RunOf(Protocol):
    def __call__(self, script: Script, body: dict[str, Any], **more: Any) -> dict[str, Any]: ...


@pytest.fixture
def run_of(rt: Runtime, tenant: Ctx, drain: Drain) -> RunOf:
    """Submits, drains, and gives the status."""

    def run(script: Script, body: dict[str, Any], **more: Any) -> dict[str, Any]:
        agents = script.agents()
        submission = Submission(definition=body, **more)
        made = workflows.submit(rt, tenant, submission, catalog=agents.catalog)
        drain(rt, agents)
        return workflows.status(rt, tenant, made.id)

    return run


def states(status: dict[str, Any]) -> dict[str, str]:
    return {one["step_id"]: one["status"] for one in status["steps"]}


def test_a_chain_runs_through_and_hands_outputs_on(run_of: RunOf) -> None:
    body = flow(
        step("a", with_={"x": "${inputs.n}"}),
        step("b", "a", with_={"x": "${steps.a.output.x}"}),
        step("c", "b", with_={"x": "got ${steps.b.output.x}"}),
        inputs={"n": {"type": "integer"}},
        outputs={"end": "${steps.c.output.x}"},
    )
    found = run_of(Script(), body, inputs={"n": 7})
    assert found["status"] == "completed"
    assert found["outputs"] == {"end": "got 7"}
    assert found["progress"] == {"done": 3, "total": 3}


def test_nothing_is_left_in_the_queue_and_every_step_left_its_facts(
    run_of: RunOf, rt: Runtime, tenant: Ctx
) -> None:
    found = run_of(Script(), flow(step("a"), step("b", "a")))
    with rt.db.read(tenant) as tx:
        assert dispatch.depths(tx) == {}
        kinds = [event.type for event in events.of_run(tx, tenant, found["workflow_id"])]
    assert kinds == [
        "workflow.submitted", "workflow.started", "step.started", "step.completed",
        "step.started", "step.completed", "workflow.completed",
    ]  # fmt: skip


def test_branches_run_and_join_once(run_of: RunOf) -> None:
    script = Script()
    body = flow(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))
    assert run_of(script, body)["status"] == "completed"
    assert script.calls == {"a": 1, "b": 1, "c": 1, "d": 1}


def test_a_condition_that_does_not_hold_skips_and_the_rest_goes_on(run_of: RunOf) -> None:
    body = flow(
        step("a", with_={"n": 0}),
        step("b", "a", when="steps.a.output.n > 0"),
        step("c", "a", when="${steps.a.output.n == 0}"),
        step("d", "b", "c", with_={"b": "${steps.b.output.n}"}),
        outputs={"b": "${steps.b.status}", "d": "${steps.d.output.b}"},
    )
    found = run_of(Script(), body)
    assert states(found) == {"a": "completed", "b": "skipped", "c": "completed", "d": "completed"}
    assert found["outputs"] == {"b": "skipped", "d": None}


EACH = flow(
    {
        "id": "read", "for_each": "${documents}", "as": "doc", "on_error": "continue",
        "steps": [step("look", with_={"doc": "${doc}"}), step("note", "look")],
    },
    step("sum", "read", with_={"failed": "${steps.read.failed}"}),
    outputs={"count": "${steps.read.output.count}", "failed": "${len(steps.read.failed)}"},
)  # fmt: skip


def test_each_item_is_a_run_of_its_own_and_they_join(
    run_of: RunOf, rt: Runtime, tenant: Ctx
) -> None:
    script = Script()
    found = run_of(script, EACH, documents=("d1", "d2", "d3"))
    assert found["status"] == "completed"
    assert found["outputs"] == {"count": 3, "failed": 0}
    assert script.calls["look"] == script.calls["note"] == 3
    with rt.db.read(tenant) as tx:
        children = runs.descendants(tx, tenant, found["workflow_id"])
    assert [child.item for child in children] == ["d1", "d2", "d3"]
    assert [item["look"]["doc"] for item in _items(rt, tenant, found)] == ["d1", "d2", "d3"]


def _items(rt: Runtime, ctx: Ctx, found: dict[str, Any]) -> list[Any]:
    with rt.db.read(ctx) as tx:
        output = step_rows.of_run(tx, ctx, found["workflow_id"])["read"].output
    return list(output["items"])


def test_a_bad_item_is_named_and_the_others_go_on(run_of: RunOf) -> None:
    script = Script()
    bad = Unfinishable("It is damaged.", code="corrupted")

    def look(work: Any) -> Done:
        if work.message.payload["doc"] == "d2":
            raise bad
        return Done({})

    script.on("look", look)
    found = run_of(script, EACH, documents=("d1", "d2", "d3"))
    assert found["status"] == "completed"
    assert found["outputs"] == {"count": 3, "failed": 1}
    failed = script.works[-1].message.payload["failed"]
    assert failed[0]["item"] == "d2"
    assert failed[0]["error"]["code"] == "corrupted"


def test_by_default_a_bad_item_fails_the_run(run_of: RunOf) -> None:
    script = Script()
    script.on("look", Unfinishable("It is damaged.", code="corrupted"))
    body = {**EACH, "steps": [{**EACH["steps"][0], "on_error": "fail"}]}
    body["outputs"] = {}
    found = run_of(script, body, documents=("d1",))
    assert found["status"] == "failed"
    assert found["error"]["code"] == "items_failed"


@pytest.mark.parametrize("documents", [(), ("one",)])
def test_no_items_are_fine(run_of: RunOf, documents: Any) -> None:
    found = run_of(Script(), EACH, documents=documents)
    assert found["outputs"]["count"] == len(documents)


def test_what_is_not_a_list_fails_by_name(run_of: RunOf) -> None:
    body = flow(
        {"id": "read", "for_each": "${inputs.n}", "steps": [step("look")]},
        inputs={"n": {"type": "integer", "default": 3}},
    )
    assert run_of(Script(), body)["error"]["code"] == "bad_items"


def test_a_step_that_defers_is_asked_again_later_and_not_charged(
    rt: Runtime, tenant: Ctx, drain: Drain, clock: FakeClock
) -> None:
    script = Script()
    script.on("a", Defer(30, "a parser"), Done({"ok": 1}))
    agents = script.agents()
    run = workflows.submit(rt, tenant, Submission(definition=flow(step("a"))))
    drain(rt, agents)
    why = workflows.why(rt, tenant, run.id)
    assert why["causes"][0]["waiting_for"] == "time"
    clock.advance(31)
    drain(rt, agents)
    found = workflows.status(rt, tenant, run.id)
    assert found["status"] == "completed"
    assert found["steps"][0]["attempts"] == 1


def test_a_step_sees_who_asked_and_what_that_one_may(run_of: RunOf, tenant: Ctx) -> None:
    script = Script()
    found = run_of(script, flow(step("a")))
    ctx = script.works[0].ctx
    assert ctx.actor == f"run:{found['workflow_id']}"
    assert (ctx.tenant, ctx.scopes, ctx.request_id) == (tenant.tenant, tenant.scopes, "req-1")


def test_usage_adds_up_and_log_lines_are_kept(run_of: RunOf, rt: Runtime, tenant: Ctx) -> None:
    script = Script()

    def think(work: Any) -> Done:
        work.log("thought", level="info", about="it")
        work.progress(1, 2)
        return Done({}, usage={"prompt_tokens": 5})

    script.on("a", think)
    script.on("b", think)
    found = run_of(script, flow(step("a"), step("b", "a")))
    assert found["usage"] == {"prompt_tokens": 10}
    with rt.db.read(tenant) as tx:
        page = run_logs.of_run(tx, tenant, found["workflow_id"])
    lines = [line for line in page.items if line.step_id]
    assert [(line.step_id, line.message) for line in lines] == [("a", "thought"), ("b", "thought")]


@pytest.mark.parametrize(
    ("inputs", "says"),
    [({}, "is missing"), ({"n": "7"}, "type integer"), ({"n": True}, "type integer"),
     ({"n": 1, "m": 2}, "no such input")],
)  # fmt: skip
def test_wrong_inputs_are_refused_before_anything_starts(
    rt: Runtime, tenant: Ctx, inputs: dict[str, Any], says: str
) -> None:
    body = flow(step("a"), inputs={"n": {"type": "integer"}})
    with pytest.raises(InvalidInput, match=says):
        workflows.submit(rt, tenant, Submission(definition=body, inputs=inputs))


def test_a_goal_is_planned_and_then_run(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    agents = script.agents()
    plan = flow(step("think", task="analysis.think"), outputs={"x": "${steps.think.output.name}"})
    # The planning step's payload has no name of its own.
    script.on("", Done({"definition": plan}))
    run = workflows.submit(rt, tenant, Submission(goal="think about it"))
    drain(rt, agents)
    found = workflows.status(rt, tenant, run.id)
    assert (found["status"], found["outputs"]) == ("completed", {"x": "think"})


def test_a_plan_that_is_not_valid_fails_by_name(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("", Done({"definition": flow(step("x", task="analysis.steal"))}))
    run = workflows.submit(rt, tenant, Submission(goal="steal it"))
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run.id)["error"]["code"] == "bad_plan"
