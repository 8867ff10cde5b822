"""The embedded platform in a folder of its own, with a worker that the tests can run dry."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from backends.build import open_runtime
from core.settings import Settings
from runtime import Runtime
from tests import databases


@contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[Runtime]:
    """No chat model and no weights: what is tested here must work without."""
    values = {
        "data_dir": folder, "models_dir": folder / "none", "models_url": "none:",
        "log_level": "error", **settings,
    }  # fmt: skip
    with databases.fresh() as url:
        values.setdefault("database_url", url)
        with open_runtime(Settings(_env_file=None, **values)) as rt:
            yield rt
