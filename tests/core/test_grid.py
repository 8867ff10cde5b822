"""A sheet by columns is its cells, also after a way through JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.codec import decode, encode
from core.documents import Cell, Document, Page, Table
from core.errors import Unfinishable
from core.grid import Column, Grid


def grid() -> Grid[Cell]:
    return Grid(
        3, 1,
        [Column(["Sum", "2.5", ""], "tn-", ["Sum", 2.5, None]), Column(["a", "b ", "c"], "ttt")],
        Cell, {(1, 0): "=1+1.5"}, {(0, 1): (2, 1)},
    )  # fmt: skip


def document(rows: Any) -> Document:
    return Document("xlsx", (Page(1, "x", tables=(Table(1, rows),)),))


def test_columns_are_cells_with_their_addresses() -> None:
    assert list(grid()) == [
        (Cell("Sum", 3, 1, "Sum", "text", "B4"), Cell("a", 3, 2, "a", "text", "C4", None, 2, 1)),
        (
            Cell("2.5", 4, 1, 2.5, "number", "B5", "=1+1.5"),
            Cell("b ", 4, 2, "b ", "text", "C5"),
        ),
        (Cell("", 5, 1, None, "empty", "B6"), Cell("c", 5, 2, "c", "text", "C6")),
    ]


def test_cells_of_a_table_that_is_no_sheet_have_no_addresses() -> None:
    plain = Grid(0, 0, [Column(["a"] * 3_000, "t" * 3_000)], Cell, addresses=False)
    assert plain[2_999] == (Cell("a", 2_999, 0, "a"),)
    kept = decode(Document, encode(Document, document(plain.part(1, 3, 0, 1))))
    assert list(kept.pages[0].tables[0].rows) == [(Cell("a", 1, 0, "a"),), (Cell("a", 2, 0, "a"),)]


def test_a_part_keeps_places_and_marks() -> None:
    part = grid().part(1, 3, 0, 1)
    assert [[(c.address, c.formula) for c in row] for row in part] == [
        [("B5", "=1+1.5")], [("B6", None)],
    ]  # fmt: skip


def test_it_goes_through_json_by_columns() -> None:
    made = document(grid())
    body = encode(Document, made)
    again = decode(Document, body)
    assert again == made
    assert isinstance(again.pages[0].tables[0].rows, Grid)
    assert encode(Document, again) == body


def test_rows_of_cells_go_through_json_too() -> None:
    made = document(tuple(grid()))
    assert decode(Document, encode(Document, made)) == made


@pytest.mark.parametrize(
    "bad",
    [
        {"columns": [["tt", ["a"], None]]},
        {"columns": [["t", [1], None]]},
        {"columns": [["n", ["1"], ["1"]]]},
        {"columns": [["?", ["1"], None]]},
        {"columns": [["t", ["1"], None], ["tt", ["1", "2"], None]]},
        {"columns": [["n", ["1"], [[1]]]]},
        {"formulas": [[0, 9, "=A1"]]},
        {"formulas": [[-1, 0, "=A1"]]},
        {"spans": [[0, 0, "1", 1]]},
        {"at": [0]},
        {"columns": None},
    ],
)
def test_another_shape_is_refused(bad: dict[str, Any]) -> None:
    held = json.loads(encode(Document, document(grid())))
    held["pages"][0]["tables"][0]["rows"].update(bad)
    with pytest.raises(Unfinishable):
        decode(Document, json.dumps(held).encode())
