"""Ids inside bodies: another tenant's is not found there either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import NotFound
from database import documents
from gateway.house import Caller

_SOME = 500  # ids in one query


def documents_exist(who: Caller, ids: Sequence[str]) -> None:
    """Raises `NotFound` for the first that this tenant does not have."""
    wanted = list(dict.fromkeys(ids))
    with who.rt.db.read(who.ctx) as tx:
        for at in range(0, len(wanted), _SOME):
            some = wanted[at : at + _SOME]
            found = {row.id for row in documents.many(tx, who.ctx, some)}
            missing = [one for one in some if one not in found]
            if missing:
                raise NotFound(f"There is no document {missing[0]}.")


def own_documents(who: Caller, payload: Mapping[str, Any]) -> None:
    """The documents that a payload or a filter names by the fields made for it."""
    named: list[str] = []
    for field in ("document_id", "documents", "document_ids"):
        value = payload.get(field)
        value = value.get("in") if isinstance(value, Mapping) else value
        items = value if isinstance(value, list) else [value]
        named += [item for item in items if isinstance(item, str)]
    documents_exist(who, named)
