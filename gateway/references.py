"""Ids inside bodies: another tenant's is not found there either."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.house import Caller
from workflows import references


def documents_exist(who: Caller, ids: Sequence[str]) -> None:
    """Raises `NotFound` for the first that this tenant does not have."""
    references.documents_exist(who.rt, who.ctx, ids)


def own_documents(who: Caller, payload: Mapping[str, Any]) -> None:
    """The documents that a payload or a filter names by the fields made for it."""
    references.own_documents(who.rt, who.ctx, payload)
