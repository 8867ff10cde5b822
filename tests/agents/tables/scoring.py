"""Right, wrong or refused, case by case."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence

from agents.answers.tables.choosing import answered
from tests.agents.tables.questions import ENGLISH, FRENCH, GERMAN, REFUSED, Case
from tests.agents.tables.sheets import tables

ALL: dict[str, list[Case]] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}


def held_out(place: int) -> bool:
    return place % 3 == 2


def cases(*, held: bool) -> list[Case]:
    return [one for some in ALL.values() for i, one in enumerate(some) if held_out(i) == held]


def refused(*, held: bool) -> list[str]:
    return [one for i, one in enumerate(REFUSED) if held_out(i) == held]


def verdict(case: Case) -> tuple[str, str]:
    question, expected = case
    found = answered(question, tables())
    if found is None or not found.answered:
        return "refused", found.text if found else ""
    right = all(text in found.text for text in expected)
    return "right" if right else "wrong", found.text


def score(some: Sequence[Case]) -> Counter[str]:
    return Counter(verdict(case)[0] for case in some)


def computed(questions: Sequence[str]) -> list[tuple[str, str]]:
    """Those that were answered though they must not be."""
    found = [(q, answered(q, tables())) for q in questions]
    return [(q, a.text) for q, a in found if a is not None and a.answered]


if __name__ == "__main__":
    held = sys.argv[1:] == ["held"]
    for one in cases(held=held):
        told, text = verdict(one)
        if told != "right":
            sys.stdout.write(f"{told}: {one[0]}\n    want {one[1]}\n    {text}\n")
    for q, text in computed(refused(held=held)):
        sys.stdout.write(f"COMPUTED: {q}\n    {text}\n")
    found, never = dict(score(cases(held=held))), refused(held=held)
    sys.stdout.write(f"{found} of {len(cases(held=held))}; ")
    sys.stdout.write(f"computed of {len(never)}: {len(computed(never))}\n")
