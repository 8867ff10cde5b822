"""Documents: what was uploaded, how far its reading is, what was found in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy import delete as _delete

from core import codec
from core.context import Ctx
from core.documents import Fields
from core.errors import InvalidInput, NotFound
from database import pages
from database.engine import Tx
from database.tables import documents

_c = documents.c
_FILTERS = ("status", "document_type", "format", "parent_id", "duplicate_of", "sha256", "filename")

_BATCH = 500  # ids in one statement


@dataclass(frozen=True, slots=True)
class NewDocument:
    id: str
    filename: str
    format: str
    content_type: str
    sha256: str
    size: int  # bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tags: Sequence[str] = ()
    parent_id: str | None = None
    duplicate_of: str | None = None
    password: bytes | None = None  # sealed


@dataclass(frozen=True, slots=True)
class DocumentRow:
    id: str
    filename: str
    format: str
    content_type: str
    document_type: str
    sha256: str
    size: int
    status: str  # received | parsing | embedding | ready | failed
    error: dict[str, Any] | None
    warnings: tuple[str, ...]
    pages: int | None
    chunks: int | None
    language: str | None
    metadata: dict[str, Any]
    tags: tuple[str, ...]
    parent_id: str | None
    duplicate_of: str | None
    created_by: str
    created_ms: int
    updated_ms: int


_columns = [_c[name] for name in DocumentRow.__dataclass_fields__]


def create(tx: Tx, ctx: Ctx, new: NewDocument) -> DocumentRow:
    """Status `received`."""
    tx.execute(
        insert(documents),
        {
            "tenant_id": ctx.tenant, "id": new.id, "filename": new.filename, "format": new.format,
            "content_type": new.content_type, "sha256": new.sha256, "size": new.size,
            "status": "received", "warnings": [], "metadata": dict(new.metadata),
            "tags": list(new.tags), "parent_id": new.parent_id, "duplicate_of": new.duplicate_of,
            "password": new.password, "created_by": ctx.actor, "created_ms": tx.now_ms,
            "updated_ms": tx.now_ms,
        },
    )  # fmt: skip
    return get(tx, ctx, new.id)


def get(tx: Tx, ctx: Ctx, document_id: str, *, lock: bool = False) -> DocumentRow:
    query = select(*_columns).where(_is(ctx, document_id))
    row = tx.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"There is no document {document_id}.")
    return _made(row)


def many(tx: Tx, ctx: Ctx, document_ids: Sequence[str]) -> tuple[DocumentRow, ...]:
    """Those that exist, in the order asked for; any number may be asked for."""
    found: dict[str, DocumentRow] = {}
    for at in range(0, len(document_ids), _BATCH):
        rows = _all(tx, ctx, _c.id.in_(document_ids[at : at + _BATCH]))
        found |= {row.id: row for row in rows}
    return tuple(found[one] for one in document_ids if one in found)


def existing(tx: Tx, ctx: Ctx, document_ids: Sequence[str]) -> set[str]:
    """Which of these ids have a row; any number may be asked for."""
    found: set[str] = set()
    for at in range(0, len(document_ids), _BATCH):
        some = document_ids[at : at + _BATCH]
        query = select(_c.id).where(_c.tenant_id == ctx.tenant, _c.id.in_(some))
        found.update(tx.execute(query).scalars())
    return found


def listing(
    tx: Tx,
    ctx: Ctx,
    *,
    limit: int = 50,
    cursor: str | None = None,
    filters: Mapping[str, str] | None = None,
) -> pages.Page[DocumentRow]:
    """Newest first. `filters`: column → value, for the columns named in the error otherwise."""
    query = select(*_columns).where(_c.tenant_id == ctx.tenant)
    for name, value in (filters or {}).items():
        if name not in _FILTERS:
            raise InvalidInput(f"Documents are filtered by {', '.join(_FILTERS)}.", field=name)
        query = query.where(_c[name] == value)
    return pages.page(tx, query, (_c.created_ms, _c.id), _made, limit=limit, cursor=cursor)


def by_hash(tx: Tx, ctx: Ctx, sha256: str) -> DocumentRow | None:
    """The oldest document of these bytes that is no copy itself and has not failed."""
    same = (_c.sha256 == sha256, _c.duplicate_of.is_(None), _c.status != "failed")
    rows = _all(tx, ctx, *same)
    return rows[0] if rows else None


def children(tx: Tx, ctx: Ctx, document_id: str) -> tuple[DocumentRow, ...]:
    """Documents that were attached to this one, or to the one that it is a copy of."""
    own = _all(tx, ctx, _c.parent_id == document_id)
    if own:
        return own
    original = select(_c.duplicate_of).where(_is(ctx, document_id)).scalar_subquery()
    return _all(tx, ctx, _c.parent_id == original)


def ready(tx: Tx, ctx: Ctx) -> tuple[DocumentRow, ...]:
    """All that were read, oldest first."""
    return _all(tx, ctx, _c.status == "ready")


def on_the_way(tx: Tx, ctx: Ctx) -> bool:
    """Whether any is still being read or embedded."""
    waits = _c.status.in_(("received", "parsing", "embedding"))
    query = select(_c.id).where(_c.tenant_id == ctx.tenant, waits).limit(1)
    return tx.execute(query).first() is not None


def copies(tx: Tx, ctx: Ctx, document_id: str) -> tuple[DocumentRow, ...]:
    return _all(tx, ctx, _c.duplicate_of == document_id)


def claim(tx: Tx, ctx: Ctx, document_id: str, handler: str, lease_seconds: float) -> bool:
    """Whether `handler` may read the document now: nobody else does, or its lease is over."""
    free = or_(_c.handler.is_(None), _c.handler == handler, _c.handler_lease_ms <= tx.now_ms)
    until = tx.now_ms + int(lease_seconds * 1000)
    done = tx.execute(
        update(documents)
        .where(_is(ctx, document_id), free)
        .values(handler=handler, handler_lease_ms=until)
    )
    return done.rowcount == 1


def release(tx: Tx, ctx: Ctx, document_id: str, handler: str) -> None:
    tx.execute(
        update(documents)
        .where(_is(ctx, document_id), _c.handler == handler)
        .values(handler=None, handler_lease_ms=None)
    )


def set_status(tx: Tx, ctx: Ctx, document_id: str, status: str, **facts: Any) -> None:
    """`facts`: other columns that became known with it; `error` is cleared unless given."""
    values = {"error": None, **facts, "status": status, "updated_ms": tx.now_ms}
    if status in ("ready", "failed"):
        values |= {"handler": None, "handler_lease_ms": None, "password": None}
    done = tx.execute(update(documents).where(_is(ctx, document_id)).values(**values))
    if done.rowcount != 1:
        raise NotFound(f"There is no document {document_id}.")


def password(tx: Tx, ctx: Ctx, document_id: str) -> bytes | None:
    """Sealed; None when there is none or the document was read."""
    sealed: bytes | None = tx.execute(
        select(_c.password).where(_is(ctx, document_id))
    ).scalar_one_or_none()
    return sealed


def save_fields(tx: Tx, ctx: Ctx, document_id: str, fields: Fields) -> None:
    """What extraction found; its document type replaces an unknown one."""
    values: dict[str, Any] = {
        "fields": json.loads(codec.encode(Fields, fields)), "updated_ms": tx.now_ms,
    }  # fmt: skip
    if fields.document_type != "other":
        values["document_type"] = fields.document_type
    done = tx.execute(update(documents).where(_is(ctx, document_id)).values(**values))
    if done.rowcount != 1:
        raise NotFound(f"There is no document {document_id}.")


def fields(tx: Tx, ctx: Ctx, document_id: str) -> Fields | None:
    """None while nothing was extracted."""
    row = tx.execute(select(_c.fields).where(_is(ctx, document_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no document {document_id}.")
    return None if row[0] is None else codec.decode(Fields, json.dumps(row[0]).encode())


def delete(tx: Tx, ctx: Ctx, document_id: str) -> None:
    """Attached documents go with it."""
    done = tx.execute(_delete(documents).where(_is(ctx, document_id)))
    if done.rowcount != 1:
        raise NotFound(f"There is no document {document_id}.")


def counts(tx: Tx, ctx: Ctx) -> dict[str, int]:
    """Documents by status."""
    query = (
        select(_c.status, func.count().label("held"))
        .where(_c.tenant_id == ctx.tenant)
        .group_by(_c.status)
    )
    return {row["status"]: row["held"] for row in tx.execute(query).mappings()}


def stored_bytes(tx: Tx, ctx: Ctx) -> int:
    """Bytes of all originals."""
    query = select(func.coalesce(func.sum(_c.size), 0)).where(_c.tenant_id == ctx.tenant)
    return int(tx.execute(query).scalar_one())


def _is(ctx: Ctx, document_id: str) -> ColumnElement[bool]:
    return and_(_c.tenant_id == ctx.tenant, _c.id == document_id)


def _all(tx: Tx, ctx: Ctx, *where: ColumnElement[bool]) -> tuple[DocumentRow, ...]:
    query = select(*_columns).where(_c.tenant_id == ctx.tenant, *where)
    return tuple(_made(row) for row in tx.execute(query.order_by(_c.created_ms, _c.id)))


def _made(row: Any) -> DocumentRow:
    values = dict(row._mapping)
    values["warnings"] = tuple(values["warnings"])
    values["tags"] = tuple(values["tags"])
    return DocumentRow(**values)
