"""J5: what loops or grows is stopped by a cap that says its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import workflows
from backends.build import open_runtime
from core.clock import FakeClock
from core.context import Ctx
from core.errors import InvalidInput, QuotaExceeded, Unavailable
from core.settings import Settings
from core.tiers import BUDGETS
from database import budgets
from runtime import Runtime
from tests import databases
from tests.engine import Drain, Script, flow, new_tenant, step
from workflows import Submission, sweeper
from workflows.tasks import Defer, Done


@pytest.fixture(scope="module")
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory, clock: FakeClock) -> Iterator[Runtime]:
    """One for all: each test has a tenant of its own, and leaves no run that goes on."""
    folder = tmp_path_factory.mktemp("caps")
    with databases.fresh() as url:
        small = Settings(
            _env_file=None, data_dir=folder / "data", models_dir=folder / "none",
            models_url="none:", log_level="error", database_url=url,
            run_steps_max=12, run_seconds_max=60, step_attempts_max=3,
        )  # fmt: skip
        with open_runtime(small, clock=clock) as opened:
            yield opened


def ended(rt: Runtime, ctx: Ctx, script: Script, drain: Drain, clock: FakeClock, flow: Any) -> Any:
    """The error of a run that would go on for ever; every turn of the clock is worked off."""
    run_id = workflows.submit(rt, ctx, Submission(definition=flow)).id
    for _ in range(40):
        drain(rt, script.agents())
        status = workflows.status(rt, ctx, run_id)
        if status["status"] == "failed":
            return status["error"]["code"]
        clock.advance(10)
        sweeper.sweep(rt, script.agents())
    raise AssertionError("it still runs")


@pytest.mark.parametrize("seconds", [0.1, 1, 5, 9, 30])
def test_a_step_that_never_gets_ready_ends_at_the_deadline(
    rt: Runtime, tenant: Ctx, drain: Drain, clock: FakeClock, seconds: float
) -> None:
    script = Script()
    script.on("wait", Defer(seconds, "nothing"))
    wanted = flow(step("wait", task="analysis.think"))
    assert ended(rt, tenant, script, drain, clock, wanted) == "deadline"


@pytest.mark.parametrize("fault", [Unavailable("Down."), RuntimeError("a bug")])
def test_a_step_that_fails_again_and_again_is_given_up(
    rt: Runtime, tenant: Ctx, drain: Drain, clock: FakeClock, fault: BaseException
) -> None:
    script = Script()
    script.on("loop", fault)
    run_id = workflows.submit(
        rt, tenant, Submission(definition=flow(step("loop", task="analysis.think")))
    ).id
    for _ in range(20):
        drain(rt, script.agents())
        clock.advance(2)
    assert script.calls["loop"] == rt.settings.step_attempts_max
    assert workflows.status(rt, tenant, run_id)["status"] == "failed"


@pytest.mark.parametrize("items", [13, 40, 900])
def test_a_list_without_end_meets_the_ceiling_of_steps(
    rt: Runtime, tenant: Ctx, drain: Drain, clock: FakeClock, items: int
) -> None:
    script = Script()
    script.on("many", Done({"items": list(range(items))}))
    each = {"id": "each", "for_each": "${steps.many.output.items}", "needs": ["many"],
            "steps": [step("one", task="analysis.think")]}  # fmt: skip
    wanted = flow(step("many", task="analysis.think"), each)
    assert ended(rt, tenant, script, drain, clock, wanted) == "steps_ceiling"
    assert script.calls["one"] <= rt.settings.run_steps_max


def _nested(depth: int) -> dict[str, Any]:
    inner = step("leaf", task="analysis.think")
    for n in range(depth):
        inner = {"id": f"n{n}", "for_each": "${documents}", "steps": [inner]}
    return flow(inner)


@pytest.mark.parametrize("depth", [2, 3, 30])
def test_runs_in_runs_in_runs_are_refused(rt: Runtime, tenant: Ctx, depth: int) -> None:
    with pytest.raises(InvalidInput) as error:
        workflows.submit(rt, tenant, Submission(definition=_nested(depth)))
    assert error.value.slug == "bad_definition"


@pytest.mark.parametrize("made", [
    {"name": "goal", "goal": "again"}, {"name": "goal", "steps": []},
    {"name": "goal", "steps": [{"id": "x", "agent": "supervisor", "task": "plan"}] * 2},
    {"name": "goal", "steps": [{"id": "x", "agent": "shell", "task": "exec"}]},
    {"name": "goal", "steps": [step(f"s{n}", task="analysis.think") for n in range(101)]},
])  # fmt: skip
def test_a_plan_that_is_none_or_too_long_ends_by_name(
    rt: Runtime, tenant: Ctx, drain: Drain, made: dict[str, Any]
) -> None:
    script = Script()
    script.on("", Done({"definition": made}))
    run_id = workflows.submit(rt, tenant, Submission(goal="loop for ever")).id
    drain(rt, script.agents())
    status = workflows.status(rt, tenant, run_id)
    assert status["status"] == "failed"
    assert status["error"]["code"]


@pytest.mark.parametrize("cap", [name for name in BUDGETS if name.startswith("tokens")])
def test_a_model_that_is_asked_without_end_uses_up_its_tenants_budget(
    rt: Runtime, cap: str
) -> None:
    ctx = new_tenant(rt, config={"budget": {cap: 1000}})
    for _ in range(11):
        _ask_once(rt, ctx)
    with pytest.raises(QuotaExceeded) as error:
        _ask_once(rt, ctx)
    assert (error.value.slug, error.value.extra["limit"]) == ("budget_exhausted", cap)


def _ask_once(rt: Runtime, ctx: Ctx) -> None:
    with rt.db.transaction(ctx) as tx:
        held = budgets.reserve(tx, ctx, "answer", tokens=90, cpu_ms=1, lapse_ms=60_000)
        budgets.settle(tx, ctx, held, "answer", prompt=60, completion=30, cpu_ms=1)
