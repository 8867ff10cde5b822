"""Nothing is told to the makers of the libraries that plan the runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DECIDE = (
    "from agents.supervisor import Supervisor; Supervisor().warm()\n"
    "from langsmith.utils import tracing_is_enabled; assert tracing_is_enabled() is False"
)


@pytest.mark.parametrize(
    "name", ["LANGSMITH_TRACING", "LANGSMITH_TRACING_V2", "LANGCHAIN_TRACING_V2"]
)
def test_no_run_is_traced_elsewhere_whatever_the_shell_says(name: str) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT), name: "true"}
    done = subprocess.run(
        [sys.executable, "-c", DECIDE], cwd=ROOT, env=env, timeout=60, check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
