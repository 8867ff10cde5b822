from __future__ import annotations

import threading
from typing import Any

import pytest

import workflows
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.errors import Conflict, InvalidInput, NotFound, Unavailable, Unfinishable
from core.settings import Settings
from database import dispatch, jobs, runs
from database import steps as step_rows
from database.jobs import FenceLost
from runtime import Runtime
from tests.engine import QUEUES, Drain, Script, flow, new_tenant, step
from workflows import Submission, leases, sweeper
from workflows.engine import work_once
from workflows.tasks import Done, Work

DOWN = Unavailable("The other side is down.")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"run_steps_max": 20, "lease_seconds": 30.0})


def submit(rt: Runtime, ctx: Ctx, *steps: dict[str, Any], **more: Any) -> str:
    return workflows.submit(rt, ctx, Submission(definition=flow(*steps), **more)).id


def until_quiet(rt: Runtime, clock: FakeClock, drain: Drain, script: Script) -> None:
    """Works, and lets the time of retries pass."""
    agents = script.agents()
    for _ in range(20):
        drain(rt, agents)
        clock.advance(400)


def test_what_is_down_is_tried_again_with_growing_random_pauses(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", DOWN, DOWN, Done({"ok": 1}))
    run_id = submit(rt, tenant, step("a"))
    drain(rt, script.agents())
    with rt.db.read(tenant) as tx:
        job = jobs.of_run(tx, tenant, run_id)[0]
    assert 0 <= job.ready_ms - clock.now_ms() <= 1000
    assert script.calls["a"] == 1
    until_quiet(rt, clock, drain, script)
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], found["steps"][0]["attempts"]) == ("completed", 3)


def test_what_the_other_side_asks_for_is_waited(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", Unavailable("Busy.", retry_after=120), Done({}))
    run_id = submit(rt, tenant, step("a"))
    drain(rt, script.agents())
    clock.advance(100)
    drain(rt, script.agents())
    assert script.calls["a"] == 1
    clock.advance(30)
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"


@pytest.mark.parametrize("error", [InvalidInput("No."), Unfinishable("Never.", code="corrupted")])
def test_what_can_never_work_fails_at_once_with_its_code(
    rt: Runtime, tenant: Ctx, drain: Drain, error: Any
) -> None:
    script = Script()
    script.on("a", error)
    run_id = submit(rt, tenant, step("a"), step("b", "a"))
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], found["error"]["code"]) == ("failed", error.slug)
    assert found["error"]["step_id"] == "a"
    assert [one["status"] for one in found["steps"]] == ["failed", "cancelled"]


def test_a_bug_in_a_task_is_retried_like_an_outage_and_ends_in_the_dead_letters(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", ZeroDivisionError("oops"))
    run_id = submit(rt, tenant, step("a", retry={"attempts": 2}))
    until_quiet(rt, clock, drain, script)
    assert script.calls["a"] == 2
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], found["error"]["code"]) == ("failed", "task_broke")
    with rt.db.read(tenant) as tx:
        dead = jobs.dead_letters(tx, tenant)
    assert [(job.run_id, (job.error or {})["code"]) for job in dead] == [(run_id, "task_broke")]


def test_a_dead_letter_can_be_redriven(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", DOWN, DOWN, Done({}))
    run_id = submit(rt, tenant, step("a", retry={"attempts": 2}))
    until_quiet(rt, clock, drain, script)
    assert workflows.status(rt, tenant, run_id)["status"] == "failed"
    workflows.redrive(rt, tenant, run_id)
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"
    with rt.db.read(tenant) as tx:
        assert jobs.dead_letters(tx, tenant) == []


def test_a_retried_run_reuses_what_was_finished_and_what_was_thought(
    rt: Runtime, tenant: Ctx, drain: Drain
) -> None:
    script = Script()
    thoughts: list[int] = []

    def idea() -> int:
        thoughts.append(1)
        return len(thoughts)

    def think(work: Work) -> Done:
        kept = work.remember("idea", idea)
        if len(script.works) < 3:
            raise Unfinishable("Not yet.", code="not_yet")
        return Done({"kept": kept})

    script.on("b", think)
    run_id = submit(rt, tenant, step("a"), step("b", "a"))
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["error"]["code"] == "not_yet"
    workflows.retry(rt, tenant, run_id)
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], found["outputs"]) == ("completed", {"b": {"kept": 1}})
    assert script.calls == {"a": 1, "b": 2}
    assert thoughts == [1]


