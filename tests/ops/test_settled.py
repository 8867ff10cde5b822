"""A process that serves has done beforehand what would stop all its threads later."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Serves as `weft serve --only worker` does, and tells of itself when it has settled.
CODE = """
import gc, os, pathlib, signal, sys, threading
from core.settings import Settings
from ops.serve import serve

def tell():
    waited = threading.Event()
    for _ in range(400):
        if gc.get_freeze_count():
            break
        waited.wait(0.05)
    from agents.registry import AGENTS
    print(gc.get_freeze_count(), AGENTS.supervisor._graph is not None, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=tell, daemon=True).start()
serve(Settings(_env_file=None, data_dir=pathlib.Path(sys.argv[1])).resolved(), "worker")
"""


def test_no_collection_looks_at_what_was_imported_and_no_claim_imports(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=True,
    )  # fmt: skip
    line = next(line for line in done.stdout.splitlines() if not line.startswith("{"))
    frozen, warm = line.split()
    assert int(frozen) > 50_000
    assert warm == "True"
