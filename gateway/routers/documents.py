"""`/documents`: files in, and everything that was read from them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from agents import analysis_fields, ingestion
from agents.quotas import within_quota
from core.documents import Document, Fields
from core.errors import InvalidInput
from database import documents
from database.documents import DocumentRow
from gateway.downloads import BYTES, attachment
from gateway.house import Caller, permit
from gateway.once import Creating, Keep
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.base import Id, Listing
from gateway.schemas.documents import (
    Accepted,
    DocumentAnswer,
    DocumentTables,
    DocumentText,
    ExtractRequest,
    FieldsAnswer,
    PageText,
    TableAnswer,
    TableCell,
    Uploaded,
)
from gateway.uploads import Form, received
from ingestion.fields import Filled

router = APIRouter(prefix="/documents", tags=["documents"])
Reader = Annotated[Caller, permit("documents:read")]
Writer = Annotated[Caller, permit("documents:write")]
_ROWS = TypeAdapter(list[list[TableCell]])
_CELLS_AT_ONCE = 1_000
Filter = Annotated[str | None, Query(max_length=255)]
_FORM: dict[str, Any] = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1},
        "metadata": {"type": "string", "description": "a JSON object"},
        "tags": {"type": "string", "description": "a JSON list of strings"},
        "password": {"type": "string", "description": "opens encrypted files"},
    },
}
_UPLOAD = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _FORM}}}}


@router.post("", status_code=202, response_model=Uploaded, openapi_extra=_UPLOAD)
async def upload(who: Writer, once: Creating, request: Request) -> Response:
    """One or more files; all are taken or none. Each is then read by a run of its own."""
    async with received(request, who.rt.settings) as form:
        return await run_in_threadpool(
            once.within, who, form.fingerprint(), lambda keep: _receive(who, form, keep), status=202
        )


@router.get("")
def listing(
    who: Reader, status: Filter = None, document_type: Filter = None, format: Filter = None,
    filename: Filter = None, sha256: Filter = None, parent_id: Annotated[Id | None, Query()] = None,
    limit: Limit = 50, cursor: Cursor = None,
) -> Listing[DocumentAnswer]:  # fmt: skip
    """Newest first."""
    given = {"status": status, "document_type": document_type, "format": format,
             "filename": filename, "sha256": sha256, "parent_id": parent_id}  # fmt: skip
    filters = {name: value for name, value in given.items() if value is not None}
    with who.rt.db.read(who.ctx) as tx:
        if parent_id is not None:
            documents.get(tx, who.ctx, parent_id)
        page = documents.listing(tx, who.ctx, limit=limit, cursor=cursor, filters=filters)
    return listed(page, shown)


@router.get("/{document_id}")
def show(who: Reader, document_id: str) -> DocumentAnswer:
    with who.rt.db.read(who.ctx) as tx:
        return shown(documents.get(tx, who.ctx, document_id))


@router.delete("/{document_id}", status_code=204)
def delete(who: Writer, document_id: str) -> None:
    """Not found by any search from this moment on."""
    ingestion.remove(who.rt, who.ctx, document_id)


@router.get("/{document_id}/content", response_class=Response, responses=BYTES)
def content(who: Reader, document_id: str) -> Response:
    """The original bytes, as an attachment."""
    with who.rt.db.read(who.ctx) as tx:
        row = documents.get(tx, who.ctx, document_id)
    return attachment(
        ingestion.content_of(who.rt, who.ctx, document_id), row.filename, row.content_type
    )


@router.get("/{document_id}/text")
def text(who: Reader, document_id: str) -> DocumentText:
    """Citations are offsets into these pages' text."""
    found = ingestion.text_of(who.rt, who.ctx, document_id)
    pages = [PageText(page=p.number, text=p.text, sheet=p.sheet) for p in found.pages]
    return DocumentText(document_id=document_id, pages=pages)


@router.get("/{document_id}/tables", response_model=DocumentTables)
def tables(who: Reader, document_id: str) -> Response:
    """A sheet may have 300,000 cells: they are made and sent a thousand at a time."""
    found = ingestion.text_of(who.rt, who.ctx, document_id)
    return StreamingResponse(_tables(document_id, found), media_type="application/json")


