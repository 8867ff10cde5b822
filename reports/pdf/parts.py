"""The pieces between the tables: headings, running text with marks, key figures, sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from reportlab.platypus import Flowable

from core.documents import Source
from reports.pdf import fonts
from reports.pdf.ink import Ink, link, marks_width, rounded, rule
from reports.theme import INK, LINE, MUTED, ZEBRA, Colour
from reports.value import Span, Tile
from reports.wording import clean, words

_QUOTE_LINES = 6


class Heading(Flowable):
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


class Prose(Flowable):
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


def _tokens(spans: Sequence[Span], size: float, room: float) -> list[_Token]:
    gap = fonts.width(" ", size)
    tokens: list[_Token] = []
    for span in spans:
        text = clean(span.text)
        if tokens and text[:1].isspace():
            tokens[-1].space = gap
        made = _words_of(text, size, room, span.strong)
        if made and not text[-1:].isspace():
            made[-1].space = 0.0
        tokens += made
        tokens += _marks_after(tokens, span.sources, size, gap)
    return tokens


def _words_of(text: str, size: float, room: float, strong: bool) -> list[_Token]:
    tokens: list[_Token] = []
    for number, line in enumerate(text.split("\n")):
        pieces = [p for word in line.split() for p in fonts.cut(word, size, room, strong)]
        if number and not pieces:
            pieces = [""]
        made = [_Token(piece, size, strong) for piece in pieces]
        if number:
            made[0].newline = True
        tokens += made
    return tokens


def _marks_after(
    tokens: list[_Token], sources: Sequence[int], size: float, gap: float
) -> list[_Token]:
    """Six marks at a time: the first ones cling to the last word."""
    if tokens and sources:
        tokens[-1].sources, tokens[-1].space, sources = tuple(sources[:6]), gap, sources[6:]
    more = []
    for start in range(0, len(sources), 6):
        token = _Token("", size, False)
        token.sources = tuple(sources[start : start + 6])
        more.append(token)
    return more


def _filled(tokens: Sequence[_Token], room: float) -> Iterator[list[_Token]]:
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


class Tiles(Flowable):
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


class SourceEntry(Flowable):
    """`[n]`, document and page or cell, the quote, and links back to the pages that use it."""

    SIZE, LEADING, TEXT, BACK = 7.6, 10.0, 30.0, 52.0

    def __init__(self, ink: Ink, number: int, source: Source) -> None:
        super().__init__()
        self.ink, self.number, self.source = ink, number, source

    def wrap(self, room: float, _height: float) -> tuple[float, float]:
        self.width = room
        self._middle = self.TEXT + (room - self.TEXT - self.BACK) * 0.47
        wide = self._middle - self.TEXT - 8
        self._label = fonts.wrapped(clean(self.source.label()), self.SIZE, wide, True)[:5]
        self._quote = self._quoted(room - self.BACK - self._middle - 8)
        self.height = max(len(self._label), len(self._quote)) * self.LEADING + 5
        return self.width, self.height

    def _quoted(self, room: float) -> list[str]:
        quote = " ".join(clean(self.source.quote)[:1200].split())
        if not quote:
            return []
        lines = fonts.wrapped(f"“{quote}”", self.SIZE, room)
        if len(lines) > _QUOTE_LINES:
            lines = [
                *lines[: _QUOTE_LINES - 1],
                shortened(lines[_QUOTE_LINES - 1] + " …", 7.6, room),
            ]
        return lines

    def draw(self) -> None:
        canvas, y = self.canv, self.height - self.LEADING + 1
        canvas.bookmarkHorizontal(f"source-{self.number}", 0, self.height + 4)
        self.ink.text(
            canvas, 0, y, f"[{self.number}]", self.SIZE, colour=self.ink.accent, bold=True
        )
        for index, line in enumerate(self._label):
            self.ink.text(canvas, self.TEXT, y - index * self.LEADING, line, self.SIZE, bold=True)
        for index, line in enumerate(self._quote):
            self.ink.text(canvas, self._middle, y - index * self.LEADING, line, self.SIZE,
                          colour=MUTED)  # fmt: skip
        self._backlinks(y)
        rule(canvas, LINE, 0, self.width, 1, 0.4)

    def _backlinks(self, y: float) -> None:
        """At most three pages; the figures of one source stand together as a rule."""
        pages = self.ink.used.get(self.number, [])
        x = self.width - self.BACK
        for index, page in enumerate(pages[:3]):
            label = f"p. {page}" if index == 0 else f"{page}"
            wide = fonts.width(label, 7)
            self.ink.text(self.canv, x, y, label, 7, colour=self.ink.accent)
            link(self.canv, f"page-{page}", (x - 1, y - 2, x + wide + 1, y + 7))
            x += wide + 4
        if len(pages) > 3:
            self.ink.text(self.canv, x, y, "…", 7, colour=MUTED)
