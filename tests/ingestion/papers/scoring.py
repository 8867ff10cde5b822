"""How many values of the papers are read right, wrongly and not at all, and how sure they were."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from core.documents import Document
from ingestion.fields import extract
from tests.ingestion.papers.content import HELD_OUT, SEEN, Made, papers, read


@dataclass(slots=True)
class Score:
    """`told[(key)]` counts right, wrong and missed; `sure` right and all of what was given."""

    told: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    sure: dict[float, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    faults: list[str] = field(default_factory=list)

    def share(self, key: str) -> float:
        told = self.told[key]
        return told["right"] / max(sum(told.values()), 1)

    def reliable(self, edge: float) -> float:
        """The share that is right of the values told with at least this confidence."""
        told = sum((c for at, c in self.sure.items() if at >= edge), Counter[str]())
        return told["right"] / max(sum(told.values()), 1)

    def add(self, made: Made, name: str, value: str | None, confidence: float) -> None:
        wanted = made.fields[name]
        verdict = "missed" if value is None else "right" if _same(value, wanted) else "wrong"
        for key in ("all", name, made.language, made.kind):
            self.told[key][verdict] += 1
        if value is not None:
            self.sure[_bin(confidence)][verdict] += 1
        if verdict != "right":
            self.faults.append(
                f"{made.filename} {made.kind} {name}: {value!r} ({confidence}), not {wanted!r}"
            )


def _bin(confidence: float) -> float:
    return next(edge for edge in (0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.0) if confidence >= edge)


def _same(value: str, wanted: str) -> bool:
    plain = [re.sub(r"[\s.]", "", text).casefold() for text in (value, wanted)]
    return plain[0] == plain[1]


def score(made: Iterable[tuple[Made, Document]]) -> Score:
    kept = Score()
    for one, document in made:
        found = extract(document, "d", one.filename)
        for key in ("kinds", one.language, one.kind):
            right = found.document_type == one.kind
            if key == "kinds":
                kept.told[key]["right" if right else "wrong"] += 1
        if found.document_type != one.kind:
            kept.faults.append(f"{one.filename}: {found.document_type}, not {one.kind}")
        for name in one.fields:
            value = found.fields.get(name)
            kept.add(one, name, value.value if value else None, value.confidence if value else 0.0)
        _rows(kept, one, [i["amount"].value for i in found.line_items if "amount" in i])
    return kept


def _rows(kept: Score, made: Made, amounts: list[str | None]) -> None:
    if not made.amounts:
        return
    left = Counter(amounts)
    for amount in made.amounts:
        hit = left[amount] > 0
        left[amount] -= hit
        kept.told["rows"]["right" if hit else "missed"] += 1
    kept.told["rows"]["wrong"] += sum(n for n in left.values() if n > 0)
    if Counter(amounts) != Counter(made.amounts):
        kept.faults.append(f"{made.filename} {made.kind} rows: {amounts}, not {made.amounts}")


def shown(kept: Score) -> str:
    lines = [
        f"{key:22} right {told['right']:4} wrong {told['wrong']:3} missed {told['missed']:3}"
        for key, told in sorted(kept.told.items())
    ]
    for edge in sorted(kept.sure):
        told = kept.sure[edge]
        lines.append(f"confidence >= {edge}: {told['right']} of {sum(told.values())} right")
    return "\n".join(lines)


if __name__ == "__main__":  # python -m tests.ingestion.papers.scoring [held-out]
    variants = HELD_OUT if "held-out" in sys.argv else SEEN
    result = score((made, read(made)) for made in papers(variants))
    sys.stdout.write("\n".join([shown(result), *result.faults, ""]))
