"""A reading being taken apart: its columns, its measure, its groups; each element once."""

from __future__ import annotations

from collections.abc import Sequence

from agents.answers.tables.columns import additive, money
from agents.answers.tables.conditions import Conditions
from agents.answers.tables.grids import Column
from agents.answers.tables.plans import Condition, Group, NotThis, Unclear, Unit
from agents.answers.tables.spelling import Elem
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import concepts, listed

SUPERLATIVES = ("max", "min", "top", "bottom", "most", "least", "latest", "earliest")
DOWN = ("max", "top", "most", "latest")
SOFT = ("during", "to", "and", "which", "list", "eq", "table", "column", "since", "until", "than",
         "after", "between", "of")  # fmt: skip
SOFT_WORDS = listed(
    "in of from for on by at to a au de du d le en von im am vom aus fur des und et and the with"
    " van uit op voor y del el zum bei ab bis dans pour"
)  # fmt: skip
DOCUMENTS = listed("invoice contract ticket =document =file =email =mail =report =receipt")
BY_PLACE = listed("first last best worst erste ersten premiers")
PERSON = frozenset(
    ("assignee", "employee", "name", "customer", "contact", "seller", "member", "manager", "owner")
)


def score_of(elems: Sequence[Elem]) -> float:
    return sum(
        max(e.quality, 0.5) * (e.end - e.start) for e in elems if e.has("col", "val", "rows")
    )


