"""A tenant's workflow definitions: versions that never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, func, insert, select

from core.context import Ctx
from database.engine import Tx
from database.tables import definitions


@dataclass(frozen=True, slots=True)
class Saved:
    name: str
    version: int
    hash: str
    body: Mapping[str, Any]
    created_by: str
    created_ms: int


_columns = (
    definitions.c.name, definitions.c.version, definitions.c.hash, definitions.c.body,
    definitions.c.created_by, definitions.c.created_ms,
)  # fmt: skip
_newest = (
    select(*_columns)
    .where(definitions.c.tenant_id == bindparam("tenant"), definitions.c.name == bindparam("name_"))
    .order_by(definitions.c.version.desc())
    .limit(1)
)
_version = select(*_columns).where(
    definitions.c.tenant_id == bindparam("tenant"),
    definitions.c.name == bindparam("name_"),
    definitions.c.version == bindparam("version_"),
)
_insert = insert(definitions)


def find(tx: Tx, ctx: Ctx, name: str, version: int | None = None) -> Saved | None:
    """The newest version, or the one named; None when this tenant has none."""
    params: dict[str, Any] = {"tenant": ctx.tenant, "name_": name}
    if version is not None:
        params["version_"] = version
    row = tx.execute(_newest if version is None else _version, params).first()
    return None if row is None else Saved(*row)


def add(tx: Tx, ctx: Ctx, name: str, version: int, digest: str, body: Mapping[str, Any]) -> Saved:
    saved = Saved(name, version, digest, body, ctx.actor, tx.now_ms)
    tx.execute(
        _insert,
        {
            "tenant_id": ctx.tenant, "name": name, "version": version, "hash": digest,
            "body": body, "created_by": ctx.actor, "created_ms": tx.now_ms,
        },
    )  # fmt: skip
    return saved


def listing(tx: Tx, ctx: Ctx) -> list[Saved]:
    """The newest version of each name, by name."""
    newest = (
        select(definitions.c.name, func.max(definitions.c.version).label("version"))
        .where(definitions.c.tenant_id == ctx.tenant)
        .group_by(definitions.c.name)
        .subquery()
    )
    found = tx.execute(
        select(*_columns)
        .join(
            newest,
            (newest.c.name == definitions.c.name) & (newest.c.version == definitions.c.version),
        )
        .where(definitions.c.tenant_id == ctx.tenant)
        .order_by(definitions.c.name)
    )
    return [Saved(*row) for row in found]
