"""The last look before something is done outside: is it what was allowed, and is it still?

An approval is bound to connector, target and the canonical request, expires, and counts while its
approver may still approve. What a person said yes to a week ago is looked at again when it is sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from core.context import scopes_of
from core.errors import NotFound, Unfinishable
from database import api_keys, approvals, tenants, users
from database.approvals import Approval
from database.effects import Effect
from workflows.turn import Turn

DECIDE = "approvals:decide"


def bound(connector: str, target: str, request: Mapping[str, Any]) -> str:
    """SHA-256 of what a yes is about: the same in every process, whatever the order of keys."""
    what = {"connector": connector, "target": target, "request": request}
    canonical = json.dumps(what, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def objection(t: Turn, effect: Effect, *, callback: bool = False) -> Unfinishable | None:
    """Why this reserved effect may not be sent, or None. The caller of a run asked for its
    `callback` himself."""
    if bound(effect.connector, effect.target, effect.request) != effect.request_hash:
        return _refused("request_changed", "It is not the request that was reserved.")
    config = tenants.own(t.tx, t.ctx).config
    if callback or standing(config, effect.connector, effect.target):
        return None
    given = [a for a in approvals.of_run(t.tx, t.ctx, effect.run_id) if a.effect_id == effect.id]
    one = given[-1] if given else None
    if one is None or one.status != "approved" or one.request_hash != effect.request_hash:
        return _refused("not_approved", "Nobody approved exactly this request.")
    if one.decided_ms is None or one.decided_ms > one.expires_ms:
        return _refused("approval_expired", "It was approved too late.")
    if not _may_still(t, one):
        return _refused("approver_lost_right", "Who approved it may no longer approve.")
    return None


def _refused(code: str, detail: str) -> Unfinishable:
    return Unfinishable(f"{detail} It was not sent. Ask for it again: retry the run.", code=code)


def _may_still(t: Turn, one: Approval) -> bool:
    kind, _, name = (one.decided_by or "").partition(":")
    try:
        if kind == "user":
            user = users.get(t.tx, t.ctx, name)
            return not user.disabled and DECIDE in scopes_of([user.role])
        if kind == "key":
            return DECIDE in api_keys.get(t.tx, t.ctx, name).scopes
    except NotFound:
        return False
    return False


def standing(config: Mapping[str, Any], connector: str, target: str) -> bool:
    """An admin's standing yes: `pre_approved: [{connector, target}]` in the tenant's config, with
    `*` for any target."""
    rules: Any = config.get("pre_approved")
    return isinstance(rules, list) and any(
        isinstance(rule, Mapping)
        and rule.get("connector") == connector
        and rule.get("target") in ("*", target)
        for rule in rules
    )
