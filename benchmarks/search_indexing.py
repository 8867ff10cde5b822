"""Indexing against embedding alone: the same passages, CPU seconds of this process and its parsers.

A document goes the whole way (stored, read by the parser's child, split, indexed, merged); then the
model embeds the same passages in batches of the same size. Turns alternate; sums are compared.
"""

from __future__ import annotations

import random
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from agents import shelf
from agents.ingestion import Upload, ingest, receive
from backends.build import open_runtime
from benchmarks.embedding import passages
from benchmarks.figures import at_least
from core.context import Ctx
from core.events import AgentMessage
from core.settings import Settings
from gateway import provision
from runtime import Runtime
from workflows.tasks import Work

DOCUMENTS = 12
_PARAGRAPHS = 40  # of up to 200 words each


def run() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="weft-indexing-") as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), log_level="error",
                            models_url="none:")  # fmt: skip
        with open_runtime(settings) as rt:
            yield _measured(rt)


def _measured(rt: Runtime) -> dict[str, Any]:
    embedder = rt.models.embedder()
    assert embedder is not None, "weft models pull"
    tenant = provision.provision(rt, "bench", tier="unlimited")
    ctx, draw, texts = Ctx(tenant.id, "user:bench"), random.Random(1), passages()
    _index(rt, ctx, "warm up")
    whole = alone = 0.0
    count, known = 0, {entry.chunk.id for entry in _entries(rt, ctx)}
    for number in range(DOCUMENTS):
        text = f"# Part {number}\n\n" + "\n\n".join(draw.sample(texts, _PARAGRAPHS))
        whole += _cpu(lambda text=text: _index(rt, ctx, text))  # type: ignore[misc]
        fresh = [entry for entry in _entries(rt, ctx) if entry.chunk.id not in known]
        known |= {entry.chunk.id for entry in fresh}
        said = list(dict.fromkeys(shelf.embedded_text(entry) for entry in fresh))
        alone += _cpu(lambda said=said: _embed(embedder, said))  # type: ignore[misc]
        count += len(fresh)
    words = (
        f"{count} passages: {count / whole:.1f} a CPU second, embedding alone {count / alone:.1f}"
    )
    return at_least("search.indexing.share_of_embedding", alone / whole, 0.95, "share", words)


def _index(rt: Runtime, ctx: Ctx, text: str) -> None:
    (got,) = receive(rt, ctx, [Upload("part.md", "text/markdown", text.encode())])
    payload = {"document_id": got.document_id}
    ingest(Work(rt, ctx, AgentMessage("ingestion", "run", "ingest", payload, 5, 0), "run", "step"))


def _entries(rt: Runtime, ctx: Ctx) -> list[Any]:
    segments = shelf.head_of(rt, ctx).segments
    return [entry for one in segments for entry in rt.shelves.entries(ctx, one)]


def _embed(embedder: Any, texts: list[str]) -> None:
    for at in range(0, len(texts), 128):
        embedder.embed(texts[at : at + 128])


def _cpu(act: Callable[[], object]) -> float:
    before = _seconds()
    act()
    return _seconds() - before


def _seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
