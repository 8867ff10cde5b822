"""What is left of an index after its writers were killed at random, looked at whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from agents import shelf
from backends.build import open_runtime
from core.settings import Settings
from tests.crash.index_writers import EACH, Plan, document_id, keep
from tests.crash.zygote import lines
from tests.engine import new_tenant

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class After:
    """`lost`, `doubled`: passages; `wrong`: what the reader saw; `p99_seconds`: of a commit."""

    told: dict[str, int]
    acknowledged: int
    lost: int
    doubled: int
    wrong: list[str]
    broken: list[str]
    p99_seconds: float


def hammered(
    folder: Path, settings: dict[str, str], *, writers: int, vectors: int, kills: int
) -> After:
    with open_runtime(Settings(_env_file=None, **settings)) as rt:  # type: ignore[arg-type]
        ctx = new_tenant(rt)
        keep(folder, Plan(ctx.tenant, writers, vectors, kills, settings))
        done = subprocess.run(
            [sys.executable, "-m", "tests.crash.index_writers", str(folder)], cwd=ROOT,
            capture_output=True, text=True, timeout=400, check=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )  # fmt: skip
        # Every segment is opened and compared with its own hash.
        found = Counter(
            entry.chunk.id
            for segment in shelf.head_of(rt, ctx).segments
            for entry in rt.shelves.entries(ctx, segment)
        )
    told = [one for writer in range(writers) for one in lines(folder / f"acknowledged.{writer}")]
    wanted = {f"{one}:{n}" for one in told for n in range(EACH)}
    every = {document_id(w, n) for w in range(writers) for n in range(vectors // EACH)}
    assert every == set(told), "not every writer came to its end"
    moves = sorted(float(line) for line in lines(folder / "moves"))
    return After(
        told=json.loads(done.stdout), acknowledged=len(wanted),
        lost=len(wanted - found.keys()),
        doubled=sum(count - 1 for count in found.values()),
        wrong=lines(folder / "wrong"), broken=lines(folder / "broken"),
        p99_seconds=moves[int(len(moves) * 0.99)],
    )  # fmt: skip
