"""The small slice of A12: writers of one index are killed at random, on the embedded stores."""

from __future__ import annotations

from pathlib import Path

from tests.crash.indexing import hammered


def test_killed_writers_lose_and_double_nothing(tmp_path: Path) -> None:
    settings = {"data_dir": str(tmp_path / "data"), "models_dir": str(tmp_path / "none"),
                "models_url": "none:", "log_level": "critical"}  # fmt: skip
    after = hammered(tmp_path, settings, writers=4, vectors=50, kills=6)
    assert after.told["kills"] >= 6
    assert (after.lost, after.doubled, after.wrong, after.broken) == (0, 0, [], [])
    assert after.acknowledged == 200
