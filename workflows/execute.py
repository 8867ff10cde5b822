"""One step: hand it to its agent, record what comes back, go on with what follows."""

from __future__ import annotations

import contextlib
import contextvars
import random
import threading
from collections.abc import Mapping
from typing import Any

from core import telemetry
from core.errors import InvalidInput, Outage, Rejected, Unavailable, Unfinishable, WeftError
from core.events import AgentMessage
from core.failpoints import fp
from database import jobs, runs
from database import steps as step_rows
from database.dispatch import Claim
from database.jobs import FenceLost
from database.runs import Run
from database.steps import StepRow
from runtime import Runtime
from workflows import advance, definitions, intents, scope, starting
from workflows.definitions import UNDO, Step
from workflows.desk import RunDesk
from workflows.held import Held, Shift
from workflows.leases import patiently
from workflows.supervision import Agents
from workflows.tasks import Defer, Done, TaskSpec, Work
from workflows.turn import Turn, run_ctx, turn
from workflows.watching import watched

BACKOFF_SECONDS_MAX = 300.0
_OPEN = step_rows.OPEN
_DONE = frozenset({"completed", "skipped"})


def open_step(t: Turn, claim: Claim) -> Held | None:
    """A queued step's job was claimed: fills its `with` once and marks it running."""
    run = runs.get(t.tx, t.ctx, claim.run_id)
    t.ctx = run_ctx(run, claim.tenant)
    definition = definitions.stored(run.definition_hash, run.definition)
    rows = step_rows.of_run(t.tx, t.ctx, run.id)
    row = next(one for one in rows.values() if one.id == claim.step_id)
    step = definition.step(row.key)
    payload = row.input
    try:
        if claim.attempts > attempts_max(t.rt, step):
            raise Unavailable(
                f"{claim.attempts - 1} workers fell silent while they did this step.",
                code="workers_lost",
            )
        if payload is None:
            payload = scope.fill(t.tx, t.ctx, run, dict(step.with_), rows)
    except WeftError as error:
        give_up(t, run, row, claim, error, dead=isinstance(error, Unavailable))
        return None
    step_rows.begin(t.tx, t.ctx, row.id, claim.attempts, payload)
    t.fact(run.id, "step.started", step=step.id, agent=step.agent, attempt=claim.attempts)
    ids = {key: one.id for key, one in rows.items()}
    return Held(claim, t.ctx, run, definition, step, ids, payload)


def attempts_max(rt: Runtime, step: Step) -> int:
    return step.retry.attempts or rt.settings.step_attempts_max


def carry(rt: Runtime, agents: Agents, shift: Shift, held: Held) -> Held | None:
    """Does the step and gives the next one that this worker goes on with."""
    try:
        return _carried(rt, agents, shift, held)
    except Outage as error:
        away = error  # by the task, or while its answer was written down
    with contextlib.suppress(FenceLost):
        patiently(rt, lambda: _put_off(rt, agents, held, away))
    return None


def _carried(rt: Runtime, agents: Agents, shift: Shift, held: Held) -> Held | None:
    try:
        with fp("step.start"), watched(held):
            outcome = _call(rt, agents, held)
            if isinstance(outcome, Done) and outcome.effects:
                intents.check(rt, held.ctx, outcome.effects)
    except (FenceLost, Outage):
        raise
    except WeftError as error:
        _failed(rt, agents, held, error)
        return None
    except Exception as error:  # noqa: BLE001 (an edge: a bug in a task must not end the worker)
        broken = Unavailable(f"{type(error).__name__}: {error}"[:500], code="task_broke")
        _failed(rt, agents, held, broken)
        return None
    if isinstance(outcome, Defer):
        _deferred(rt, agents, held, outcome)
        return None
    return _completed(rt, agents, shift, held, outcome)


def _call(rt: Runtime, agents: Agents, held: Held) -> Done | Defer:
    step = held.step
    spec = agents.catalog.find(step.agent, step.task)
    if spec is None:
        raise InvalidInput(f"There is no task {step.agent}.{step.task}.", code="unknown_task")
    message = AgentMessage(
        step.agent, held.run.id, step.task, held.payload, held.run.priority, rt.clock.now_ms()
    )
    work = Work(
        rt, held.ctx, message, held.run.id, held.step_id, held.claim.attempts, RunDesk(rt, held)
    )
    if step.timeout_seconds is None:
        return spec.handler(work)
    return _within(spec, work, step.timeout_seconds)


