"""Carrying an outside effect out: mark sent, call, record; and what to do when in doubt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core import telemetry
from core.context import Ctx
from core.errors import InDoubt, InvalidInput, Outage, Unavailable, Unfinishable, WeftError
from core.failpoints import fp
from core.ports import Connector, EffectCall
from database import effects, jobs, runs
from database import steps as step_rows
from database.dispatch import Claim
from database.effects import Effect
from database.jobs import FenceLost
from database.runs import Run
from runtime import Runtime
from workflows import accounts, advance, callbacks, execute, gate
from workflows.definitions import Step
from workflows.leases import give_back, patiently
from workflows.supervision import Agents
from workflows.turn import Turn, run_ctx, turn

_log = telemetry.log("workflows")


@dataclass(frozen=True, slots=True)
class _Outcome:
    """`status`: confirmed | refused | unknown, or None: try again later."""

    status: str | None
    response: Mapping[str, Any] | None = None
    error: WeftError | None = None


def perform(rt: Runtime, agents: Agents, claim: Claim) -> None:
    """One claimed effect job, from the row alone: what is sent was frozen when it was reserved."""
    try:
        opened = _opened(rt, agents, claim)
        if opened is None:
            return
        run, effect, call, in_doubt, barred = opened
        about = {
            "weft.run_id": run.id, "weft.tenant_id": claim.tenant, "weft.effect_id": effect.id,
            "weft.connector": effect.connector,
        }  # fmt: skip
        name = f"effect {effect.connector}"
        with (
            telemetry.span(name, parent=run.traceparent, kind="client", attributes=about) as span,
            telemetry.timed(telemetry.effect_seconds, effect.connector),
        ):
            outcome = (
                _Outcome("refused", error=barred) if barred else _act(rt, effect, call, in_doubt)
            )
            if outcome.error is not None:
                span.fail(outcome.error.slug)
        _told(claim, run, effect, outcome)
        # What was done outside must not be in doubt because the database is away just now.
        patiently(rt, lambda: _record(rt, agents, claim, run, effect, outcome))
    except FenceLost:
        return


_Opened = tuple[Run, Effect, EffectCall, bool, WeftError | None]


def _opened(rt: Runtime, agents: Agents, claim: Claim) -> _Opened | None:
    try:
        return _open(rt, agents, claim)
    except Outage:  # nothing was sent
        patiently(rt, lambda: give_back(rt, claim))
        return None


def _open(rt: Runtime, agents: Agents, claim: Claim) -> _Opened | None:
    """Reads policy again and marks it sent, durably. The bool: an earlier try may have arrived; the
    error: it may not be sent (any more)."""
    ctx = _ctx(rt, claim)
    with turn(rt, ctx, "effect.sent", agents=agents) as t:
        run = runs.lock(t.tx, ctx, claim.run_id)
        effect = effects.get(t.tx, ctx, claim.effect_id or "")
        over = run.ended and effect.step_id != callbacks.STEP
        # What was being sent when its run ended is still followed up: it may have arrived.
        if effect.status not in ("reserved", "sent") or (over and effect.status == "reserved"):
            jobs.end(t.tx, claim)
            return None
        jobs.hold(t.tx, claim)
        fresh = effect.status == "reserved"  # what may have arrived is followed up in any case
        barred = (
            gate.objection(t, effect, callback=effect.step_id == callbacks.STEP) if fresh else None
        )
        if barred is None:
            effects.change(
                t.tx, ctx, effect.id, status="sent", sent_ms=t.tx.now_ms,
                attempts=effect.attempts + 1,
            )  # fmt: skip
        config = accounts.config_of(rt, t.tx, ctx, effect.connector, effect.request)
    return run, effect, EffectCall(effect.key, effect.request, config), not fresh, barred


def _ctx(rt: Runtime, claim: Claim) -> Ctx:
    ctx = Ctx(claim.tenant, "system")
    with rt.db.read(ctx) as tx:
        run = runs.get(tx, ctx, claim.run_id)
    return run_ctx(run, claim.tenant)


def _act(rt: Runtime, effect: Effect, call: EffectCall, in_doubt: bool) -> _Outcome:
    connector = rt.connectors.get(effect.connector)
    if connector is None:
        gone = Unfinishable(f"There is no connector {effect.connector!r}.", code="no_connector")
        return _Outcome("refused", error=gone)
    try:
        if in_doubt and effect.effect_class == "blind":
            raise InDoubt(
                "A worker died while this was being sent; it may have arrived. Look it up outside, "
                "then retry or cancel the run.",
                code="in_doubt",
            )
        if in_doubt and effect.effect_class == "checkable":
            found = connector.lookup(call)
            if found is not None:
                return _Outcome("confirmed", found)
        return _Outcome("confirmed", _send(connector, call))
    except Unavailable as error:
        return _Outcome(None, error=error)
    except (Unfinishable, InvalidInput) as error:
        return _Outcome("refused", error=error)
    except WeftError as error:
        return _Outcome(_doubtful(effect), error=error)
    except Exception as error:  # noqa: BLE001 (an edge: whatever a connector raises is doubt)
        _log.exception("a connector broke", run_id=effect.run_id)
        doubt = InDoubt(f"{type(error).__name__}: {error}"[:500], code="in_doubt")
        return _Outcome(_doubtful(effect), error=doubt)


def _told(claim: Claim, run: Run, effect: Effect, outcome: _Outcome) -> None:
    """One line; the target stays out of it, it may be a person's address."""
    _log.info(
        "effect", run_id=run.id, tenant=claim.tenant, request_id=run.request_id,
        effect_id=effect.id, connector=effect.connector, attempt=claim.attempts,
        status=outcome.status or "again", code=outcome.error.slug if outcome.error else None,
    )  # fmt: skip


