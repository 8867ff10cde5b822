"""Passages of about 200 word pieces: exact slices of a page, table rows whole, headings beside."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from core.documents import Block, Chunk, Document, Page, Table

PIECES_MAX = 200  # leaves room for the context within a 256-piece model input
ROWS_MAX = 60  # pieces of a table's rows in one passage: among more, none of them stands out
CHARS_MAX = 1_000
SMALL = 40  # pieces; a section shorter than this is not worth a passage of its own
CONTEXT_MAX = 240
SEARCHED_MAX = 10_000_000  # characters of one document: 4,000 dense pages

_PIECE = re.compile(r"[^\W\d_]+|\d+|[^\w\s]|_")
# Little words: how many letters a piece has depends on whether the text is English.
_ENGLISH = re.compile(r"\b(?:the|of|and|is|for|with|that|are|by|this|to)\b", re.IGNORECASE)
_OTHER = re.compile(
    r"\b(?:der|die|das|den|und|ist|nicht|von|zu|le|la|les|des|et|est|du|het|een|van|en|el|los|las"
    r"|que|del|il|di|che|per|och|att|som)\b",
    re.IGNORECASE,
)
LETTERS = 6  # of an English word in its first piece, and in each further one
_LETTERS_READ = 4_000  # characters of a page that tell its language
_LETTERS_ELSE = 3  # measured in German, French, Dutch and Spanish: cut shorter than English words
_SENTENCE = re.compile(r"(?<=[.!?;:])\s+|\n+")


@dataclass(frozen=True, slots=True)
class _Atom:
    """The smallest stretch that is never cut, and what stands above it."""

    start: int
    end: int
    cost: int
    kind: str
    path: tuple[str, ...]
    table: Table | None = None
    row: int = 0


def pieces(text: str, letters: int = LETTERS, most: int = sys.maxsize) -> int:
    """A cautious count of word pieces: long words and digits are split by every tokenizer, and
    `letters` make a piece of a word. Beyond `most` nobody counts on."""
    total = 0
    for match in _PIECE.finditer(text):
        if total > most:
            break
        length = match.end() - match.start()
        first = text[match.start()]
        if first.isdigit():
            total += (length + 1) // 2
        elif first > "\u2e80":  # a piece per ideograph
            total += length
        elif first > "\x7f":
            total += (length + 2) // 3
        else:
            total += 1 + (length - 1) // letters
    return total


def chunk(document: Document, document_id: str) -> list[Chunk]:
    """Every character that is not white space is in exactly one passage, in order, as far as
    `SEARCHED_MAX` reaches. Ids are `<document_id>:<ordinal>`, so the same document always gives
    the same chunks."""
    chunks: list[Chunk] = []
    left = SEARCHED_MAX
    for page in document.pages:
        for group in _groups(page) if left > 0 else ():
            chunks.append(_chunk(document, document_id, page, group, len(chunks)))
            if group[-1].end >= left:
                break
        left -= len(page.text)
    return chunks


def unsearched(document: Document) -> str | None:
    """What to tell of a text that is too long to be found as a whole."""
    characters = sum(len(page.text) for page in document.pages)
    if characters <= SEARCHED_MAX:
        return None
    return (
        f"Only the first {SEARCHED_MAX // 10**6} million of {characters / 10**6:.1f} million "
        "characters are searchable. Split the file to find the rest."
    )


def _chunk(
    document: Document, document_id: str, page: Page, group: list[_Atom], ordinal: int
) -> Chunk:
    start, end = group[0].start, group[-1].end
    return Chunk(
        id=f"{document_id}:{ordinal}",
        document_id=document_id,
        ordinal=ordinal,
        text=page.text[start:end],
        page=page.number,
        start=start,
        end=end,
        sheet=page.sheet,
        cells=_cells(group),
        context=_context(document, page, group),
    )


def _cells(group: list[_Atom]) -> str | None:
    """`A2:H14` of the first and last row; None where cells have no addresses."""
    table = group[0].table
    if table is None:
        return None
    first, last = table.rows[group[0].row], table.rows[group[-1].row]
    if not first or not last or first[0].address is None or last[-1].address is None:
        return None
    return f"{first[0].address}:{last[-1].address}"


def _context(document: Document, page: Page, group: list[_Atom]) -> str:
    told = [document.title or "", page.sheet or "", *group[0].path]
    table = group[0].table
    if table is not None:
        told.append(table.title or "")
        if table.header_rows and group[0].row >= table.header_rows:
            told.append(_first_line(page.text, table))
    own = page.text[group[0].start : group[0].end]
    kept = dict.fromkeys(text.strip() for text in told if text.strip() and text.strip() != own)
    return " › ".join(kept)[:CONTEXT_MAX]


def _first_line(text: str, table: Table) -> str:
    """As much of it as any context shows: a table may be all of a file, a line too."""
    most = min(table.end, table.start + CHARS_MAX + 1)
    end = text.find("\n", table.start, most)
    return text[table.start : end if end >= 0 else most]


def _groups(page: Page) -> Iterator[list[_Atom]]:
    group: list[_Atom] = []
    cost = 0
    for atom in _atoms(page):
        if group and _breaks(group, cost, atom):
            yield group
            group, cost = [], 0
        group.append(atom)
        cost += atom.cost
    if group:
        yield group


def _breaks(group: list[_Atom], cost: int, atom: _Atom) -> bool:
    most = PIECES_MAX if atom.table is None else ROWS_MAX
    if cost + atom.cost > most or atom.end - group[0].start > CHARS_MAX:
        return True
    if atom.table is not group[-1].table:
        return True
    return atom.kind == "heading" and cost >= SMALL


def _letters(text: str) -> int:
    """Of a piece in this text. A vocabulary made of English cuts other words into more pieces, and
    what is beyond the model's input is not seen by it."""
    head = text[:_LETTERS_READ]
    english = len(_ENGLISH.findall(head)) >= len(_OTHER.findall(head))
    return LETTERS if english else _LETTERS_ELSE


