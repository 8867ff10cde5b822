"""How a reader hands a document over page by page, so that what it has read outlives it.

A reader is a generator: first `Opened`, then for each number from `first` on one `Page` or
`Skipped`, and as its value the document without its pages. For a `Raster` that it yields between,
it is sent the words that were seen on it, or None where nobody can look.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace

from core.documents import Document, Page


@dataclass(frozen=True, slots=True)
class Opened:
    """A document of `total` pages that can be read from any page on; `about` has none of them."""

    total: int
    about: Document


@dataclass(frozen=True, slots=True)
class Skipped:
    """A page that cannot be read; `reason` follows "page 7 was skipped: "."""

    number: int
    reason: str


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


Step = Opened | Page | Skipped | Raster | Kind
Words = Look | None
Reading = Generator[Step, Words, Document]
PageReading = Generator[Raster, Words, Page]

_NAMED = 20


def collect(reading: Reading) -> Document:
    """The whole document, where no child stands between; rasters stay unread."""
    pages: list[Page] = []
    skipped: dict[int, str] = {}
    while True:
        try:
            step = next(reading)
        except StopIteration as end:
            document: Document = end.value
            break
        if isinstance(step, Page):
            pages.append(step)
        elif isinstance(step, Skipped):
            skipped[step.number] = step.reason
    warnings = (*document.warnings, *skips(skipped))
    return replace(document, pages=tuple(pages), warnings=warnings)


def skips(skipped: dict[int, str]) -> list[str]:
    """A warning for each page that was skipped, as far as a person wants to read them."""
    told = [f"page {number} was skipped: {why}" for number, why in sorted(skipped.items())]
    more = len(told) - _NAMED
    return told if more <= 0 else [*told[:_NAMED], f"{more} more pages were skipped."]
