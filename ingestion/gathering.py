"""What the parent holds of a document while its children read it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import running_lines
from ingestion.paging import Kind, Opened, Skipped, skips

_DOUBTFUL = 0.75  # mean confidence of a page's words below which its warning asks to look
_NO_ENGINE = (
    "Nothing reads pictures on this machine. Type: sudo apt-get install tesseract-ocr "
    "(or make setup), then send it again."
)


@dataclass
class Gathered:
    """Pages in their order; `next` is the first number that nobody told of."""

    format: str
    pages: list[Page] = field(default_factory=list)
    skipped: dict[int, str] = field(default_factory=dict)
    unseen: dict[int, str] = field(default_factory=dict)  # pictures that could not be looked at
    blind: list[int] = field(default_factory=list)  # pictures that nobody was there to look at
    warnings: list[str] = field(default_factory=list)
    about: Document | None = None
    end: Document | None = None
    kind: Kind | None = None
    blame: Unfinishable | None = None  # what ended the last child that ended too early
    total: int = 0  # pages; 0 while they cannot be read one by one
    next: int = 1
    bytes: int = 0

    def open(self, opened: Opened) -> None:
        self.total, self.about = opened.total, opened.about

    def add(self, page: Page) -> None:
        self.pages.append(page)
        self.next = page.number + 1

    def skip(self, one: Skipped) -> None:
        self.skipped[one.number] = one.reason
        self.next = one.number + 1

    def document(self) -> Document:
        """Raises `Unfinishable` when no page came."""
        found = self.end or self.about or Document(self.format, ())
        if not self.pages and not found.attachments:
            raise self._no_page()
        pages = running_lines.marked(self.pages) if found.format == "pdf" else self.pages
        warnings = [*skips(self.skipped), *found.warnings, *self.warnings, *_of_pictures(self)]
        if self.kind is not None:
            found = replace(
                found,
                language=found.language or self.kind.language,
                document_type=self.kind.document_type,
            )
        return replace(found, pages=tuple(pages), warnings=tuple(warnings))

    def _no_page(self) -> Unfinishable:
        if self.blame is not None:
            return self.blame
        if not self.skipped:
            return Unfinishable("The file has no pages.", code="no_pages")
        why = next(iter(self.skipped.values()))
        return Unfinishable(f"No page of the file can be read: {why}", code="corrupted")


def _of_pictures(kept: Gathered) -> list[str]:
    told = [f"page {number} is a picture and was not read: {why}"
            for number, why in sorted(kept.unseen.items())][:20]  # fmt: skip
    if kept.blind:
        told.append(f"Pages that are pictures were not read ({numbers(kept.blind)}). {_NO_ENGINE}")
    doubtful = [page.number for page in kept.pages if page.layer == "ocr" and _doubt(page)]
    if doubtful:
        told.append(
            f"Pages read from pictures with little certainty, compare them: {numbers(doubtful)}."
        )
    return told


def _doubt(page: Page) -> bool:
    sure = [word.confidence for word in page.words]
    return bool(sure) and sum(sure) / len(sure) < _DOUBTFUL


def numbers(pages: list[int]) -> str:
    """`1, 2, 5`, cut off where nobody would read on."""
    return ", ".join(map(str, pages[:20])) + (" and more" if len(pages) > 20 else "")


def emptiness(kept: Gathered) -> Unfinishable:
    """Why a document without a word cannot be used, and what to do."""
    if kept.blind:
        told = f"The file has no text, only pictures. {_NO_ENGINE}"
    elif kept.unseen:
        told = f"The pictures in the file could not be read: {next(iter(kept.unseen.values()))}"
    elif any(page.layer == "ocr" for page in kept.pages):
        told = "No words were found in the pictures of this file. Scan it again at 300 dpi."
    else:
        told = "The file has no text."
    return Unfinishable(told, code="empty")
