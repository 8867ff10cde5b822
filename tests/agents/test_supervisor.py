from __future__ import annotations

from typing import Any

import pytest

import workflows
from agents.checkpointer import RunCheckpointer
from agents.graph import caught, outcome
from agents.supervisor import Supervisor
from core.context import PLATFORM, Ctx
from database import checkpoints, dispatch, jobs
from database.checkpoints import Checkpoint
from database.dispatch import Claim
from database.jobs import FenceLost
from runtime import Runtime
from tests.engine import QUEUES, Drain, Script, flow, step
from workflows import Submission, definitions
from workflows.supervision import Decision, RunView


def claimed(rt: Runtime, ctx: Ctx) -> Claim:
    workflows.submit(rt, ctx, Submission(definition=flow(step("a"))))
    with rt.db.transaction(PLATFORM) as tx:
        claim = dispatch.claim(tx, QUEUES, "me", lease_ms=1000, running_max=8)
    assert claim is not None
    return claim


def decided(
    rt: Runtime, ctx: Ctx, claim: Claim, body: dict[str, Any], verdicts: dict[str, str],
    supervisor: Supervisor | None = None, *, first: bool = False, holds: bool = True,
) -> Decision:  # fmt: skip
    view = RunView(claim.run_id, first, definitions.build(body), verdicts, lambda _text: holds)
    with rt.db.transaction(ctx) as tx:
        return (supervisor or Supervisor()).decide(tx, ctx, claim, view)


CHAIN = flow(step("a"), step("b", "a"), step("c", "a", when="true"), step("d", "b", "c"))


@pytest.mark.parametrize(
    ("verdicts", "holds", "expected"),
    [
        ({}, True, Decision(start=("a",))),
        ({"a": "running"}, True, Decision()),
        ({"a": "completed"}, True, Decision(start=("b", "c"))),
        ({"a": "completed"}, False, Decision(start=("b",), skip=("c",))),
        ({"a": "completed", "b": "completed"}, False, Decision(start=("d",), skip=("c",))),
        ({"a": "completed", "b": "completed", "c": "skipped"}, True, Decision(start=("d",))),
        (dict.fromkeys("abcd", "completed"), True, Decision(end="completed")),
    ],
)
def test_the_graph_starts_what_can_start(
    rt: Runtime, tenant: Ctx, verdicts: dict[str, str], holds: bool, expected: Decision
) -> None:
    claim = claimed(rt, tenant)
    assert decided(rt, tenant, claim, CHAIN, verdicts, first=True, holds=holds) == expected


def test_a_failed_step_ends_the_run_and_names_it(rt: Runtime, tenant: Ctx) -> None:
    found = decided(rt, tenant, claimed(rt, tenant), CHAIN, {"a": "failed"}, first=True)
    assert found.end == "failed"
    assert (found.error or {})["step_id"] == "a"


def test_one_and_the_same_state_again_and_again_is_no_progress(rt: Runtime, tenant: Ctx) -> None:
    claim, supervisor = claimed(rt, tenant), Supervisor()
    ends = [
        decided(rt, tenant, claim, CHAIN, {"a": "running"}, supervisor, first=turn == 0)
        for turn in range(7)
    ]
    codes = [(one.error or {}).get("code") for one in ends]
    assert codes[:5] == [None] * 5
    assert "no_progress" in codes[5:]


def test_to_and_fro_is_oscillation() -> None:
    assert caught(["x", "y"] * 5) is None
    found = caught(["x", "y"] * 6)
    assert found is not None
    assert found["code"] == "oscillation"


def test_a_run_that_grows_is_neither() -> None:
    assert caught([str(n) for n in range(60)]) is None


def test_its_memory_is_plain_json_and_one_row_a_run(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    run = workflows.submit(rt, tenant, Submission(definition=CHAIN))
    drain(rt, Script().agents())
    with rt.db.read(tenant) as tx:
        kept = checkpoints.newest(tx, tenant, run.id)
    assert kept is not None
    state = kept.checkpoint["channel_values"]
    assert state["verdicts"] == dict.fromkeys("abcd", "completed")
    assert kept.parent_id is not None


def test_a_worker_that_lost_its_fence_cannot_move_the_thread(rt: Runtime, tenant: Ctx) -> None:
    claim = claimed(rt, tenant)
    decided(rt, tenant, claim, CHAIN, {}, first=True)
    with rt.db.transaction(tenant) as tx:
        jobs.release(tx, claim, ready_ms=tx.now_ms, attempts=1)
    with pytest.raises(FenceLost):
        decided(rt, tenant, claim, CHAIN, {"a": "completed"})


def test_two_workers_cannot_fork_one_thread(rt: Runtime, tenant: Ctx) -> None:
    claim = claimed(rt, tenant)
    decided(rt, tenant, claim, CHAIN, {}, first=True)
    with pytest.raises(FenceLost):  # at the latest instead of the commit
        _fork(rt, tenant, claim)


def _fork(rt: Runtime, tenant: Ctx, claim: Claim) -> None:
    with rt.db.transaction(tenant) as tx:
        stale = RunCheckpointer(tx, tenant, claim, fresh=False)
        newest = checkpoints.newest(tx, tenant, claim.run_id)
        assert newest is not None
        moved = Checkpoint("ffff", newest.checkpoint_id, newest.checkpoint, {}, [])
        checkpoints.put(tx, tenant, claim, moved)
        stale.put(
            {"configurable": {"thread_id": claim.run_id}},
            {**newest.checkpoint, "id": "eeee"},  # type: ignore[typeddict-item]
            {},
            {},
        )
        stale.save()


def test_what_may_fail_does_not_decide() -> None:
    body = flow(step("a", on_error="continue"), step("b", "a"))
    definition = definitions.build(body)
    assert outcome(definition, {"a": "failed", "b": "completed"}) == ("completed", None)
    assert outcome(definition, {"a": "completed", "b": "needs_review"}) == ("needs_review", "b")


def test_a_pure_decision_is_thought_of_once_and_one_with_a_condition_each_time(
    rt: Runtime, tenant: Ctx
) -> None:
    claim, supervisor = claimed(rt, tenant), Supervisor()
    thought: list[Any] = []
    graph = supervisor._compiled()

    class Counted:
        def invoke(self, *args: Any, **more: Any) -> Any:
            thought.append(args)
            return graph.invoke(*args, **more)

    supervisor._graph = Counted()
    for _ in range(2):
        found = decided(rt, tenant, claim, flow(step("a")), {}, supervisor, first=True)
        assert found == Decision(start=("a",))
        with rt.db.transaction(tenant) as tx:
            checkpoints.forget(tx, tenant, claim.run_id)
    assert len(thought) == 1
    for holds in (True, False):
        body = flow(step("a", when="true"))
        found = decided(rt, tenant, claim, body, {}, supervisor, first=True, holds=holds)
        assert found.start == (("a",) if holds else ())
        with rt.db.transaction(tenant) as tx:
            checkpoints.forget(tx, tenant, claim.run_id)
    assert len(thought) == 3
