"""The elements of a reading, as conditions are taken out of them."""

from __future__ import annotations

from collections.abc import Sequence

from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Condition, NotThis, Unclear
from agents.answers.tables.spelling import Elem
from agents.answers.tables.vocabulary import Vocabulary

OPS = {"gt": (">", True), "ge": (">", False), "lt": ("<", True), "le": ("<", False)}
DATE_OPS = ("before", "after", "since", "until", "during", "le", "ge")
LINKS = ("eq", "during")  # may stand between a column and its value


class Pieces:
    """`placed` are the conditions found, with the place of their element."""

    def __init__(self, elems: Sequence[Elem], vocabulary: Vocabulary) -> None:
        self.elems = list(elems)
        self.vocabulary = vocabulary
        self.used: set[int] = set()
        self.placed: list[tuple[int, Condition]] = []
        self.compared: list[int] = []  # numeric columns that a comparison was bound to

    @property
    def left(self) -> list[Elem]:
        return [elem for at, elem in enumerate(self.elems) if at not in self.used]

    def column(self, place: int) -> Column:
        return self.vocabulary.column(place)

    def _next(self, at: int, step: int, skip: tuple[str, ...] = ()) -> int | None:
        """The nearest unused element in a direction, over those of the roles `skip`."""
        at += step
        while 0 <= at < len(self.elems):
            elem = self.elems[at]
            if at in self.used or (elem.has(*skip) and not elem.has("col", "val")):
                at += step
                continue
            return at
        return None

    def only(self, columns: Sequence[int]) -> int:
        if not columns:
            raise NotThis
        if len(columns) != 1:
            raise Unclear("columns", *(self.column(c).name for c in columns))
        return columns[0]

    def _negation(self, at: int) -> bool:
        """Whether `not` stands before this, perhaps with a link between."""
        before = self._next(at, -1, LINKS)
        if before is not None and self.elems[before].roles == ("not",):
            self.used.add(before)
            return True
        if before is not None and self.elems[before].has("not"):
            self.used.add(before)
            return True
        return False

    def _plain_next(self, at: int) -> int | None:
        return at + 1 if at + 1 < len(self.elems) and at + 1 not in self.used else None

    def _plain_before(self, at: int) -> int | None:
        return at - 1 if at > 0 and at - 1 not in self.used else None

    def _none(self) -> int:
        raise NotThis
