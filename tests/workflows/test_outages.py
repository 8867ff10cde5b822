"""A store that is away costs time, never an attempt."""

from __future__ import annotations

from core.clock import FakeClock
from core.context import Ctx
from core.errors import Outage, Unavailable
from runtime import Runtime
from tests.engine import Drain, Script, flow, step
from workflows import Submission, status, submit, sweeper
from workflows.tasks import Done


def test_an_outage_of_a_minute_spends_no_attempt(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    away = Outage("Away.", code="blobs_unavailable", retry_after=2)
    script.on("a", *([away] * 30), Unavailable("Busy."), Done({}))
    run = submit(rt, tenant, Submission(definition=flow(step("a", retry={"attempts": 2}))))
    for _ in range(60):
        drain(rt, script.agents())
        clock.advance(8)  # four times what the store asked for
    done = status(rt, tenant, run.id)
    assert done["status"] == "completed"
    assert script.calls["a"] == 32
    assert done["steps"][0]["attempts"] == 2


def test_it_says_what_it_waits_for(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("a", Outage("The object store is away.", code="blobs_unavailable", retry_after=2))
    run = submit(rt, tenant, Submission(definition=flow(step("a"))))
    drain(rt, script.agents())
    found = status(rt, tenant, run.id)
    assert found["status"] == "running"
    error = found["steps"][0]["error"]
    assert error["code"] == "blobs_unavailable"


def test_an_outage_does_not_outlive_the_run(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", Outage("Away.", retry_after=2))
    run = submit(rt, tenant, Submission(definition=flow(step("a"))))
    drain(rt, script.agents())
    clock.advance(rt.settings.run_seconds_max + 1)
    sweeper.sweep(rt, script.agents())
    drain(rt, script.agents())
    assert status(rt, tenant, run.id)["status"] == "failed"
