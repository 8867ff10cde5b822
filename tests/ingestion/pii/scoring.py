"""Recall and precision of the kinds that have a pattern, over labelled lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingestion.pii import find
from tests.ingestion.pii.lines import Line

PATTERNED = ("email", "phone", "iban", "card", "tax_id", "national_id")
_SLACK = 2  # characters at each end


@dataclass
class Score:
    """`lost` and `wrong` name the line and what was missed or made up."""

    right: Counter[str] = field(default_factory=Counter)
    lost: list[tuple[str, str, str]] = field(default_factory=list)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.right.total() / max(1, self.right.total() + len(self.lost))

    @property
    def precision(self) -> float:
        return self.right.total() / max(1, self.right.total() + len(self.wrong))


def scored(lines: Sequence[Line]) -> Score:
    score = Score()
    for line in lines:
        found = [f for f in find(line.text, line.language) if f.kind in PATTERNED]
        for kind, start, end in line.spans:
            fits = [f for f in found if _same(f.kind, kind)
                    and abs(f.start - start) <= _SLACK and abs(f.end - end) <= _SLACK]  # fmt: skip
            if fits:
                score.right[kind] += 1
                found.remove(fits[0])
            else:
                score.lost.append((line.text, kind, line.text[start:end]))
        score.wrong += [(line.text, f.kind, line.text[f.start : f.end]) for f in found]
    return score


def _same(one: str, other: str) -> bool:
    """A number of a person is the state's or the tax office's, as each country has it."""
    ids = {"tax_id", "national_id"}
    return one == other or {one, other} <= ids
