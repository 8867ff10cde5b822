"""A tenant's report templates, by name and version; a version never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, insert, select

from core.context import Ctx
from core.errors import NotFound
from database import audit
from database.engine import Tx
from database.tables import report_templates as table


@dataclass(frozen=True, slots=True)
class SavedTemplate:
    """`body` is the template as JSON, already checked by `reports.parse`."""

    name: str
    version: int
    body: Mapping[str, Any]
    created_by: str
    created_ms: int


def save(tx: Tx, ctx: Ctx, name: str, body: Mapping[str, Any]) -> SavedTemplate:
    """The next version; the latest one again when the body is the same."""
    latest = _one(tx, ctx, name, None)
    if latest is not None and latest.body == body:
        return latest
    version = latest.version + 1 if latest else 1
    row = {
        "tenant_id": ctx.tenant, "name": name, "version": version, "body": dict(body),
        "created_by": ctx.actor, "created_ms": tx.now_ms,
    }  # fmt: skip
    tx.execute(insert(table), row)
    audit.record(tx, ctx, "report_template.save", name, {"version": version})
    return SavedTemplate(name, version, body, ctx.actor, tx.now_ms)


def get(tx: Tx, ctx: Ctx, name: str, version: int | None = None) -> SavedTemplate:
    """The latest version unless one is named."""
    found = _one(tx, ctx, name, version)
    if found is None:
        raise NotFound("There is no such report template.")
    return found


def listing(tx: Tx, ctx: Ctx) -> tuple[SavedTemplate, ...]:
    """The latest version of each, by name."""
    newest = (
        select(table.c.name, func.max(table.c.version).label("version"))
        .where(table.c.tenant_id == ctx.tenant)
        .group_by(table.c.name)
        .subquery()
    )
    query = (
        select(table)
        .join(newest, (table.c.name == newest.c.name) & (table.c.version == newest.c.version))
        .where(table.c.tenant_id == ctx.tenant)
        .order_by(table.c.name)
    )
    return tuple(map(_template, tx.execute(query)))


def _one(tx: Tx, ctx: Ctx, name: str, version: int | None) -> SavedTemplate | None:
    query = select(table).where(table.c.tenant_id == ctx.tenant, table.c.name == name)
    if version is not None:
        query = query.where(table.c.version == version)
    row = tx.execute(query.order_by(table.c.version.desc()).limit(1)).first()
    return None if row is None else _template(row)


def _template(row: Any) -> SavedTemplate:
    return SavedTemplate(row.name, row.version, row.body, row.created_by, row.created_ms)
