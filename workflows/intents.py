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
from runtime import Runtime
from workflows.held import Held
from workflows.tasks import Done, EffectIntent
from workflows.turn import Turn

QUEUE = "action"


def effect_key(root: bytes, ctx: Ctx, run_id: str, step_id: str, ordinal: int) -> str:
    """The same on every retry and in every process: HMAC-SHA256 under the root key."""
    text = "\0".join(("effect", ctx.tenant, run_id, step_id, str(ordinal)))
    return hmac.new(root, text.encode(), hashlib.sha256).hexdigest()


def request_hash(request: Mapping[str, Any]) -> str:
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def check(rt: Runtime, ctx: Ctx, intents: Sequence[EffectIntent]) -> None:
    """Raises `InvalidInput` before anything is reserved: no such connector, or a bad request."""
    with rt.db.read() as tx:
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


def reserve(t: Turn, held: Held, done: Done) -> None:
    """Rows for the step's effects, approvals for those that nobody pre-approved; the step waits."""
    t.mark("effect.reserve")
    config = tenants.own(t.tx, t.ctx).config
    rows = [
        row(t, held.run.id, held.step_id, ordinal, intent, free=_approved(config, intent))
        for ordinal, intent in enumerate(done.effects)
    ]
    effects.add_many(t.tx, t.ctx, rows)
    asked = [one for one in rows if one["status"] == "waiting_approval"]
    approvals.add_many(t.tx, t.ctx, [_request(t, one) for one in asked])
    jobs.add_many(t.tx, [job(t, one, held.run.priority) for one in rows if one not in asked])
    status = "waiting_approval" if asked else "waiting"
    what = {"kind": "approval" if asked else "effects", "count": len(rows)}
    step_rows.change(
        t.tx, t.ctx, held.step_id, status=status, output=done.output, open_items=len(rows),
        waiting_for=what,
    )  # fmt: skip
    for one in asked:
        t.fact(
            held.run.id, "approval.requested", step=held.step.id, effect_id=one["id"],
            summary=one["summary"],
        )  # fmt: skip
    if len(asked) < len(rows):
        t.ring(QUEUE)


def row(
    t: Turn, run_id: str, step_id: str, ordinal: int, intent: EffectIntent, *, free: bool
) -> dict[str, Any]:
    request = json.loads(json.dumps(dict(intent.request)))
    return {
        "id": new_id(), "run_id": run_id, "step_id": step_id, "ordinal": ordinal,
        "key": effect_key(t.rt.root_key, t.ctx, run_id, step_id, ordinal),
        "connector": intent.connector,
        "effect_class": t.rt.connectors[intent.connector].effect_class,
        "target": intent.target, "summary": intent.summary, "request": request,
        "request_hash": request_hash(request), "sources": [dict(s) for s in intent.sources],
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


def _approved(config: Mapping[str, Any], intent: EffectIntent) -> bool:
    """An admin's standing yes: `pre_approved: [{connector, target}]` in the tenant's config, with
    `*` for any target."""
    rules: Any = config.get("pre_approved")
    return isinstance(rules, list) and any(
        isinstance(rule, Mapping)
        and rule.get("connector") == intent.connector
        and rule.get("target") in ("*", intent.target)
        for rule in rules
    )
