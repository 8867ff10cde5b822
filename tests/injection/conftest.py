from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests import databases
from tests.injection.world import World, world


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One world for all questions that are put to it: its documents are read once."""
    folder: Path = tmp_path_factory.mktemp("attacked")
    with databases.fresh() as url:
        settings = Settings(
            _env_file=None, data_dir=folder / "data", models_dir=folder / "none",
            models_url="none:", log_level="error", database_url=url,
        )  # fmt: skip
        with world(settings) as made:
            yield made
