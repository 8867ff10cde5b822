"""Items of one content: which document stands for them, and when it may go."""

from __future__ import annotations

from sqlalchemy import and_, select, update

from core.context import Ctx
from database.engine import Tx
from database.inserts import one_by_one
from database.integrations import document_of
from database.tables import integration_items

_i = integration_items.c


def may_go(tx: Tx, ctx: Ctx, document_id: str) -> bool:
    """Whether no item needs the document any more. Twins of its content are handed another document
    of theirs; where there is none, one of them stands for this one from now on, and it stays."""
    one_by_one(tx, f"{ctx.tenant} {document_id}")
    holds = and_(_i.tenant_id == ctx.tenant, _i.document_id == document_id)
    known = _i.state.in_(("taken", "duplicate"))
    query = select(_i.integration_id, _i.item, _i.identity, _i.state).where(holds, known)
    first = tx.execute(query.order_by(_i.state.desc()).limit(1)).first()
    if first is None or first.state == "taken":
        return first is None
    another = document_of(tx, ctx, first.identity)
    if another is not None:
        twins = update(integration_items).where(holds, _i.state == "duplicate")
        tx.execute(twins.values(document_id=another))
        return True
    heir = and_(holds, _i.integration_id == first.integration_id, _i.item == first.item)
    tx.execute(update(integration_items).where(heir).values(state="taken"))
    return False


def still_of(tx: Tx, ctx: Ctx, identity: str, document_id: str) -> bool:
    """Whether the content's document is this one now, and stays it until this transaction ends."""
    one_by_one(tx, f"{ctx.tenant} {document_id}")
    return document_of(tx, ctx, identity) == document_id
