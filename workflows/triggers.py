"""What starts a workflow by itself: its time has come, a document was read, a signed call came.

Each start is one run, submitted in the transaction that takes the occasion, so that nothing that
dies in between loses or repeats it. What a trigger starts may do what its maker may, but decide on
approvals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from core import telemetry
from core.clock import rfc3339
from core.context import PLATFORM, Ctx, scopes_of
from core.errors import InvalidInput, NotFound, Rejected, Unfinishable
from core.failpoints import fp
from database import Tx, integrations, runs, tenants, triggers
from database.documents import DocumentRow
from database.named import Due
from database.triggers import Trigger
from runtime import Runtime
from workflows import admission, expressions, registry, schedules
from workflows.submission import SUPERVISOR, Submission, submit_in

ACTOR = "trigger:"
PRESETS = ("standard", "github", "stripe", "hmac")
_DOCUMENT, _WEBHOOK = {"when"}, {"preset", "header", "prefix", "encoding", "id_header"}
# What a run that nobody watches may do: nothing of it decides an approval.
GRANTED = scopes_of(["operator"]) - {"approvals:decide"}
PULL = "pull-source@0"  # the built-in one, whatever a tenant calls its own
_AT_ONCE = 50
_SOON_MS = 2_000
_REFUSED = (Rejected, Unfinishable)
_log = telemetry.log("workflows")


def actor_of(trigger: Trigger) -> str:
    return f"{ACTOR}{trigger.id}"


def context_of(tenant: str, trigger: Trigger) -> Ctx:
    """Whose runs it starts."""
    return Ctx(tenant, actor_of(trigger), frozenset({"operator"}), frozenset(trigger.scopes))


def checked(
    tx: Tx, ctx: Ctx, kind: str, config: Mapping[str, Any], workflow: str, inputs: Mapping[str, Any]
) -> tuple[dict[str, Any], int | None]:
    """The configuration with its defaults, and when it is due first. Raises `InvalidInput` or
    `NotFound` for what could never start."""
    registry.get(tx, ctx, workflow)
    for text in expressions.placeholders(inputs):
        expressions.parse(text)
    if kind == "schedule":
        made = schedules.check(config, "config")
        return made, schedules.following(made, tx.now_ms)
    allowed = {"document": _DOCUMENT, "webhook": _WEBHOOK}[kind]
    for name, value in config.items():
        if name not in allowed or not isinstance(value, str) or len(value) > 500:
            raise InvalidInput(
                f"A {kind} trigger takes texts: {', '.join(sorted(allowed))}.",
                code="bad_config", field=f"config.{name}",
            )  # fmt: skip
    if kind == "document":
        expressions.parse(config.get("when") or "true")
        return dict(config), None
    made = {"preset": "standard", **config}
    if made["preset"] not in PRESETS or (made["preset"] == "hmac") is not ("header" in made):
        raise InvalidInput(
            f"`preset` is one of {', '.join(PRESETS)}; hmac alone needs a `header`.",
            code="bad_config", field="config.preset",
        )  # fmt: skip
    if made.get("encoding", "hex") not in ("hex", "base64"):
        raise InvalidInput(
            "`encoding` is hex or base64.", code="bad_config", field="config.encoding"
        )
    return made, None


def sweep(rt: Runtime) -> int:
    """Starts what is due; gives how many. Any number of workers may sweep at once: who takes the
    time moves it on, and the others find nothing."""
    with rt.db.read(PLATFORM) as tx:
        pulls, timed = integrations.due(tx, _AT_ONCE), triggers.due(tx, _AT_ONCE)
    started = sum(_alone(rt, _pull_due, one) for one in pulls)
    started += sum(_alone(rt, _fire_due, one) for one in timed)
    if started:
        ring(rt)
    return started


def _alone(rt: Runtime, start_due: Callable[[Runtime, Due], int], one: Due) -> int:
    """What cannot be started keeps nobody else's time from coming."""
    try:
        return start_due(rt, one)
    except _REFUSED as error:
        _log.warning("what is due cannot start", tenant=one.tenant, id=one.id, code=error.slug)
        return 0


def ring(rt: Runtime) -> None:
    rt.jobs.ring(SUPERVISOR)
    rt.jobs.ring("relay")


def _pull_due(rt: Runtime, due: Due) -> int:
    ctx = Ctx(due.tenant, "system")
    if _busy(rt, ctx, due):
        return 0
    with fp("trigger.commit"), rt.db.transaction(ctx) as tx:
        one = integrations.get(tx, ctx, due.id)
        following = schedules.following(one.schedule, tx.now_ms) if one.schedule else None
        if not integrations.take_due(tx, ctx, due, following):
            return 0
        pull(rt, tx, ctx, one.id)
    return 1


def _busy(rt: Runtime, ctx: Ctx, due: Due) -> bool:
    """While a pull goes on no other is started to wait for it: it is due again soon after."""
    with rt.db.read(ctx) as tx:
        last = integrations.get(tx, ctx, due.id).last_run_id
    try:
        if last is None or runs.ended_at(rt.db, ctx, last) is not None:
            return False
    except NotFound:
        return False
    with rt.db.transaction(ctx, durable=False) as tx:
        integrations.take_due(tx, ctx, due, tx.now_ms + _SOON_MS)
    return True


