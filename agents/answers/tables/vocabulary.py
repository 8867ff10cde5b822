"""What a table speaks of: its columns' names and its cells' values, to be found in a question."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from agents.answers.tables.grids import Column, Grid
from agents.answers.tables.tokens import Token
from agents.answers.tables.words import concepts, key, listed, meant, name_parts, parts
from ingestion.fields.numbers import CODES
from vectorstore.words import fold

VALUE_WORDS_MAX = 10
_PARTIAL_WORDS_MAX = 6  # a longer cell is a sentence, not a name
Named = tuple[int, str]  # (place of the column, the value as it stands there)


@dataclass(frozen=True, slots=True)
class Match:
    """Columns that a phrase may name; `quality` is 3 for the very words, 1 for some of them."""

    columns: tuple[int, ...]
    quality: float


@dataclass(slots=True)
class Vocabulary:
    grid: Grid
    values: dict[tuple[str, ...], list[Named]] = field(default_factory=dict)
    words: dict[str, set[Named]] = field(default_factory=dict)
    stems: dict[str, set[Named]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()  # concepts of the sheet's and table's names, or the file's
    sheet: frozenset[str] = frozenset()
    called: frozenset[str] = frozenset()  # the very words of these names
    file: frozenset[str] = frozenset()  # concepts of the file's name

    @property
    def columns(self) -> tuple[Column, ...]:
        return self.grid.columns

    @property
    def called_things(self) -> frozenset[str]:
        """What its rows are, by the names of its sheet or file."""
        return self.sheet | self.file

    def column(self, place: int) -> Column:
        return next(c for c in self.grid.columns if c.place == place)

    def columns_named(self, tokens: Sequence[Token]) -> Match | None:
        """The columns whose names hold all of these words, the best ones only."""
        told = tuple(part for token in tokens for part in parts(token.fold))
        asked = meant(tuple(word for word in told if word not in _SMALL))
        if not asked or all(word.upper() in CODES for word in told):
            return None  # a currency alone names no column
        about = self.called_things
        rated = [
            (rating, c.place) for c in self.columns if (rating := _rating(c, told, asked, about))
        ]
        best = max((rating for rating, _ in rated), default=0.0)
        if best == 0.0:
            return None
        return Match(tuple(p for rating, p in rated if rating == best or best < 2), best)

    def values_named(self, tokens: Sequence[Token], spoken: str) -> tuple[Named, ...]:
        """The cells that say just this; of single words also in another ending."""
        told = tuple(part for token in tokens for part in parts(token.fold))
        found = self.values.get(told)
        if found:
            return tuple(n for n in found if _fits_case(n[1], tokens, self))
        if told and len(told[-1]) > 3 and not told[-1].isdigit():
            near = self.stems.get(_ended(told, spoken), set())
            return tuple(sorted(near)) if len({value for _, value in near}) == 1 else ()
        return ()

    def values_holding(self, tokens: Sequence[Token]) -> tuple[Named, ...]:
        """The one value that has this name or code as part of it; empty when there are several."""
        if not all(t.text[:1].isupper() or t.text.isdigit() for t in tokens):
            return ()
        told = tuple(part for token in tokens for part in parts(token.fold))
        if not any(len(word) > 2 and not word.isdigit() for word in told):
            return ()
        sets = [self.words.get(word, set()) for word in told]
        both = set.intersection(*sets) if sets else set()
        return tuple(both) if len(both) == 1 and _in_order(told, parts(next(iter(both))[1])) else ()


_DEFAULT = re.compile(r"(?:sheet|tabelle|feuil|feuille|blad|hoja)\s*\d*")
_TURNS = listed("on not non without ohne nicht sans sin zonder niet geen")
_SMALL = listed("of in on the a de la le les du des der die das den dem d l")


def _rating(
    column: Column, told: tuple[str, ...], asked: frozenset[str], about: frozenset[str]
) -> float:
    name = name_parts(column.name)
    unit_words = parts(column.unit) if column.unit else ()
    if told == name:
        return 3.0
    if told == tuple(word for word in name if word not in unit_words):
        return 2.9
    plain = tuple(word for word in name if word not in unit_words)
    if tuple(map(_singular, told)) == tuple(map(_singular, plain)):
        return 2.8
    whole = concepts(column.name)
    if _TURNS & set(name) - set(told):
        return 0.0  # units on order are not units ordered
    if asked == whole:
        return 2.5
    unit = concepts(column.unit) if column.unit else frozenset()
    if unit and asked == whole - unit:
        return 2.5
    if asked - about == whole - unit and asked & about and whole - unit:
        return 2.2  # `invoice amount`, of the column `Amount` of invoices
    return 1.0 if asked < whole else 0.0


def _fits_case(value: str, tokens: Sequence[Token], vocabulary: Vocabulary) -> bool:
    """`IT` is not `it`, nor `May` `may`: short values are met by their own capitals."""
    if len(value) > 3 or not value.isalpha() or len(tokens) != 1:
        return True
    return tokens[0].text == value or (tokens[0].kind == "quoted")


def _singular(word: str) -> str:
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _ended(told: tuple[str, ...], spoken: str) -> str:
    """The words with the last one bare: in English of its plural, else of any ending."""
    last = _singular(told[-1]) if spoken == "en" else key(told[-1])
    return " ".join(("s" if spoken == "en" else "k", *told[:-1], last))


def _in_order(told: tuple[str, ...], value: tuple[str, ...]) -> bool:
    width = len(told)
    return any(value[at : at + width] == told for at in range(len(value) - width + 1))


def vocabulary(grid: Grid) -> Vocabulary:
    values: dict[tuple[str, ...], list[Named]] = defaultdict(list)
    words: dict[str, set[Named]] = defaultdict(set)
    stems: dict[str, set[Named]] = defaultdict(set)
    for column in grid.columns:
        if column.kind not in ("text", "flag") and not column.identifies:
            continue
        for text in {text for text in column.texts if text}:
            told = parts(text)
            if not told or len(told) > VALUE_WORDS_MAX:
                continue
            values[told].append((column.place, text))
            if len(told) <= _PARTIAL_WORDS_MAX:
                stems[_ended(told, "en")].add((column.place, text))
                stems[_ended(told, "")].add((column.place, text))
            if 1 < len(told) <= _PARTIAL_WORDS_MAX and column.kind == "text":
                for word in told:
                    words[word].add((column.place, text))
    stem = fold(grid.filename).rsplit(".", 1)[0].replace("_", " ")
    sheet = "" if _DEFAULT.fullmatch(fold(grid.sheet or "")) else grid.sheet or ""
    own = f"{sheet} {grid.title or ''}".strip() or stem
    return Vocabulary(
        grid, dict(values), dict(words), dict(stems), concepts(own) | concepts(grid.over),
        concepts(own), frozenset(parts(own)), concepts(stem),
    )  # fmt: skip
