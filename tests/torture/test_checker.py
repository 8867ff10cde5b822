"""The checker is believed only because it finds every fault that is put before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.torture.checker import Expected, check
from tests.torture.history import History, Line, read

GOOD = Expected(
    effects={"invoice.exception": "keyed", "workflow.completed": "keyed"},
    needs={"b": ("a",)},
)


def _line(kind: str, **fields: Any) -> Line:
    return {"at": 0.0, "kind": kind, **fields}


def _delivered(what: str, key: str, body: str = "x", effect: str = "keyed") -> Line:
    return _line("delivered", run="r", what=what, id=key, body=body, effect=effect)


def _fact(seq: int, kind: str, step: str | None = None) -> Line:
    return _line("fact", run="r", seq=seq, type=kind, step=step)


def _good() -> list[Line]:
    """One request that was refused, cut off, and taken; its run, its effect, its callback."""
    return [
        _line("asked", op="o"),
        _line("answered", op="o", status=503, retry_after="1"),
        _line("cut", op="o"),
        _line("answered", op="o", status=202, run="r"),
        _line("listed", run="r", op="o"),
        _delivered("invoice.exception", "k1"),
        _delivered("invoice.exception", "k1"),
        _delivered("workflow.completed", "k2"),
        _line("ended", run="r", status="completed"),
        _fact(1, "workflow.submitted"),
        _fact(2, "step.started", "a"),
        _fact(3, "step.started", "a"),
        _fact(4, "step.completed", "a"),
        _fact(5, "step.started", "b"),
        _fact(6, "step.completed", "b"),
        _fact(7, "workflow.completed"),
        _fact(8, "effect.confirmed"),
    ]


def _without(lines: list[Line], **fields: Any) -> list[Line]:
    return [one for one in lines if any(one.get(name) != value for name, value in fields.items())]


def _ended(status: str) -> list[Line]:
    return [*_without(_good(), kind="ended"), _line("ended", run="r", status=status)]


BAD: dict[str, tuple[str, list[Line]]] = {
    "the run is gone": ("lost", _without(_good(), kind="ended")),
    "the run still runs": ("lost", _ended("running")),
    "the run failed": ("lost", _ended("failed")),
    "a key was answered with two runs": (
        "twice", [*_good(), _line("answered", op="o", status=202, run="r2"),
                  _line("ended", run="r2", status="completed", effects=[])],
    ),
    "a second run that no answer named": ("twice", [*_good(), _line("listed", run="r2", op="o")]),
    "a run that nobody asked for": ("unasked", [*_good(), _line("listed", run="r9", op="o9")]),
    "one effect under two ids": ("duplicate", [*_good(), _delivered("invoice.exception", "k3")]),
    "two callbacks": ("duplicate", [*_good(), _delivered("workflow.completed", "k4")]),
    "a mail that went out twice": (
        "duplicate", [*_good(), _delivered("mail", "m", effect="blind"),
                      _delivered("mail", "m", effect="blind")],
    ),
    "an effect that never arrived": ("missing", _without(_good(), what="invoice.exception")),
    "a callback that never arrived": ("missing", _without(_good(), what="workflow.completed")),
    "another body under the same id": (
        "changed", [*_good(), _delivered("invoice.exception", "k1", body="y")],
    ),
    "a zombie finished a step again": (
        "stale", [*_good()[:-2], _fact(7, "step.completed", "a"), _fact(8, "workflow.completed")],
    ),
    "a zombie ended the run again": ("stale", [*_good(), _fact(9, "workflow.completed")]),
    "a zombie wrote after the end": ("stale", [*_good(), _fact(9, "step.retrying", "b")]),
    "a finished step began again": (
        "stale", [*_good()[:-2], _fact(7, "step.started", "a"), _fact(8, "workflow.completed")],
    ),
    "a step began before its need": (
        "reordered", [*_without(_good(), seq=4), _fact(9, "effect.confirmed")],
    ),
    "the stream repeats itself": ("reordered", [*_good(), _fact(8, "effect.confirmed")]),
    "the stream goes back": ("reordered", [*_good(), _fact(1, "effect.confirmed")]),
    "a bare 500": ("rude", [*_good(), _line("answered", op="o", status=500)]),
    "a refusal that does not say when": ("rude", [*_good(), _line("answered", op="o", status=503)]),
    "needs review for nothing": ("undecided", _ended("needs_review")),
}  # fmt: skip


def test_a_good_history_passes() -> None:
    assert check(_good(), GOOD) == []


@pytest.mark.parametrize("name", BAD)
def test_a_bad_history_is_called_what_it_is(name: str) -> None:
    kind, lines = BAD[name]
    assert {one.kind for one in check(lines, GOOD)} == {kind}


def test_a_history_is_read_as_it_was_written(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    history.note("asked", op="o")
    history.note("cut", op="o")
    assert read(history.path) == history.lines
    assert [one["kind"] for one in history.of("cut")] == ["cut"]
