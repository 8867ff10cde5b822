"""Rows that sum up other rows: found by what they are called, by their formulas, or because their
numbers add up; they are never counted again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from agents.answers.tables.layout import Line
from vectorstore.words import fold

_NAME = (
    r"(?:grand[ -]?total|sub[ -]?total|totals?|sum|gesamt(?:summe|betrag|ergebnis)?|"
    r"(?:zwischen|end|teil)?summe|insgesamt|sous[ -]?total|total general|totaux|somme|"
    r"(?:sub|eind)?totaal|totaal generaal|suma|totales|subtotal|average|mean|durchschnitt|"
    r"mittelwert|moyenne|gemiddelde|promedio|uebertrag|ubertrag|saldo|balance carried forward|"
    r"carried forward|brought forward|ergebnis|Σ)"
)
_WHOLE = re.compile(
    rf"{_NAME}(?: (?:amount|general|generale|in|eur|usd|gbp|chf|net|netto|gross|brutto|ht|ttc|"
    rf"sum|\w+ rows?|all))*\W*"
)
_BEGINS = re.compile(rf"{_NAME}\b|\w[\w .&-]* (?:total|gesamt|summe|sum)\W*$")
_SUMS = re.compile(
    r"=\W*(?:SUM|SUBTOTAL|SUMIFS?|AVERAGE(?:IFS?)?|SUMPRODUCT|AGGREGATE|COUNTA?|MAX|MIN|MEDIAN)"
    r"\s*\([^()]*?\$?([A-Z]{1,3})\$?(\d+):\$?([A-Z]{1,3})\$?(\d+)",
    re.IGNORECASE,
)


def total_rows(
    lines: Sequence[Line], numbers: Sequence[Sequence[Decimal | None]]
) -> dict[int, str]:
    """Place of each such row → what it is called. `numbers` are its cells, None for others."""
    texts = [_texts(line) for line in lines]
    usual = _usual(texts)
    found: dict[int, str] = {}
    width = len(numbers[0]) if numbers else 0
    since, kept = _Sums(width), _Sums(width)
    for place, line in enumerate(lines):
        label = _label(line)
        named = (bool(label) and _BEGINS.match(fold(label)) is not None) or _starred(line)
        whole = bool(label) and _WHOLE.fullmatch(fold(label)) is not None
        bare = texts[place] <= 1 < usual or (usual <= 1 and whole)
        sums = _sums_up(line)
        adds = since.are(numbers[place]) or kept.are(numbers[place])
        if (
            (named and (bare or adds))
            or (sums and (bare or texts[place] < usual or adds))
            or (texts[place] == 0 < usual and adds)
            or (whole and texts[place] < usual)
            or _is_note(texts, place, usual, numbers, lines)
        ):
            found[place] = label or "total"
            since = _Sums(width)
        else:
            since.add(numbers[place])
            kept.add(numbers[place])
    return found


class _Sums:
    """Of each column, over the rows that were added."""

    def __init__(self, width: int) -> None:
        self.sums = [Decimal(0)] * width
        self.counts = [0] * width

    def add(self, row: Sequence[Decimal | None]) -> None:
        for column, value in enumerate(row):
            if value is not None:
                self.sums[column] += value
                self.counts[column] += 1

    def are(self, row: Sequence[Decimal | None]) -> bool:
        """Whether every number of the row is the sum of two and more above it."""
        checked = 0
        for column, value in enumerate(row):
            if value is None:
                continue
            if self.counts[column] < 2 or self.sums[column] != value:
                return False
            checked += value != 0
        return checked > 0


def _texts(line: Line) -> int:
    return sum(c.kind in ("text", "date", "bool") and bool(c.text) for c in line.cells)


def _usual(texts: Sequence[int]) -> int:
    ordered = sorted(texts)
    return ordered[len(ordered) // 2] if ordered else 0


def _label(line: Line) -> str:
    """Its first words; the stars before them (`*`, `**`) say how high a sum stands."""
    found = [c.text for c in line.cells if c.kind == "text" and c.text]
    return next((text for text in found if text.strip("* ")), found[0] if found else "")


def _starred(line: Line) -> bool:
    first = next((c.text for c in line.cells if c.text), "")
    return bool(first) and not first.strip("* ")


def _sums_up(line: Line) -> bool:
    """A formula over two and more rows above it."""
    for cell in line.cells:
        match = _SUMS.match(cell.formula or "")
        if match and int(match[4]) > int(match[2]) and int(match[4]) < line.number + 1:
            return True
    return False


def _is_note(
    texts: Sequence[int], place: int, usual: int, numbers: Sequence[Sequence[Decimal | None]],
    lines: Sequence[Line],
) -> bool:  # fmt: skip
    """The last row, nearly empty beside the others: a remark or a sum of another kind."""
    if place != len(lines) - 1 or usual < 3 or texts[place] > 1:
        return False
    filled = sum(n is not None for n in numbers[place])
    typical = sorted(sum(n is not None for n in row) for row in numbers)[len(numbers) // 2]
    return filled < max(1, typical)
