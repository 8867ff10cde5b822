"""Many processes write into one tenant's index and are killed at random.

`python -m tests.crash.index_writers FOLDER` reads FOLDER/plan.json and prints one JSON line of what
it saw. Everything is imported once and each writer is a fork; a writer that is killed is started
again and goes on with what it was never told is done, as a job's next attempt does.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import numpy as np

from agents import compaction, shelf
from backends.build import open_runtime
from core.context import Ctx
from core.documents import Chunk
from core.errors import NotFound, Outage
from core.ports import Vectors
from core.settings import Settings
from database import documents
from database.documents import NewDocument
from runtime import Runtime
from tests.crash.zygote import lines, note
from vectorstore import About, Entry, Query

DIGEST = "random"
DIMENSION = 64
EACH = 10  # vectors of one document
SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class Plan:
    tenant: str
    writers: int
    vectors: int  # of each writer
    kills: int
    settings: dict[str, str]


def document_id(writer: int, number: int) -> str:
    return str(uuid5(NAMESPACE_OID, f"{writer}/{number}"))


def entries(writer: int, number: int) -> list[Entry]:
    own = document_id(writer, number)
    about = About(own, f"{writer}-{number}.txt")
    return [
        Entry(Chunk(f"{own}:{n}", own, n, f"word{writer}x{number}y{n}", 1, 0, 5), about)
        for n in range(EACH)
    ]


def vectors(writer: int, number: int) -> Vectors:
    found = np.random.default_rng([writer, number]).normal(size=(EACH, DIMENSION))
    unit: Vectors = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
    return unit


def write(rt: Runtime, ctx: Ctx, folder: Path, writer: int, plan: Plan) -> None:
    """Each document as ingestion does it: its row, its segment, then both in one commit."""
    done = set(lines(folder / f"acknowledged.{writer}"))
    for number in range(plan.vectors // EACH):
        own = document_id(writer, number)
        if own in done:
            continue
        while number == plan.vectors // EACH - 1 and not (folder / "killed").exists():
            time.sleep(0.01)  # a fast machine must not be done before the killing is
        with rt.db.transaction(ctx) as tx:
            if not documents.existing(tx, ctx, [own]):
                documents.create(tx, ctx, NewDocument(own, own, "txt", "text/plain", own, 1))
        segment = rt.shelves.write(ctx, entries(writer, number), vectors(writer, number), DIGEST)
        started = time.monotonic()
        shelf.publish(rt, ctx, own, segment, "ready", {"chunks": EACH})
        took = time.monotonic() - started
        note(folder / f"acknowledged.{writer}", own)
        note(folder / "moves", f"{took:.4f}")
        compaction.compact(rt, ctx)


def read(rt: Runtime, ctx: Ctx, folder: Path) -> None:
    """Searches until it is told to stop; what it must never see is written down."""
    last = 0
    while not (folder / "over").exists():
        head = shelf.head_of(rt, ctx)
        if head.version < last:
            note(folder / "wrong", f"version {head.version} after {last}")
        last = head.version
        told = lines(folder / "acknowledged.0")
        head = shelf.head_of(rt, ctx)
        try:
            if told:
                number = len(told) - 1
                hits = rt.shelves.search(ctx, head, Query(f"word0x{number}y3", mode="keyword"))
                if [hit.chunk.id for hit in hits] != [f"{document_id(0, number)}:3"]:
                    note(folder / "wrong", f"0/{number}: {[hit.chunk.id for hit in hits]}")
        except NotFound:  # an old head, as the search of an agent would notice too
            note(folder / "old", str(head.version))
        except Outage as error:
            note(folder / "wrong", error.detail)
        time.sleep(0.02)


def forked(folder: Path, plan: Plan, action: Callable[[Runtime, Ctx], None]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        settings = Settings(_env_file=None, **plan.settings)  # type: ignore[arg-type]
        with open_runtime(settings) as rt:
            action(rt, Ctx(plan.tenant, "system"))
        code = 0
    except BaseException:  # noqa: BLE001 (the child's edge)
        note(folder / "broken", traceback.format_exc())
    finally:
        os._exit(code)


def run(folder: Path, plan: Plan) -> dict[str, Any]:
    chance = random.Random(7)
    reader = forked(folder, plan, lambda rt, ctx: read(rt, ctx, folder))

    def start(writer: int) -> int:
        return forked(folder, plan, lambda rt, ctx: write(rt, ctx, folder, writer, plan))

    alive = {start(writer): writer for writer in range(plan.writers)}
    ends: Counter[int] = Counter()
    until = time.monotonic() + SECONDS
    while alive and time.monotonic() < until:
        time.sleep(chance.uniform(0.02, 0.2))
        if ends[-signal.SIGKILL] < plan.kills:
            os.kill(chance.choice(sorted(alive)), signal.SIGKILL)
        elif not (folder / "killed").exists():
            note(folder / "killed", "")
        for child in list(alive):
            found, status = os.waitpid(child, os.WNOHANG)
            if found:
                code = os.waitstatus_to_exitcode(status)
                ends[code] += 1
                writer = alive.pop(child)
                if code and ends[1] < 50:
                    alive[start(writer)] = writer
    for child in alive:
        os.kill(child, signal.SIGKILL)
    note(folder / "over", "")
    _, status = os.waitpid(reader, 0)
    return {
        "kills": ends[-signal.SIGKILL], "broken": ends[1], "unfinished": len(alive),
        "reader": os.waitstatus_to_exitcode(status),
    }  # fmt: skip


def plan_of(folder: Path) -> Plan:
    return Plan(**json.loads((folder / "plan.json").read_text()))


def keep(folder: Path, plan: Plan) -> None:
    (folder / "plan.json").write_text(json.dumps(asdict(plan)))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    sys.stdout.write(json.dumps(run(place, plan_of(place))) + "\n")
