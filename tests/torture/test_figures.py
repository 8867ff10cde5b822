"""The page of figures says what was measured, and says loudly what falls short."""

from __future__ import annotations

from benchmarks.figures import at_least, at_most
from tests.torture.figures import none, table


def _kept(figure: dict[str, object], bench: str = "torture") -> dict[str, object]:
    return {**figure, "bench": bench, "at": 1_800_000_000}


def test_figures_stand_by_number_and_what_falls_short_is_seen() -> None:
    text = table([
        _kept(at_least("workflow.rate", 10, 20, "runs/s", "a|b"), "workflow"),
        _kept(none("A15.full.failed", 0, "requests")),
        _kept(at_most("A3.full.stale", 2, 0, "writes")),
        _kept(none("A1.full.lost", 0, "runs")),
    ])  # fmt: skip
    heads = [line for line in text.splitlines() if line.startswith("## ")]
    assert [head.split(":")[0] for head in heads] == ["## A1", "## A3", "## A15", "## Bench"]
    rows = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if " | " in line}
    assert "**no**" in rows["A3.full.stale"]
    assert "**no**" in rows["workflow.rate"]
    assert "**no**" not in rows["A1.full.lost"]
    assert len({row.count(" | ") for row in rows.values()}) == 1, "every row has every cell"
