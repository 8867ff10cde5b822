"""A question read in the words of one table: every word is something, or the table is not meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice

from agents.answers.tables import dates
from agents.answers.tables.dates import Period
from agents.answers.tables.grids import NO
from agents.answers.tables.tokens import Asked, Token
from agents.answers.tables.vocabulary import VALUE_WORDS_MAX, Match, Named, Vocabulary
from agents.answers.tables.words import concept, filler, listed, parts, phrases
from ingestion.fields.numbers import CODES
from vectorstore.words import fold

READINGS_MAX = 24
_PHRASE_MAX = 6
_SKIPPED = listed("a an of in de du des der d the le la les den dem l")


@dataclass(frozen=True, slots=True)
class Elem:
    """A stretch of the question. `roles` are of the lexicon, or col, val, num, date, text, rows."""

    roles: tuple[str, ...]
    start: int
    end: int
    columns: tuple[int, ...] = ()
    values: tuple[Named, ...] = ()
    number: Decimal | None = None
    unit: str | None = None
    period: Period | None = None
    text: str = ""
    quality: float = 0.0

    def has(self, *roles: str) -> bool:
        return any(role in self.roles for role in roles)


def readings(asked: Asked, vocabulary: Vocabulary) -> list[list[Elem]]:
    """Every way to read the question over this table, without words that change nothing; none
    when a word is neither of grammar nor of the table."""
    options = _leading_on(asked, vocabulary)
    return list(islice(_from(options, 0), READINGS_MAX))


def _leading_on(asked: Asked, vocabulary: Vocabulary) -> list[list[Elem]]:
    """What may stand at each place, without what leads to a word that is nothing: the readings
    are then listed without a dead end."""
    options: list[list[Elem]] = [[] for _ in asked.tokens]
    starts = {0}
    for at in range(len(asked.tokens)):
        if at in starts:
            options[at] = _options(asked, vocabulary, at)
            starts.update(one.end for one in options[at])
        if max(starts) <= at:
            return [[] for _ in asked.tokens]  # a word is nothing: most tables end here
    ends = {len(asked.tokens)}
    for at in reversed(range(len(asked.tokens))):
        options[at] = [one for one in options[at] if one.end in ends]
        if options[at]:
            ends.add(at)
    return options


def _from(options: list[list[Elem]], at: int) -> Iterator[list[Elem]]:
    if at >= len(options):
        yield []
        return
    for option in options[at]:
        for rest in _from(options, option.end):
            yield rest if not option.roles else [option, *rest]


def _options(asked: Asked, vocabulary: Vocabulary, at: int) -> list[Elem]:
    token = asked.tokens[at]
    if token.kind == "file":
        return [Elem((), at, at + 1)]
    lettered = _lettered(asked, vocabulary, at)
    if lettered is not None:
        return [lettered]
    if token.kind == "quoted":
        return _quoted(asked, vocabulary, at)
    if token.kind in ("date", "number"):
        return _figures(asked, vocabulary, at)
    return _worded(asked, vocabulary, at)


def _lettered(asked: Asked, vocabulary: Vocabulary, at: int) -> Elem | None:
    """`column D`: by its letter in the sheet."""
    if at + 1 >= len(asked.tokens) or "column" not in phrases(asked.language).get(
        (asked.tokens[at].fold,), ()
    ):
        return None
    letter = asked.tokens[at + 1].text
    found = [c.place for c in vocabulary.columns if c.letter and c.letter == letter]
    if not found:
        return None
    return Elem(("col",), at, at + 2, tuple(found), text=letter, quality=3)


def _quoted(asked: Asked, vocabulary: Vocabulary, at: int) -> list[Elem]:
    token = asked.tokens[at]
    values = vocabulary.values_named([token], asked.language)
    match = vocabulary.columns_named([token])
    if values:
        return [Elem(("val",), at, at + 1, values=values, text=token.text, quality=3)]
    if match and match.quality > 2:
        return [Elem(("col",), at, at + 1, match.columns, text=token.text, quality=3)]
    if parts(token.fold) == parts(vocabulary.grid.sheet or "\0"):
        return [Elem((), at, at + 1)]
    return [Elem(("text",), at, at + 1, text=token.text)]


def _figures(asked: Asked, vocabulary: Vocabulary, at: int) -> list[Elem]:
    token = asked.tokens[at]
    longer = _value(asked, vocabulary, at)
    if longer and longer.end > at + 1:
        return [longer]
    named = _column(asked, vocabulary, at)
    if named and named.end > at + 1 and named.quality > 2:
        return [named]  # `Q1 actual`
    found = []
    match = vocabulary.columns_named([token])
    if match and match.quality == 3:
        return [Elem(("col",), at, at + 1, match.columns, text=token.text, quality=3)]
    months = tuple(c.place for c in vocabulary.columns if _is_period(c.name, token))
    if months:
        return [Elem(("col",), at, at + 1, months, text=token.text, quality=3)]
    if token.kind == "date":
        found.append(Elem(("date",), at, at + 1, period=token.period, text=token.text))
    else:
        found.append(
            Elem(("num",), at, at + 1, number=token.number, unit=token.unit, text=token.text)
        )
    if longer:
        found.append(longer)
    return found


def _is_period(name: str, token: Token) -> bool:
    """A table with a column for each month: `Mar`, `Q1 2026`."""
    return token.period is not None and dates.period_in(name) == token.period


def _value(asked: Asked, vocabulary: Vocabulary, at: int) -> Elem | None:
    for width in range(min(VALUE_WORDS_MAX, len(asked.tokens) - at), 0, -1):
        tokens = asked.tokens[at : at + width]
        if any(token.kind in ("quoted", "file", "op") for token in tokens):
            continue
        if values := vocabulary.values_named(tokens, asked.language):
            text = " ".join(token.text for token in tokens)
            return Elem(("val",), at, at + width, values=values, text=text, quality=2 + width / 4)
    return None


def _worded(asked: Asked, vocabulary: Vocabulary, at: int) -> list[Elem]:
    token = asked.tokens[at]
    grammar = _grammar(asked, at)
    column = _column(asked, vocabulary, at)
    value = _value(asked, vocabulary, at)
    if value and value.end == at + 1 and _is_grammar_only(token, grammar, asked):
        value = None
    found = [one for one in (grammar, column, value) if one is not None]
    if found:
        longest = max(one.end for one in found)
        kept = [one for one in found if one.end == longest]
        if grammar and column and column.end > grammar.end and column.quality != 3:
            kept.append(grammar)  # `total orders` may be a count as well as a column's name
        if column and grammar and column.end == grammar.end and _is_less(grammar):
            kept.remove(grammar)
        return kept
    return _others(asked, vocabulary, at)


def _is_less(grammar: Elem) -> bool:
    """Whether the name of a column is meant rather than this word of grammar."""
    units = ("unit:month", "unit:year", "unit:quarter", "unit:day")
    return grammar.has("money", "many", "rows", *units) and not grammar.has("sum")


def _is_grammar_only(token: Token, grammar: Elem | None, asked: Asked) -> bool:
    """A small word is a value only where it is written like one."""
    small = grammar is not None or token.fold in filler(asked.language)
    return small and (token.text.islower() or len(token.text) < 2)


def _others(asked: Asked, vocabulary: Vocabulary, at: int) -> list[Elem]:
    token = asked.tokens[at]
    for width in (3, 2, 1):
        tokens = asked.tokens[at : at + width]
        if len(tokens) == width and all(t.kind in ("word", "number") for t in tokens):
            values = vocabulary.values_holding(tokens)
            if values and token.fold not in filler(asked.language):
                text = " ".join(t.text for t in tokens)
                return [Elem(("val",), at, at + width, values=values, text=text, quality=1)]
    if token.fold in filler(asked.language):
        return [Elem((), at, at + 1)]
    if (denied := _denied(asked, vocabulary, at)) is not None:
        return [denied]
    if concept(token.fold) <= vocabulary.names:
        quality = 1.5 if concept(token.fold) <= vocabulary.sheet else 0.5
        quality = 2.9 if token.fold in vocabulary.called else quality
        return [Elem(("rows",), at, at + 1, text=token.text, quality=quality)]
    dated = any(column.kind == "date" for column in vocabulary.columns)
    if concept(token.fold) <= vocabulary.file or (dated and concept(token.fold) == {"date"}):
        return [Elem(("table",), at, at + 1, text=token.text, quality=0.5)]
    if token.number is not None and token.ordinal is None:
        return [Elem(("num",), at, at + 1, number=token.number, text=token.text)]
    if token.text.upper() in CODES and len(token.text) == 3:
        return [Elem(("unit",), at, at + 1, unit=token.text.upper(), text=token.text)]
    return []


_UN = {
    "en": ("un",),
    "de": ("un", "nicht"),
    "fr": ("im", "in", "non"),
    "nl": ("on",),
    "es": ("im", "in", "no"),
}


def _denied(asked: Asked, vocabulary: Vocabulary, at: int) -> Elem | None:
    """`unpaid`, `onbetaalde`: the no of a column of yes and no."""
    token = asked.tokens[at]
    for prefix in _UN[asked.language]:
        if not token.fold.startswith(prefix) or len(token.fold) < len(prefix) + 4:
            continue
        match = vocabulary.columns_named([replace(token, fold=token.fold[len(prefix) :])])
        flags = [vocabulary.column(c) for c in match.columns] if match else []
        if len(flags) == 1 and flags[0].kind == "flag":
            values = {(flags[0].place, text) for text in flags[0].texts if fold(text) in NO}
            return Elem(("val",), at, at + 1, values=tuple(sorted(values)), text=token.text,
                        quality=1.5)  # fmt: skip
    return None


def _grammar(asked: Asked, at: int) -> Elem | None:
    known = phrases(asked.language)
    flat = [token.fold for token in asked.tokens[at : at + _PHRASE_MAX]]
    kinds = [token.kind for token in asked.tokens[at : at + _PHRASE_MAX]]
    for width in range(len(flat), 0, -1):
        if not all(kind in ("word", "op") for kind in kinds[:width]):
            continue
        key = tuple(part for word in flat[:width] for part in (parts(word) or (word,)))
        if key in known:
            return Elem(known[key], at, at + width, text=" ".join(flat[:width]))
    return None


def _column(asked: Asked, vocabulary: Vocabulary, at: int) -> Elem | None:
    for width in range(min(5, len(asked.tokens) - at), 0, -1):
        tokens = asked.tokens[at : at + width]
        if any(token.kind not in ("word", "date", "number") for token in tokens):
            continue
        if tokens[0].fold in _SKIPPED or tokens[-1].fold in _SKIPPED:
            continue
        match = vocabulary.columns_named(tokens)
        if match and (width == 1 or match.quality > 2):
            roles = ("col", "rows") if _names_rows(vocabulary, tokens, match.columns) else ("col",)
            text = " ".join(token.text for token in tokens)
            quality = match.quality if match.quality > 1 else 1.0
            width += _said_twice(asked, vocabulary, at + width, match)
            return Elem(roles, at, at + width, match.columns, text=text, quality=quality)
    return None


def _said_twice(asked: Asked, vocabulary: Vocabulary, at: int, match: Match) -> int:
    """`on hand quantity`, `salary amount`: the noun behind a column's full name adds nothing."""
    if at >= len(asked.tokens) or match.quality < 2.5 or len(match.columns) != 1:
        return 0
    if not vocabulary.column(match.columns[0]).measured:
        return 0
    token = asked.tokens[at]
    return int(concept(token.fold) <= _NOUNS and token.kind == "word")


_NOUNS = listed("amount value quantity number level")


def _names_rows(
    vocabulary: Vocabulary, tokens: tuple[Token, ...], columns: tuple[int, ...]
) -> bool:
    """Whether the words name what a row is: the sheet is called so, or the rows' ids are."""
    told = frozenset().union(*(concept(part) for t in tokens for part in parts(t.fold)))
    if told <= vocabulary.sheet:
        return True
    return any(vocabulary.column(place).identifies for place in columns)
