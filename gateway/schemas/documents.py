"""Documents and what is in them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from gateway.schemas.base import Answer, Moment, Request, Text

FieldName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
Tags = Annotated[list[Text], Field(max_length=50)]
Metadata = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=50)]


class UploadFields(Request):
    """The parts of an upload that are not files."""

    metadata: Metadata = {}
    tags: Tags = []
    password: Annotated[str | None, Field(max_length=256)] = None


class Accepted(Answer):
    document_id: str
    filename: str
    status: str
    duplicate_of: str | None = None


class Uploaded(Answer):
    items: list[Accepted]


class DocumentAnswer(Answer):
    document_id: str
    filename: str
    format: str
    content_type: str
    document_type: str
    sha256: str
    size: int
    status: str
    error: dict[str, Any] | None
    warnings: list[str]
    pages: int | None
    chunks: int | None
    language: str | None
    metadata: dict[str, Any]
    tags: list[str]
    parent_id: str | None
    duplicate_of: str | None
    created_by: str
    created_at: Moment
    updated_at: Moment


class PageText(Answer):
    page: int
    text: str
    sheet: str | None = None


class DocumentText(Answer):
    document_id: str
    pages: list[PageText]


class TableCell(Answer):
    text: str
    value: str | int | float | bool | None
    kind: str
    address: str | None
    formula: str | None
    rowspan: int
    colspan: int


class TableAnswer(Answer):
    page: int
    sheet: str | None
    title: str | None
    header_rows: int
    rows: list[list[TableCell]]


class DocumentTables(Answer):
    document_id: str
    tables: list[TableAnswer]


class SourceAnswer(Answer):
    document_id: str
    filename: str
    page: int
    start: int
    end: int
    quote: str
    sheet: str | None = None
    cells: str | None = None


class FieldAnswer(Answer):
    """`value` is text (dates ISO 8601, amounts decimal strings); a list or an object where a
    schema asks for one."""

    value: str | list[Any] | dict[str, Any] | None
    confidence: float
    source: SourceAnswer | None


class FieldsAnswer(Answer):
    document_id: str
    document_type: str
    fields: dict[str, FieldAnswer]
    line_items: list[dict[str, FieldAnswer]]
    tags: list[str]
    data: dict[str, Any] | None = None  # the schema's shape and types
    missing: dict[str, str] | None = None  # path of each null value: why
    valid: bool | None = None  # whether `data` fits the schema


class ExtractRequest(Request):
    """Names of fields, or a JSON Schema whose properties name them."""

    fields: Annotated[list[FieldName] | None, Field(min_length=1, max_length=100)] = None
    json_schema: Annotated[dict[str, Any] | None, Field(alias="schema")] = None
