"""A process dies by SIGKILL at every boundary, before and after; the next one finishes its runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.failpoints import NAMES

ROOT = Path(__file__).parents[2]
# The boundaries of uploads and of the index belong to the agents that have them, and that of
# messages to Kafka (tests/stack).
ELSEWHERE = {"upload.commit", "index.commit", "intake.commit"}
OURS = [name for name in NAMES if name not in ELSEWHERE]
# At the first pass and, where a run passes often, at a later one.
OFTEN = {
    "submit.commit": 2, "journal.commit": 2, "claim.commit": 3, "advance.commit": 2,
    "step.start": 3, "step.commit": 3, "effect.reserve": 2, "effect.sent": 2, "effect.call": 2,
    "effect.commit": 2, "run.commit": 2, "relay.publish": 2,
}  # fmt: skip
RULES = [
    f"{name}:{side}:{nth}"
    for name in OURS
    for side in ("before", "after")
    for nth in sorted({1, OFTEN.get(name, 1)})
]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("crash")
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.zygote", str(folder), *RULES],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        timeout=110, check=False,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert len(found) == len(RULES), done.stderr[-4000:]
    return {one["rule"]: one for one in found}


@pytest.mark.parametrize("rule", RULES)
def test_a_killed_process_loses_and_repeats_nothing(
    outcomes: dict[str, dict[str, Any]], rule: str
) -> None:
    found = outcomes[rule]
    assert found["killed"], "the boundary was never passed"
    assert found["recovered"]
    assert found["lost"] == []
    assert set(found["runs"].values()) <= {"completed"}
    assert found["timely"] == 1
    assert found["repeated_steps"] == []
    assert found["repeated_thoughts"] == []
    # One effect and one callback for each run that was committed, each under one id.
    assert found["deliveries"] == found["intended"]
    assert found["unpublished"] == 0
