"""What ingestion makes of bytes: values that every other room reads and none changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, NamedTuple

from pydantic import ConfigDict, PlainSerializer, WrapValidator

from core.grid import Grid
from core.words import Packed

# Kinds that rules, planning and filters know (`document_type` in the API).
DOCUMENT_TYPES = (
    "invoice", "credit_note", "receipt", "purchase_order", "ledger", "contract", "sop",
    "resolution", "error_codes", "meeting_notes", "log", "kb", "ticket", "email", "offer",
    "delivery_note", "bank_statement", "payslip", "other",
)  # fmt: skip


class Cell(NamedTuple):
    """One cell. `text` is what a person sees; `value` is typed where the format keeps types.

    A tuple: a sheet has tens of thousands, made, written and read in a third of the time."""

    text: str
    row: int
    col: int
    value: str | int | float | bool | None = None  # dates as ISO 8601 text
    kind: str = "text"  # text | number | date | bool | empty | error
    address: str | None = None  # "B7" in a sheet
    formula: str | None = None
    rowspan: int = 1
    colspan: int = 1


def _dump_rows(rows: Sequence[Sequence[Cell]]) -> Any:
    return rows.dumped() if isinstance(rows, Grid) else list(rows)


def _load_rows(held: Any, listed: Any) -> Sequence[tuple[Cell, ...]]:
    if isinstance(held, dict):
        return Grid.loaded(held, Cell)
    return held if isinstance(held, Grid) else tuple(listed(held))


Rows = Annotated[Sequence[tuple[Cell, ...]], WrapValidator(_load_rows), PlainSerializer(_dump_rows)]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. `start:end` are offsets of the table's text in its page's `text`. A sheet's
    rows are kept by columns, as a `Grid`."""

    page: int
    rows: Rows
    start: int = 0
    end: int = 0
    sheet: str | None = None
    header_rows: int = 1
    title: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a page's text: offsets into `Page.text`."""

    kind: str  # heading | paragraph | list_item | table | code | quote | header | footer | field
    start: int
    end: int
    level: int = 0


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its box in points, origin top left; `start` is its offset in `Page.text`."""

    text: str
    start: int
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float = 1.0  # below 1 where a picture was read


def _dump_words(words: Sequence[Word]) -> Any:
    if isinstance(words, Packed):
        return words.dumped()
    return [{name: getattr(word, name) for name in Word.__slots__} for word in words]


def _load_words(held: Any, listed: Any) -> Sequence[Word]:
    if isinstance(held, dict):
        return Packed.loaded(held, Word)
    return held if isinstance(held, Packed) else tuple(listed(held))


Words = Annotated[
    Sequence[Word], PlainSerializer(_dump_words), WrapValidator(_load_words)
]  # a tuple, or packed: `Packed.of(…, Word)`


@dataclass(frozen=True, slots=True)
class Page:
    """One page, sheet or mail part. Citations are offsets into `text`."""

    number: int  # from 1
    text: str
    blocks: tuple[Block, ...] = ()
    tables: tuple[Table, ...] = ()
    words: Words = ()  # only where the format has a layout
    sheet: str | None = None
    width: float = 0.0
    height: float = 0.0
    layer: str = "text"  # text | empty | broken (to be read as a picture) | ocr (was read as one)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside a file; it becomes a document of its own with `parent_id`."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(
        ser_json_bytes="base64", val_json_bytes="base64"
    )

    filename: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Document:
    """The parsed document. `warnings` name skipped pages and limits hit, in words for people."""

    format: str  # one of `ingestion.FORMATS`
    pages: tuple[Page, ...]
    title: str | None = None
    language: str | None = None
    document_type: str = "other"
    metadata: dict[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    @property
    def text(self) -> str:
        return "\n\n".join(page.text for page in self.pages)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage that search returns. `page:start:end` cite it; `text` is that slice, and `context`
    (title, headings, table header) is searched with it but never quoted."""

    id: str
    document_id: str
    ordinal: int
    text: str
    page: int
    start: int
    end: int
    sheet: str | None = None
    cells: str | None = None  # "A2:H14"
    context: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """The proof of a value or a sentence: where it stands, and the words that stand there."""

    document_id: str
    filename: str
    page: int
    start: int
    end: int
    quote: str
    sheet: str | None = None
    cells: str | None = None

    def label(self) -> str:
        """`invoice-17.pdf, page 2` or `ledger.xlsx, Payments!B7`."""
        if self.sheet and self.cells:
            return f"{self.filename}, {self.sheet}!{self.cells}"
        return f"{self.filename}, page {self.page}"


@dataclass(frozen=True, slots=True)
class FieldValue:
    """An extracted value: ISO 8601 for dates, plain decimal string for amounts, else text."""

    value: str | None
    confidence: float = 0.0
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """What extraction found. `line_items` holds one mapping of column name to value per row."""

    document_type: str
    fields: dict[str, FieldValue] = field(default_factory=dict)
    line_items: tuple[dict[str, FieldValue], ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """A search result; `score` is comparable within one answer only."""

    chunk: Chunk
    filename: str
    score: float
    metadata: dict[str, Any] = field(default_factory=dict)

    def source(self) -> Source:
        c = self.chunk
        return Source(
            c.document_id, self.filename, c.page, c.start, c.end, c.text, c.sheet, c.cells
        )
