"""Nothing is told to the makers of the libraries that run the models."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import Settings

ROOT = Path(__file__).parents[2]
EMBED = """
import pathlib, sys
from core.settings import Settings
from models import Models
data, weights = map(pathlib.Path, sys.argv[1:])
settings = Settings(_env_file=None, data_dir=data, models_dir=weights)
assert Models(settings).embedder().embed(["a word"]).shape == (1, 384)
"""


@pytest.mark.model
def test_the_embedding_engine_keeps_no_account_of_its_use(tmp_path: Path) -> None:
    """onnxruntime's builds queue events for their maker in the home folder unless told not to."""
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: text for name, text in os.environ.items() if not name.startswith("ORT_")}
    weights = Settings().models_path
    subprocess.run(
        [sys.executable, "-c", EMBED, str(tmp_path / "data"), str(weights)], cwd=ROOT, check=True,
        env={**kept, "HOME": str(home), "XDG_CACHE_HOME": "", "PYTHONPATH": str(ROOT)}, timeout=60,
    )  # fmt: skip
    assert list(home.rglob("*")) == []
