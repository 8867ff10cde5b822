"""Any order of submits, work, faults, silence and cancels: every run ends, nothing is left."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

import workflows
from backends.build import open_runtime
from core import failpoints
from core.clock import FakeClock
from core.context import PLATFORM
from core.errors import Conflict, Unavailable
from core.failpoints import FailpointError
from core.settings import Settings
from database import dispatch
from tests.engine import QUEUES, Script, Sent, flow, intent, new_tenant, step
from workflows import Submission, sweeper
from workflows.engine import work_once
from workflows.tasks import Done

FLOWS = (
    flow(step("a"), step("b", "a")),
    flow(step("a"), step("b", "a"), step("c", "a", when="true"), step("d", "b", "c")),
    flow({"id": "each", "for_each": "${documents}", "on_error": "continue",
          "steps": [step("item")]}, step("after", "each")),
    flow(step("act", task="action.act"), step("z", "act")),
)  # fmt: skip
BOUNDARIES = ("claim.commit", "advance.commit", "step.start", "step.commit", "effect.reserve",
              "effect.sent", "effect.call", "effect.commit", "run.commit")  # fmt: skip


class Engine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.stack = contextlib.ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.clock, self.sent, script = FakeClock(), Sent(), Script()
        script.on("act", Done({}, effects=(intent(),)))
        script.on("item", Unavailable("Down."), Done({}), Unavailable("Down."), Done({}))
        made = Settings(
            _env_file=None, data_dir=folder, models_dir=folder, models_url="none:",
            step_attempts_max=50,
        )  # fmt: skip
        self.rt = self.stack.enter_context(
            open_runtime(made, clock=self.clock, more_connectors={"sent": self.sent})
        )
        config = {"pre_approved": [{"connector": "sent", "target": "*"}]}
        self.ctx = new_tenant(self.rt, config=config)
        self.agents = script.agents()
        self.runs: list[str] = []

    @rule(which=st.integers(0, len(FLOWS) - 1))
    def submit(self, which: int) -> None:
        submission = Submission(definition=FLOWS[which], documents=("d1", "d2"))
        self.runs.append(workflows.submit(self.rt, self.ctx, submission).id)

    @rule(boundary=st.sampled_from(BOUNDARIES), side=st.sampled_from(("before", "after")))
    def work_and_fail(self, boundary: str, side: str) -> None:
        failpoints.reset(f"{boundary}:{side}:1=error")
        with contextlib.suppress(FailpointError):
            work_once(self.rt, QUEUES, self.agents)
        failpoints.reset("")

    @rule()
    def work(self) -> None:
        work_once(self.rt, QUEUES, self.agents)

    @rule()
    def fall_silent(self) -> None:
        with self.rt.db.transaction(PLATFORM) as tx:
            dispatch.claim(tx, QUEUES, "silent", lease_ms=1000, running_max=100)

    @rule(seconds=st.sampled_from((1, 31, 400)))
    def wait(self, seconds: int) -> None:
        self.clock.advance(seconds)
        sweeper.sweep(self.rt, self.agents)

    @rule(which=st.integers(0, 20))
    def cancel(self, which: int) -> None:
        if self.runs:
            with contextlib.suppress(Conflict):
                workflows.cancel(self.rt, self.ctx, self.runs[which % len(self.runs)])

    @invariant()
    def a_run_that_goes_on_has_a_job(self) -> None:
        for run_id in self.runs:
            found = workflows.why(self.rt, self.ctx, run_id)
            ended = found["status"] in ("completed", "failed", "cancelled", "needs_review")
            assert ended or found["causes"], found

    def teardown(self) -> None:
        failpoints.reset("")
        for _ in range(60):
            while work_once(self.rt, QUEUES, self.agents):
                pass
            self.clock.advance(400)
            sweeper.sweep(self.rt, self.agents)
        found = [workflows.status(self.rt, self.ctx, run_id) for run_id in self.runs]
        with self.rt.db.read(PLATFORM) as tx:
            left = dispatch.depths(tx)
        self.stack.close()
        assert {one["status"] for one in found} <= {"completed", "cancelled"}, found
        assert left == {}


TestEngine = Engine.TestCase
TestEngine.settings = settings(
    max_examples=12, stateful_step_count=25, deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)  # fmt: skip
