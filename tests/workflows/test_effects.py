from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import workflows
from backends.build import open_runtime
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.errors import Conflict, Forbidden, InDoubt, Unavailable, Unfinishable
from core.settings import Settings
from database import dispatch, effects, jobs, runs
from database.effects import Effect
from runtime import Runtime
from tests.engine import Drain, Script, Sent, flow, intent, new_tenant, step
from workflows import Submission, approvals, sweeper
from workflows.engine import work_once
from workflows.tasks import Done

PRE_APPROVED = {"pre_approved": [{"connector": "sent", "target": "*"}]}


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def rt(settings: Settings, clock: FakeClock, sent: Sent) -> Iterator[Runtime]:
    more = {"sent": sent, "webhook": sent}
    with open_runtime(settings, clock=clock, more_connectors=more) as opened:
        yield opened


@pytest.fixture
def script() -> Script:
    made = Script()
    made.on("act", Done({"n": 1}, effects=(intent(),)))
    return made


ACT = flow(step("act", task="action.act"), step("after", "act"))


def start(rt: Runtime, ctx: Ctx, drain: Drain, script: Script, **more: Any) -> str:
    run = workflows.submit(rt, ctx, Submission(definition=ACT, **more))
    drain(rt, script.agents())
    return run.id


def only(rt: Runtime, ctx: Ctx, run_id: str) -> Effect:
    with rt.db.read(ctx) as tx:
        (found,) = effects.of_run(tx, ctx, run_id)
    return found


def asked(rt: Runtime, ctx: Ctx) -> list[approvals.Request]:
    with rt.db.read(ctx) as tx:
        return list(approvals.listing(tx, ctx).items)


def test_nothing_is_sent_before_a_person_says_yes_to_exactly_that(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script, sent: Sent
) -> None:
    run_id = start(rt, tenant, drain, script)
    assert workflows.status(rt, tenant, run_id)["status"] == "waiting_approval"
    assert sent.calls == []
    (request,) = asked(rt, tenant)
    assert request.effect is not None
    assert request.effect.request == {"text": "hello"}
    approvals.decide(rt, tenant, request.approval.id, "approve", "fine")
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert (found["status"], script.calls["act"], script.calls["after"]) == ("completed", 1, 1)
    assert [call.request for call in sent.calls] == [{"text": "hello"}]
    assert only(rt, tenant, run_id).status == "confirmed"
    with pytest.raises(Conflict, match="decided before"):
        approvals.decide(rt, tenant, request.approval.id, "reject")


def test_a_no_skips_the_step_and_the_run_goes_on(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script, sent: Sent
) -> None:
    run_id = start(rt, tenant, drain, script)
    approvals.decide(rt, tenant, asked(rt, tenant)[0].approval.id, "reject", "not now")
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert [one["status"] for one in found["steps"]] == ["skipped", "completed"]
    assert "not now" in found["steps"][0]["error"]["detail"]
    assert sent.calls == []


def test_while_one_request_still_waits_the_run_says_so(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script, sent: Sent
) -> None:
    script.on("act", Done({}, effects=(intent(target="a"), intent(target="b"))))
    run_id = start(rt, tenant, drain, script)
    first, second = asked(rt, tenant)
    for request, status in ((first, "waiting_approval"), (second, "completed")):
        approvals.decide(rt, tenant, request.approval.id, "approve")
        drain(rt, script.agents())
        assert workflows.status(rt, tenant, run_id)["status"] == status
    assert len({call.key for call in sent.calls}) == 2


def test_only_people_who_may_decide_do(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script
) -> None:
    start(rt, tenant, drain, script)
    (request,) = asked(rt, tenant)
    for actor, scopes in (("run:x", tenant.scopes), ("user:u2", frozenset({"approvals:read"}))):
        with pytest.raises(Forbidden):
            approvals.decide(
                rt, Ctx(tenant.tenant, actor, scopes=scopes), request.approval.id, "approve"
            )


def test_no_answer_in_time_is_a_no(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script, clock: FakeClock, sent: Sent
) -> None:
    run_id = workflows.submit(rt, tenant, Submission(definition=ACT)).id
    script.on("act", Done({}, effects=(intent(),)))
    drain(rt, script.agents())
    with rt.db.transaction(tenant) as tx:
        runs.change(tx, tenant, run_id, deadline_ms=clock.now_ms() + 10**10)
    clock.advance(rt.settings.approval_seconds_max + 1)
    sweeper.sweep(rt, script.agents())
    drain(rt, script.agents())
    found = workflows.status(rt, tenant, run_id)
    assert found["steps"][0]["error"]["code"] == "approval_expired"
    assert sent.calls == []


def test_a_request_that_changed_after_it_was_asked_about_is_not_approved(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script
) -> None:
    run_id = start(rt, tenant, drain, script)
    effect = only(rt, tenant, run_id)
    with rt.db.transaction(tenant) as tx:
        effects.change(tx, tenant, effect.id, request={"text": "all the money"})
    with pytest.raises(Conflict, match="not the one"):
        approvals.decide(rt, tenant, asked(rt, tenant)[0].approval.id, "approve")


def test_what_an_admin_pre_approved_is_sent_at_once_with_the_tenants_config(
    rt: Runtime, drain: Drain, script: Script, sent: Sent
) -> None:
    ctx = new_tenant(rt, config={**PRE_APPROVED, "secret": "s"})
    run_id = start(rt, ctx, drain, script)
    assert workflows.status(rt, ctx, run_id)["status"] == "completed"
    assert sent.calls[0].config["secret"] == "s"


