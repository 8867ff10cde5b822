"""A 50-page PDF with tables from bytes to searchable: parser, keywords, vectors, second time."""

from __future__ import annotations

import io
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ingestion
from agents.ingestion import Upload, receive
from agents.registry import AGENTS
from agents.search import search
from backends.build import open_runtime
from benchmarks.fidelity import peers_python
from benchmarks.figures import at_least, at_most
from core.context import Ctx, scopes_of
from core.documents import Document
from core.settings import Settings
from database import documents
from gateway.provision import provision
from runtime import Runtime
from workflows.engine import work_once

PAGES, TABLES, ROWS = 50, 10, 23
PEER = "pypdfium2, text only"
QUEUES = ("supervisor", "ingestion")

_TRIES = 9

# Waits for a line, reads once, says its seconds: so that it takes turns with us.
_PEER_CODE = """
import sys, time
data = open(sys.argv[2], "rb").read()
def pypdfium2():
    import pypdfium2
    return lambda: [page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data)]
def pdfplumber():
    import io, pdfplumber
    def read():
        with pdfplumber.open(io.BytesIO(data)) as pdf:
            return [(page.extract_text(), page.extract_tables()) for page in pdf.pages]
    return read
read = globals()[sys.argv[1]]()
for _ in sys.stdin:
    begun = time.perf_counter()
    read()
    print(time.perf_counter() - begun, flush=True)
"""


class _Peer:
    """Another reader in a process of its own."""

    def __init__(self, name: str, path: Path) -> None:
        self._process = subprocess.Popen(
            [peers_python(), "-c", _PEER_CODE, name, path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def seconds(self) -> float:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("read\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate(timeout=60)


def run() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        data, cells = _report()
        yield from _parser(data, cells, Path(folder))
        yield from _whole_way(data, Path(folder))


def _parser(data: bytes, cells: list[list[str]], folder: Path) -> Iterator[dict[str, Any]]:
    path = folder / "report.pdf"
    path.write_bytes(data)
    text_only, tables_too = _Peer("pypdfium2", path), _Peer("pdfplumber", path)
    ours, theirs = [], []
    for attempt in range(_TRIES + 1):
        took, document = _timed(lambda: ingestion.parse(data, "report.pdf", "pdf"))
        their = text_only.seconds()
        if attempt:  # the first is each one's warm-up
            ours.append(took)
            theirs.append(their)
    slow = tables_too.seconds()
    text_only.close()
    tables_too.close()
    assert _cells(document) == cells, "speed counts only with every table row exact"
    best = min(ours)
    yield at_most("parse.pdf_50_pages", best, 0.3, "s")
    yield at_most("parse.pdf_50_pages_ratio", best / min(theirs), 5, "x", PEER)
    yield at_least("parse.pdf_50_pages_pdfplumber", slow / best, 20, "x", "pdfplumber")


def _timed(call: Any) -> tuple[float, Any]:
    begun = time.perf_counter()
    value = call()
    return time.perf_counter() - begun, value


def _cells(document: Document) -> list[list[str]]:
    tables = [table for page in document.pages for table in page.tables]
    return [[cell.text for cell in row] for table in tables for row in table.rows]


def _whole_way(data: bytes, folder: Path) -> Iterator[dict[str, Any]]:
    settings = Settings(_env_file=None, data_dir=folder / "data", models_url="none:")
    with open_runtime(settings) as rt:
        tenant = provision(rt, "bench", "Bench", "unlimited")
        ctx = Ctx(tenant.id, "user:bench", frozenset({"admin"}), scopes_of(["admin"]))
        embedder = rt.models.embedder()
        assert embedder is not None, "type: make setup"
        embedder.embed(["warm"])
        _through(rt, ctx, _small(), "warm.txt")
        words = _until_found(rt, ctx, _report(offset=5000)[0])
        ready = _through(rt, ctx, data, "report.pdf")
        chunks = ingestion.chunk(
            ingestion.parse(data, "report.pdf", "pdf", limits=ingestion.Limits()), "x" * 36
        )
        texts = [f"{chunk.context}\n{chunk.text}".strip() for chunk in chunks]
        pure, _vectors = min((_timed(lambda: embedder.embed(texts)) for _ in range(2)),
                             key=lambda pair: pair[0])  # fmt: skip
        again = _through(rt, ctx, data, "report-again.pdf")
    yield at_most("ingest.searchable_by_keyword", words, 0.5, "s")
    yield at_most("ingest.embedded_ratio", ready / pure, 1.1, "x", "the embedding model alone")
    yield at_least("ingest.known_again_ratio", ready / again, 100, "x", "the first time")


def _small() -> bytes:
    return b"The warm-up document says nothing of interest.\n" * 3


def _through(rt: Runtime, ctx: Ctx, data: bytes, name: str) -> float:
    """Seconds from the upload until the document is ready; by one worker."""
    begun = time.perf_counter()
    one = receive(rt, ctx, [Upload(name, "application/octet-stream", data)])[0].document_id
    while _status(rt, ctx, one) != "ready":
        assert work_once(rt, QUEUES, AGENTS), "the document is not ready and nothing is to do"
    return time.perf_counter() - begun


def _until_found(rt: Runtime, ctx: Ctx, data: bytes) -> float:
    """Seconds from the upload until a keyword search finds the document, while it is embedded."""
    begun = time.perf_counter()
    found: list[float] = []

    def watch() -> None:
        while not found:
            if search(rt, ctx, "pressure valve", k=3, mode="keyword").hits:
                found.append(time.perf_counter() - begun)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    _through(rt, ctx, data, "found.pdf")
    watcher.join(timeout=10)
    return found[0]


def _status(rt: Runtime, ctx: Ctx, document: str) -> str:
    with rt.db.read(ctx) as tx:
        return documents.get(tx, ctx, document).status


def _report(offset: int = 0) -> tuple[bytes, list[list[str]]]:
    """50 pages of prose, every fifth with a ruled table of 23 rows; the bytes and the cells."""
    from reportlab.lib.colors import black
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import Flowable, PageBreak, Paragraph, SimpleDocTemplate, Table

    body = getSampleStyleSheet()["BodyText"]
    story: list[Flowable] = []
    cells: list[list[str]] = []
    for page in range(PAGES):
        for part in range(9):
            story.append(Paragraph(_prose(offset + page * 9 + part), body))
        if page % (PAGES // TABLES) == 0:
            rows = [
                ["Station", "Reading", "Change", "Note"],
                *(_row(offset + page, n) for n in range(ROWS - 1)),
            ]
            table = Table(rows, colWidths=[90, 90, 90, 150])
            table.setStyle([("GRID", (0, 0), (-1, -1), 0.5, black)])
            story.append(table)
            cells += rows
        story.append(PageBreak())
    buffer = io.BytesIO()
    SimpleDocTemplate(buffer).build(story)
    return buffer.getvalue(), cells


def _prose(number: int) -> str:
    return (
        f"Section {number}. The pressure valve at station {number * 7 % 301} was opened for "
        f"{number % 13 + 2} hours while the crew of shift {number % 3 + 1} compared the flow "
        f"with the plan of week {number % 52 + 1}; nothing unusual was seen, and report "
        f"R-{10_000 + number} was filed before noon."
    )


def _row(page: int, number: int) -> list[str]:
    place = page * 100 + number
    return [
        f"S-{place}",
        f"{place * 1.37:.2f}",
        f"{place % 9 - 4:+d}%",
        f"checked by team {place % 5}",
    ]
