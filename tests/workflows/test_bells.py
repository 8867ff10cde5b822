"""Lost, repeated and shuffled bells cost time, never a run."""

from __future__ import annotations

from backends.build import open_runtime
from core.settings import Settings
from tests.engine import new_tenant
from tests.workflows.bells import STEPS_OF_A_RUN, ordered, under_bad_bells

RUNS = 60


def test_bad_bells_end_in_the_same_state_as_an_ordered_run(settings: Settings) -> None:
    quick = settings.model_copy(update={"sweep_seconds": 0.05, "tenant_running_max": 64})
    with open_runtime(quick) as rt:
        wanted = ordered(rt, new_tenant(rt))
        found, script, bells = under_bad_bells(rt, new_tenant(rt), RUNS, seed=9)
    assert found == [wanted] * RUNS
    assert sum(script.calls.values()) == RUNS * STEPS_OF_A_RUN, "a step was worked twice"
    assert bells.lost > RUNS
    assert bells.repeated > RUNS
