"""PDF: tables as printers set them: shaded rows, close numbers, labels between rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.documents import Page
from ingestion import Limits
from ingestion import pdf as reader
from tests.ingestion import builders

Draw = Callable[[Any], None]


def page(draw: Draw) -> Page:
    return reader.read(builders.pdf(draw), Limits()).pages[0]


def texts(read: Page, number: int = 0) -> list[list[str]]:
    return [[cell.text for cell in row] for row in read.tables[number].rows]


def written(canvas: Any, rows: list[list[str]], places: list[int], top: int = 700) -> None:
    for n, row in enumerate(rows):
        for x, text in zip(places, row, strict=True):
            canvas.drawString(x, top - 14 * n, text)


ROWS = [["Country", "Home", "Abroad"], ["Austria", "86", "13"], ["Cyprus", "81", "3"],
        ["Estonia", "94", "5"]]  # fmt: skip


def test_a_row_that_hides_its_lines_keeps_its_cells() -> None:
    def draw(canvas: Any) -> None:
        for n in range(5):
            canvas.line(60, 712 - 14 * n, 360, 712 - 14 * n)
        for x in (60, 160, 260, 360):
            for n in (0, 2):  # the other rows are shaded: nothing is drawn between their cells
                canvas.line(x, 712 - 14 * n, x, 698 - 14 * n)
        written(canvas, ROWS, [64, 164, 264])

    assert texts(page(draw)) == ROWS


def test_a_heading_across_columns_stays_one_cell() -> None:
    def draw(canvas: Any) -> None:
        for n in range(4):
            canvas.line(60, 712 - 14 * n, 360, 712 - 14 * n)
        for x in (60, 360):
            canvas.line(x, 712, x, 670)
        for x in (160, 260):
            canvas.line(x, 698, x, 670)
        canvas.drawString(120, 700, "Cases by country and their origin")
        written(canvas, ROWS[1:3], [64, 164, 264], 686)

    read = page(draw)
    assert texts(read)[0] == ["Cases by country and their origin"]
    assert read.tables[0].rows[0][0].colspan == 3


def test_the_space_between_double_lines_is_no_column() -> None:
    def draw(canvas: Any) -> None:
        for x in (60, 160, 260, 360):
            for apart in (-3, 3):
                canvas.line(x + apart, 712, x + apart, 656)
        for y in (712, 698, 656):
            canvas.line(57, y, 363, y)
        written(canvas, ROWS, [68, 168, 268])

    assert texts(page(draw)) == ROWS


def test_columns_are_what_most_rows_say() -> None:
    rows = [["Share", "1.0", "1.1", "1.2"], ["one", "800", "880", "960"], ["two", "53", "59", "64"],
            ["six", "40", "44", "48"], ["ten", "1,066", "1,173", "1,280"]]  # fmt: skip

    def draw(canvas: Any) -> None:
        for n, row in enumerate(rows):
            canvas.drawString(72, 700 - 14 * n, row[0])
            for x, text in zip((200, 235, 290), row[1:], strict=True):
                canvas.drawRightString(x, 700 - 14 * n, text)

    assert texts(page(draw)) == rows


def test_a_label_between_rows_is_a_row_and_a_wrapped_cell_is_none() -> None:
    lines = [(0, ["North", "12", "14", "20"]), (0, ["South of the", "15", "18", "21"]),
             (0, ["river", "", "", ""]), (-8, ["By age", "", "", ""]),
             (0, ["young", "11", "13", "17"]), (0, ["old", "10", "12", "16"])]  # fmt: skip

    def draw(canvas: Any) -> None:
        for n, (shift, row) in enumerate(lines):
            written(canvas, [row], [80 + shift, 220, 300, 380], 700 - 14 * n)

    first = [row[0] for row in texts(page(draw))]
    assert first == ["North", "South of the river", "By age", "young", "old"]


def test_a_wide_table_of_numbers_is_not_read_as_two_columns_of_prose() -> None:
    def draw(canvas: Any) -> None:
        for n in range(10):
            row = [
                f"{n + 1}0",
                f"{n}.5",
                f"{n + 30}",
                f"{n}.7",
                f"{n + 60}",
                f"{n}.9",
                f"{n}1",
                "4",
            ]
            written(canvas, [row], [60 + 62 * c for c in range(8)], 700 - 14 * n)

    assert page(draw).text.splitlines()[0] == "10 | 0.5 | 30 | 0.7 | 60 | 0.9 | 01 | 4"


def test_a_word_cut_at_the_end_of_a_line_stays_on_both_lines() -> None:
    def draw(canvas: Any) -> None:
        canvas.drawString(72, 700, "Satisfaction with the programme by coun-")
        canvas.drawString(72, 686, "try groups, as it was told to us last year.")

    read = page(draw)
    assert read.text == (
        "Satisfaction with the programme by coun-\ntry groups, as it was told to us last year."
    )
    assert [block.kind for block in read.blocks] == ["paragraph"]
    cut = next(word for word in read.words if word.text == "coun-")
    assert cut.y1 - cut.y0 < 20


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        (["לכל", "שלום"], "שלום לכל"),
        (["2014", "עד", "3.5", "USD", "שילם"], "שילם 3.5 USD עד 2014"),
        (["one", "two"], "one two"),
    ],
)
def test_lines_from_the_right_are_told_as_they_are_read(seen: list[str], read: str) -> None:
    from ingestion.pdf_glyphs import Piece
    from ingestion.pdf_page import WordPage

    made = WordPage()
    made.put_words([Piece(w, 50.0 * n, 0, 50.0 * n + 40, 10) for n, w in enumerate(seen)], "")
    assert made.page(1).text == read
