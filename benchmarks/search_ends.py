"""A search from end to end: inside the process, over HTTP, and of a shelf that is in MinIO.

The shelf has 10,000 passages. In the process the question's vector is given, since the model's time
is the model's; over HTTP the question is embedded and everything a person waits for is in it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from agents import shelf
from agents.search import search
from backends import s3_wire
from backends.build import open_runtime
from backends.s3_blobs import Place, S3Blobs
from benchmarks.figures import at_most
from benchmarks.http import ROOT, _call, _free_port, _serving
from core.context import Ctx
from core.ids import new_id
from core.settings import Settings
from core.vault import Vault
from gateway import provision
from models import Models
from vectorstore import SEGMENT, Head, Query, Segment, Shelves

ROWS = 10_000
_TURNS = 15
_PERSON = {"email": "bench@bench.example", "password": "bench bench bench"}


class _Given:
    """A model that has embedded the questions before."""

    def __init__(self, digest: str, vectors: Mapping[str, Any]) -> None:
        self.digest, self._vectors = digest, vectors
        self.dimension = 384

    def embedder(self, name: str = "") -> _Given:
        return self

    def embed(self, texts: list[str]) -> Any:
        return np.stack([self._vectors[text] for text in texts])


class _Nowhere:
    """Bytes are read and nothing is done with them."""

    def begin(self, size: int) -> None: ...
    def feed(self, piece: bytes | memoryview) -> None: ...


def run(data: Any) -> Iterator[dict[str, Any]]:
    """`data` of `benchmarks.search`, with `ROWS` passages."""
    with tempfile.TemporaryDirectory(prefix="weft-search-") as folder:
        yield from _inside(Path(folder), data)
        yield from _http(Path(folder), data)
    yield from _cold(data)


def _settings(folder: Path) -> Settings:
    return Settings(_env_file=None, data_dir=folder, log_level="error", models_url="none:")


def _inside(folder: Path, data: Any) -> Iterator[dict[str, Any]]:
    """Also makes the tenant that `_http` asks."""
    with open_runtime(_settings(folder)) as rt:
        embedder = rt.models.embedder()
        assert embedder is not None, "weft models pull"
        tenant = provision.provision(rt, "bench", tier="unlimited")
        ctx = Ctx(tenant.id, "system")
        provision.create_user(rt, ctx, **_PERSON, role="operator")
        segment = rt.shelves.write(ctx, data.entries, data.vectors, embedder.digest)
        shelf.move(rt, ctx, lambda head: shelf.holding(head, segment), lambda _tx: None)
        vectors = dict(zip(data.asked, data.questions, strict=True))
        given = replace(rt, models=cast(Models, _Given(embedder.digest, vectors)))
        both = _p50(lambda at: search(given, ctx, data.asked[at]), len(data.asked))
        whole = _p50(lambda at: search(rt, ctx, data.asked[at]), len(data.asked))
    yield at_most("search.10k.inside.p50", both, 1, "ms", "hybrid, the vector given")
    yield at_most("search.10k.inside_embedded.p50", whole, 10, "ms", "hybrid, embedded too")


def _http(folder: Path, data: Any) -> Iterator[dict[str, Any]]:
    port = _free_port()
    environment = {**os.environ, "WEFT_DATA_DIR": str(folder), "WEFT_PORT": str(port),
                   "WEFT_MODELS_URL": "none:", "WEFT_LOG_LEVEL": "info"}  # fmt: skip
    with _serving([sys.executable, "-m", "ops", "serve"], port, environment, "/readyz"):
        base = f"http://127.0.0.1:{port}"
        header = f"Authorization: Bearer {_call(f'{base}/auth/login', _PERSON)['access_token']}"

        def ask(at: int) -> None:
            found = _call(f"{base}/search", {"query": data.asked[at]}, header)
            assert found["hits"]
            assert found["degraded"] is None

        ask(0)
        taken = _p50(ask, len(data.asked))
    yield at_most("search.10k.http.p50", taken, 15, "ms", "hybrid, embedded, a connection each")


def _cold(data: Any) -> Iterator[dict[str, Any]]:
    """Alternating: the first search of a shelf in MinIO, and reading its bytes."""
    ctx, asked = Ctx(new_id(), "system"), [0]
    blobs = S3Blobs(Place.of(_minio()), "bench")
    vault = Vault(blobs, lambda _ctx: bytes(32))
    segment = Shelves(vault, 2**30).write(ctx, data.entries, data.vectors, "digest")
    query = Query(data.asked[0], data.questions[0], "digest", 10)
    inner = s3_wire.Wire._asked

    def counted(wire: s3_wire.Wire, method: str, url: str, until: float, kw: Any) -> Any:
        asked[0] += 1
        return inner(wire, method, url, until, kw)

    def first() -> object:
        return Shelves(vault, 2**30).search(ctx, Head(1, (segment,)), query)

    keys = [f"t/{ctx.tenant}/{SEGMENT}/{name}" for name in _names(segment)]

    def plain() -> object:
        return [blobs.get(key) for key in keys]

    def raw() -> object:
        return [blobs.stream(key, _Nowhere()) for key in keys]  # type: ignore[func-returns-value]

    s3_wire.Wire._asked = counted  # type: ignore[method-assign, assignment]
    try:
        first()
        requests = asked[0]
        times = [(_ms(first), _ms(plain), _ms(raw)) for _ in range(_TURNS)]
    finally:
        s3_wire.Wire._asked = inner  # type: ignore[method-assign]
        vault.clear(ctx)
    searched, read, bare = (float(np.median(column)) for column in zip(*times, strict=True))
    said = (
        f"{segment.size / 1e6:.1f} MB: searched in {searched:.1f} ms, read in {read:.1f} ms, "
        f"in {bare:.1f} ms without comparing them with their tag"
    )
    yield at_most("search.10k.cold.requests", requests, 3, "requests", said)
    yield at_most("search.10k.cold.times_reading", searched / read, 1.5, "x", said)
    yield at_most("search.10k.cold.times_bare_reading", searched / bare, 1.5, "x", said)


def _names(segment: Segment) -> set[str]:
    return {segment.id, segment.vectors or segment.id}


def _minio() -> str:
    """The bench's own, started where it is not up and left as it was found."""
    command = [str(ROOT / "deploy" / "native" / "stack")]
    ours = {"WEFT_STACK_DIR": "build/stack-bench", "WEFT_STACK_PORTS": "26000"}
    for verb in (["up", "minio"], ["url", "minio"]):
        done = subprocess.run([*command, *verb], check=True, stdout=subprocess.PIPE, text=True,
                              env={**ours, **os.environ}, cwd=ROOT, timeout=600)  # fmt: skip
    return done.stdout.strip().replace("/weft", "/weft-search")


def _ms(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


def _p50(ask: Callable[[int], object], count: int) -> float:
    ask(0)
    return float(np.median([_ms(lambda at=at: ask(at)) for at in range(count)]))  # type: ignore[misc]


if __name__ == "__main__":
    from benchmarks.search import _made

    for figure in run(_made(ROWS)):
        print(json.dumps(figure), flush=True)
