"""A12: sixteen writers of one index, killed at random, on the real stores."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.ids import new_id
from tests.crash.indexing import hammered
from tests.stack.servers import Servers
from tests.torture.figures import at_most, held, none

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_killed_writers_lose_and_double_nothing(
    servers: Servers, tmp_path: Path, database: str
) -> None:
    servers.up("minio", *([database] if database == "postgres" else []))
    settings = {
        "data_dir": str(tmp_path / "data"), "models_dir": str(tmp_path / "none"),
        "models_url": "none:", "log_level": "critical", "root_key": "5a" * 32,
        "blobs_url": f"{servers.url('minio')}?prefix={new_id()}",
    }  # fmt: skip
    if database == "postgres":
        found = servers.env()
        settings["database_url"] = found["WEFT_DATABASE_URL"]
        settings["database_admin_url"] = found["WEFT_DATABASE_ADMIN_URL"]
    after = hammered(tmp_path, settings, writers=16, vectors=500, kills=40)
    name = f"A12.{database}"
    short = held([
        none(f"{name}.lost", after.lost, f"of {after.acknowledged} acknowledged vectors"),
        none(f"{name}.doubled", after.doubled, "passages that are on the shelf twice"),
        none(f"{name}.wrong", len(after.wrong), "looks that saw an older or torn index"),
        none(f"{name}.broken", len(after.broken), f"writers, with {after.told['kills']} killed"),
        # SQLite's file has one writer, whoever asks: sixteen processes are not what it is for.
        *([at_most(f"{name}.p99", after.p99_seconds, 2.0, "s of one commit")]
          if database == "postgres" else []),
    ])  # fmt: skip
    assert not short, [*after.wrong[:5], *after.broken[:2]]
    assert after.told["kills"] >= 40
