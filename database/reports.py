"""Reports that were made: their files' names in the vault, and the sources they rest on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, select

from core.context import Ctx
from core.errors import Conflict, NotFound
from database import audit
from database.engine import Tx
from database.pages import Page, page
from database.tables import reports

_LISTED = [column for column in reports.c if column.name != "sources"]


@dataclass(frozen=True, slots=True)
class Report:
    """`files` maps a format to `{name, bytes, sha256}`, `name` being the object in the vault's kind
    `report`. `sources` are `core.documents.Source` as mappings, [1] first; None in lists."""

    id: str
    run_id: str
    step_id: str
    template: str
    title: str
    files: Mapping[str, Mapping[str, Any]]
    sources: Sequence[Mapping[str, Any]] | None
    params: Mapping[str, Any]
    created_by: str
    created_ms: int


def create(
    tx: Tx,
    ctx: Ctx,
    *,
    report_id: str,
    run_id: str,
    step_id: str,
    template: str,
    title: str,
    files: Mapping[str, Mapping[str, Any]],
    sources: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any],
    created_ms: int,
) -> bool:
    """False, and nothing written, when the same step made this report before. `Conflict` when
    another step did."""
    known = tx.execute(select(reports.c.step_id).where(_is(ctx, report_id))).first()
    if known is not None and known.step_id != step_id:
        raise Conflict("This report id belongs to another run.", code="report_exists")
    if known is not None:
        return False
    row = {
        "tenant_id": ctx.tenant, "id": report_id, "run_id": run_id, "step_id": step_id,
        "template": template, "title": title, "files": dict(files), "sources": list(sources),
        "params": dict(params), "created_by": ctx.actor, "created_ms": created_ms,
    }  # fmt: skip
    tx.execute(insert(reports), row)
    audit.record(tx, ctx, "report.create", report_id, {"run_id": run_id, "template": template})
    return True


def get(tx: Tx, ctx: Ctx, report_id: str) -> Report:
    row = tx.execute(select(reports).where(_is(ctx, report_id))).first()
    if row is None:
        raise NotFound("There is no such report.")
    return _report(row)


def listing(tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[Report]:
    query = select(*_LISTED).where(reports.c.tenant_id == ctx.tenant)
    keys = (reports.c.created_ms, reports.c.id)
    return page(tx, query, keys, _report, limit=limit, cursor=cursor)


def by_run(tx: Tx, ctx: Ctx, run_id: str) -> tuple[Report, ...]:
    """In the order in which they were made; a run without reports gives none."""
    query = select(*_LISTED).where(reports.c.tenant_id == ctx.tenant, reports.c.run_id == run_id)
    return tuple(map(_report, tx.execute(query.order_by(reports.c.created_ms, reports.c.id))))


def _is(ctx: Ctx, report_id: str) -> ColumnElement[bool]:
    return and_(reports.c.tenant_id == ctx.tenant, reports.c.id == report_id)


def _report(row: Any) -> Report:
    sources = row.sources if "sources" in row._mapping else None
    return Report(row.id, row.run_id, row.step_id, row.template, row.title, row.files, sources,
                  row.params, row.created_by, row.created_ms)  # fmt: skip
