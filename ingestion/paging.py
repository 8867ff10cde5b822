"""How a reader hands a file over part by part, so that what it has read outlives it.

A part is a page, a sheet, a slide, a mail of a box or a member of an archive. A reader is a
generator: first `Opened`, then for each number from `first` on a `Page`, a `Held` or a `Skipped`
(with `Facts` beside it, if there are any), and as its value the document without its parts. For a
`Raster` that it yields between, it is sent the words that were seen on it, or None where nobody
can look. Files that belong to the document as a whole come last, as `Held` with the number 0.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from zipfile import BadZipFile

from core.documents import Attachment, Cell, Document, Page
from core.errors import Unfinishable


@dataclass(frozen=True, slots=True)
class Opened:
    """A document of `total` parts that can be read from any of them on; `about` has none of them.
    `names` are of its first parts, for who must tell which one killed a child. With `columns` the
    document's page is the list of what it holds, a row for each `Held`."""

    total: int
    about: Document
    part: str = "page"
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Skipped:
    """A part that cannot be read; `reason` follows "page 7 was skipped: "."""

    number: int
    reason: str
    code: str = "corrupted"


@dataclass(frozen=True, slots=True)
class Held:
    """A file within the file. Its name becomes distinct where all of them are known; `row` is what
    the list of them tells of it."""

    number: int  # 0: it is none of the parts
    file: Attachment
    row: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    """What one part adds to the document: lists and mappings of `metadata` grow by it. `counts` is
    by warning, each with `{}` where the sum of all parts stands."""

    metadata: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    title: str | None = None  # the first one counts


@dataclass(frozen=True, slots=True)
class Raster:
    """A page as a picture: 8-bit gray, rows from the top, without padding."""

    number: int
    width: int
    height: int
    dpi: float
    pixels: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """A word on a raster, its box in pixels; words of one `line` have its number, and `confidence`
    is 0 to 1."""

    text: str
    x0: float
    y0: float
    x1: float
    y1: float
    confidence: float
    line: int


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen on a raster after it was turned clockwise by so many quarters; the boxes are
    those of the turned picture."""

    words: tuple[Seen, ...]
    quarters: int = 0


@dataclass(frozen=True, slots=True)
class Kind:
    """What the first pages show of a document."""

    language: str | None
    document_type: str


Step = Opened | Page | Held | Skipped | Facts | Raster | Kind
Words = Look | None
Reading = Generator[Step, Words, Document]
PageReading = Generator[Raster, Words, Page]

NAMES_MAX = 2_000
TOO_MUCH = frozenset({"limit_memory", "limit_time"})
_DAMAGE = (
    ValueError, LookupError, TypeError, AttributeError, ArithmeticError, EOFError, OSError,
    BadZipFile, zlib.error,
)  # fmt: skip


def each(
    numbers: Iterable[int], read: Callable[[int], Iterable[Step]]
) -> Generator[Step, Any, None]:
    """The steps of each part. One that is damaged is skipped. One that is too much ends the child,
    and its memory with it: another goes on behind."""
    for number in numbers:
        try:
            yield from read(number)
        except Unfinishable as error:
            if error.slug in TOO_MUCH:
                raise
            yield Skipped(number, error.detail, error.slug)
        except _DAMAGE as error:
            yield Skipped(number, f"it is damaged ({str(error)[:80] or type(error).__name__}).")
