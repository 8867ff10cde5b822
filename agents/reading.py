"""A document's bytes to its text, and its text to the passages of the shelf: the same whenever."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import ingestion
from agents.documents import ORIGINAL
from agents.uploads import parse_limits, password_address
from core import telemetry
from core.context import Ctx
from core.documents import Document
from core.vault import unseal
from database import documents
from database.documents import DocumentRow
from ingestion.gathering import Keep
from ingestion.ocr import engine
from ingestion.sandbox import Looker
from runtime import Runtime
from vectorstore import About, Entry

_BEAT_SECONDS = 5.0


def parsed(
    rt: Runtime,
    ctx: Ctx,
    row: DocumentRow,
    beat: Callable[[int, int], None] = lambda _done, _total: None,
    keep: Keep = lambda _place, _file: None,
) -> Document:
    """Read now, by the parser's children; `beat` hears every few seconds how many pages of how
    many are read, `keep` is given each file within: the document is without their
    bytes. Raises `Unfinishable` for what cannot be read, `NotFound` when its bytes are not in the
    store."""
    with rt.db.read(ctx) as tx:
        sealed = documents.password(tx, ctx, row.id)
    password = sealed and unseal(rt.keys(ctx), sealed, password_address(row.id)).decode()
    limits = replace(parse_limits(rt), ocr_seconds=rt.settings.ocr_seconds_max)
    data = rt.vault.get(ctx, ORIGINAL, row.id)
    with (
        telemetry.span("ingestion.parse", attributes={"weft.format": row.format}),
        telemetry.timed(telemetry.ingestion_seconds, "parse"),
    ):
        document = ingestion.parse(
            data, row.filename, row.format, password=password or None, limits=limits,
            ocr=picture_reader(rt), beat=_paced(beat), keep=keep,
        )  # fmt: skip
    telemetry.pages.labels(row.format).inc(len(document.pages))
    return document


def _paced(beat: Callable[[int, int], None]) -> Callable[[int, int], None]:
    """Text comes by hundreds of pages a second, scans by one in some seconds."""
    last = time.monotonic()

    def paced(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _BEAT_SECONDS:
            last = time.monotonic()
            beat(done, total)

    return paced


def picture_reader(rt: Runtime) -> Looker | None:
    """By the settings; None where pictures stay unread. Raises `InvalidInput` that names them."""
    languages = [one.strip() for one in rt.settings.ocr_languages.split(",")]
    return engine(rt.settings.ocr, tuple(one for one in languages if one))


def entries_of(row: DocumentRow, document: Document) -> list[Entry]:
    """The passages as the shelf holds them."""
    about = About(
        row.id, row.filename, document.document_type, row.tags, row.created_ms, row.sha256,
        row.metadata,
    )  # fmt: skip
    return [Entry(chunk, about) for chunk in ingestion.chunk(document, row.id)]
