from __future__ import annotations

import workflows
from agents.status import agents
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput
from database import workers
from runtime import Runtime
from tests.engine import Drain, Script, flow, new_tenant, step
from workflows import Submission


def by_type(rt: Runtime, ctx: Ctx) -> dict[str, dict[str, object]]:
    return {str(one["agent_type"]): one for one in agents(rt, ctx)}


def test_each_agent_says_how_it_is_for_this_tenant_alone(
    rt: Runtime, tenant: Ctx, drain: Drain, clock: FakeClock
) -> None:
    script = Script()
    script.on("bad", InvalidInput("No."))
    for name in ("a", "b", "bad", "bad"):
        submission = Submission(definition=flow(step(name, task="analysis.think")))
        workflows.submit(rt, tenant, submission)
    drain(rt, script.agents())
    with rt.db.transaction(PLATFORM) as tx:
        workers.join(tx, "w1", "worker", ["analysis"], 1, "here")
    found = by_type(rt, tenant)
    assert list(found) == ["supervisor", "ingestion", "analysis", "report", "action"]
    analysis = found["analysis"]
    assert (analysis["workers"], analysis["failures_1h"], analysis["status"]) == (1, 2, "ok")
    assert analysis["p99_ms"] is not None
    assert found["report"]["status"] == "no_worker"
    assert by_type(rt, new_tenant(rt))["analysis"]["failures_1h"] == 0
    clock.advance(60)
    assert by_type(rt, tenant)["analysis"]["status"] == "no_worker"
