"""A run is kept as long as its operator says, and goes with all that belongs to it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

import workflows
from core.clock import FakeClock
from core.context import Ctx
from core.errors import NotFound
from core.ids import new_id
from core.settings import Settings
from database import Database, reports, runs, tables
from database.runs import Run
from runtime import Runtime
from tests.engine import Drain, Script, flow, new_tenant, step
from workflows import Submission, relay, retention
from workflows.tasks import Done

DAY = 86_400
OF_RUNS = (
    tables.runs, tables.steps, tables.jobs, tables.journal, tables.checkpoints, tables.run_logs,
    tables.events, tables.effects, tables.approvals,
)  # fmt: skip


@pytest.fixture
def rt(rt: Runtime) -> Runtime:
    """Ended runs are kept for ten days."""
    return replace(rt, settings=rt.settings.model_copy(update={"run_keep_seconds": 10 * DAY}))


def _ended(rt: Runtime, ctx: Ctx, drain: Drain, script: Script | None = None, **body: Any) -> str:
    agents = (script or Script()).agents()
    given = flow(step("a"), step("b", "a"), **body)
    run = workflows.submit(rt, ctx, Submission(definition=given), catalog=agents.catalog)
    drain(rt, agents)
    relay.relay_once(rt)
    return run.id


def _left(db: Database, ctx: Ctx) -> int:
    with db.read(ctx) as tx:
        return sum(
            tx.execute(
                select(func.count()).select_from(one).where(one.c.tenant_id == ctx.tenant)
            ).scalar_one()
            for one in OF_RUNS
        )


def test_what_is_over_goes_whole_and_its_neighbour_stays(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    other = new_tenant(rt)
    old = _ended(rt, tenant, drain)
    clock.advance(5 * DAY)
    young = _ended(rt, other, drain)
    clock.advance(5 * DAY - 60)
    assert retention.tidy(rt) == 0
    clock.advance(120)
    assert retention.tidy(rt) == 1
    with pytest.raises(NotFound):
        workflows.status(rt, tenant, old)
    assert _left(rt.db, tenant) == 0
    assert workflows.status(rt, other, young)["status"] == "completed"
    with rt.db.read(tenant) as tx:
        said = tx.execute(
            select(tables.audit.c.subject).where(tables.audit.c.action == "run.forget")
        ).scalars()
        assert list(said) == [old]


def test_items_go_with_their_parent(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    body = flow(
        {"id": "a", "for_each": "${inputs.all}", "steps": [step("x")]},
        inputs={"all": {"type": "list"}},
    )
    agents = Script().agents()
    given = Submission(definition=body, inputs={"all": [1, 2, 3]})
    workflows.submit(rt, tenant, given, catalog=agents.catalog)
    drain(rt, agents)
    relay.relay_once(rt)
    clock.advance(11 * DAY)
    assert retention.tidy(rt) == 1
    assert _left(rt.db, tenant) == 0


def test_the_proof_of_a_report_stays(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    run_id = _ended(rt, tenant, drain)
    with rt.db.transaction(tenant) as tx:
        reports.create(
            tx, tenant, report_id=new_id(), run_id=run_id, step_id="b", template="t", title="T",
            files={}, sources=[], params={}, created_ms=tx.now_ms,
        )  # fmt: skip
    clock.advance(11 * DAY)
    assert retention.tidy(rt) == 0
    assert workflows.status(rt, tenant, run_id)["status"] == "completed"


def test_a_dead_letter_is_kept_until_somebody_has_dealt_with_it(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", ZeroDivisionError("oops"), ZeroDivisionError("oops"), Done({}))
    agents = script.agents()
    body = flow(step("a", retry={"attempts": 2}))
    run_id = workflows.submit(rt, tenant, Submission(definition=body)).id
    for _ in range(3):
        drain(rt, agents)
        clock.advance(400)
    relay.relay_once(rt)
    clock.advance(11 * DAY)
    assert retention.tidy(rt) == 0, "it waits for a person"
    workflows.redrive(rt, tenant, run_id)
    drain(rt, agents)
    relay.relay_once(rt)
    clock.advance(9 * DAY)
    assert retention.tidy(rt) == 0, "its end came nine days ago"
    clock.advance(2 * DAY)
    assert retention.tidy(rt) == 1


def test_by_default_only_quiet_upkeep_goes(
    rt: Runtime, tenant: Ctx, settings: Settings, drain: Drain
) -> None:
    run_id = _ended(rt, tenant, drain)
    with rt.db.read(tenant) as tx:
        asked = runs.get(tx, tenant, run_id)
    pull = replace(asked, workflow="pull-source", version=0)

    def kept(run: Run, status: str = "completed") -> int | None:
        return retention.forget_ms(settings, run, status, 1_000)

    assert kept(pull) == 1_000 + 30 * DAY * 1000
    assert kept(replace(asked, actor="system")) is not None
    assert kept(pull, "failed") is None, "somebody may want to know why"
    assert kept(asked) is None
    assert kept(replace(pull, version=1)) is None, "a tenant's own workflow of that name"
