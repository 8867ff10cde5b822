"""The analysis agent's field work: reading fields out of documents, and reviewing invoices."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from agents import checks, fields_model, privacy
from agents.checks import Paper, Unreadable
from agents.documents import text_of, whole_text_of
from agents.metering import chat_for
from core.context import Ctx
from core.documents import Document, Fields, FieldValue
from core.errors import Conflict, InvalidInput, NotFound, Unfinishable
from core.ports import ChatModel
from database import documents
from database.documents import DocumentRow
from ingestion import fields as reading
from ingestion.fields import Filled, fill, shape_of
from runtime import Runtime
from workflows.tasks import Defer, Done, TaskSpec, Work

_WAIT_SECONDS = 2.0
_SCHEMA_BYTES = 64 * 1024
_LEDGERS = ("xlsx", "xls", "ods", "csv", "tsv")


def extract(work: Work) -> Done | Defer:
    """Reads the document's fields and those of its attachments, and keeps them."""
    document_id = _text(work, "document_id")
    try:
        fields = fields_of(work.rt, work.ctx, document_id)
    except Conflict:
        return Defer(_WAIT_SECONDS, f"document {document_id} to be read")
    with work.rt.db.read(work.ctx) as tx:
        rows = documents.children(tx, work.ctx, document_id)
    found = []
    for place, row in enumerate(rows, 1):
        try:
            inner = fields_of(work.rt, work.ctx, row.id)
        except Conflict:
            return Defer(_WAIT_SECONDS, f"attachment {row.filename} to be read")
        except Unfinishable as error:
            work.log(f"{row.filename} was left out: {error.detail}", level="warning")
            continue
        found.append(_summary(row.id, inner))
        work.progress(place, len(rows))
    return Done({**_summary(document_id, fields), "children": found})


def _summary(document_id: str, fields: Fields) -> dict[str, Any]:
    count = sum(value.value is not None for value in fields.fields.values())
    return {
        "document_id": document_id,
        "document_type": fields.document_type,
        "field_count": count + len(fields.line_items),
    }


def fields_of(
    rt: Runtime, ctx: Ctx, document_id: str, wanted: Sequence[str] | None = None
) -> Fields:
    """The document's fields: the usual ones (kept for the next time), or those `wanted` by name.

    Raises `NotFound`; `Conflict` (`not_ready`) while it is being read; `Unfinishable` when it
    could not be read; `InvalidInput` for names that are none.
    """
    return privacy.fields(rt, ctx, document_id, _whole_fields(rt, ctx, document_id, wanted))


def _whole_fields(rt: Runtime, ctx: Ctx, document_id: str, wanted: Sequence[str] | None) -> Fields:
    """From the whole text, and kept whole: who reads them sees what they may."""
    names = _names(wanted)
    with rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
        kept = documents.fields(tx, ctx, document_id)
    if kept is None:
        parsed = replace(whole_text_of(rt, ctx, document_id), document_type=_guess(row))
        kept = reading.extract(parsed, document_id, row.filename)
        with rt.db.transaction(ctx) as tx:
            documents.save_fields(tx, ctx, document_id, kept)
    if names is None:
        return kept
    known = {name: kept.fields[name] for name in names if name in kept.fields}
    if all(value.value is not None for value in known.values()) and len(known) == len(names):
        return replace(kept, fields=known)
    parsed = replace(whole_text_of(rt, ctx, document_id), document_type=kept.document_type)
    read = reading.read(parsed, document_id, row.filename, asked_for=True)
    asked = {**reading.named(read, names), **_found(known)}
    return replace(kept, fields=_with_model(rt, ctx, parsed, read, asked))


def filled_of(rt: Runtime, ctx: Ctx, document_id: str, schema: Mapping[str, Any]) -> Filled:
    """The document's values in the shape of a JSON Schema, each with its proof, and why the others
    are null. Raises like `fields_of`; `InvalidInput` for a schema that cannot be read."""
    if len(json.dumps(schema)) > _SCHEMA_BYTES:
        raise InvalidInput("`schema` is larger than 64 KiB.", field="schema")
    shape_of(schema)
    with rt.db.read(ctx) as tx:
        row = documents.get(tx, ctx, document_id)
    parsed = replace(text_of(rt, ctx, document_id), document_type=_guess(row))
    read = reading.read(parsed, document_id, row.filename, asked_for=True)
    filled = fill(schema, read)
    lost = [path for path in filled.missing if not re.search(r"[\[.]", path)]
    told = fields_model.ask(_chat(rt, ctx), parsed, lost) if lost else {}
    return fill(schema, read, told) if told else filled


def _with_model(
    rt: Runtime, ctx: Ctx, parsed: Document, read: reading.Reading, fields: dict[str, FieldValue]
) -> dict[str, FieldValue]:
    lost = [name for name, value in fields.items() if value.value is None]
    told = fields_model.ask(_chat(rt, ctx), parsed, lost) if lost else {}
    seen = {name: reading.seen(read, name, value) for name, value in told.items()}
    return {**fields, **_found(seen)}


def _chat(rt: Runtime, ctx: Ctx) -> ChatModel | None:
    """The model that passed the gate of extraction, if there is one."""
    return chat_for(rt, ctx, "extraction")


