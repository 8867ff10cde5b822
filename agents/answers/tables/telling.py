"""A computed result in sentences of the question's language, each with the cells it rests on."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from agents.answers.tables import cells
from agents.answers.tables.figures import Figure, Result
from agents.answers.tables.grids import Column, Grid
from agents.answers.tables.numbers import shown
from agents.answers.tables.plans import Plan, Unclear
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.wording import Wording
from agents.answers.values import Answer, Sentence
from core.documents import Source

GROUPS_MAX = 15
_NOTES_MAX = 4
_QUOTES_EACH = 2


@cache
def phrases(language: str) -> dict[str, str]:
    every = tomllib.loads(Path(__file__).with_name("phrases.toml").read_text(encoding="utf-8"))
    found: dict[str, str] = every.get(language, every["en"])
    return found


def answer(
    result: Result, vocabulary: Vocabulary, language: str, today: date | None = None
) -> Answer:
    """Route `computed`. `today` is said where it was counted from."""
    return _Telling(result, vocabulary, language, today).answer()


def refusal(unclear: Unclear, language: str) -> Answer:
    """Nothing is computed, and it is said why."""
    words = phrases(language)
    names = [unclear.names[0] if unclear.names else "", ", ".join(unclear.names[1:])]
    if unclear.why in ("columns", "tables"):
        names = [", ".join(unclear.names), ""]
    if unclear.why == "unit":
        names = [unclear.names[0], unclear.names[1]]
    told = words.get(f"unclear_{unclear.why}", words["unclear_none"]).format(*names)
    return Answer(False, "refused", note=f"{told}.")


class _Telling(Wording):
    def __init__(
        self, result: Result, vocabulary: Vocabulary, language: str, today: date | None
    ) -> None:
        self.today = today
        self.result, self.vocabulary, self.language = result, vocabulary, language
        self.plan: Plan = result.plan
        self.grid: Grid = vocabulary.grid
        self.words = phrases(language)
        self.sentences: list[Sentence] = []
        self.citations: list[Source] = []

    def answer(self) -> Answer:
        match self.plan.op:
            case "list":
                self._list()
            case "share":
                self._share()
            case "diff":
                self._diff()
            case _ if self.plan.rank is not None:
                self._ranked()
            case _ if self.plan.group is not None:
                self._groups()
            case _:
                self._plain()
        self._notes()
        return Answer(
            True, "computed", tuple(self._cited()), tuple(self.citations),
            as_of=self.today.isoformat() if self.today else "",
        )  # fmt: skip

    def _cited(self) -> list[Sentence]:
        """A sentence that announces others rests on their first quote."""
        first = next((s.citations for s in self.sentences if s.citations), ())
        return [s if s.citations else Sentence(s.text, first) for s in self.sentences]

    # Pieces

    def _say(
        self, phrase: str, rows: Sequence[int] = (), column: int | None = None,
        most: int = cells._QUOTES_MAX, **given: str,
    ) -> None:  # fmt: skip
        numbers: list[int] = []
        if rows:
            about = self._column(column)
            for source in cells.sources(self.grid, about, rows, most):
                if source not in self.citations:
                    self.citations.append(source)
                numbers.append(self.citations.index(source) + 1)
            given["from"] = self._from(rows, about, counted=column is None)
        given.setdefault("from", self.words["none"])
        text = self.words[phrase].format(**given)
        self.sentences.append(Sentence(" ".join(text.split(" ")), tuple(numbers)))

    def _column(self, place: int | None) -> Column | None:
        return None if place is None else self.vocabulary.column(place)

    def _from(self, rows: Sequence[int], column: Column | None, *, counted: bool) -> str:
        """`3 cells, ledger.xlsx, Payments!H2:H4`."""
        kind = "rows_n" if column is None or counted else "cells"
        one = "rows_one" if kind == "rows_n" else "cells_one"
        number = self.words[one] if len(rows) == 1 else self.words[kind].format(n=len(rows))
        named = cells.named(self.grid, column, rows, self.words["more_cells"])
        if not self.grid.addressed:
            about = f"{column.name}, " if column else ""
            table = self.words["table"].format(n=self.grid.number)
            return f"{number}, {self.grid.filename}, {table}, {about}{self.words['rows']} {named}"
        sheet = f"{self.grid.sheet}!" if self.grid.sheet else ""
        return f"{number}, {self.grid.filename}, {sheet}{named}"

    def _value(self, figure: Figure) -> str:
        if not isinstance(figure.value, Decimal):
            return figure.value.told()
        text = shown(figure.value, figure.unit, self.language, figure.places)
        return f"{text} ({self.words['rounded']})" if figure.rounded else text

    def _what(self) -> str:
        return ", ".join(self.vocabulary.column(place).name for place in self.plan.measures)

    # Kinds of answer

    def _plain(self) -> None:
        where = self._where(self.plan.where)
        units = [figure.unit for figure in self.result.figures]
        if len(set(units)) > 1:
            self._say("several_units", units=self.words["and"].join(str(u or "?") for u in units))
        for figure in self.result.figures:
            if self.plan.op == "count":
                self._counted(figure)
                continue
            column = self.vocabulary.column(figure.column or 0)
            place = self.plan.shown if self.plan.op == "distinct" else figure.column
            name = self.vocabulary.column(place).name if place is not None else column.name
            phrase: str = self.plan.op
            if not isinstance(figure.value, Decimal):
                phrase = "latest" if phrase == "max" else "earliest"
            self._say(
                phrase, figure.rows, figure.column, what=name, where=where,
                value=self._value(figure), of=str(figure.of),
            )  # fmt: skip

    def _counted(self, figure: Figure) -> None:
        value = self._value(figure)
        if not self.plan.where:
            self._say("count_all", figure.rows, value=value)
            return
        of = shown(Decimal(figure.of), None, self.language, 0)
        rows = figure.rows or tuple(range(min(len(self.grid.rows), 1_000_000)))
        where = self._where(self.plan.where, led=False)
        if figure.rows:
            self._say("count", rows, None, value=value, of=of, where=where)
            return
        self._say("count", rows, self.plan.where[0].column, most=1, value=value, of=of, where=where)

    def _groups(self) -> None:
        assert self.plan.group is not None
        group = self.vocabulary.column(self.plan.group.column).name
        where = self._where(self.plan.where)
        if self.plan.op == "count":
            self._say("group_counts", group=group, where=where)
        elif self.plan.op == "distinct":
            assert self.plan.shown is not None
            what = self.vocabulary.column(self.plan.shown).name
            self._say("groups_distinct", group=group, where=where, what=what)
        else:
            op = self.words[f"{self.plan.op}_word"]
            self._say("groups", group=group, where=where, what=self._what(), op=op)
        self._each(self.result.figures)

    def _each(self, figures: Sequence[Figure]) -> None:
        for figure in figures[:GROUPS_MAX]:
            self._say(
                "group", figure.rows, figure.column, most=_QUOTES_EACH, label=figure.label,
                value=self._value(figure),
            )  # fmt: skip
        if len(figures) > GROUPS_MAX:
            self._say("more", n=str(len(figures) - GROUPS_MAX))

    def _ranked(self) -> None:
        assert self.plan.rank is not None
        side = "top" if self.plan.rank.descending else "bottom"
        figures = self.result.figures
        where = self._where(self.plan.where)
        what = self._what() or self.words["rows"]
        if self.plan.rank.count > 1:
            self._say(side, n=str(len(figures)), what=what, where=where)
            self._each(figures)
            return
        phrase = f"one_{side}"
        if self.plan.op == "count":
            phrase = f"one_count_{side}"
        elif self.plan.op == "avg":
            phrase = f"one_avg_{side}"
        elif figures[0].kind == "total" or self.plan.explicit:
            phrase = f"one_total_{side}"
        for figure in figures:
            self._one(phrase, figure, what, where)
        for figure in self.result.extra:
            self._one(f"single_{side}", figure, what, where)

    def _one(self, phrase: str, figure: Figure, what: str, where: str) -> None:
        self._say(
            phrase, figure.rows, figure.column, what=what, where=where, label=figure.label,
            value=self._value(figure),
        )  # fmt: skip

    def _list(self) -> None:
        listed = self.result.listed
        assert self.plan.shown is not None
        what = self.vocabulary.column(self.plan.shown).name
        where = self._where(self.plan.where)
        if not listed:
            every = range(len(self.grid.rows))
            self._say("list_none", every, self.plan.shown, most=1, what=what, where=where)
            return
        self._say("list", value=str(len(listed)), what=what, where=where)
        for value, rows in listed[:GROUPS_MAX]:
            self._say("listed", rows, self.plan.shown, most=1, label=value)
        if len(listed) > GROUPS_MAX:
            self._say("more", n=str(len(listed) - GROUPS_MAX))

    def _share(self) -> None:
        share, part, whole = self.result.figures
        where = self._where(self.plan.where)
        phrase = "share" if self.plan.measures else "share_rows"
        rows = part.rows or whole.rows
        self._say(
            phrase, rows, part.column, share=self._value(share), value=self._value(part),
            of=self._value(whole), what=self._what(), where=where,
        )  # fmt: skip

    def _diff(self) -> None:
        where = self._where(self.plan.base if self.plan.sides else self.plan.where)
        for figure in self.result.figures:
            phrase = "side" if self.plan.measures else "side_rows"
            what, label = self._what(), figure.label
            if not self.plan.sides:
                phrase, what = "side_sum", figure.label
            self._say(phrase, figure.rows, figure.column, what=what, where=where, label=label,
                      value=self._value(figure))  # fmt: skip
        last = self.result.extra[0]
        rows = [row for figure in self.result.figures for row in figure.rows]
        self._say("difference", value=self._value(last))
        told = tuple(dict.fromkeys(n for s in self.sentences for n in s.citations))
        self.sentences[-1] = Sentence(self.sentences[-1].text, told if rows else ())

    def _notes(self) -> None:
        """Said once, with the same quotes as the figures."""
        notes = list(self.result.notes[:_NOTES_MAX])
        if self.today is not None:
            notes.insert(0, ("today", (self.today.isoformat(),)))
        for key, names in notes:
            text = self.words[f"note_{key}"].format(*names)
            first = next((s.citations for s in self.sentences if s.citations), ())
            self.sentences.append(Sentence(text, first))