def _send(connector: Connector, call: EffectCall) -> dict[str, Any]:
    with fp("effect.call"):
        return connector.send(call)


def _doubtful(effect: Effect) -> str | None:
    """Keyed and checkable actions can be tried again; of a blind one nobody knows."""
    return "unknown" if effect.effect_class == "blind" else None


def _record(
    rt: Runtime, agents: Agents, claim: Claim, run: Run, effect: Effect, outcome: _Outcome
) -> None:
    ctx = run_ctx(run, claim.tenant)
    with turn(rt, ctx, "effect.commit", agents=agents) as t:
        run = runs.lock(t.tx, ctx, claim.run_id)
        error = outcome.error.to_json() if outcome.error else None
        if outcome.status is None and outcome.error is not None:
            if claim.attempts < rt.settings.step_attempts_max:
                _again(t, claim, run, effect, outcome.error)
                return
            # Surely not done (or keyed): given up with its reason, kept to be redriven.
            jobs.release(
                t.tx, claim, ready_ms=t.tx.now_ms, attempts=claim.attempts, error=error, dead=True
            )
            t.fact(run.id, "job.dead", effect_id=effect.id, error=error)
        else:
            jobs.end(t.tx, claim)
        status = outcome.status or "refused"
        effects.change(
            t.tx, ctx, effect.id, status=status, response=outcome.response, error=error,
            completed_ms=t.tx.now_ms,
        )  # fmt: skip
        t.fact(
            run.id, f"effect.{status}", effect_id=effect.id, connector=effect.connector,
            target=effect.target,
        )  # fmt: skip
        ended(t, run, effect)
    telemetry.effects.labels(effect.connector, status).inc()


def ended(t: Turn, run: Run, effect: Effect) -> None:
    """One effect less that the step waits for; the last one brings the supervisor back."""
    if effect.step_id == callbacks.STEP:
        return
    left = step_rows.one_less(t.tx, t.ctx, effect.step_id)
    if run.ended:
        return
    if left == 0:
        advance.again(t, run)
    else:
        advance.rest(t, run)


def _again(t: Turn, claim: Claim, run: Run, effect: Effect, error: WeftError) -> None:
    """Later. `Unavailable` surely did not arrive; doubt about a checkable one stays `sent`, so
    that it is looked up first."""
    plain = isinstance(error, Unavailable)
    at = t.tx.now_ms + execute.delay_ms(t.rt, Step("effect", "", ""), claim.attempts, error)
    jobs.release(t.tx, claim, ready_ms=at, attempts=claim.attempts, error=error.to_json())
    effects.change(
        t.tx, t.ctx, effect.id, status="reserved" if plain else "sent", error=error.to_json()
    )
    t.fact(
        run.id, "effect.retrying", effect_id=effect.id, attempt=claim.attempts,
        error=error.to_json(),
    )  # fmt: skip