class Planner:
    """`left` is what has no part in the plan yet."""

    def __init__(self, elems: Sequence[Elem], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.score = score_of(elems)
        self.elems = list(elems)
        self.pieces = Conditions(self.elems, vocabulary)
        self.left = self._without_every(self.pieces.left)
        self.where = tuple(condition for _, condition in self.pieces.placed)
        self._any_sum = False  # whether `total` may be a column's name
        self._any_money = False  # whether an amount of money is asked for, in whatever words

    def column(self, place: int) -> Column:
        return self.vocabulary.column(place)

    def _without_every(self, elems: list[Elem]) -> list[Elem]:
        """`Across all departments` leaves none out, so it asks for nothing more."""
        gone: set[int] = set()
        for at, elem in enumerate(elems):
            if not elem.has("every"):
                continue
            gone.add(at)
            after = elems[at + 1] if at + 1 < len(elems) else None
            if after is not None and after.has("col") and after.start == elem.end:
                gone |= {at + 1} if self._all_dims(after) else set()
        return [elem for at, elem in enumerate(elems) if at not in gone]

    def _all_dims(self, elem: Elem) -> bool:
        kinds = {self.column(c).kind for c in elem.columns}
        return kinds == {"text"} and not any(self.column(c).gapped for c in elem.columns)

    def _roles(self) -> set[str]:
        return {role for elem in self.left for role in elem.roles}

    def _any(self, *roles: str) -> bool:
        return any(elem.has(*roles) for elem in self.left)

    def _take(self, *roles: str) -> Elem | None:
        """Takes the first element of one of the roles."""
        for elem in self.left:
            if elem.has(*roles):
                self.left.remove(elem)
                return elem
        return None

    def _take_all(self, *roles: str) -> None:
        while self._take(*roles):
            pass

    def _means_nothing(self, elem: Elem) -> bool:
        if elem.has("col", "val", "num", "date", "text", "unit"):
            return elem.has("rows") and not elem.has("val", "num", "date")
        if elem.has("not", "empty", "group", "gt", "ge", "lt", "le", "before"):
            return elem.text in SOFT_WORDS
        return elem.has("rows", "money", "sum") or elem.has(*SOFT) or elem.text in SOFT_WORDS

    # Columns

    def _cols(self) -> list[Elem]:
        return [elem for elem in self.left if elem.has("col")]

    def _measures(self) -> list[Elem]:
        return [e for e in self._cols() if any(self.column(c).measured for c in e.columns)]

    def _dims(self) -> list[Elem]:
        return [e for e in self._cols() if e not in self._measures()]

    def _narrowed(self, elem: Elem) -> int:
        fitting = [c for c in elem.columns if self.column(c).measured]
        return self.pieces.only(fitting)

    def _measure(self) -> tuple[int, ...]:
        """The columns to compute over: named, or the only one that can be meant."""
        named = self._measures()
        if named:
            for elem in named:
                self.left.remove(elem)
            return tuple(dict.fromkeys(self._narrowed(elem) for elem in named))
        if self.pieces.compared:
            return (self.pieces.compared[0],)
        totals = [c.place for c in self.vocabulary.columns
                  if c.measured and concepts(c.name) == {"total"}]  # fmt: skip
        if len(totals) == 1 and (self._any_sum or self._roles() & {"sum", "much", "money"}):
            return (totals[0],)
        fitting = [c for c in self.vocabulary.columns if c.measured]
        amounts = [c for c in fitting if money(c) and additive(c)]
        if (self._any_money or self._any("money", "much")) and amounts:
            fitting = amounts
        return (self.pieces.only([c.place for c in fitting]),) if fitting else self._nothing()

    def _nothing(self) -> tuple[int, ...]:
        raise NotThis

    def _group(self) -> Group | None:
        """`per vendor`, `by month`: a marker with a column or a unit of time behind it."""
        for at, elem in enumerate(self.left):
            if not elem.has("group") or at + 1 >= len(self.left):
                continue
            target = self.left[at + 1]
            near = target.start - elem.end <= 2
            if (
                near
                and target.has("col")
                and not any(self.column(c).measured for c in target.columns)
            ):
                self.left.remove(elem)
                self.left.remove(target)
                if target.has("rows") and self._any("avg") and self._is_row(target):
                    return None  # an average per row is the average
                ids = [c for c in target.columns if self.column(c).identifies]
                place = self.pieces.only(ids or target.columns)
                if self.column(place).kind == "date" and not coarse(self.column(place)):
                    raise Unclear("dates", self.column(place).name)
                return Group(place)
            if near and (unit := unit_of(target)) is not None:
                self.left.remove(elem)
                self.left.remove(target)
                return Group(self._dated(), unit)
        return None

    def _dated(self) -> int:
        dated = [c.place for c in self.vocabulary.columns if c.kind == "date"]
        named = [c for e in self._dims() for c in e.columns if c in dated]
        if len(dated) > 1 and len(set(named)) == 1:
            return named[0]
        if not dated:
            raise NotThis
        return self.pieces.only(dated)

    def _flags(self) -> None:
        """A column of yes and no that is named alone is a condition: `how many are paid`."""
        for elem in list(self._cols()):
            flags = [c for c in elem.columns if self.column(c).kind == "flag"]
            if len(flags) == 1:
                self.left.remove(elem)
                self.pieces.placed.append((elem.start, Condition(flags[0], "flag")))

    # Kinds of question

    def _nouns(self) -> None:
        """What a row is may be named beside what is asked: `amount of the orders`."""
        for elem in list(self._dims()):
            if elem.has("rows") or all(self._names_rows(c) for c in elem.columns):
                self.left.remove(elem)

    def _names_rows(self, place: int) -> bool:
        """Whether each row has a name of its own there: `diesel vehicles` are rows."""
        texts = self.column(place).texts
        return self.column(place).kind == "text" and all(texts) and len(set(texts)) == len(texts)

    def _is_row(self, target: Elem) -> bool:
        """Rows and their ids are the same number: no id stands twice or is missing."""
        ids = [self.column(c) for c in target.columns if self.column(c).identifies]
        if not ids:
            return target.quality < 2 or all(self.column(c).kind == "date" for c in target.columns)
        return all(len(set(c.texts)) == len(c.texts) and all(c.texts) for c in ids)


def unit_of(elem: Elem) -> Unit | None:
    units: tuple[Unit, ...] = ("day", "month", "quarter", "year")
    return next((unit for unit in units if elem.has(f"unit:{unit}")), None)


def kinded(elem: Elem) -> bool:
    return any(role.startswith(("max:", "min:")) for role in elem.roles)


def coarse(column: Column) -> bool:
    """Months, quarters or years: each is a group of its own."""
    return all(p.kind != "day" for p in column.periods if p is not None)