@router.get("/{document_id}/fields")
def fields(who: Reader, document_id: str) -> FieldsAnswer:
    """What extraction found, each value with its proof."""
    found = analysis_fields.fields_of(who.rt, who.ctx, document_id)
    return _fields(document_id, found)


@router.post("/{document_id}/extract")
def extract(who: Reader, document_id: str, body: ExtractRequest) -> FieldsAnswer:
    """The fields asked for; unknown ones are null. By a JSON Schema, `data` has its shape."""
    if (body.fields is None) == (body.json_schema is None):
        raise InvalidInput("Give `fields` or `schema`, one of them.")
    if body.json_schema is not None:
        filled = analysis_fields.filled_of(who.rt, who.ctx, document_id, body.json_schema)
        return _filled(document_id, filled)
    names = list(body.fields or ())
    found = analysis_fields.fields_of(who.rt, who.ctx, document_id, names)
    return _fields(document_id, found, names)


def _receive(who: Caller, form: Form, keep: Keep) -> Uploaded:
    sizes = [file.size for file in form.files]
    within_quota(who.rt, who.ctx, who.identity.tier, len(sizes), sum(sizes))
    given = form.fields
    uploads = [
        ingestion.Upload(
            file.filename, file.content_type, file.path, password=given.password,
            metadata=given.metadata, tags=given.tags,
        )
        for file in form.files
    ]  # fmt: skip
    taken = ingestion.receive(
        who.rt, who.ctx, uploads, also=lambda tx, taken: keep(tx, _uploaded(taken))
    )
    return _uploaded(taken)


def _uploaded(taken: Sequence[ingestion.Received]) -> Uploaded:
    return Uploaded(items=[Accepted.model_validate(asdict(one)) for one in taken])


def shown(row: DocumentRow) -> DocumentAnswer:
    values = asdict(row)
    return DocumentAnswer.model_validate({
        **values, "document_id": row.id, "warnings": list(row.warnings), "tags": list(row.tags),
        "created_at": row.created_ms, "updated_at": row.updated_ms,
    })  # fmt: skip


def _tables(document_id: str, found: Document) -> Iterator[bytes]:
    """The JSON of `DocumentTables`, in pieces."""
    yield DocumentTables(document_id=document_id, tables=[]).model_dump_json().encode()[:-2]
    tables = (table for page in found.pages for table in page.tables)
    for number, table in enumerate(tables):
        head = TableAnswer(
            page=table.page, sheet=table.sheet, title=table.title, header_rows=table.header_rows,
            rows=[],
        )  # fmt: skip
        yield (b"," if number else b"") + head.model_dump_json().encode()[:-2]
        rows = iter(table.rows)
        step = max(1, _CELLS_AT_ONCE // max(1, len(table.rows[0]))) if table.rows else 1
        for at in range(0, len(table.rows), step):
            part = [[cell._asdict() for cell in row] for row in islice(rows, step)]
            yield (b"," if at else b"") + _ROWS.dump_json(_ROWS.validate_python(part))[1:-1]
        yield b"]}"
    yield b"]}"


def _fields(document_id: str, found: Fields, names: list[str] | None = None) -> FieldsAnswer:
    values = asdict(found)
    if names is not None:
        nothing = {"value": None, "confidence": 0.0, "source": None}
        values["fields"] = {name: values["fields"].get(name, nothing) for name in names}
    return FieldsAnswer.model_validate({
        **values, "document_id": document_id, "line_items": list(values["line_items"]),
        "tags": list(values["tags"]),
    })  # fmt: skip


def _filled(document_id: str, found: Filled) -> FieldsAnswer:
    """Lists and objects stand under their own name, too, beside the values they are made of."""
    whole = {
        name: {"value": value, "confidence": _least(found, name), "source": None}
        for name, value in found.data.items()
        if isinstance(value, list | dict)
    }
    values = asdict(found)
    return FieldsAnswer.model_validate({
        **values, "document_id": document_id, "line_items": list(values["line_items"]),
        "tags": list(values["tags"]), "fields": {**values["fields"], **whole},
    })  # fmt: skip


def _least(found: Filled, name: str) -> float:
    """A whole is as sure as the least sure of its parts."""
    parts = (
        value.confidence
        for path, value in found.fields.items()
        if path.startswith((f"{name}.", f"{name}[")) and value.value is not None
    )
    return min(parts, default=0.0)
