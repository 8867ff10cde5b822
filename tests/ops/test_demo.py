"""The demo from nothing, and again: the same results, and nothing twice."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_second_demo_repeats_nothing(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = tmp_path / "data"
    # No weights and nowhere to fetch them from: the demo says so and goes on by words and rules.
    (tmp_path / "none").mkdir()
    nowhere = "http://127.0.0.1:9"
    environment = {
        **os.environ, "WEFT_DATA_DIR": str(data), "WEFT_PORT": str(port),
        "WEFT_MODELS_URL": "none:", "WEFT_MODELS_DIR": str(tmp_path / "none"),
        "WEFT_MAVEN_URL": nowhere, "PIP_INDEX_URL": nowhere, "UV_DEFAULT_INDEX": nowhere,
    }  # fmt: skip

    def weft(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "ops", *words],
            env=environment, cwd=ROOT, capture_output=True, text=True, timeout=110,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        first, second = weft("demo"), weft("demo")
    finally:
        weft("down")
    for told in (first, second):
        assert "8 exceptions:" in told
        assert "The sources do not say." in told
        assert "15 actions wait for a person" in told
    files = re.compile(r"^  (/.+\.(?:pdf|xlsx|csv))$", re.MULTILINE)
    assert files.findall(first) == files.findall(second)
    assert len(files.findall(first)) == 9
    assert all(Path(path).stat().st_size > 100 for path in files.findall(first))
    assert "approved: E-mail" in first
    assert "approved:" not in second
    assert len(list((data / "outbox").glob("*.eml"))) == 1
