"""A process that rebuilds an index is killed in the middle of it, and others go on.

`python -m tests.crash.rebuilding FOLDER` prints one JSON line. Each process is a fork.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from agents import shelf, swapping
from agents.registry import AGENTS
from core.context import PLATFORM, Ctx
from core.documents import Chunk
from core.ports import Vectors
from database import dispatch
from models import Models
from runtime import Runtime
from tests.crash.zygote import SECONDS, forked, lines, note, opened
from tests.engine import QUEUES, new_tenant
from tests.fakes.embedder import HashEmbedder
from tests.fakes.memory import Embedders
from vectorstore import About, Entry, Query
from workflows import sweeper
from workflows.engine import work_once

SEGMENTS, ROWS = 3, 300
BATCH = 128  # of `agents.shelf`


class Noted(HashEmbedder):
    """Writes down each batch before it is made; dies when the `kill`-th is asked for."""

    def __init__(self, folder: Path, kill: int = 0) -> None:
        super().__init__(768, "new")
        self._file, self._kill, self._calls = folder / "embedded", kill, 0

    def embed(self, texts: Any) -> Vectors:
        self._calls += 1
        if self._calls == self._kill:
            os.kill(os.getpid(), signal.SIGKILL)
        for text in texts:
            note(self._file, text)
        return super().embed(texts)


def said(segment: int, row: int) -> str:
    """Three words that nothing else says: one alone may share its dimension."""
    return " ".join(f"{word}{segment}x{row}" for word in ("here", "there", "everywhere"))


def entries(segment: int, rows: int = ROWS) -> list[Entry]:
    own = f"d{segment}"
    return [
        Entry(Chunk(f"{own}:{n}", own, n, said(segment, n), 1, 0, 5), About(own, own))
        for n in range(rows)
    ]


def added(rt: Runtime, ctx: Ctx, number: int, rows: int = ROWS) -> None:
    old, told = HashEmbedder(512, "old"), entries(number, rows)
    vectors = old.embed([entry.chunk.text for entry in told])
    segment = rt.shelves.write(ctx, told, vectors, old.digest)
    shelf.move(rt, ctx, lambda head: shelf.holding(head, segment), lambda tx: None)


def within(rt: Runtime, new: HashEmbedder) -> Runtime:
    both = {"fp32": HashEmbedder(512, "old"), "int8": new}
    return replace(rt, models=cast(Models, Embedders(both)))


def worked(folder: Path, kill: int, action: Callable[[Runtime], None], rt: Runtime) -> None:
    """Until no job is left: the leases of those that were killed run out on the way."""
    rt = within(rt, Noted(folder, kill))
    action(rt)
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        if work_once(rt, QUEUES, AGENTS):
            continue
        sweeper.sweep(rt, AGENTS)
        with rt.db.read(PLATFORM) as tx:
            if not dispatch.depths(tx):
                return
        time.sleep(0.01)


def main(folder: Path) -> dict[str, Any]:
    made: list[Ctx] = []

    def prepared(rt: Runtime) -> None:
        made.append(new_tenant(rt))
        for number in range(SEGMENTS):
            added(rt, made[0], number)

    opened(folder, prepared)
    ctx = made[0]
    steps: tuple[tuple[int, Callable[[Runtime], None]], ...] = (
        (3, lambda rt: note(folder / "run", swapping.rebuild(rt, ctx, "int8")["run_id"])),
        (4, lambda rt: added(rt, ctx, SEGMENTS, 20)),  # something new came meanwhile
        (0, lambda rt: shelf.move(rt, ctx, lambda h: shelf.without(h, ["d1"]), lambda tx: None)),
    )
    ends = [
        forked(partial(opened, folder, partial(worked, folder, kill, action)))
        for kill, action in steps
    ]
    told: dict[str, Any] = {"ends": ends}

    def looked(rt: Runtime) -> None:
        rt = within(rt, HashEmbedder(768, "new"))
        head = shelf.head_of(rt, ctx)
        new = HashEmbedder(768, "new")
        told.update(count=head.count, missing=head.missing(new.digest))
        swapping.swap(rt, ctx)
        told["right"] = sum(_right(rt, ctx, new, segment) for segment in (0, 2, SEGMENTS))

    opened(folder, looked)
    texts = lines(folder / "embedded")
    return {**told, "embedded": len(texts), "twice": len(texts) - len(set(texts))}


def _right(rt: Runtime, ctx: Ctx, new: HashEmbedder, segment: int) -> int:
    """Questions whose own passage is found first, by the new vectors alone."""
    head, count = shelf.head_of(rt, ctx), 0
    for row in range(0, 20, 5):
        text = said(segment, row)
        query = Query(text, new.embed([text])[0], new.digest, 1, "vector")
        hits = rt.shelves.search(ctx, head, query)
        count += [hit.chunk.text for hit in hits] == [text]
    return count


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))) + "\n")
