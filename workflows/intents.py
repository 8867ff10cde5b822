"""From a task's intents to frozen effect rows: key, request, policy."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Ctx
from core.errors import InvalidInput
from core.ids import new_id
from core.ports import EffectCall
from database import approvals, effects, jobs, tenants
from database import steps as step_rows
from database.effects import Effect
from runtime import Runtime
from workflows.gate import bound, standing
from workflows.held import Held
from workflows.tasks import Done, EffectIntent
from workflows.turn import Turn

QUEUE = "action"


def effect_key(root: bytes, ctx: Ctx, run_id: str, step_id: str, ordinal: int) -> str:
    """The same on every retry and in every process: HMAC-SHA256 under the root key."""
    text = "\0".join(("effect", ctx.tenant, run_id, step_id, str(ordinal)))
    return hmac.new(root, text.encode(), hashlib.sha256).hexdigest()


def check(rt: Runtime, ctx: Ctx, intents: Sequence[EffectIntent]) -> None:
    """Raises `InvalidInput` before anything is reserved: no such connector, or a bad request."""
    with rt.db.read(ctx) as tx:
        config = tenants.own(tx, ctx).config
    for intent in intents:
        connector = rt.connectors.get(intent.connector)
        if connector is None:
            known = ", ".join(sorted(rt.connectors))
            raise InvalidInput(
                f"There is no connector {intent.connector!r}; there are: {known}.",
                code="no_connector",
            )
        connector.check(EffectCall("check", intent.request, config))


def reserve(t: Turn, held: Held, done: Done) -> int:
    """Rows for the step's effects, approvals for those that nobody pre-approved; the step waits.

    After a retry of the run, what was confirmed stays done under its key; the rest is asked anew.
    Gives how many are open.
    """
    t.mark("effect.reserve")
    config = tenants.own(t.tx, t.ctx).config
    before = {
        one.ordinal: one
        for one in effects.of_run(t.tx, t.ctx, held.run.id) if one.step_id == held.step_id
    }  # fmt: skip
    wanted = [
        row(
            t,
            held.run.id,
            held.step_id,
            ordinal,
            intent,
            free=standing(config, intent.connector, intent.target),
        )
        for ordinal, intent in enumerate(done.effects)
        if ordinal not in before or before[ordinal].status != "confirmed"
    ]
    effects.add_many(t.tx, t.ctx, [one for one in wanted if one["ordinal"] not in before])
    for one in wanted:
        if one["ordinal"] in before:
            _again(t, before[one["ordinal"]], one)
    asked = [one for one in wanted if one["status"] == "waiting_approval"]
    approvals.add_many(t.tx, t.ctx, [_request(t, one) for one in asked])
    free = [one for one in wanted if one not in asked]
    jobs.add_many(t.tx, t.ctx, [job(t, one, held.run.priority) for one in free])
    step_rows.change(
        t.tx, t.ctx, held.step_id, output=done.output, open_items=len(wanted),
        status="waiting_approval" if asked else "waiting",
        waiting_for={"kind": "approval" if asked else "effects", "count": len(wanted)},
    )  # fmt: skip
    for one in asked:
        t.fact(
            held.run.id, "approval.requested", step=held.step.id, effect_id=one["id"],
            summary=one["summary"],
        )  # fmt: skip
    t.ring(QUEUE, min(len(free), 4))
    return len(wanted)


def _again(t: Turn, old: Effect, new: dict[str, Any]) -> None:
    """The row of an earlier try takes the new request; its key stays."""
    new["id"] = old.id
    fresh = {name: new[name] for name in (
        "connector", "effect_class", "target", "summary", "request", "request_hash", "sources",
        "cost_micro", "status",
    )}  # fmt: skip
    effects.change(
        t.tx, t.ctx, old.id, **fresh, response=None, error=None, sent_ms=None, completed_ms=None
    )


def row(
    t: Turn, run_id: str, step_id: str, ordinal: int, intent: EffectIntent, *, free: bool
) -> dict[str, Any]:
    request = json.loads(json.dumps(dict(intent.request)))
    return {
        "id": new_id(), "run_id": run_id, "step_id": step_id, "ordinal": ordinal,
        "key": effect_key(t.rt.root_key, t.ctx, run_id, step_id, ordinal),
        "connector": intent.connector,
        "effect_class": intent.effect_class or t.rt.connectors[intent.connector].effect_class,
        "target": intent.target, "summary": intent.summary, "request": request,
        "request_hash": bound(intent.connector, intent.target, request),
        "sources": [dict(s) for s in intent.sources],
        "cost_micro": intent.cost_micro, "status": "reserved" if free else "waiting_approval",
        "attempts": 0, "created_ms": t.tx.now_ms,
    }  # fmt: skip


def job(t: Turn, effect: Mapping[str, Any], priority: int) -> dict[str, Any]:
    return jobs.new_row(
        t.tx, t.ctx, effect["run_id"], "effect", QUEUE, priority=priority,
        effect_id=effect["id"],
    )  # fmt: skip


def _request(t: Turn, effect: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": new_id(), "run_id": effect["run_id"], "step_id": effect["step_id"],
        "effect_id": effect["id"], "kind": "effect", "summary": effect["summary"],
        "request_hash": effect["request_hash"], "status": "waiting",
        "expires_ms": t.tx.now_ms + t.rt.settings.approval_seconds_max * 1000,
        "created_ms": t.tx.now_ms,
    }  # fmt: skip