def _found(values: Mapping[str, FieldValue]) -> dict[str, FieldValue]:
    return {name: value for name, value in values.items() if value.value is not None}


def _guess(row: DocumentRow) -> str:
    return row.document_type or "other"


def _names(wanted: Sequence[str] | None) -> list[str] | None:
    if wanted is None:
        return None
    if not wanted or isinstance(wanted, str) or not all(isinstance(n, str) and n for n in wanted):
        raise InvalidInput("Name the fields: a list of names.", field="fields")
    if len(wanted) > 100:
        raise InvalidInput("At most 100 fields can be asked for at once.", field="fields")
    return list(dict.fromkeys(wanted))


def check_invoices(work: Work) -> Done | Defer:
    """Holds all invoices against themselves, one another and the ledger, as of a day."""
    rows, lost = _gather(work)
    papers, ledgers = [], []
    for place, row in enumerate(rows, 1):
        try:
            fields = fields_of(work.rt, work.ctx, row.id)
            ledger = _ledger(work, row, fields)
        except Conflict:
            return Defer(_WAIT_SECONDS, f"document {row.filename} to be read")
        except Unfinishable as error:
            lost.append(_lost(row, error.detail))
            continue
        if ledger and ledger.useful:
            ledgers.append(ledger)
        else:
            papers.append((row, Paper(row.id, row.filename, fields.document_type, fields)))
        work.progress(place, len(rows))
    facts = checks.review(_without_covers(papers), ledgers, lost, _as_of(work))
    exceptions = facts["exceptions"]
    return Done({"exception_count": len(exceptions), "exceptions": exceptions, "facts": facts})


def _gather(work: Work) -> tuple[list[DocumentRow], list[Unreadable]]:
    """The documents to review with their attachments, and those that could not be read."""
    failed = _failed(work.message.payload.get("failed") or [])
    rows: list[DocumentRow] = []
    lost: list[Unreadable] = []
    with work.rt.db.read(work.ctx) as tx:
        for document_id in _ids(work):
            try:
                row = documents.get(tx, work.ctx, document_id)
            except NotFound:
                lost.append({"document_id": document_id, "filename": document_id,
                             "error": "It was deleted."})  # fmt: skip
                continue
            for one in (row, *documents.children(tx, work.ctx, document_id)):
                why = failed.get(one.id) or (one.error or {}).get("detail")
                if one.status == "failed" or one.id in failed:
                    lost.append(_lost(one, why or "It could not be read."))
                else:
                    rows.append(one)
    return list({row.id: row for row in rows}.values()), lost


def _failed(items: Sequence[Any]) -> dict[str, str]:
    """Document id → reason, from the failed items of a `for_each` step in any of their shapes."""
    found: dict[str, str] = {}
    for item in items:
        if isinstance(item, str):
            found[item] = ""
        elif isinstance(item, Mapping):
            key = item.get("item") or item.get("document_id") or item.get("document")
            error = item.get("error")
            detail = error.get("detail") if isinstance(error, Mapping) else error
            if isinstance(key, str):
                found[key] = str(detail or "")
    return found


def _lost(row: DocumentRow, error: str) -> Unreadable:
    return {"document_id": row.id, "filename": row.filename, "error": error}


def _ledger(work: Work, row: DocumentRow, fields: Fields) -> checks.Ledger | None:
    if fields.document_type in checks.BILLS:
        return None
    if row.format not in _LEDGERS and fields.document_type != "ledger":
        return None
    return checks.read_ledger(text_of(work.rt, work.ctx, row.id), row.id, row.filename)


def _without_covers(papers: Sequence[tuple[DocumentRow, Paper]]) -> list[Paper]:
    """A mail whose attachment is a bill is only its cover."""
    covers = {row.parent_id for row, paper in papers if paper.document_type in checks.BILLS}
    return [paper for row, paper in papers if not {row.id, row.duplicate_of or row.id} & covers]


def _as_of(work: Work) -> date:
    given = work.message.payload.get("as_of")
    if not given:
        with work.rt.db.read(work.ctx) as tx:
            return datetime.fromtimestamp(tx.now_ms / 1000, UTC).date()
    try:
        return date.fromisoformat(str(given)[:10])
    except ValueError as error:
        raise InvalidInput(
            f"`as_of` is a date like 2026-11-21, not {given!r}.", field="as_of"
        ) from error


def _ids(work: Work) -> list[str]:
    given = work.message.payload.get("documents")
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidInput("`documents` is a list of document ids.", field="documents")
    return list(dict.fromkeys(given))


def _text(work: Work, name: str) -> str:
    value = work.message.payload.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidInput(f"`{name}` is missing.", field=name)
    return value


TASKS = (
    TaskSpec(
        "analysis", "extract", extract, "reads the fields of a document and of its attachments",
        {"document_id": "the document"},
    ),
    TaskSpec(
        "analysis", "check_invoices", check_invoices,
        "finds what is wrong with invoices, by themselves and against a ledger",
        {"documents": "the documents, ledger included",
         "failed?": "what could not be read", "as_of?": "the day, default today"},
    ),
)  # fmt: skip
