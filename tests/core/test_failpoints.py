"""Named crash boundaries: silent unless asked, exact when asked."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from core import failpoints
from core.failpoints import FailpointError, fp


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    failpoints.reset("")


def passed(name: str, times: int) -> list[str]:
    """What happened at each pass: `done`, `before` or `after` where it was stopped."""
    seen = []
    for _ in range(times):
        reached = "before"
        try:
            with fp(name):
                reached = "after"
            reached = "done"
        except FailpointError:
            pass
        seen.append(reached)
    return seen


def test_nothing_happens_unless_it_is_named() -> None:
    failpoints.reset("")
    assert passed("effect.sent", 3) == ["done"] * 3


@pytest.mark.parametrize("side", ["before", "after"])
def test_exactly_the_nth_pass_is_stopped_on_its_side(side: str) -> None:
    failpoints.reset(f"step.commit:{side}:2=error")
    assert passed("effect.sent", 2) == ["done", "done"]
    assert passed("step.commit", 3) == ["done", side, "done"]


def test_an_unknown_name_is_refused_with_where_to_look() -> None:
    with pytest.raises(ValueError, match="weft failpoints"):
        failpoints.reset("no.such:before:1=kill")


def test_kill_is_sigkill() -> None:
    code = "from core.failpoints import fp\nwith fp('step.start'): print('inside')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"WEFT_FAILPOINTS": "step.start:before:1=kill"},
        capture_output=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert done.stdout == b""
