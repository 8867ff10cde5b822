"""Old PowerPoint files: a page for each slide with its texts and notes. Source: [MS-PPT]."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion.limits import Limits
from ingestion.ole import Compound, damaged
from ingestion.ole_about import MACROS, about
from ingestion.page_text import PageText, one_line, tidy

_DOCUMENT, _LIST, _SLIDE, _NOTES = 1000, 4080, 1006, 1008
_PLACE, _KIND, _WIDE, _NARROW = 1011, 3999, 4000, 4008
_EDIT, _PLACES = 4085, 6002
_SEALED = 0xF3D1C4DF  # in the stream of the current user
_TITLES, _BODIES = (0, 6), (1, 5, 7, 8)
_SLIDES, _OF_NOTES = 0, 2
_CONTAINER = 0xF
_EDITS_MAX, _RECORDS_MAX = 10_000, 1_000_000
_LETTERS = str.maketrans({"\x0b": "\n", "\x00": ""})
_MASTER_TEXT = "Click to edit Master"

Texts = list[tuple[int, str]]  # kind, text


def read(data: bytes, limits: Limits) -> Document:
    """Tables of old files are drawn as boxes: their cells are paragraphs."""
    file = Compound(data, limits)
    user = file.read("Current User")
    stream = file.read("PowerPoint Document")
    try:
        if len(user) >= 20 and struct.unpack_from("<I", user, 12)[0] == _SEALED:
            raise Unfinishable(
                "The presentation is encrypted. Save it without a password and send it again.",
                code="encrypted",
            )
        slides = _Deck(stream, user, limits).slides()
    except (struct.error, IndexError) as error:
        raise damaged() from error
    if not slides:
        raise Unfinishable("The presentation has no slides.", code="no_pages")
    pages = tuple(_page(n, *told) for n, told in enumerate(slides[: limits.pages], 1))
    metadata = about(file)
    warnings = []
    if len(slides) > limits.pages:
        warnings.append(f"Reading stopped after {limits.pages} slides: page limit.")
    if not MACROS.isdisjoint(file.root.storages):
        warnings.append("The file holds macros; they were not read and never run.")
    title = metadata.pop("title", None)
    if title in (None, "PowerPoint Presentation", "Slide 1"):
        title = next((page.text.split("\n")[0][:200] for page in pages if page.text), None)
    return Document("ppt", pages, title=title, metadata=metadata, warnings=tuple(warnings))


def _page(number: int, texts: Texts, notes: list[str]) -> Page:
    page = PageText()
    for kind, text in sorted(texts, key=lambda one: one[0] not in _TITLES):
        if kind in _TITLES:
            page.add("heading", one_line(text), 1)
            continue
        for line in text.split("\r"):
            last = page.blocks[-1].kind if page.blocks else ""
            if kind in _BODIES:
                page.add("list_item", tidy(line), 1, "\n" if last == "list_item" else "\n\n")
            else:
                page.add("paragraph", tidy(line))
    if notes:
        page.add("paragraph", "Notes: " + "\n".join(notes))
    return page.page(number)


class _Deck:
    def __init__(self, data: bytes, user: bytes, limits: Limits) -> None:
        self._data = data
        self._places: dict[int, int] = {}
        self._records = _RECORDS_MAX
        self._left = limits.output_bytes // 4
        self._document = 0
        self._edits(struct.unpack_from("<I", user, 16)[0] if len(user) >= 20 else 0)

    def _edits(self, at: int) -> None:
        """Each save tells where its parts lie; later ones go before older."""
        for _ in range(_EDITS_MAX):
            kind, begin, _end = self._head(at)
            if kind != _EDIT:
                return
            before, places, document = struct.unpack_from("<III", self._data, begin + 8)
            self._document = self._document or document
            self._directory(places)
            if not before or before >= at:
                return
            at = before

    def _directory(self, at: int) -> None:
        kind, begin, end = self._head(at)
        while kind == _PLACES and begin + 4 <= end:
            (told,) = struct.unpack_from("<I", self._data, begin)
            first, count = told & 0xFFFFF, told >> 20
            begin += 4
            for nth in range(min(count, (end - begin) // 4)):
                (place,) = struct.unpack_from("<I", self._data, begin + 4 * nth)
                self._places.setdefault(first + nth, place)
            begin += 4 * count

    def slides(self) -> list[tuple[Texts, list[str]]]:
        """In the order of the presentation."""
        lists: dict[int, list[tuple[int, int, Texts]]] = {}
        kind, begin, end = self._head(self._places.get(self._document, 0))
        if kind == _DOCUMENT:
            for inner, instance, at, until in self._inside(begin, end):
                if inner == _LIST:
                    lists[instance] = self._listed(at, until)
        notes = {number: self._said(place) for place, number, _ in lists.get(_OF_NOTES, [])}
        found = []
        for place, _number, texts in lists.get(_SLIDES, []):
            drawn, of_notes = self._drawn(place)
            said = {text for _, text in texts}
            both = texts + [one for one in drawn if one[1] not in said]
            found.append((both, notes.get(of_notes, []) if of_notes else []))
        return found

    def _listed(self, begin: int, end: int) -> list[tuple[int, int, Texts]]:
        """Where each slide lies, its number, and the texts that the outline keeps."""
        found: list[tuple[int, int, Texts]] = []
        for kind, _instance, at, until in self._inside(begin, end):
            if kind == _PLACE:
                reference, _flags, _count, number = struct.unpack_from("<IIiI", self._data, at)
                found.append((self._places.get(reference, 0), number, []))
                texts = found[-1][2]
                now = -1
            elif found and kind == _KIND:
                (now,) = struct.unpack_from("<I", self._data, at)
            elif found and kind in (_WIDE, _NARROW):
                texts.append((now, self._text(kind, at, until)))
        return found

    def _drawn(self, place: int) -> tuple[Texts, int]:
        """Texts of the boxes of a slide, and the number of its notes."""
        kind, begin, end = self._head(place)
        if kind != _SLIDE:
            return [], 0
        texts: Texts = []
        notes, now = 0, 4
        for inner, _instance, at, until in self._deep(begin, end):
            if inner == 1007 and until - at >= 20:
                (notes,) = struct.unpack_from("<I", self._data, at + 16)
            elif inner == _KIND:
                (now,) = struct.unpack_from("<I", self._data, at)
            elif inner in (_WIDE, _NARROW):
                texts.append((now, self._text(inner, at, until)))
        return texts, notes

    def _said(self, place: int) -> list[str]:
        kind, begin, end = self._head(place)
        if kind != _NOTES:
            return []
        now, found = 4, []
        for inner, _instance, at, until in self._deep(begin, end):
            if inner == _KIND:
                (now,) = struct.unpack_from("<I", self._data, at)
            elif inner in (_WIDE, _NARROW) and now == 2:
                text = tidy(self._text(inner, at, until)).strip()
                if text and not text.startswith(_MASTER_TEXT):
                    found.append(text)
        return found

    def _text(self, kind: int, begin: int, end: int) -> str:
        raw = self._data[begin:end]
        text = raw.decode("latin-1") if kind == _NARROW else raw.decode("utf-16-le", "replace")
        self._left -= len(text)
        if self._left < 0:
            raise Unfinishable("The presentation has too much content.", code="limit_memory")
        return text.translate(_LETTERS)

    def _head(self, at: int) -> tuple[int, int, int]:
        kind, length = struct.unpack_from("<HI", self._data, at + 2)
        return kind, at + 8, min(at + 8 + length, len(self._data))

    def _inside(self, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Kind, instance, begin and end of each record."""
        while at + 8 <= end:
            self._records -= 1
            if self._records < 0:
                raise Unfinishable("The presentation has too many parts.", code="too_many_parts")
            kind, begin, until = self._head(at)
            (told,) = struct.unpack_from("<H", self._data, at)
            yield kind, told >> 4, begin, min(until, end)
            at = max(until, at + 8)

    def _deep(self, begin: int, end: int) -> Iterator[tuple[int, int, int, int]]:
        """Also of the records that hold records, in order."""
        stack = [self._inside(begin, end)]
        while stack:
            one = next(stack[-1], None)
            if one is None:
                stack.pop()
                continue
            yield one
            if self._data[one[2] - 8] & _CONTAINER == _CONTAINER and len(stack) < 100:
                stack.append(self._inside(one[2], one[3]))
