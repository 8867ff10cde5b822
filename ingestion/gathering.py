"""What is held of a document while its parts come in, one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.documents import Attachment, Cell, Document, Page, Table
from core.errors import Unfinishable
from core.grid import Grid
from ingestion import running_lines
from ingestion.names import Distinct
from ingestion.page_text import PageText
from ingestion.paging import Facts, Held, Kind, Opened, Reading, Skipped

Keep = Callable[[int, Attachment], None]

_NAMED = 20  # parts that were skipped, as far as a person wants to read them
_DOUBTFUL = 0.75  # mean confidence of a page's words below which its warning asks to look
_NO_ENGINE = (
    "Nothing reads pictures on this machine. Type: sudo apt-get install tesseract-ocr "
    "(or make setup), then send it again."
)


@dataclass
class Gathered:
    """Parts in their order; `next` is the first number that nobody told of. With `keep` the bytes
    of a file within go there, with its place among them, and are not held."""

    format: str
    keep: Keep | None = None
    pages: list[Page] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    rows: list[tuple[Cell, ...]] = field(default_factory=list)  # of the list of files
    skipped: dict[int, Skipped] = field(default_factory=dict)
    facts: list[Facts] = field(default_factory=list)
    unseen: dict[int, str] = field(default_factory=dict)  # pictures that could not be looked at
    blind: list[int] = field(default_factory=list)  # pictures that nobody was there to look at
    warnings: list[str] = field(default_factory=list)
    opened: Opened | None = None
    end: Document | None = None
    kind: Kind | None = None
    blame: Unfinishable | None = None  # what ended the last child that ended too early
    next: int = 1
    bytes: int = 0  # told by the children, without those of files
    held: int = 0  # bytes of files
    cells: int = 0  # of sheets
    _parts: int = 0  # files that are parts; those of the document as a whole come after them

    @property
    def total(self) -> int:
        """Parts; 0 while they cannot be read one by one."""
        return self.opened.total if self.opened else 0

    @property
    def part(self) -> str:
        return self.opened.part if self.opened else "page"

    @property
    def anything(self) -> bool:
        return bool(self.pages or self.files)

    def begin(self) -> None:
        """Another child tells again what is no part, and all where parts cannot be told apart."""
        del self.files[self._parts :]
        if not self.total:
            self.pages, self.files, self.facts = [], [], []
            self.bytes = self.held = 0

    def add(self, page: Page) -> None:
        self.pages.append(page)
        self.cells += sum(map(_cells, page.tables))
        self.next = page.number + 1

    def hold(self, one: Held) -> None:
        file = one.file
        self.held += len(file.data)
        if self.keep is not None:
            self.keep(len(self.files), file)
            file = replace(file, data=b"")
        self.files.append(file)
        if one.number:
            self._parts = len(self.files)
            self.rows.append(one.row)
            self.next = one.number + 1

    def skip(self, one: Skipped) -> None:
        self.skipped[one.number] = one
        self.next = one.number + 1

    def named(self, number: int) -> str:
        """`page 3`, `sheet Payments`."""
        names = self.opened.names if self.opened else ()
        return f"{self.part} {names[number - 1] if number <= len(names) else number}"

    def document(self) -> Document:
        """Raises `Unfinishable` when no part came."""
        found = self.end or (self.opened.about if self.opened else Document(self.format, ()))
        if not self.anything:
            raise self._nothing()
        pages = running_lines.marked(self.pages) if found.format == "pdf" else self.pages
        if self.rows and self.opened:
            pages = [*pages, _listed(self.opened.columns, self.rows)]
        if self.kind is not None:
            found = replace(
                found,
                language=found.language or self.kind.language,
                document_type=self.kind.document_type,
            )
        files = _distinct(self.files)
        return replace(
            found, pages=tuple(pages), warnings=self._warnings(found), attachments=files,
            title=found.title or next((one.title for one in self.facts if one.title), None),
            metadata=_metadata(found, self.facts) | self._list_of(files),
        )  # fmt: skip

    def _list_of(self, files: Sequence[Attachment]) -> dict[str, Any]:
        if not self.rows:
            return {}
        return {f"{self.part}s": len(self.rows), "attachments": [one.filename for one in files]}

    def _warnings(self, found: Document) -> tuple[str, ...]:
        told = [f"{self.named(number)} was skipped: {one.reason.rstrip('.')}."
                for number, one in sorted(self.skipped.items())]  # fmt: skip
        if len(told) > _NAMED:
            told[_NAMED:] = [f"{len(told) - _NAMED} more {self.part}s were skipped."]
        counts: Counter[str] = Counter()
        for one in self.facts:
            counts.update(one.counts)
            told += one.warnings
        told += [text.replace("{}", str(count)) for text, count in counts.items() if count > 0]
        return (*told, *found.warnings, *self.warnings, *_of_pictures(self))

    def _nothing(self) -> Unfinishable:
        if self.blame is not None:
            return self.blame
        if not self.skipped:
            return Unfinishable("The file has no pages.", code="no_pages")
        [(code, _)] = Counter(one.code for one in self.skipped.values()).most_common(1)
        why = next(one.reason for one in self.skipped.values() if one.code == code)
        return Unfinishable(f"No {self.part} of the file can be read: {why}", code=code)


def collect(reading: Reading, format: str = "") -> Document:
    """The whole document, where no child stands between; rasters stay unread."""
    kept = Gathered(format)
    while True:
        try:
            step = next(reading)
        except StopIteration as end:
            kept.end = end.value
            return kept.document()
        if isinstance(step, Opened):
            kept.opened = step
        elif isinstance(step, Page):
            kept.add(step)
        elif isinstance(step, Held):
            kept.hold(step)
        elif isinstance(step, Skipped):
            kept.skip(step)
        elif isinstance(step, Facts):
            kept.facts.append(step)


def _distinct(files: list[Attachment]) -> tuple[Attachment, ...]:
    names = Distinct()
    return tuple(replace(one, filename=names.name(one.filename)) for one in files)


def _metadata(found: Document, facts: list[Facts]) -> dict[str, Any]:
    """Lists and mappings grow by what the parts tell."""
    grown = {name: _own(told) for name, told in found.metadata.items()}
    for one in facts:
        for name, told in one.metadata.items():
            known = grown.get(name)
            if isinstance(known, list) and isinstance(told, list):
                known += told
            elif isinstance(known, dict) and isinstance(told, Mapping):
                known.update(told)
            else:
                grown[name] = _own(told)
    return grown


def _own(told: Any) -> Any:
    """A list or mapping that may grow: a thousand parts tell of themselves."""
    if isinstance(told, list):
        return list(told)
    return dict(told) if isinstance(told, Mapping) else told


def _cells(table: Table) -> int:
    rows = table.rows
    return (
        len(rows) * (len(rows.columns) if isinstance(rows, Grid) else len(rows[0])) if rows else 0
    )


def _listed(columns: tuple[str, ...], rows: list[tuple[Cell, ...]]) -> Page:
    page = PageText()
    head = tuple(Cell(name, 0, col, name) for col, name in enumerate(columns))
    page.add_table([head, *(tuple(cell._replace(row=at) for cell in row)
                            for at, row in enumerate(rows, 1))])  # fmt: skip
    return page.page(1)


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