def _within(spec: TaskSpec, work: Work, seconds: float) -> Done | Defer:
    """The task in a thread of its own. One that does not answer in time is left behind: its fence
    is gone, so nothing that it still does is recorded."""
    box: list[Done | Defer | BaseException] = []

    def run() -> None:
        try:
            box.append(spec.handler(work))
        except BaseException as error:  # noqa: BLE001 (raised again in the waiting thread)
            box.append(error)

    here = contextvars.copy_context()  # the span around it
    name = f"{spec.agent}.{spec.task}"
    thread = threading.Thread(target=here.run, args=(run,), name=name, daemon=True)
    thread.start()
    thread.join(seconds)
    if not box:
        raise Unavailable(f"No answer within {seconds:g} seconds.", code="timeout")
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]


# --- what came back ------------------------------------------------------------------------------


def _completed(rt: Runtime, agents: Agents, shift: Shift, held: Held, done: Done) -> Held | None:
    last = not held.definition.after.get(held.step.id)
    durable = last or bool(done.effects)
    with turn(rt, held.ctx, "step.commit", agents=agents, durable=durable) as t:
        following = _passed_on(t, shift, held, done)
        if following is None:
            following = _recorded(t, shift, held, done)
    if not done.effects:
        telemetry.steps.labels(held.step.agent, "completed").inc()
    return following


def _passed_on(t: Turn, shift: Shift, held: Held, done: Done) -> Held | None:
    if done.usage or done.effects:
        return None
    following = _only(held)
    if following is None:
        return None
    return starting.pass_on(t, shift, held, following, done.output)


def _only(held: Held) -> Step | None:
    """What follows the held step and nothing else, without a decision."""
    after = held.definition.after.get(held.step.id, ())
    if len(after) == 1 and after[0].plain and len(after[0].needs) == 1:
        return after[0]
    return None


def _recorded(t: Turn, shift: Shift, held: Held, done: Done) -> Held | None:
    runs.hold(t.tx, t.ctx, held.run.id)
    if done.usage:
        _spend(t, held, done.usage)
    if done.effects:
        jobs.end(t.tx, held.claim)
        if intents.reserve(t, held, done):
            advance.rest(t, held.run)
        else:
            advance.again(t, held.run)
        return None
    step_rows.finish(t.tx, t.ctx, held.step_id, "completed", output=done.output)
    t.fact(held.run.id, "step.completed", step=held.step.id, agent=held.step.agent)
    return _go_on(t, shift, held)


def _go_on(t: Turn, shift: Shift, held: Held) -> Held | None:
    """Starts what needs no decision; everything else is the supervisor's."""
    after = held.definition.after.get(held.step.id, ())
    if (following := _only(held)) is not None:
        return _next(t, shift, held, following)
    if not after or held.step.id.endswith(UNDO):
        return advance.advance(t, shift, held.claim)
    run = runs.lock(t.tx, t.ctx, held.run.id)
    rows = step_rows.of_run(t.tx, t.ctx, run.id)
    ready = [s for s in after if rows[s.id].status == "pending" and _satisfied(s, held, rows)]
    if ready and all(step.plain for step in ready):
        mine = next((step for step in ready if starting.may_take(t, shift, step)), None)
        starting.queue(t, run, [step for step in ready if step is not mine], held.ids)
        if mine is None:
            jobs.end(t.tx, held.claim)
            return None
        return _next(t, shift, held, mine)
    if not ready and any(row.status in _OPEN for row in rows.values()):
        jobs.end(t.tx, held.claim)
        advance.rest(t, run)
        return None
    return advance.advance(t, shift, held.claim)


def _satisfied(step: Step, held: Held, rows: Mapping[str, StepRow]) -> bool:
    """Every need is over, or failed where that was allowed."""
    return all(
        rows[need].status in _DONE
        or (rows[need].status == "failed" and held.definition.by_id[need].on_error == "continue")
        for need in step.needs
    )


def _next(t: Turn, shift: Shift, held: Held, step: Step) -> Held | None:
    if not starting.may_take(t, shift, step):
        jobs.end(t.tx, held.claim)
        starting.queue(t, held.run, [step], held.ids)
        return None
    try:
        return starting.hand_over(t, shift, held.claim, held.run, held.definition, step, held.ids)
    except WeftError as error:
        row = step_rows.get(t.tx, t.ctx, held.ids[step.id])
        starting.fail(t, held.run, row, error.to_json())
        return advance.advance(t, shift, held.claim)


def _spend(t: Turn, held: Held, usage: Mapping[str, int]) -> None:
    run = runs.lock(t.tx, t.ctx, held.run.id)
    total: dict[str, Any] = dict(run.usage)
    for name, amount in usage.items():
        total[name] = total.get(name, 0) + amount
    runs.change(t.tx, t.ctx, run.id, usage=total)


