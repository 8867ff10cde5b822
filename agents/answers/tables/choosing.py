"""Of all tables the one that a question is about, when every reading of it says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from agents.answers.tables.asked import asked
from agents.answers.tables.computing import compute
from agents.answers.tables.figures import Result
from agents.answers.tables.planning import plan
from agents.answers.tables.plans import NotThis, Unclear
from agents.answers.tables.spelling import readings
from agents.answers.tables.telling import answer, refusal
from agents.answers.tables.tokens import Asked
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.tables.words import parts
from agents.answers.values import Answer

_SURE = 1.0  # a reading that is better than the next one by this is meant
_BETTER = 0.3  # so is a table: the very word of a column's name beats another word for it
_NOT_TOLD = frozenset(("what", "none"))  # better left to the usual way


@dataclass(frozen=True, slots=True)
class Found:
    """What one table says, or why it does not."""

    vocabulary: Vocabulary
    score: float
    result: Result | None = None
    unclear: Unclear | None = None


def answered(text: str, tables: Sequence[Vocabulary], today: date | None = None) -> Answer | None:
    """The pure part: the answer over these tables; None when the question is not about them.
    `today` is what `last month` is told from."""
    question = asked(text, today)
    if question is None:
        return None
    found = [one for table in _meant(question, tables) if (one := _over(question, table))]
    if not found:
        return None
    best = _best(found)
    if best.unclear is not None:
        if best.unclear.why in _NOT_TOLD:
            return None
        as_of = question.today.isoformat() if question.today else ""
        return replace(refusal(best.unclear, question.language), as_of=as_of)
    assert best.result is not None
    return answer(best.result, best.vocabulary, question.language, question.today)


def _meant(question: Asked, tables: Sequence[Vocabulary]) -> list[Vocabulary]:
    """The tables of the files that are named, visible ones before hidden ones."""
    named = [t for t in tables if any(_is_file(t.grid.filename, f) for f in question.files)]
    if question.files and not named:
        return []
    chosen = named or list(tables)
    shown = [table for table in chosen if not table.grid.hidden]
    return shown or chosen


def _is_file(filename: str, told: str) -> bool:
    """A name with blanks is told by its end: the words before it are read as words."""
    name, end = parts(filename), parts(told)
    return name[-len(end) :] == end


def _best(found: Sequence[Found]) -> Found:
    """The table that explains the question best; of equals that say different things, none."""
    ordered = sorted(found, key=lambda f: (-f.score, f.result is None))
    best = ordered[0]
    if best.result is None:
        return best
    rivals = [
        f for f in ordered[1:]
        if f.result is not None and f.score > best.score - _BETTER
        and f.result.key() != best.result.key()
    ]  # fmt: skip
    if rivals:
        names = dict.fromkeys(_name(f.vocabulary) for f in (best, *rivals[:7]))
        return Found(best.vocabulary, 0.0, unclear=Unclear("tables", *names))
    return best


def _name(table: Vocabulary) -> str:
    grid = table.grid
    place = grid.sheet or (f"{grid.number}" if not grid.addressed else "")
    return f"{grid.filename}, {place}" if place else grid.filename


def _over(question: Asked, table: Vocabulary) -> Found | None:
    """Every reading that is a whole question is carried out; they must agree."""
    results: list[tuple[float, Result]] = []
    doubts: list[tuple[float, Unclear]] = []
    for reading in readings(question, table):
        score = sum(max(e.quality, 0.25) * (e.end - e.start) for e in reading if e.quality)
        try:
            results.append((score, compute(plan(reading, table), table)))
        except NotThis:
            continue
        except Unclear as unclear:
            doubts.append((score, unclear))
    if not results:
        return Found(table, max(doubts)[0] if len(doubts) == 1 else doubts[0][0],
                     unclear=doubts[0][1]) if doubts else None  # fmt: skip
    results.sort(key=lambda pair: -pair[0])
    score, best = results[0]
    others = [r for s, r in results[1:] if r.key() != best.key() and s > score - _SURE]
    if others or any(s > score + _SURE for s, _ in doubts):
        names = ", ".join(column.name for column in table.columns)
        return Found(table, score, unclear=Unclear("readings", _name(table), names))
    return Found(table, score, result=best)