def test_only_the_items_that_failed_run_again(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("look", Done({}), Unfinishable("Bad.", code="corrupted"), Done({}))
    each = {"id": "read", "for_each": "${documents}", "steps": [step("look")]}
    run_id = submit(rt, tenant, each, documents=("d1", "d2", "d3"))
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "failed"
    workflows.retry(rt, tenant, run_id)
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"
    assert script.calls["look"] == 4


def test_a_run_that_goes_on_cannot_be_retried(rt: Runtime, tenant: Ctx) -> None:
    run_id = submit(rt, tenant, step("a"))
    with pytest.raises(Conflict, match="pending"):
        workflows.retry(rt, tenant, run_id)


def test_a_step_that_may_fail_lets_the_run_go_on(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("a", InvalidInput("No."))
    run_id = submit(rt, tenant, step("a", on_error="continue"), step("b", "a"))
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert [one["status"] for one in found["steps"]] == ["failed", "completed"]
    assert found["status"] == "completed"


# --- leases and fences ---------------------------------------------------------------------------


def test_a_silent_workers_step_goes_to_another_and_its_late_answer_is_refused(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    agents = script.agents()
    seen: list[str] = []

    def sleep_past_the_lease(work: Work) -> Done:
        if work.attempt == 1:
            clock.advance(31)
            assert sweeper.sweep(rt, agents) == 1
            drain(rt, agents)  # the other worker finishes the run meanwhile
            assert work.cancelled()
            with pytest.raises(FenceLost):
                work.remember("late", lambda: 1)
        seen.append(f"attempt {work.attempt}")
        return Done({"by": work.attempt})

    script.on("a", sleep_past_the_lease)
    run_id = submit(rt, tenant, step("a"))
    drain(rt, agents)
    found = workflows.status(rt, tenant, run_id)
    assert seen == ["attempt 2", "attempt 1"]
    assert found["outputs"] == {"a": {"by": 2}}


def test_a_renewed_lease_is_not_taken_back(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    held = leases.Leases()

    def long(work: Work) -> Done:
        clock.advance(25)
        held.renew(rt)
        clock.advance(25)
        assert sweeper.sweep(rt, agents) == 0
        return Done({})

    script.on("a", long)
    agents = script.agents()
    run_id = submit(rt, tenant, step("a"))
    assert work_once(rt, QUEUES, agents, leases=held)
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"
    assert len(held) == 0


def test_a_step_that_silences_every_worker_gives_up(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    run_id = submit(rt, tenant, step("a", task="analysis.think"))
    agents = Script().agents()
    assert work_once(rt, ["supervisor"], agents)
    for _ in range(rt.settings.step_attempts_max):
        with rt.db.transaction(PLATFORM) as tx:
            assert dispatch.claim(tx, ["analysis"], "doomed", lease_ms=1000, running_max=8)
        clock.advance(2)
        leases.take_back(rt)
    drain(rt, agents)
    found = workflows.status(rt, tenant, run_id)
    assert found["error"]["code"] == "workers_lost"


def test_what_a_stopping_worker_still_holds_is_ready_at_once(rt: Runtime, tenant: Ctx) -> None:
    submit(rt, tenant, step("a"))
    held = leases.Leases()
    with rt.db.transaction(PLATFORM) as tx:
        claim = dispatch.claim(tx, QUEUES, "stopping", lease_ms=30_000, running_max=8)
    assert claim is not None
    with held.holding(claim):
        held.release(rt)
    with rt.db.read(PLATFORM) as tx:
        assert dispatch.depths(tx) == {("supervisor", "ready"): 1}


def test_an_answer_that_comes_too_late_is_left_behind(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script, gate = Script(), threading.Event()

    def hang(work: Work) -> Done:
        gate.wait(20)
        return Done({"late": True})

    script.on("a", hang, Done({"late": False}))
    run_id = submit(rt, tenant, step("a", timeout_seconds=0.05))
    until_quiet(rt, clock, drain, script)
    gate.set()
    found = workflows.status(rt, tenant, run_id)
    assert found["outputs"] == {"a": {"late": False}}
    assert found["steps"][0]["attempts"] == 2


# --- stops ---------------------------------------------------------------------------------------


def test_a_cancelled_run_stops_with_its_items(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    agents = script.agents()

    def cancel(work: Work) -> Done:
        with rt.db.read(work.ctx) as tx:
            parent = runs.get(tx, work.ctx, work.run_id).parent_run_id
        workflows.cancel(rt, tenant, parent or "")
        assert work.cancelled()
        return Done({})

    script.on("look", cancel)
    each = {"id": "read", "for_each": "${documents}", "steps": [step("look")]}
    run_id = submit(rt, tenant, each, documents=("d1", "d2"))
    drain(rt, agents)
    assert script.calls["look"] == 1
    with rt.db.read(tenant) as tx:
        children = runs.descendants(tx, tenant, run_id)
        assert dispatch.depths(tx) == {}
    assert {child.status for child in children} == {"cancelled"}
    assert workflows.status(rt, tenant, run_id)["status"] == "cancelled"
    with pytest.raises(Conflict):
        workflows.cancel(rt, tenant, run_id)


def test_a_run_past_its_deadline_ends_by_name(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    agents = Script().agents()
    run_id = submit(rt, tenant, step("a", task="analysis.think"))
    assert work_once(rt, ["supervisor"], agents)
    clock.advance(rt.settings.run_seconds_max + 1)
    sweeper.sweep(rt, agents)
    drain(rt, agents)
    assert workflows.status(rt, tenant, run_id)["error"]["code"] == "deadline"


def test_there_is_a_ceiling_of_steps(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    run_id = submit(rt, tenant, *(step(f"s{n}") for n in range(21)))
    drain(rt, Script().agents())
    assert workflows.status(rt, tenant, run_id)["error"]["code"] == "steps_ceiling"


def test_what_was_done_is_taken_back_last_first(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("c", InvalidInput("No.", code="nope"))

    def undo(of: str) -> dict[str, Any]:
        given = {"name": f"undo-{of}", "was": f"${{steps.{of}.output.name}}"}
        return {"agent": "analysis", "task": "think", "with": given}

    run_id = submit(
        rt, tenant, step("a", compensate=undo("a")), step("b", "a", compensate=undo("b")),
        step("c", "b"),
    )  # fmt: skip
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], found["error"]["code"]) == ("failed", "nope")
    assert list(script.calls) == ["a", "b", "c", "undo-b", "undo-a"]
    with pytest.raises(Conflict, match="taken back"):
        workflows.retry(rt, tenant, run_id)


def test_another_tenants_run_is_not_there(rt: Runtime, tenant: Ctx) -> None:
    run_id = submit(rt, tenant, step("a"))
    stranger = new_tenant(rt)
    for look in (workflows.status, workflows.cancel, workflows.retry, workflows.why):
        with pytest.raises(NotFound):
            look(rt, stranger, run_id)
    with rt.db.read(stranger) as tx:
        assert step_rows.of_run(tx, stranger, run_id) == {}


def test_a_decision_that_breaks_is_counted_and_ends_the_run(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    class Broken:
        def decide(self, *_: Any) -> Any:
            raise RuntimeError("a bug")

    agents = Script().agents(Broken())
    run_id = submit(rt, tenant, step("a"))
    for _ in range(10):
        drain(rt, agents)
        clock.advance(100)
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], found["error"]["code"]) == ("failed", "decision_broke")
