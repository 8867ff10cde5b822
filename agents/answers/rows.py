"""Rows of tables: a cell is read with the header of its column and the row's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from agents.answers.kinds import answers_well, fits
from agents.answers.question import Asked
from agents.answers.words import WORD, alike, stem, stems
from vectorstore.words import fold

_KINDS = frozenset({"when", "money", "number", "duration", "phone", "email"})
_SENTENCE = 4  # words
_TELLING = 0.4  # the weight of a word that is more than the kind of the answer
_TOTAL = re.compile(
    r"\b(?:total\w*|gesamt\w*|insgesamt|summe|totaal|suma|amount|betrag|montant|importe)\b"
)
_UNIT_PRICE = re.compile(
    r"\b(?:unit (?:price|cost)|price per|price each|einzelpreis|stuckpreis|e-preis|prix unitaire|"
    r"precio unitario|stuksprijs|stukprijs|eenheidsprijs|each)\b"
)
_PRICE = re.compile(
    r"\b(?:\w*(?:price|preis|prijs|kosten)|prix|precio|costs?|cout|coste|tarifs?|tarifa|fee|gebuhr)\b"
)
_QUANTITY = re.compile(
    r"\b(?:quantity|qty|count|menge|anzahl|stuckzahl|quantite|qte|cantidad|aantal|hoeveelheid)\b"
)
_DAY = re.compile(  # columns of dates that say nothing of what happened then
    r"\b(?:date|day|when|by|until|deadline|time|datum|tag|bis|termin|frist|wann|jour|quand|echeance|"
    r"fecha|dia|plazo|dag|wanneer|tot)\b"
)
Cells = list[tuple[str, str]]  # (header, cell); the first one names the row


def cells(row: str, header: str) -> Cells:
    """Empty for a line that is no row, or whose header has another number of columns."""
    values, names = split(row), split(header)
    if len(values) < 2 or len(values) != len(names):
        return []
    return list(zip(names, values, strict=True))


def split(row: str) -> list[str]:
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def read(asked: Asked, found: Cells) -> str | None:
    """`Severity 1: first answer 15 minutes`; None when no single column is asked for."""
    if len(found) < 3 or (chosen := _asked_cell(asked, found)) is None:
        return None
    # The row is named by what the question already says of it, else by its first cell.
    told = _told(asked, found)
    (name, cell), (key_name, key) = chosen, found[0]
    if told and found[0] not in told:
        key_name, key = max(told, key=lambda pair: len(pair[1]))
    named = key if any(char.isalpha() for char in key) else f"{key_name} {key}"
    return f"{named}: {_lower(name)} {cell}"


def _asked_cell(asked: Asked, found: Cells) -> tuple[str, str] | None:
    """Of the column that the question names, else of the only one of the kind that it wants."""
    told = _told(asked, found)
    rest = [pair for pair in found[1:] if pair[1] and pair not in told]
    chosen = _by_header(asked, rest) or _by_kind(asked, rest)
    if len(chosen) != 1:
        return None
    name, cell = chosen[0]
    priced = asked.wants == "money" and _PRICE.search(fold(name)) and fits("number", cell)
    return chosen[0] if priced or fits(asked.wants, f"{name} {cell}") else None


def _by_header(asked: Asked, rest: Cells) -> Cells:
    """What one costs is its price, not what many of it come to: the same words ask for both."""
    if asked.wants == "money" and not _TOTAL.search(fold(asked.text)):
        for sign in (_UNIT_PRICE, _PRICE):
            if priced := [pair for pair in rest if sign.search(fold(pair[0]))]:
                return priced if len(priced) == 1 else _heaviest(asked, priced) or priced
    return _heaviest(asked, rest)


def _heaviest(asked: Asked, rest: Cells) -> Cells:
    weights = [_weight(asked, name) for name, _ in rest]
    best = max(weights, default=0.0)
    return [pair for pair, weight in zip(rest, weights, strict=True) if weight == best > 0]


def _by_kind(asked: Asked, rest: Cells) -> Cells:
    if asked.wants in ("text", "steps", "who"):
        return []
    if asked.counted and (counts := [p for p in rest if _QUANTITY.search(fold(p[0]))]):
        return counts
    return [(name, cell) for name, cell in rest if fits(asked.wants, cell)]


def is_told(asked: Asked, found: Cells, above: str) -> bool:
    """Whether the row is spoken of (by a cell, or by what stands `above` the table), and one cell
    of it is what is asked for: `opened` is not when it was closed."""
    if not found:
        return True
    there = stems(" ".join(cell for _, cell in found) + f" {above}", asked.language)
    telling = [term for term, weight in asked.terms.items() if weight >= _TELLING]
    if not any(alike(term, asked.language) & there or _is_part(term, there) for term in telling):
        return False
    if len(found) < 3 or asked.wants not in _KINDS:
        return True
    chosen = _asked_cell(asked, found)
    if chosen is None:  # a sentence within a row, as a log's message is
        return any(len(c.split()) >= _SENTENCE and answers_well(asked, c) for _, c in found)
    return asked.wants != "when" or _is_its_day(asked, chosen[0])


def _is_part(term: str, there: frozenset[str]) -> bool:
    """Loosely, as the row is weighed by others."""
    return len(term) >= 4 and any(term[:5] in word or word[:5] == term[:5] for word in there)


def _is_its_day(asked: Asked, header: str) -> bool:
    return not asked.attribute or bool(
        _DAY.search(fold(header))
        or any(alike(w, asked.language) & stems(header, asked.language) for w in asked.attribute)
    )


def _told(asked: Asked, found: Cells) -> Cells:
    """The cells whose words stand in the question: given, not asked for."""
    words = set(WORD.findall(fold(asked.text)))
    return [pair for pair in found if pair[1] and set(WORD.findall(fold(pair[1]))) <= words]


def is_asked_row(asked: Asked, found: Cells) -> bool:
    """Not the row of severity 2 when severity 1 is asked for, nor Silver's when Gold's is."""
    words = WORD.findall(fold(asked.text))
    numbered = [(stem(a), b) for a, b in pairwise(words) if b.isdigit()]
    for header, cell in found:
        wanted = {number for name, number in numbered if name in stems(header)}
        if wanted and not wanted & set(WORD.findall(fold(cell))):
            return False
        named = {name for name in asked.names if _is_before(name, header, words)}
        if named and not any(name in fold(cell) for name in named):
            return False
    return True


def _is_before(name: str, header: str, words: Sequence[str]) -> bool:
    """`Gold plan` where the column is Plan."""
    return any(a == name and stem(b) in stems(header) for a, b in pairwise(words))


def _weight(asked: Asked, header: str) -> float:
    here = stems(header, asked.language)
    return sum(w for term, w in asked.terms.items() if alike(term, asked.language) & here)


def _lower(header: str) -> str:
    return header[:1].lower() + header[1:] if header[1:2].islower() else header


def headers(units: Sequence[str]) -> dict[int, int]:
    """Place of each row → place of its header: the first of rows that stand together."""
    found: dict[int, int] = {}
    first: int | None = None
    for place, unit in enumerate(units):
        if "|" not in unit:
            first = None
        elif first is None:
            first = place
        elif len(split(unit)) == len(split(units[first])):
            found[place] = first
    return found
