"""The pieces between the tables: headings, running text with marks, key figures, sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reportlab.platypus import Flowable

from core.documents import Source
from reports.pdf import fonts
from reports.pdf.ink import Ink, link, marks_width, rounded, rule
from reports.pdf.theme import INK, LINE, MUTED, ZEBRA, Colour
from reports.value import Span, Tile
from reports.wording import clean, words

_QUOTE_LINES = 6


class Heading(Flowable):  # type: ignore[misc]
    """A section's title: also a bookmark in the outline."""

    def __init__(self, ink: Ink, title: str, key: str, size: float = 15) -> None:
        super().__init__()
        self.ink, self.title, self.key, self.size = ink, clean(title), key, size

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        self.lines = fonts.wrapped(self.title, self.size, room, True)
        self.width, self.height = room, len(self.lines) * self.size * 1.3 + 12
        return self.width, self.height

    def draw(self) -> None:
        self.canv.bookmarkHorizontal(self.key, 0, self.height + 6)
        self.canv.addOutlineEntry(self.title or " ", self.key, 0, False)
        for number, line in enumerate(self.lines, 1):
            y = self.height - number * self.size * 1.3 + 3
            self.ink.text(self.canv, 0, y, line, self.size, bold=True)


class Prose(Flowable):  # type: ignore[misc]
    """Spans of text, wrapped together, each followed by its marks."""

    def __init__(
        self, ink: Ink, spans: Sequence[Span], *, size: float = 9.4, colour: Colour = INK,
        after: float = 6,
    ) -> None:  # fmt: skip
        super().__init__()
        self.ink, self.spans, self.size, self.colour, self.after = ink, spans, size, colour, after
        self._rows: list[list[_Token]] = []

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        self._rows = list(_filled(_tokens(self.spans, self.size, room), room))
        self.width = room
        self.height = len(self._rows) * self.size * 1.5 + self.after
        return self.width, self.height

    def split(self, room: float, height: float) -> list[Any]:
        self.wrap(room, height)
        fit = int(height // (self.size * 1.5))
        if fit < 2 or fit >= len(self._rows):
            return []
        return [self._part(self._rows[:fit], 0), self._part(self._rows[fit:], self.after)]

    def _part(self, rows: list[list[_Token]], after: float) -> Prose:
        spans = [token.span() for row in rows for token in row]
        return Prose(self.ink, spans, size=self.size, colour=self.colour, after=after)

    def draw(self) -> None:
        y = self.height - self.size * 1.15
        for row in self._rows:
            x = 0.0
            for token in row:
                if token.text:
                    self.ink.text(self.canv, x, y, token.text, self.size, colour=self.colour,
                                  bold=token.strong)  # fmt: skip
                x += token.width
                if token.sources:
                    self.ink.marks(self.canv, x, y, token.sources)
                    x += marks_width(token.sources)
                x += token.space
            y -= self.size * 1.5


class _Token:
    """A word (or a piece of one), or the marks after it; never broken."""

    __slots__ = ("newline", "sources", "space", "strong", "text", "width")

    def __init__(self, text: str, size: float, strong: bool) -> None:
        self.text, self.strong = text, strong
        self.width = fonts.width(text, size, strong)
        self.space = fonts.width(" ", size)
        self.sources: tuple[int, ...] = ()
        self.newline = False

    def span(self) -> Span:
        gap = "" if self.space == 0 else " "
        return Span(("\n" if self.newline else "") + self.text + gap, self.sources, self.strong)


def _tokens(spans: Sequence[Span], size: float, room: float) -> Iterator[_Token]:
    for span in spans:
        made: list[_Token] = []
        for number, part in enumerate(clean(span.text).split("\n")):
            found = [piece for word in part.split()
                     for piece in fonts._cut(word, size, room, span.strong)]  # fmt: skip
            tokens = [_Token(piece, size, span.strong) for piece in found]
            if number and (tokens or part == ""):
                tokens = tokens or [_Token("", size, span.strong)]
                tokens[0].newline = True
            made.extend(tokens)
        if made and not span.text[-1:].isspace():
            made[-1].space = 0.0
        for start in range(0, len(span.sources), 6):
            holder = made[-1] if made and start == 0 else _Token("", size, False)
            holder.sources = span.sources[start : start + 6]
            if holder not in made:
                holder.space = 0.0
                made.append(holder)
        if made and span.sources:
            made[-1].space = fonts.width(" ", size)
        yield from made


def _filled(tokens: Iterator[_Token], room: float) -> Iterator[list[_Token]]:
    row: list[_Token] = []
    used = 0.0
    for token in tokens:
        wide = token.width + marks_width(token.sources)
        if row and (used + wide > room or token.newline):
            yield row
            row, used = [], 0.0
        row.append(token)
        used += wide + token.space
    if row:
        yield row


class Tiles(Flowable):  # type: ignore[misc]
    """Key figures as cards, three in a row; one row of cards per flowable, so pages can break."""

    HIGH, GAP = 62.0, 10.0

    def __init__(self, ink: Ink, tiles: Sequence[Tile]) -> None:
        super().__init__()
        self.ink, self.tiles = ink, tiles

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        self.width, self.height = room, self.HIGH + self.GAP
        return self.width, self.height

    def draw(self) -> None:
        wide = (self.width - 2 * self.GAP) / 3
        for index, tile in enumerate(self.tiles):
            self._card(tile, index * (wide + self.GAP), wide)

    def _card(self, tile: Tile, x: float, wide: float) -> None:
        base, room = self.GAP, wide - 24
        rounded(self.canv, ZEBRA, x, base, wide, self.HIGH, 5)
        rounded(self.canv, self.ink.accent, x, base + 9, 2.4, self.HIGH - 18, 1.2)
        label = shortened(clean(tile.label), 7.8, room)
        self.ink.text(self.canv, x + 13, base + self.HIGH - 17, label, 7.8, colour=MUTED)
        text, size = words(tile.value), 17.0
        while (
            fonts.width(text, size, True) + marks_width(tile.value.sources[:3]) > room and size > 8
        ):
            size -= 0.5
        text = shortened(text, size, room, True)
        self.ink.text(self.canv, x + 13, base + 23, text, size, bold=True)
        end = x + 14 + fonts.width(text, size, True)
        self.ink.marks(self.canv, end, base + 23 + size * 0.4, tile.value.sources[:3])
        if tile.computed:
            note = shortened("from " + clean(tile.computed), 6.4, room)
            self.ink.text(self.canv, x + 13, base + 10, note, 6.4, colour=MUTED)


def shortened(text: str, size: float, room: float, bold: bool = False) -> str:
    text = text.replace("\n", " ")
    if fonts.width(text, size, bold) <= room:
        return text
    while text and fonts.width(text + "…", size, bold) > room:
        text = text[: -max(1, len(text) // 16)]
    return text.rstrip() + "…"


class SourceEntry(Flowable):  # type: ignore[misc]
    """`[n]` document and page or cell, the quote, and links back to the pages that use it."""

    def __init__(self, ink: Ink, number: int, source: Source) -> None:
        super().__init__()
        self.ink, self.number, self.source = ink, number, source

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        self.width = room
        label = self.source.label()
        self._label = fonts.wrapped(clean(label), 8.4, room - 30, True)[:4]
        quote = clean(self.source.quote).strip()
        self._quote = fonts.wrapped(f"“{quote[:1200]}”", 7.8, room - 30) if quote else []
        if len(self._quote) > _QUOTE_LINES:
            self._quote = [*self._quote[: _QUOTE_LINES - 1], self._quote[_QUOTE_LINES - 1] + " …"]
        self.height = 11.5 * len(self._label) + 10.2 * len(self._quote) + 10.5 + 8
        return self.width, self.height

    def draw(self) -> None:
        canvas, y = self.canv, self.height - 10
        canvas.bookmarkHorizontal(f"source-{self.number}", 0, self.height)
        self.ink.text(canvas, 0, y, f"[{self.number}]", 8.4, colour=self.ink.accent, bold=True)
        for line in self._label:
            self.ink.text(canvas, 30, y, line, 8.4, bold=True)
            y -= 11.5
        for line in self._quote:
            self.ink.text(canvas, 30, y, line, 7.8, colour=MUTED)
            y -= 10.2
        self._backlinks(y)
        rule(canvas, LINE, 0, self.width, 2, 0.4)

    def _backlinks(self, y: float) -> None:
        pages = self.ink.used.get(self.number, [])
        if not pages:
            return
        x = 30.0
        self.ink.text(self.canv, x, y, "Used on page", 7, colour=MUTED)
        x += fonts.width("Used on page ", 7)
        for page in pages[:12]:
            label = str(page)
            wide = fonts.width(label, 7)
            self.ink.text(self.canv, x, y, label, 7, colour=self.ink.accent)
            link(self.canv, f"page-{page}", (x - 1, y - 2, x + wide + 1, y + 7))
            x += wide + 5
        if len(pages) > 12:
            self.ink.text(self.canv, x, y, "…", 7, colour=MUTED)