def pull(rt: Runtime, tx: Tx, ctx: Ctx, integration_id: str) -> str:
    """The run that looks what is new there; gives its id. The caller rings after its commit."""
    own = Ctx(ctx.tenant, f"integration:{integration_id}", frozenset({"operator"}),
              frozenset({"documents:write"}), ctx.request_id)  # fmt: skip
    run = submit_in(
        rt, tx, own, Submission(workflow=PULL, inputs={"integration_id": integration_id})
    )
    integrations.started(tx, ctx, integration_id, run.id)
    return run.id


def _fire_due(rt: Runtime, due: Due) -> int:
    ctx = Ctx(due.tenant, "system")
    with rt.db.read(ctx) as tx:
        one, tier = triggers.get(tx, ctx, due.id), tenants.own(tx, ctx).tier
        times, following = schedules.turns(one.config, due.due_ms, tx.now_ms)
    leaves = [leave(rt, one, due.tenant, tier) for _ in times]
    with fp("trigger.commit"), rt.db.transaction(ctx) as tx:
        if not triggers.take_due(tx, ctx, due, following):
            return 0
        for at, allowed in zip(times, leaves, strict=True):
            _start(rt, tx, one, ctx.tenant, {"kind": "schedule", "at": rfc3339(at)}, allowed)
    return len(times)


Leave = Rejected | None


def leave(rt: Runtime, one: Trigger, tenant: str, tier: str) -> Leave:
    """What the tenant's limits say to one more run: asked before a transaction begins, because the
    limiter may be another server. None: it may start."""
    try:
        admission.admit_run(rt, context_of(tenant, one), tier)
    except Rejected as error:
        return error
    return None


def waiting_for(rt: Runtime, ctx: Ctx, row: DocumentRow) -> Mapping[str, Leave]:
    """The triggers that a document, as it is once it was read, will start. Documents that a run
    made start nothing: no circle; nor do copies, whatever is told of them: nothing is paid twice
    because it came by two ways."""
    if row.created_by.startswith("run:") or row.duplicate_of is not None:
        return {}
    with rt.db.read(ctx) as tx:
        found = triggers.of_kind(tx, ctx, "document")
        tier = tenants.own(tx, ctx).tier if found else ""
    event = _event_of(row)
    return {one.id: leave(rt, one, ctx.tenant, tier) for one in found if _wanted(one, event)}


def document_ready(
    rt: Runtime, tx: Tx, ctx: Ctx, row: DocumentRow, waiting: Mapping[str, Leave]
) -> int:
    """In the transaction that makes a document ready; gives how many runs start, and the caller
    rings after its commit. `waiting`: what `waiting_for` gave."""
    found = triggers.of_kind(tx, ctx, "document") if waiting else []
    event = _event_of(row)
    return sum(
        _start(rt, tx, one, ctx.tenant, event, waiting[one.id], documents=(row.id,))
        for one in found
        if one.id in waiting
    )


def _event_of(row: DocumentRow) -> dict[str, Any]:
    source = row.created_by.removeprefix("integration:")
    return {
        "kind": "document",
        "document": {
            "id": row.id, "filename": row.filename, "format": row.format,
            "document_type": row.document_type, "language": row.language, "size": row.size,
            "metadata": row.metadata, "tags": list(row.tags), "parent_id": row.parent_id,
            "integration_id": source if source != row.created_by else None,
        },
    }  # fmt: skip


def _wanted(one: Trigger, event: Mapping[str, Any]) -> bool:
    """A condition that does not fit this document (a field that is not there) does not hold."""
    try:
        return not one.config.get("when") or expressions.holds(one.config["when"], event)
    except InvalidInput:
        return False


def start(rt: Runtime, tx: Tx, one: Trigger, tenant: str, event: Mapping[str, Any],
          documents: tuple[str, ...] = ()) -> str:  # fmt: skip
    """One run, for which there is leave. Raises what `submit_in` raises."""
    ctx = context_of(tenant, one)
    inputs = expressions.fill(dict(one.inputs), {"event": event, **event})
    run = submit_in(rt, tx, ctx, Submission(
        workflow=one.workflow, inputs=inputs, documents=documents,
        metadata={"trigger_id": one.id, "trigger": one.name},
    ))  # fmt: skip
    triggers.fired(tx, ctx, one.id, run.id)
    return run.id


def _start(rt: Runtime, tx: Tx, one: Trigger, tenant: str, event: Mapping[str, Any],
           allowed: Leave, documents: tuple[str, ...] = ()) -> int:  # fmt: skip
    """What cannot start is written on the trigger: nobody waits for an answer."""
    try:
        if allowed is not None:
            raise allowed
        start(rt, tx, one, tenant, event, documents)
    except _REFUSED as error:
        triggers.failed(tx, context_of(tenant, one), one.id, error.to_json())
        return 0
    return 1
