"""Where a whole document holds personal data, and the document without it.

A value that is found once (under its label, say) is hidden wherever else it stands: in another
page, a cell, the head of a mail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from core.documents import Cell, Document, Page, Table, Word
from ingestion.pii.finding import find
from ingestion.pii.values import KINDS, hidden

_VALUE_MIN = 5  # characters: a shorter one stands in too many words
_VALUES_MAX = 5_000
# Heads of columns that say what stands under them.
_TELLING = re.compile(
    r"name|nom\b|naam|nombre|nome|contact|kontakt|patient|tel|phone|fon|mobil|handy|fax|cell|gsm"
    r"|mail|iban|card|karte|tarjeta|carte|tax|steuer|ssn|bsn|dni|nif|nie|insurance|versicher"
    r"|passport|ausweis|birth|geburt|geb\.|born|naiss|nacim|nascita|addr|adress|street|stra",
    re.IGNORECASE,
)
# These are looked for everywhere; a birth date or a town may mean something else elsewhere.
_REPEATED = frozenset(KINDS) - {"birth_date"}


@dataclass(frozen=True, slots=True)
class Marks:
    """`spans`: page → (kind, start, end); `values`: (kind, text) of the whole document."""

    spans: dict[int, tuple[tuple[str, int, int], ...]] = field(default_factory=dict)
    values: tuple[tuple[str, str], ...] = ()
    language: str | None = None

    def of(self, kinds: Iterable[str]) -> Marks:
        """Those of these kinds alone."""
        wanted = frozenset(kinds)
        spans = {n: tuple(s for s in found if s[0] in wanted) for n, found in self.spans.items()}
        values = tuple(one for one in self.values if one[0] in wanted)
        return Marks({n: found for n, found in spans.items() if found}, values, self.language)

    def __bool__(self) -> bool:
        return bool(self.spans or self.values)


def marks_of(document: Document) -> Marks:
    """Of all kinds: which are hidden is chosen later."""
    language = document.language
    spans: dict[int, set[tuple[str, int, int]]] = {}
    values: dict[str, str] = {}
    for page in document.pages:
        for one in find(page.text, language, KINDS):
            spans.setdefault(page.number, set()).add((one.kind, one.start, one.end))
            values.setdefault(page.text[one.start : one.end], one.kind)
        values |= {text: kind for kind, text in _in_cells(page.tables, language)}
    for text in (document.title or "", *_texts(document.metadata)):
        values |= {text[f.start : f.end]: f.kind for f in find(text, language, KINDS)}
    told = [(kind, text) for text, kind in values.items()][:_VALUES_MAX]
    again = _again((kind, text) for kind, text in told if kind in _REPEATED)
    for page in document.pages:
        for kind, start, end in again(page.text):
            spans.setdefault(page.number, set()).add((kind, start, end))
    ordered = {n: tuple(sorted(found, key=lambda s: s[1])) for n, found in spans.items()}
    return Marks(ordered, tuple(told), language)


def _in_cells(tables: Iterable[Table], language: str | None) -> Iterator[tuple[str, str]]:
    """A column's head says what its numbers are."""
    for table in tables:
        heads = {
            cell.col: f"{cell.text}: "
            for row in table.rows[: table.header_rows]
            for cell in row
            if _TELLING.search(cell.text)
        }
        for row in table.rows[table.header_rows :]:
            for cell in row:
                label = heads.get(cell.col, "")
                whole = _whole_number(cell)
                if not label and whole is None:  # found in the page's text, if at all
                    continue
                for one in find(label + (whole or cell.text), language, KINDS):
                    if one.start >= len(label):
                        found = (label + (whole or cell.text))[one.start : one.end]
                        yield one.kind, cell.text if whole else found


def _whole_number(cell: Cell) -> str | None:
    """A long number whose text is shortened, as sheets do: 4.11E+15 for a card's."""
    value = cell.value
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1e8 <= value < 1e19:
        return None
    return str(int(value)) if value == int(value) and str(int(value)) != cell.text else None


