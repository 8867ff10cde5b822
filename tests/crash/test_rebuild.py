"""Whoever makes a new generation is killed twice; it is complete in the end, nothing done twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.crash.rebuilding import BATCH, ROWS, SEGMENTS

ROOT = Path(__file__).parents[2]


def test_a_killed_rebuild_goes_on_where_it_was(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.crash.rebuilding", str(tmp_path)], cwd=ROOT,
        capture_output=True, text=True, timeout=110, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    told = json.loads(done.stdout.splitlines()[-1])  # before it: the log
    assert told["ends"] == [signal.SIGKILL, signal.SIGKILL, 0]
    assert (told["count"], told["missing"]) == (SEGMENTS * ROWS + 20, 0)
    assert told["right"] == 12
    # A batch whose vectors were not kept yet when its process died is made again, no more.
    assert told["twice"] <= 2 * BATCH
    assert told["embedded"] == told["count"] + told["twice"]
