"""Blocks of a paper drawn as PDF, DOCX, XLSX or text, in three layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from tests.ingestion import builders


@dataclass(frozen=True, slots=True)
class Title:
    text: str


@dataclass(frozen=True, slots=True)
class Prose:
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Labels and values; `right` as sums stand, far to the right of their labels."""

    pairs: tuple[tuple[str, str], ...]
    right: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    rows: tuple[Sequence[str], ...]


Block = Title | Prose | Pairs | Rows


def drawn(blocks: Sequence[Block], format: str, *, style: int) -> bytes:
    """Style 0 writes `Label: value`, 1 puts the value into the next column, 2 below its label."""
    make = {"pdf": _pdf, "docx": _docx, "xlsx": _xlsx, "txt": _txt}[format]
    return make([_laid(block, style) for block in blocks])


def _laid(block: Block, style: int) -> Block:
    """Pairs as lines or as rows."""
    if not isinstance(block, Pairs):
        return block
    if block.right:
        return Rows(tuple(("", "", label, value) for label, value in block.pairs))
    if style == 0:
        return Prose(tuple(f"{label}: {value}" for label, value in block.pairs))
    if style == 1:
        return Rows(tuple((label, value) for label, value in block.pairs))
    labels, values = zip(*block.pairs, strict=True)
    return Rows((labels, values))


def _txt(blocks: Sequence[Block]) -> bytes:
    parts = []
    for block in blocks:
        if isinstance(block, Title):
            parts.append(block.text)
        elif isinstance(block, Prose):
            parts.append("\n".join(block.lines))
        elif isinstance(block, Rows):
            parts.append(_padded(block.rows))
    return "\n\n".join(parts).encode()


def _padded(rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; sums far to the right."""
    widths = [max(map(len, column)) + 4 for column in zip(*rows, strict=True)]
    if not rows[0][0]:
        widths[0] = 40
    return "\n".join(
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def _pdf(blocks: Sequence[Block]) -> bytes:
    def draw(canvas: Any) -> None:
        y = 790.0
        for block in blocks:
            y -= 14
            if isinstance(block, Title):
                canvas.setFont("Helvetica-Bold", 17)
                canvas.drawString(60, y - 6, block.text)
                canvas.setFont("Helvetica", 10)
                y -= 24
            elif isinstance(block, Prose):
                for line in block.lines:
                    canvas.drawString(60, y, line)
                    y -= 13
            elif isinstance(block, Rows):
                lefts = _lefts(block.rows)
                for row in block.rows:
                    _pdf_row(canvas, y, row, lefts)
                    y -= 15

    return builders.pdf(draw)


def _lefts(rows: Sequence[Sequence[str]]) -> list[float]:
    """Where columns begin: wide enough for their cells, sums far to the right."""
    if not rows[0][0]:
        return [60, 60, 320, 450]
    lefts = [60.0]
    for column in list(zip(*rows, strict=True))[:-1]:
        lefts.append(lefts[-1] + 20 + 5.6 * max(map(len, column)))
    return lefts


def _pdf_row(canvas: Any, y: float, row: Sequence[str], lefts: Sequence[float]) -> None:
    """Numbers of a table stand right-aligned, as far as their head is wide."""
    for n, cell in enumerate(row):
        if n > 1 and len(row) == 4 and row[0] and cell[-1:].isdigit():
            canvas.drawRightString(lefts[n] + 45, y, cell)
        else:
            canvas.drawString(lefts[n], y, cell)


def _docx(blocks: Sequence[Block]) -> bytes:
    parts = []
    for block in blocks:
        if isinstance(block, Title):
            parts.append(builders.paragraph(escape(block.text), '<w:pStyle w:val="H1"/>'))
        elif isinstance(block, Prose):
            parts += [builders.paragraph(escape(line)) for line in block.lines]
        elif isinstance(block, Rows):
            parts.append(builders.table(*[[escape(cell) for cell in row] for row in block.rows]))
    return builders.docx("".join(parts))


def _xlsx(blocks: Sequence[Block]) -> bytes:
    def fill(book: Any) -> None:
        sheet = book.active
        for block in blocks:
            if isinstance(block, Title):
                sheet.append([block.text])
            elif isinstance(block, Prose):
                for line in block.lines:
                    sheet.append([line])
            elif isinstance(block, Rows):
                for row in block.rows:
                    sheet.append(list(row))
            sheet.append([])

    return builders.xlsx(fill)
