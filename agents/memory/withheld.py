"""What rests on a document that was deleted is withheld whenever it is read again: the words of an
answer are its documents' words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.context import Ctx
from database import Tx, documents

WORDS = "This answer is withheld: a document that it rests on was deleted."


def deleted(tx: Tx, ctx: Ctx, cited: Iterable[Sequence[Mapping[str, Any]]]) -> frozenset[str]:
    """Of the documents in these lists of citations, those that are not there any more."""
    ids = {str(one["document_id"]) for citations in cited for one in citations}
    return frozenset(ids - documents.existing(tx, ctx, sorted(ids))) if ids else frozenset()


def rests_on(citations: Sequence[Mapping[str, Any]], gone: frozenset[str]) -> bool:
    return any(one["document_id"] in gone for one in citations)
