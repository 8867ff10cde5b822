"""Rows of tables: a cell is read with the header of its column and the row's name."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from agents.answers.kinds import fits
from agents.answers.question import Asked
from agents.answers.words import WORD, alike, stem, stems
from vectorstore.words import fold

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
    if len(found) < 3:
        return None
    told = _told(asked, found)
    rest = [pair for pair in found[1:] if pair[1] and pair not in told]
    weights = [_weight(asked, name) for name, _ in rest]
    best = max(weights, default=0.0)
    chosen = [pair for pair, weight in zip(rest, weights, strict=True) if weight == best > 0]
    if not chosen and asked.wants not in ("text", "steps", "who"):
        chosen = [(name, cell) for name, cell in rest if fits(asked.wants, cell)]
    if len(chosen) != 1 or not fits(asked.wants, f"{chosen[0][0]} {chosen[0][1]}"):
        return None
    # The row is named by what the question already says of it, else by its first cell.
    (name, cell), (key_name, key) = chosen[0], found[0]
    if told and found[0] not in told:
        key_name, key = max(told, key=lambda pair: len(pair[1]))
    named = key if any(char.isalpha() for char in key) else f"{key_name} {key}"
    return f"{named}: {_lower(name)} {cell}"


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
