"""Integrations as people set them up: checked before they are kept, secrets sealed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from agents import refusals
from agents.access import access_of, sealed
from core.context import Ctx
from core.errors import InvalidInput, WeftError
from core.ids import new_id
from database import Tx, audit, integrations
from database.integrations import Integration
from ingestion.sources.kinds import check_secrets, checked, source
from runtime import Runtime
from workflows import schedules, triggers
from workflows.accounts import secrets_of

# Of an integration whose settings are others now.
_UNTRIED: Mapping[str, Any] = {"status": "new", "error": None}


def create(rt: Runtime, tx: Tx, ctx: Ctx, values: Mapping[str, Any]) -> Integration:
    """`kind, name, config, secrets, schedule, on_gone, tags, enabled`. Raises `InvalidInput` that
    names the field."""
    own = new_id()
    config = checked(values["kind"], values["config"], rt.net)
    check_secrets(values["kind"], values["secrets"], config)
    schedule = schedules.check(values["schedule"]) if values["schedule"] else None
    row = integrations.create(tx, ctx, own, {
        **values, "config": config, "schedule": schedule,
        "secrets": sealed(rt, ctx, own, values["secrets"]),
        "secret_names": sorted(values["secrets"]),
        "due_ms": tx.now_ms if schedule and "every_seconds" in schedule else (
            schedules.following(schedule, tx.now_ms) if schedule else None),
        "watch_lease_ms": _unwatched(config),
    })  # fmt: skip
    audit.record(tx, ctx, "integration.create", own, {"kind": row.kind, "name": row.name})
    return row


def change(rt: Runtime, tx: Tx, ctx: Ctx, own: str, values: Mapping[str, Any]) -> Integration:
    """What is not in `values` stays. Another configuration begins at the beginning; what was taken
    is still known."""
    row, made = integrations.get(tx, ctx, own), dict(values)
    if "config" in made:
        made["config"] = checked(row.kind, made["config"], rt.net)
        if made["config"] != row.config:
            made |= {"cursor": {}, **_UNTRIED}
    if given := made.pop("secrets", {}):
        secrets = {**secrets_of(rt, ctx, row), **given}
        check_secrets(row.kind, secrets, made.get("config", row.config))
        made |= {"secrets": sealed(rt, ctx, own, secrets), "secret_names": sorted(secrets),
                 **_UNTRIED}  # fmt: skip
    if made.keys() & {"schedule", "status"}:
        made |= _timed(row, made, tx.now_ms)
    if made.keys() & {"config", "enabled", "secrets"}:  # whoever listens now begins anew
        made["watch_lease_ms"] = _unwatched(made.get("config", row.config))
    if made:
        integrations.change(tx, ctx, own, **made)
    audit.record(tx, ctx, "integration.change", own, {"fields": sorted(values)})
    return integrations.get(tx, ctx, own)


def remove(tx: Tx, ctx: Ctx, own: str) -> None:
    """The documents that came from there stay."""
    integrations.remove(tx, ctx, own)
    audit.record(tx, ctx, "integration.remove", own, {})


def test(rt: Runtime, ctx: Ctx, own: str) -> tuple[bool, str, str | None]:
    """Whether it can be used, what was found or what failed in words, and the failure's code.
    Changes nothing there or here."""
    with rt.db.read(ctx) as tx:
        row = integrations.get(tx, ctx, own)
    try:
        return True, source(row.kind).test(access_of(rt, ctx, row)), None
    except WeftError as error:
        return False, error.detail, error.slug
    except (OSError, ValueError) as error:  # the edge of somebody else's protocol
        return False, f"The other side answered what cannot be read: {error}"[:300], "unreadable"


def pull(rt: Runtime, tx: Tx, ctx: Ctx, own: str) -> str:
    """The run that looks now. The caller rings after its commit."""
    integrations.get(tx, ctx, own)
    return triggers.pull(rt, tx, ctx, own)


def again(tx: Tx, ctx: Ctx, own: str, item: str) -> None:
    """A dead letter is fetched once more at the next pull, from the beginning of the place."""
    integrations.get(tx, ctx, own)
    one = integrations.item_by_name(tx, ctx, own, item)
    if one.state != "dead":
        raise InvalidInput("Only a dead letter can be fetched again.", code="not_dead")
    integrations.note_item(tx, ctx, own, one.key, "", "again", error=one.error)
    integrations.change(tx, ctx, own, cursor={})


def _timed(row: Integration, made: Mapping[str, Any], now_ms: int) -> dict[str, Any]:
    """When it is due. Another password is not kept waiting for the one that was refused, and that
    one is not tried sooner by another schedule."""
    given = made.get("schedule", row.schedule)
    schedule = schedules.check(given) if given else None
    if "status" in made:
        watched = made.get("config", row.config).get("watch")
        return {"schedule": schedule, "due_ms": now_ms if schedule or watched else None}
    at = max(schedules.following(schedule, now_ms), refusals.next_ms(row)) if schedule else None
    return {"schedule": schedule, "due_ms": at}


def _unwatched(config: Mapping[str, Any]) -> int | None:
    return 0 if config.get("watch") else None
