"""A sheet's cells by columns, made into cells when someone asks: there may be 300,000."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from typing import Any, TypeVar, cast, overload

C = TypeVar("C")
Value = str | int | float | bool | None

_STRETCH = 2_000  # cells made at once
KINDS = {"t": "text", "n": "number", "d": "date", "b": "bool", "-": "empty", "x": "error"}
_TYPES: dict[str, tuple[type, ...]] = {
    "t": (str,), "n": (int, float), "d": (str,), "b": (bool,), "-": (type(None),), "x": (str,),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """`kinds` has a letter of `KINDS` for each row. Without `values` the texts are the values;
    an empty cell's text is empty."""

    texts: Sequence[str]
    kinds: str
    values: Sequence[Value] | None = None

    def part(self, begin: int, end: int) -> Column:
        values = None if self.values is None else self.values[begin:end]
        return Column(self.texts[begin:end], self.kinds[begin:end], values)


class Grid(Sequence[tuple[C, ...]]):
    """Rows of one width that begin at a place of a sheet (from 0), or of a table whose cells have
    no `addresses`. Beside the columns stand formulas and spans (rows, columns) by their place
    within the grid, `(row, column)`."""

    __slots__ = ("_made", "_make", "addresses", "col", "columns", "formulas", "row", "spans")

    def __init__(
        self, row: int, col: int, columns: Sequence[Column], make: type[C],
        formulas: dict[tuple[int, int], str] | None = None,
        spans: dict[tuple[int, int], tuple[int, int]] | None = None, addresses: bool = True,
    ) -> None:  # fmt: skip
        self.row, self.col, self.addresses = row, col, addresses
        self.columns = columns
        self.formulas = formulas or {}
        self.spans = spans or {}
        self._make = make
        self._made: tuple[tuple[C, ...], ...] | None = None

    def part(self, top: int, bottom: int, left: int, right: int) -> Grid[C]:
        """Rows `top` to before `bottom`, columns `left` to before `right`."""

        def within(marks: dict[tuple[int, int], Any]) -> dict[tuple[int, int], Any]:
            return {
                (row - top, col - left): mark
                for (row, col), mark in marks.items()
                if top <= row < bottom and left <= col < right
            }

        columns = [column.part(top, bottom) for column in self.columns[left:right]]
        return Grid(
            self.row + top, self.col + left, columns, self._make, within(self.formulas),
            within(self.spans), self.addresses,
        )  # fmt: skip

    def texts(self) -> list[tuple[str, ...]]:
        return list(zip(*(column.texts for column in self.columns), strict=True))

    def _all(self) -> tuple[tuple[C, ...], ...]:
        if self._made is None:
            made = [self._column(column, col) for col, column in enumerate(self.columns, self.col)]
            for (row, at), formula in self.formulas.items():
                made[at][row] = made[at][row]._replace(formula=formula)
            for (row, at), (down, right) in self.spans.items():
                made[at][row] = made[at][row]._replace(rowspan=down, colspan=right)
            self._made = tuple(zip(*made, strict=True))
        return self._made

    def _column(self, column: Column, col: int) -> list[Any]:
        """A stretch at a time: others take their turn in between."""
        made: list[Any] = []
        for begin in range(0, len(self), _STRETCH):
            made += self._cells(column.part(begin, begin + _STRETCH), col, self.row + begin)
        return made

    def _cells(self, column: Column, col: int, row: int) -> Iterator[Any]:
        letter, kind = letters(col), cast(Any, self._make)
        rows = range(row, row + len(column.kinds))
        values = column.values
        if values is None:
            values = [text or None for text in column.texts]
        addresses = (f"{letter}{at + 1}" for at in rows) if self.addresses else repeat(None)
        return map(partial(tuple.__new__, kind), zip(
            column.texts, rows, repeat(col), values, map(KINDS.__getitem__, column.kinds),
            addresses, repeat(None), repeat(1), repeat(1), strict=False,
        ))  # fmt: skip

    def __len__(self) -> int:
        return len(self.columns[0].kinds) if self.columns else 0

    @overload
    def __getitem__(self, at: int) -> tuple[C, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[C, ...]]: ...
    def __getitem__(self, at: int | slice) -> tuple[C, ...] | Sequence[tuple[C, ...]]:
        return self._all()[at]

    def __iter__(self) -> Iterator[tuple[C, ...]]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return f"Grid({len(self)} rows, {len(self.columns)} columns)"

    def dumped(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return {
            "at": [self.row, self.col],
            "columns": [[column.kinds, column.texts, column.values] for column in self.columns],
            "formulas": [[*place, formula] for place, formula in self.formulas.items()],
            "spans": [[*place, *span] for place, span in self.spans.items()],
            "addresses": self.addresses,
        }

    @classmethod
    def loaded(cls, held: Any, make: type[C]) -> Grid[C]:
        """Raises `ValueError` for another shape."""
        try:
            row, col = map(_whole, held["at"])
            columns = [_column(*one) for one in held["columns"]]
            formulas = {
                (_whole(r), _whole(c)): _text(formula) for r, c, formula in held["formulas"]
            }
            spans = {
                (_whole(r), _whole(c)): (_whole(down), _whole(right))
                for r, c, down, right in held["spans"]
            }
        except (KeyError, TypeError, IndexError) as error:
            raise ValueError("this is no grid") from error
        height = len(columns[0].kinds) if columns else 0
        if any(len(column.kinds) != height for column in columns) or any(
            r >= height or c >= len(columns) for r, c in (*formulas, *spans)
        ):
            raise ValueError("the columns of a grid differ in length")
        return cls(row, col, columns, make, formulas, spans, held.get("addresses") is not False)


def _column(kinds: str, texts: list[str], values: list[Value] | None) -> Column:
    """Checked as a whole: each type is looked at once for each column."""
    if not isinstance(texts, list) or len(texts) != len(_text(kinds)) or not _all(texts, str):
        raise ValueError("texts and kinds of a column differ")
    letters_used = set(kinds)
    if not letters_used <= set(KINDS):
        raise ValueError("a column has unknown kinds")
    if values is None:
        return Column(texts, kinds)
    allowed = {one for letter in letters_used for one in _TYPES[letter]}
    if len(values) != len(kinds) or not set(map(type, values)) <= allowed:
        raise ValueError("values and kinds of a column differ")
    return Column(texts, kinds, values)


def _all(found: list[Any], kind: type) -> bool:
    return set(map(type, found)) <= {kind}


def _text(found: Any) -> str:
    if not isinstance(found, str):
        raise ValueError("this is no text")
    return found


def _whole(found: Any) -> int:
    if type(found) is not int or found < 0:
        raise ValueError("this is no place")
    return found


def letters(col: int) -> str:
    """Column 0 is A, 26 is AA."""
    name = ""
    col += 1
    while col:
        col, digit = divmod(col - 1, 26)
        name = chr(65 + digit) + name
    return name
