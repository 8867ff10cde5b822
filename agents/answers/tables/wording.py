"""Conditions in the words of the question's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from agents.answers.tables.numbers import decimals, shown
from agents.answers.tables.plans import Condition
from agents.answers.tables.vocabulary import Vocabulary


class Wording:
    """What a figure is of: `where Region = “North” and Date since 2026-03-01`."""

    words: Mapping[str, str]
    language: str
    vocabulary: Vocabulary

    def _where(self, conditions: Sequence[Condition], *, led: bool = True) -> str:
        told = self.words["and"].join(self._condition(one) for one in conditions)
        return f"{self.words['where'] if led else ''}{told}" if told else ""

    def _condition(self, one: Condition) -> str:
        name = self.vocabulary.column(one.column).name
        match one.kind:
            case "in":
                sign = "≠" if one.negated else "="
                return f"{name} {sign} " + self.words["or"].join(f"“{v}”" for v in one.values)
            case "any":
                return self.words["or"].join(self._condition(each) for each in one.either)
            case "flag":
                return f"{name} {'≠' if one.negated else '='} ✓"
            case "cmp":
                told = self._bounds(one, name)
            case "period":
                told = self._period(one, name)
            case "empty":
                told = self.words["empty_cell"].format(column=name)
            case _:
                told = self.words[one.kind].format(column=name, value=one.values[0])
        return self.words["not"].format(text=told) if one.negated else told

    def _bounds(self, one: Condition, name: str) -> str:
        low, high = self._number(one.low), self._number(one.high)
        if one.low is not None and one.high is not None:
            if one.low == one.high:
                return f"{name} = {low}"
            return self.words["between"].format(column=name, low=low, high=high)
        if one.low is not None:
            return f"{name} {'>' if one.low_open else '≥'} {low}"
        return f"{name} {'<' if one.high_open else '≤'} {high}"

    def _number(self, value: Decimal | None) -> str:
        return "" if value is None else shown(value, None, self.language, decimals(value))

    def _period(self, one: Condition, name: str) -> str:
        assert one.period is not None
        role = {"le": "until", "ge": "since"}.get(one.values[0], one.values[0])
        if role == "during":
            return f"{name} = {one.period.told()}"
        return self.words[role].format(column=name, value=one.period.told())
