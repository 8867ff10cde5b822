"""Outside systems that documents come from: their position, when they are due, what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from core.context import Ctx
from core.errors import Conflict, NotFound
from database.engine import Tx
from database.inserts import if_absent, one_by_one
from database.named import Named
from database.pages import Page, page
from database.prepared import Prepared
from database.tables import documents, integration_items, integrations

_c, _i = integrations.c, integration_items.c


@dataclass(frozen=True, slots=True)
class Integration:
    """`secrets` is sealed; `schedule` is `{every_seconds}`, `{cron, zone}` or None."""

    id: str
    name: str
    kind: str
    config: Mapping[str, Any]
    secrets: bytes | None
    secret_names: Sequence[str]
    schedule: Mapping[str, Any] | None
    on_gone: str  # keep | remove
    tags: Sequence[str]
    enabled: bool
    cursor: Mapping[str, Any]
    status: str  # new | ok | failing
    error: Mapping[str, Any] | None
    last_run_id: str | None
    due_ms: int | None
    pulled_ms: int | None
    created_by: str
    created_ms: int
    updated_ms: int


@dataclass(frozen=True, slots=True)
class ItemRow:
    """`state`: taken | duplicate | dead | gone | again (to be fetched once more)."""

    item: str
    key: str
    version: str
    state: str
    document_id: str | None
    stale_id: str | None
    error: Mapping[str, Any] | None
    seen_ms: int


_rows = Named(integrations, Integration, "integration", cursor={}, status="new")
create, get, by_name = _rows.create, _rows.get, _rows.by_name
change, remove, listing = _rows.change, _rows.remove, _rows.listing
due, take_due = _rows.due, _rows.take_due
_item_columns = [_i[name] for name in ItemRow.__dataclass_fields__]
# Asked for each item of a pull.
_held = update(integrations).where(
    _c.tenant_id == bindparam("tenant"), _c.id == bindparam("own"),
    _c.handler == bindparam("holder"),
)  # fmt: skip
_moved = Prepared(_held.values(cursor=bindparam("to")))
_stays = Prepared(_held.values(handler=bindparam("same")))
_one_item = Prepared(
    select(*_item_columns).where(
        _i.tenant_id == bindparam("tenant"), _i.integration_id == bindparam("own"),
        _i.item == bindparam("name"),
    )
)  # fmt: skip
_document_of = Prepared(
    select(_i.document_id)
    .join(documents, and_(documents.c.tenant_id == _i.tenant_id, documents.c.id == _i.document_id))
    .where(
        _i.tenant_id == bindparam("tenant"), _i.identity == bindparam("content"),
        _i.state == "taken",
    )
    .limit(1)
)  # fmt: skip


def rotated(
    tx: Tx, ctx: Ctx, integration_id: str, before: bytes | None, after: bytes | None
) -> bool:
    """Secrets in place of those that the caller knew; not when somebody has set others."""
    found = update(integrations).where(_rows.own(ctx, integration_id), _c.secrets == before)
    return tx.execute(found.values(secrets=after)).rowcount == 1


def started(tx: Tx, ctx: Ctx, integration_id: str, run_id: str) -> None:
    tx.execute(
        update(integrations).where(_rows.own(ctx, integration_id)).values(last_run_id=run_id)
    )


def claim(
    tx: Tx, ctx: Ctx, integration_id: str, handler: str, lease_seconds: float, *, before: str = ""
) -> bool:
    """Whether `handler` pulls it now: nobody else does, or his lease is over. One whose name begins
    with `before` is an earlier attempt at the same: it is taken over, and finds its claim lost."""
    free = or_(_c.handler.is_(None), _c.handler == handler, _c.handler_lease_ms < tx.now_ms)
    if before:
        free = or_(free, _c.handler.startswith(before, autoescape=True))
    found = update(integrations).where(_rows.own(ctx, integration_id), free)
    until = tx.now_ms + int(lease_seconds * 1000)
    return tx.execute(found.values(handler=handler, handler_lease_ms=until)).rowcount == 1


def release(tx: Tx, ctx: Ctx, integration_id: str, handler: str, **values: Any) -> None:
    found = update(integrations).where(_rows.own(ctx, integration_id), _c.handler == handler)
    tx.execute(found.values(handler=None, handler_lease_ms=None, **values))


def moved(
    tx: Tx, ctx: Ctx, integration_id: str, handler: str, cursor: Mapping[str, Any] | None
) -> None:
    """The position, for whoever holds the claim; None: where it was. Raises `Conflict` for somebody
    who lost it, and with it what else his transaction does."""
    own = {"tenant": ctx.tenant, "own": integration_id, "holder": handler}
    if cursor is None:
        done = tx.execute(_stays, {**own, "same": handler})
    else:
        done = tx.execute(_moved, {**own, "to": dict(cursor)})
    if done.rowcount != 1:
        raise Conflict("Another run pulls this integration now.", code="claim_lost")


def item(tx: Tx, ctx: Ctx, integration_id: str, key: str) -> ItemRow | None:
    own = {"tenant": ctx.tenant, "own": integration_id, "name": named(key)}
    row = tx.execute(_one_item, own).first()
    return None if row is None else ItemRow(*row)


def item_by_name(tx: Tx, ctx: Ctx, integration_id: str, name: str) -> ItemRow:
    row = tx.execute(select(*_item_columns).where(_item(ctx, integration_id, name))).first()
    if row is None:
        raise NotFound("There is no such item.")
    return ItemRow(*row)


def note_item(
    tx: Tx,
    ctx: Ctx,
    integration_id: str,
    key: str,
    version: str,
    state: str,
    *,
    identity: str | None = None,
    document_id: str | None = None,
    stale_id: str | None = None,
    error: Mapping[str, Any] | None = None,
) -> None:
    """What became of it, in place of what was known."""
    values = {
        "key": key, "version": version, "identity": identity, "state": state,
        "document_id": document_id, "stale_id": stale_id, "error": error, "seen_ms": tx.now_ms,
    }  # fmt: skip
    own = {"tenant_id": ctx.tenant, "integration_id": integration_id, "item": named(key)}
    if tx.execute(if_absent(tx, integration_items), {**own, **values}).rowcount != 1:
        place = _item(ctx, integration_id, named(key))
        tx.execute(update(integration_items).where(place).values(**values))


def document_of(tx: Tx, ctx: Ctx, identity: str, *, alone: bool = False) -> str | None:
    """The document that the same content was taken as before, from whatever place, if it is still
    there. `alone`: whoever asks for the same one waits for this transaction."""
    if alone:
        one_by_one(tx, f"{ctx.tenant} {identity}")
    row = tx.execute(_document_of, {"tenant": ctx.tenant, "content": identity}).first()
    return None if row is None else str(row[0])


def items(
    tx: Tx, ctx: Ctx, integration_id: str, *, state: str | None, limit: int, cursor: str | None
) -> Page[ItemRow]:
    """The latest first."""
    query = select(*_item_columns).where(_i.tenant_id == ctx.tenant)
    query = query.where(_i.integration_id == integration_id)
    if state is not None:
        query = query.where(_i.state == state)
    keys = (_i.seen_ms, _i.item)
    return page(tx, query, keys, lambda row: ItemRow(*row), limit=limit, cursor=cursor)


def present(tx: Tx, ctx: Ctx, integration_id: str, limit: int) -> frozenset[str]:
    """Keys of what was there at the last look. Never more than `limit`."""
    query = select(_i.key).where(
        _i.tenant_id == ctx.tenant, _i.integration_id == integration_id, _i.state != "gone"
    )
    return frozenset(key for (key,) in tx.execute(query.limit(limit)))


def counts(tx: Tx, ctx: Ctx, integration_id: str) -> dict[str, int]:
    """How many items are in each state."""
    query = (
        select(_i.state, func.count())
        .where(_i.tenant_id == ctx.tenant, _i.integration_id == integration_id)
        .group_by(_i.state)
    )
    return {str(state): int(count) for state, count in tx.execute(query)}


def stale(tx: Tx, ctx: Ctx, integration_id: str, limit: int) -> list[ItemRow]:
    """Items whose earlier document is still to be removed."""
    query = select(*_item_columns).where(
        _i.tenant_id == ctx.tenant, _i.integration_id == integration_id, _i.stale_id.is_not(None)
    )
    return [ItemRow(*row) for row in tx.execute(query.limit(limit))]


def freed(tx: Tx, ctx: Ctx, integration_id: str, name: str) -> None:
    tx.execute(
        update(integration_items).where(_item(ctx, integration_id, name)).values(stale_id=None)
    )


def named(key: str) -> str:
    return sha256(key.encode()).hexdigest()


def _item(ctx: Ctx, integration_id: str, name: str) -> ColumnElement[bool]:
    return and_(_i.tenant_id == ctx.tenant, _i.integration_id == integration_id, _i.item == name)
