"""`work_once`: claim the fairest job and carry its run on as far as this worker's turn allows."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence

from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import Unavailable
from database import dispatch, jobs, runs
from database import steps as step_rows
from database.dispatch import Claim, Round
from database.jobs import FenceLost
from runtime import Runtime
from workflows import advance, definitions, ending, execute, outside
from workflows.held import Held, Shift
from workflows.leases import Leases
from workflows.supervision import Agents
from workflows.turn import Turn, run_ctx, turn

# How long one claim may go on with its run's next steps before the other tenants are looked at.
TURN_MS = 500
_HERE = f"{socket.gethostname()}:{os.getpid()}"


def work_once(
    rt: Runtime,
    queues: Sequence[str],
    agents: Agents,
    *,
    leases: Leases | None = None,
    owner: str = _HERE,
    round_: Round | None = None,
) -> bool:
    """One claimed job and what directly follows it; False when there was none."""
    claim, held = _claim(rt, queues, agents, owner, round_)
    if claim is None:
        return False
    shift = _shift(rt, queues, owner, rt.clock.now_ms())
    leases = Leases() if leases is None else leases
    with leases.holding(claim):
        if claim.kind == "effect":
            outside.perform(rt, agents, claim)
        while held is not None:
            try:
                held = execute.carry(rt, agents, shift, held)
            except FenceLost:
                break
    return True


def _shift(rt: Runtime, queues: Sequence[str], owner: str, now_ms: int) -> Shift:
    lease_ms = int(rt.settings.lease_seconds * 1000)
    return Shift(owner, frozenset(queues), lease_ms, now_ms + TURN_MS)


def _claim(
    rt: Runtime, queues: Sequence[str], agents: Agents, owner: str, round_: Round | None
) -> tuple[Claim | None, Held | None]:
    """Claim and, for a decision, the decision itself in one transaction: it holds no outside call,
    so a crash in it leaves the job as it was."""
    claim: Claim | None = None
    try:
        with turn(rt, PLATFORM, "claim.commit", agents=agents, durable=False) as t:
            shift = _shift(rt, queues, owner, t.tx.now_ms)
            claim = dispatch.claim(
                t.tx, queues, owner, lease_ms=shift.lease_ms,
                running_max=rt.settings.tenant_running_max, round_=round_,
            )  # fmt: skip
            return claim, None if claim is None else _open(t, shift, claim)
    except FenceLost:
        return claim, None
    except Unavailable:
        raise  # the database: nothing was claimed
    except Exception as error:
        if claim is None:
            raise
        telemetry.log("workflows", run_id=claim.run_id, tenant=claim.tenant).exception(
            "a decision broke"
        )
        _put_back(rt, agents, owner, claim, error)
        return claim, None


def _open(t: Turn, shift: Shift, claim: Claim) -> Held | None:
    t.become(Ctx(claim.tenant, f"run:{claim.run_id}"))
    if claim.kind == "advance":
        return advance.advance(t, shift, claim)
    return execute.open_step(t, claim) if claim.kind == "step" else None


def _put_back(rt: Runtime, agents: Agents, owner: str, claim: Claim, error: Exception) -> None:
    """The claim was rolled back with the decision that broke: count the attempt by itself."""
    detail = f"{type(error).__name__}: {error}"[:500]
    broken = Unavailable(detail, code="decision_broke")
    with turn(rt, Ctx(claim.tenant, f"run:{claim.run_id}"), agents=agents) as t:
        run = runs.lock(t.tx, t.ctx, claim.run_id)
        if not dispatch.retake(t.tx, claim, owner, lease_ms=0):
            return
        t.ctx = run_ctx(run, claim.tenant)
        if claim.attempts < rt.settings.step_attempts_max:
            at = t.tx.now_ms + int(rt.settings.retry_base_seconds * 1000 * 2**claim.attempts)
            jobs.release(t.tx, claim, ready_ms=at, attempts=claim.attempts, error=broken.to_json())
            return
        jobs.release(
            t.tx, claim, ready_ms=t.tx.now_ms, attempts=claim.attempts, error=broken.to_json(),
            dead=True,
        )  # fmt: skip
        step_rows.stop_open(t.tx, t.ctx, run.id)
        if not run.ended:
            definition = definitions.stored(run.definition_hash, run.definition)
            ending.end(t, run, definition, "failed", broken.to_json())
