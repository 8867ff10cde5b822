"""Ids that come along: another tenant's is not found here either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Ctx
from core.errors import NotFound
from database import documents
from runtime import Runtime


def documents_exist(rt: Runtime, ctx: Ctx, ids: Sequence[str]) -> None:
    """Raises `NotFound` for the first that this tenant does not have."""
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        return
    with rt.db.read(ctx) as tx:
        found = documents.existing(tx, ctx, wanted)
    missing = [one for one in wanted if one not in found]
    if missing:
        raise NotFound(f"There is no document {missing[0]}.")


def own_documents(rt: Runtime, ctx: Ctx, payload: Mapping[str, Any]) -> None:
    """The documents that a payload or a filter names by the fields made for it."""
    named: list[str] = []
    for field in ("document_id", "documents", "document_ids"):
        value = payload.get(field)
        value = value.get("in") if isinstance(value, Mapping) else value
        items = value if isinstance(value, list) else [value]
        named += [item for item in items if isinstance(item, str)]
    documents_exist(rt, ctx, named)