def _again(values: Iterable[tuple[str, str]]) -> Callable[[str], Iterator[tuple[str, int, int]]]:
    """Where any of the values stands in a text, as a word of its own."""
    kinds = {text: kind for kind, text in values if len(text) >= _VALUE_MIN}
    longest = sorted(kinds, key=len, reverse=True)
    sign = re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest)) + r")(?!\w)")

    def spans(text: str) -> Iterator[tuple[str, int, int]]:
        for found in sign.finditer(text) if longest else ():
            yield kinds[found.group()], found.start(), found.end()

    return spans


class Sight:
    """Many texts that speak of the same documents; what is looked for is made ready once."""

    def __init__(self, marks: Marks, kinds: Iterable[str]) -> None:
        self._kinds = frozenset(kinds)
        self._again = _again(marks.of(self._kinds).values)
        self._language = marks.language

    def shown(self, text: str) -> str:
        """Without what was found there, and what is found in itself."""
        spans = [(start, end) for _, start, end in self._again(text)]
        spans += [(one.start, one.end) for one in find(text, self._language, self._kinds)]
        return hidden(text, spans) if spans else text


def shown(text: str, marks: Marks, kinds: Iterable[str]) -> str:
    """Any text that speaks of the document."""
    return Sight(marks, kinds).shown(text)


def slice_shown(text: str, page: int, start: int, marks: Marks, kinds: Iterable[str]) -> str:
    """`text`, which stands in the page at `start`."""
    own = marks.of(kinds)
    spans = [(a - start, b - start) for _, a, b in own.spans.get(page, ())]
    return shown(hidden(text, spans), marks, kinds)


def document_shown(document: Document, marks: Marks, kinds: Iterable[str]) -> Document:
    """The document with dots for what is personal; every offset stays."""
    own = marks.of(kinds)
    if not own:
        return document
    again = _again(own.values)

    def plain(text: str) -> str:
        spans = [(s, e) for _, s, e in again(text)]
        return hidden(text, spans) if spans else text

    pages = tuple(_page(page, own, plain) for page in document.pages)
    files = tuple(replace(one, filename=plain(one.filename)) for one in document.attachments)
    return replace(
        document, pages=pages, title=plain(document.title) if document.title else None,
        metadata=_each(document.metadata, plain), attachments=files,
        warnings=tuple(map(plain, document.warnings)),
    )  # fmt: skip


def _page(page: Page, marks: Marks, plain: Callable[[str], str]) -> Page:
    spans = [(start, end) for _, start, end in marks.spans.get(page.number, ())]
    text = hidden(page.text, spans)
    words = tuple(_word(word, page.text, text) for word in page.words)
    return replace(
        page, text=text, words=words, sheet=page.sheet,
        tables=tuple(_table(table, plain) for table in page.tables),
    )  # fmt: skip


def _word(word: Word, before: str, after: str) -> Word:
    end = word.start + len(word.text)
    same = before[word.start : end] == word.text
    return replace(word, text=after[word.start : end]) if same else word


def _table(table: Table, plain: Callable[[str], str]) -> Table:
    rows = tuple(tuple(_cell(cell, plain) for cell in row) for row in table.rows)
    return replace(table, rows=rows, title=plain(table.title) if table.title else None)


def _cell(cell: Cell, plain: Callable[[str], str]) -> Cell:
    """A number whose text is hidden is hidden too."""
    text = plain(cell.text)
    if text != cell.text:
        return cell._replace(text=text, value=text, formula=None, kind="text")
    if isinstance(cell.value, str) and plain(cell.value) != cell.value:
        return cell._replace(value=plain(cell.value))
    return cell


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _each(value: Any, plain: Callable[[str], str]) -> Any:
    """The same value with every text in it shown by `plain`."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, Mapping):
        return {name: _each(one, plain) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_each(one, plain) for one in value]
    return value