def _deferred(rt: Runtime, agents: Agents, held: Held, defer: Defer) -> None:
    """Asked to come back later: not an attempt."""
    with turn(rt, held.ctx, "step.commit", agents=agents, durable=False) as t:
        runs.hold(t.tx, t.ctx, held.run.id)
        at = t.tx.now_ms + max(0, int(defer.seconds * 1000))
        tries = held.claim.attempts - 1
        jobs.release(t.tx, held.claim, ready_ms=at, attempts=tries)
        what = {"kind": "task", "what": defer.waiting_for, "until_ms": at}
        step_rows.wait(t.tx, t.ctx, held.step_id, "waiting", what, attempts=tries)


def _failed(rt: Runtime, agents: Agents, held: Held, error: WeftError) -> None:
    """Again later, or over: by its own word (`Rejected`, `Unfinishable`) or out of attempts."""
    step, claim = held.step, held.claim
    final = isinstance(error, Rejected | Unfinishable)
    try:
        with turn(rt, held.ctx, "step.commit", agents=agents) as t:
            if final or claim.attempts >= attempts_max(rt, step):
                run = runs.lock(t.tx, t.ctx, held.run.id)
                row = step_rows.get(t.tx, t.ctx, held.step_id)
                give_up(t, run, row, claim, error, dead=not final)
                return
            runs.hold(t.tx, t.ctx, held.run.id)
            at = t.tx.now_ms + delay_ms(rt, step, claim.attempts, error)
            jobs.release(t.tx, claim, ready_ms=at, attempts=claim.attempts, error=error.to_json())
            what = {"kind": "retry", "until_ms": at}
            step_rows.wait(
                t.tx, t.ctx, held.step_id, "waiting", what, attempts=claim.attempts,
                error=error.to_json(),
            )  # fmt: skip
            telemetry.step_retries.labels(step.agent, error.slug).inc()
            t.fact(
                held.run.id, "step.retrying", step=step.id, agent=step.agent,
                attempt=claim.attempts, error=error.to_json(),
            )  # fmt: skip
    except FenceLost:
        return


def _put_off(rt: Runtime, agents: Agents, held: Held, error: Outage) -> None:
    """An outage spends no attempt: it ends with the store's return, or with the run's deadline.
    Knocks again in one to four times the seconds that the store asked for, so that a thousand
    waiting steps neither storm it when it is back nor keep it waiting for a minute."""
    tries = held.claim.attempts - 1
    asked = float(error.extra.get("retry_after", 2))
    why = error.to_json()
    with turn(rt, held.ctx, "step.commit", agents=agents, durable=False) as t:
        runs.hold(t.tx, t.ctx, held.run.id)
        at = t.tx.now_ms + int(random.uniform(1, 4) * asked * 1000)  # noqa: S311
        row = step_rows.get(t.tx, t.ctx, held.step_id)
        if row.status != "running":  # the commit whose answer was lost had been made
            jobs.release(t.tx, held.claim, ready_ms=t.tx.now_ms, attempts=0)
            return
        known = row.error or {}
        jobs.release(t.tx, held.claim, ready_ms=at, attempts=tries, error=why)
        what = {"kind": "retry", "until_ms": at}
        step_rows.wait(
            t.tx, t.ctx, held.step_id, "waiting", what, attempts=tries, error=why
        )  # fmt: skip
        telemetry.step_retries.labels(held.step.agent, error.slug).inc()
        if known.get("code") != error.slug:  # said once, however long it lasts
            t.fact(
                held.run.id, "step.retrying", step=held.step.id, agent=held.step.agent,
                attempt=held.claim.attempts, error=why,
            )  # fmt: skip


def give_up(t: Turn, run: Run, row: StepRow, claim: Claim, error: WeftError, *, dead: bool) -> None:
    """The step has failed. Out of attempts, its job stays as a dead letter that can be redriven."""
    if dead:
        jobs.release(
            t.tx, claim, ready_ms=t.tx.now_ms, attempts=claim.attempts, error=error.to_json(),
            dead=True,
        )  # fmt: skip
        t.fact(run.id, "job.dead", step=row.key, error=error.to_json())
    else:
        jobs.end(t.tx, claim)
    starting.fail(t, run, row, {**error.to_json(), "attempts": claim.attempts})
    telemetry.steps.labels(row.agent, "failed").inc()
    advance.again(t, run)


def delay_ms(rt: Runtime, step: Step, attempt: int, error: WeftError) -> int:
    """Exponential backoff with full jitter (AWS Architecture Blog, Brooker 2015); what the other
    side asked for where it is longer."""
    base = step.retry.base_seconds
    base = rt.settings.retry_base_seconds if base is None else base
    seconds = random.uniform(0, min(BACKOFF_SECONDS_MAX, base * 2 ** (attempt - 1)))  # noqa: S311
    asked = error.extra.get("retry_after")
    if isinstance(asked, int | float):
        seconds = max(seconds, min(float(asked), 3600.0))
    return int(seconds * 1000)