def _atoms(page: Page) -> Iterator[_Atom]:
    letters = _letters(page.text)
    path: list[tuple[int, str]] = []
    tables = {table.start: table for table in page.tables}
    for block in _whole(page):
        if block.kind == "heading":
            above = tuple(text for level, text in path if level < (block.level or 1))
            path = [(level, text) for level, text in path if level < (block.level or 1)]
            path.append(
                (block.level or 1, page.text[block.start : block.end].replace("\n", " ")[:120])
            )
        else:
            above = tuple(text for _level, text in path)
        table = tables.get(block.start) if block.kind == "table" else None
        if (
            table is not None
            and len(table.rows) == page.text.count("\n", table.start, table.end) + 1
        ):
            yield from _row_atoms(page, table, above, letters)
        else:
            for start, end, cost in _split(page.text, block.start, block.end, letters):
                yield _Atom(start, end, cost, block.kind, above)


def _whole(page: Page) -> list[Block]:
    """The page's blocks in order without overlap, and paragraphs for text between them."""
    found: list[Block] = []
    at = 0
    end_of_text = len(page.text)
    for block in [
        *sorted(page.blocks, key=lambda b: b.start),
        Block("end", end_of_text, end_of_text),
    ]:
        start = max(at, block.start)
        if page.text[at:start].strip():
            found.append(Block("paragraph", at, start))
        if block.end > start and page.text[start : block.end].strip():
            found.append(Block(block.kind, start, min(block.end, end_of_text), block.level))
        at = max(at, block.end)
    return found


def _row_atoms(page: Page, table: Table, path: tuple[str, ...], letters: int) -> Iterator[_Atom]:
    at = table.start
    for row, line in enumerate(page.text[table.start : table.end].split("\n")):
        for start, end, cost in _split(page.text, at, at + len(line), letters):
            yield _Atom(start, end, cost, "table", path, table, row)
        at += len(line) + 1


def _split(text: str, start: int, end: int, letters: int) -> Iterator[tuple[int, int, int]]:
    """Stretches without outer white space and their cost: the whole if it fits, else sentences,
    else words."""
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start == end:
        return
    cost = _cost(text[start:end], letters)
    if cost is not None:
        yield start, end, cost
        return
    at = start
    for match in _SENTENCE.finditer(text, start, end):
        yield from _cut(text, at, match.start(), letters)
        at = match.end()
    yield from _cut(text, at, end, letters)


def _cost(text: str, letters: int) -> int | None:
    """Its pieces; None where it is too much for one passage."""
    if len(text) > CHARS_MAX:
        return None
    cost = pieces(text, letters, PIECES_MAX)
    return cost if cost <= PIECES_MAX else None


def _cut(text: str, start: int, end: int, letters: int) -> Iterator[tuple[int, int, int]]:
    """Halves, at white space where there is some, until every part fits."""
    stack = [(start, end)]
    while stack:
        low, high = stack.pop()
        while low < high and text[low].isspace():
            low += 1
        while high > low and text[high - 1].isspace():
            high -= 1
        if low == high:
            continue
        cost = _cost(text[low:high], letters)
        if cost is not None:
            yield low, high, cost
            continue
        middle = (low + high) // 2
        blank = max(text.rfind(" ", low, middle), text.rfind("\n", low, middle))
        middle = blank if blank > low else middle
        stack += [(middle, high), (low, middle)]
