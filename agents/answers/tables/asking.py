"""From a question to the tenant's tables that may answer it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from agents import privacy
from agents.answers.tables.choosing import answered
from agents.answers.tables.keeping import kept
from agents.answers.tables.reading import grids
from agents.answers.tables.vocabulary import Vocabulary, vocabulary
from agents.answers.tables.words import LANGUAGES, concepts, listed, phrases
from agents.answers.values import Answer
from agents.documents import text_of
from agents.search import search
from core.context import Ctx
from core.documents import Hit
from core.errors import Conflict, NotFound, Unfinishable
from database import documents
from database.documents import DocumentRow
from runtime import Runtime
from vectorstore.words import fold

_HITS = 60
_SHEETS = ("xlsx", "csv", "tsv")
_LISTED_MAX = 200
_DOCUMENTS_MAX = 24
_ROLES = listed(
    "sum avg median max min most least top bottom latest earliest count much distinct which list "
    "share diff more less compare group"
)


_WEAK = listed("what who whom was wer wen qui que wat wie quien")


def _signs() -> re.Pattern[str]:
    found = {
        r"\W+".join(map(re.escape, words))
        for name in LANGUAGES
        for words, roles in phrases(name).items()
        if any(role in _ROLES or ":" in role for role in roles) and " ".join(words) not in _WEAK
    }
    return re.compile(rf"(?<!\w)(?:{'|'.join(sorted(found, key=len, reverse=True))})(?!\w)")


_SIGNS = _signs()


def asks_for_tables(text: str) -> bool:
    """Whether the question may be one to compute at all: it is cheap to ask. `What is …` alone
    is about a cell only where a number or a code says of which row."""
    if len(text) > 400:
        return False
    return _SIGNS.search(fold(text)) is not None or re.search(r"\d", text) is not None


def computed(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None = None
) -> Answer | None:
    """The computed answer; None when the question is another one and the usual way answers."""
    today = datetime.fromtimestamp(rt.clock.now_ms() / 1000, UTC).date()
    return answered(text, _tables(rt, ctx, text, filters), today)


def _tables(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None
) -> list[Vocabulary]:
    """The tables of documents that the search finds and, without filters, of the tenant's sheets;
    those whose names the question speaks of come first."""
    mode = "hybrid" if filters else "keyword"  # filters may leave sheets that no word finds
    found = search(rt, ctx, text, k=_HITS, mode=mode, filters=filters)
    hits = [hit for hit in found.hits if _is_row(hit)]
    ids = list(dict.fromkeys(hit.chunk.document_id for hit in hits))
    with rt.db.read(ctx) as tx:
        rows = list(documents.many(tx, ctx, ids))
        if not filters:
            for name in _SHEETS:
                listed = documents.listing(tx, ctx, limit=_LISTED_MAX, filters={"format": name})
                rows += listed.items
    return [table for row in _first(text, rows) for table in _of(rt, ctx, row)]


def _is_row(hit: Hit) -> bool:
    return hit.chunk.cells is not None or " | " in hit.chunk.text


def _first(text: str, rows: Iterable[DocumentRow]) -> list[DocumentRow]:
    """Each content once, files that are named before others; logs are counted elsewhere."""
    asked = concepts(text)
    distinct: dict[str, DocumentRow] = {}
    for row in rows:
        if row.document_type != "log" and row.status == "ready":
            distinct.setdefault(row.sha256, row)
    named = sorted(
        distinct.values(),
        key=lambda row: -len(asked & concepts(row.filename.rsplit(".", 1)[0].replace("_", " "))),
    )
    return named[:_DOCUMENTS_MAX]


def _of(rt: Runtime, ctx: Ctx, row: DocumentRow) -> Sequence[Vocabulary]:
    def read() -> list[Vocabulary]:
        document = text_of(rt, ctx, row.id)
        return [vocabulary(grid) for grid in grids(document, row.id, row.filename)]

    try:
        content = f"{row.sha256}:{row.filename}:{privacy.sight(rt, ctx)}"
        return kept(rt.vault).get(ctx, row.id, content, read)
    except (Conflict, NotFound, Unfinishable):
        return ()