def test_an_outage_is_retried_under_one_key(
    rt: Runtime, drain: Drain, script: Script, sent: Sent, clock: FakeClock
) -> None:
    ctx = new_tenant(rt, config=PRE_APPROVED)
    sent.answers = [Unavailable("Down."), Unavailable("Down."), {"ok": True}]
    run_id = start(rt, ctx, drain, script)
    for _ in range(4):
        clock.advance(300)
        drain(rt, script.agents())
    assert workflows.status(rt, ctx, run_id)["status"] == "completed"
    assert len({call.key for call in sent.calls}) == 1
    assert len(sent.calls) == 3


def test_a_refusal_fails_the_step_and_a_retry_of_the_run_asks_again(
    rt: Runtime, tenant: Ctx, drain: Drain, script: Script, sent: Sent
) -> None:
    sent.answers = [Unfinishable("No such address.", code="refused_for_good"), {"ok": True}]
    run_id = start(rt, tenant, drain, script)
    approvals.decide(rt, tenant, asked(rt, tenant)[0].approval.id, "approve")
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["error"]["code"] == "refused_for_good"
    workflows.retry(rt, tenant, run_id)
    drain(rt, script.agents())
    approvals.decide(rt, tenant, asked(rt, tenant)[0].approval.id, "approve")
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"


def test_an_outage_without_end_becomes_a_dead_letter(
    rt: Runtime, drain: Drain, script: Script, sent: Sent, clock: FakeClock
) -> None:
    ctx = new_tenant(rt, config=PRE_APPROVED)
    sent.answers = [Unavailable("Down.", code="still_down")]
    run_id = start(rt, ctx, drain, script)
    for _ in range(8):
        clock.advance(400)
        drain(rt, script.agents())
    assert len(sent.calls) == rt.settings.step_attempts_max
    assert workflows.status(rt, ctx, run_id)["error"]["code"] == "still_down"
    with rt.db.read(ctx) as tx:
        assert len(jobs.dead_letters(tx, ctx)) == 1


@pytest.mark.parametrize(
    ("effect_class", "arrived", "sends", "ends"),
    [("keyed", True, 1, "completed"), ("checkable", True, 0, "completed"),
     ("checkable", False, 1, "completed"), ("blind", True, 0, "needs_review")],
)  # fmt: skip
def test_a_worker_that_died_while_sending_is_followed_by_class(
    settings: Settings, clock: FakeClock, drain: Drain, script: Script, effect_class: Any,
    arrived: bool, sends: int, ends: str,
) -> None:  # fmt: skip
    sent = Sent(effect_class)
    with open_runtime(settings, clock=clock, more_connectors={"sent": sent}) as rt:
        ctx = new_tenant(rt, config=PRE_APPROVED)
        agents = script.agents()
        run_id = workflows.submit(rt, ctx, Submission(definition=ACT)).id
        assert work_once(rt, ["supervisor"], agents)
        with rt.db.transaction(PLATFORM) as tx:
            claim = dispatch.claim(tx, ["action"], "doomed", lease_ms=1000, running_max=8)
        assert claim is not None
        clock.advance(2)
        sweeper.sweep(rt, agents)
        assert work_once(rt, ["action"], agents)
        effect = only(rt, ctx, run_id)
        with rt.db.transaction(ctx) as tx:
            effects.change(tx, ctx, effect.id, status="sent")
        if arrived:
            sent.known[effect.key] = {"ok": True}
        drain(rt, agents)
        assert len(sent.calls) == sends
        assert workflows.status(rt, ctx, run_id)["status"] == ends


def test_doubt_about_a_blind_action_is_for_a_person(
    settings: Settings, clock: FakeClock, drain: Drain, script: Script
) -> None:
    sent = Sent("blind")
    sent.answers = [InDoubt("The line broke.")]
    with open_runtime(settings, clock=clock, more_connectors={"sent": sent}) as rt:
        ctx = new_tenant(rt, config=PRE_APPROVED)
        run_id = start(rt, ctx, drain, script)
        assert workflows.status(rt, ctx, run_id)["status"] == "needs_review"
        assert only(rt, ctx, run_id).status == "unknown"
        assert len(sent.calls) == 1


def test_the_callback_tells_the_end_and_never_changes_it(
    rt: Runtime, drain: Drain, sent: Sent, tenant: Ctx
) -> None:
    sent.answers = [Unfinishable("Gone.", code="webhook_gone")]
    run = workflows.submit(
        rt, tenant,
        Submission(definition=flow(step("a")), callback_url="https://hook.example/x"),
    )  # fmt: skip
    drain(rt, Script().agents())
    (call,) = sent.calls
    assert call.request["payload"]["type"] == "workflow.completed"
    assert call.request["payload"]["data"]["workflow_id"] == run.id
    assert workflows.status(rt, tenant, run.id)["status"] == "completed"
    assert only(rt, tenant, run.id).status == "refused"


def test_a_plan_that_acts_waits_for_a_yes(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("", Done({"definition": flow(step("x", task="action.act"))}))
    run_id = workflows.submit(rt, tenant, Submission(goal="do it")).id
    drain(rt, script.agents())
    (request,) = asked(rt, tenant)
    assert (request.approval.kind, request.plan["steps"][0]["id"]) == ("plan", "x")
    assert workflows.status(rt, tenant, run_id)["status"] == "waiting_approval"
    approvals.decide(rt, tenant, request.approval.id, "approve")
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"


def test_a_rejected_plan_is_not_run(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("", Done({"definition": flow(step("x", task="action.act"))}))
    run_id = workflows.submit(rt, tenant, Submission(goal="do it")).id
    drain(rt, script.agents())
    approvals.decide(rt, tenant, asked(rt, tenant)[0].approval.id, "reject")
    drain(rt, script.agents())
    assert workflows.status(rt, tenant, run_id)["status"] == "cancelled"
    assert script.calls["x"] == 0
