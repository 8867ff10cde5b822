"""Thousands of tenants in one process: what random searches over all of them keep in memory.

`fill` makes the tenants in a folder, `ask` is a process of its own that only searches: the model
that embeds questions, the database and the index cache are all in its resident size.
"""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agents import shelf
from agents.search import search
from backends.build import open_runtime
from benchmarks.figures import at_least, at_most
from core.context import PLATFORM, Ctx
from core.documents import Chunk
from core.ids import new_id
from core.settings import Settings
from database import tenants
from database.keys import new_tenant_key
from runtime import Runtime
from vectorstore import SEGMENT, About, Entry, Segment

TENANTS, PASSAGES, SEARCHES = 10_000, 200, 5_000
MEGABYTES_MAX = 400
_WORDS = [f"w{number}" for number in range(5_000)]
_DIFFERENT = 10
_MADE = "tenants.json"


def run(count: int = TENANTS, searches: int = SEARCHES) -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="weft-tenants-") as folder:
        _child("fill", folder, count)
        told = json.loads(_child("ask", folder, searches))
    said = f"{count} tenants of {PASSAGES} vectors, {searches} random searches"
    yield at_most("search.tenants.rss", told["rss"], MEGABYTES_MAX, "MB", said)
    yield at_least("search.tenants.answered", told["answered"] / searches, 1, "share", said)
    yield at_most("search.tenants.p50", told["p50"], 50, "ms", f"{said}, nearly all of them cold")


def _child(verb: str, folder: str, count: int) -> str:
    command = [sys.executable, "-m", __name__, verb, folder, str(count)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _settings(folder: Path) -> Settings:
    """As it is shipped: the default budget, the default model, files."""
    return Settings(_env_file=None, data_dir=folder, log_level="error", models_url="none:")


def fill(folder: Path, count: int) -> None:
    """Ten different shelves, each sealed anew under the keys of a thousand tenants."""
    draw, noise = random.Random(1), np.random.default_rng(1)
    with open_runtime(_settings(folder)) as rt:
        shelves = [_shelf(rt, draw, noise) for _ in range(_DIFFERENT)]
        ids = [_tenant(rt, number, *shelves[number % _DIFFERENT]) for number in range(count)]
    (folder / _MADE).write_text(json.dumps(ids))


def _shelf(rt: Runtime, draw: random.Random, noise: np.random.Generator) -> tuple[Segment, bytes]:
    embedder = rt.models.embedder()
    assert embedder is not None, "weft models pull"
    vectors = noise.normal(size=(PASSAGES, embedder.dimension)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    entries = [_entry(row, " ".join(draw.choices(_WORDS, k=60))) for row in range(PASSAGES)]
    ctx = _made(rt, new_id())
    segment = rt.shelves.write(ctx, entries, vectors, embedder.digest)
    return segment, rt.vault.get(ctx, SEGMENT, segment.id)


def _tenant(rt: Runtime, number: int, segment: Segment, data: bytes) -> str:
    ctx = _made(rt, str(number))
    rt.vault.put(ctx, SEGMENT, segment.id, data)
    with rt.db.transaction(ctx, durable=False) as tx:
        shelf.move_in(tx, ctx, lambda head: shelf.holding(head, segment))
    return ctx.tenant


def _made(rt: Runtime, slug: str) -> Ctx:
    ctx = Ctx(new_id(), "system")
    with rt.db.transaction(PLATFORM, durable=False) as tx:
        key = new_tenant_key(rt.root_key, ctx.tenant)
        tenants.create(tx, PLATFORM, key, tenant_id=ctx.tenant, slug=f"t{slug}", name="T",
                       tier="free")  # fmt: skip
    return ctx


def _entry(row: int, text: str) -> Entry:
    own = f"d{row // 20}"
    return Entry(Chunk(f"{own}:{row}", own, row, text, 1, 0, len(text)), About(own, f"{own}.txt"))


def ask(folder: Path, count: int) -> None:
    ids, draw, times, answered = json.loads((folder / _MADE).read_text()), random.Random(2), [], 0
    with open_runtime(_settings(folder)) as rt:
        for _ in range(count):
            ctx = Ctx(draw.choice(ids), "user:bench")
            started = time.perf_counter()
            found = search(rt, ctx, " ".join(draw.choices(_WORDS, k=3)))
            times.append(time.perf_counter() - started)
            answered += len(found.hits) == 10 and found.degraded is None
    # Not `ru_maxrss`: it begins with what the process held that started this one.
    peak = int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024
    told = {"rss": peak, "p50": float(np.median(times)) * 1000, "answered": answered}
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    {"fill": fill, "ask": ask}[sys.argv[1]](Path(sys.argv[2]), int(sys.argv[3]))
