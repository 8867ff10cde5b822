"""How much of 66 papers comes back, beside pdfplumber, markitdown and docling's offline parsers.

The peers get a virtual environment of their own below build/peers. They read PDF and the office
formats in the same run; each mark is compared with the best peer's for that mark.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import ingestion
from benchmarks.figures import at_least, at_most
from benchmarks.papers import samples
from benchmarks.papers.scores import MARKS, Got, graded
from benchmarks.papers.values import Sample
from benchmarks.peers import peer_python
from core.documents import Document

_PACKAGES = (
    "pdfplumber==0.11.10", "markitdown[pdf,docx,xlsx]==0.1.8", "docling-parse==7.23.1",
    "docling-slim[format-docx]==2.143.0",
)  # fmt: skip
_READERS = {
    "pdf": ("pdfplumber", "markitdown", "docling-parse"),
    "office": ("markitdown", "docling"),
}


def run() -> Iterator[dict[str, Any]]:
    papers = list(samples())
    with tempfile.TemporaryDirectory(prefix="weft-bench-") as folder:
        for sample in papers:
            Path(folder, f"{sample.name}.{sample.format}").write_bytes(sample.data)
        peers = {name: _peer(name, folder) for kind in _READERS.values() for name in kind}
    for kind, readers in _READERS.items():
        group = [sample for sample in papers if (sample.format == "pdf") == (kind == "pdf")]
        yield from _compared(kind, group, {name: peers[name] for name in readers})


def _compared(
    kind: str, group: list[Sample], peers: dict[str, dict[str, tuple[Got, float]]]
) -> Iterator[dict[str, Any]]:
    ours, took = _ours(group)
    theirs = {
        name: graded((sample, read.get(_file(sample), (Got(), 0.0))[0]) for sample in group)
        for name, read in peers.items()
    }
    marks = graded(zip(group, ours, strict=True))
    for mark in MARKS:
        best = max(theirs, key=lambda name: theirs[name][mark])
        said = ", ".join(f"{name} {theirs[name][mark]:.3f}" for name in theirs)
        goal = round(theirs[best][mark], 4)  # a peer has nothing of a format that it does not read
        yield at_least(f"fidelity.{kind}_{mark}", marks[mark], goal, "F1", said)
    files = set(map(_file, group))
    speeds = {
        name: 1000 * median(took for file, (_got, took) in read.items() if file in files)
        for name, read in peers.items()
    }
    said = ", ".join(f"{name} {speeds[name]:.1f} ms" for name in speeds)
    yield at_most(f"fidelity.{kind}_ms", 1000 * median(took), min(speeds.values()), "ms", said)


def _file(sample: Sample) -> str:
    return f"{sample.name}.{sample.format}"


def _ours(group: Iterable[Sample]) -> tuple[list[Got], list[float]]:
    got, took = [], []
    ingestion.parse(b"warm", "warm.txt", "txt")
    for sample in group:
        begun = time.perf_counter()
        document = ingestion.parse(sample.data, _file(sample), sample.format)
        took.append(time.perf_counter() - begun)
        got.append(read(document))
    return got, took


def read(document: Document) -> Got:
    """A document as the marks see it."""
    found = Got()
    texts = []
    for page in document.pages:
        texts.append(page.text.replace(" | ", " "))
        found.tables += [[_spread(row) for row in table.rows] for table in page.tables]
        found.headings += [
            page.text[block.start : block.end] for block in page.blocks if block.kind == "heading"
        ]
    found.text = "\n".join(texts)
    return found


def _spread(row: Iterable[Any]) -> list[str]:
    """Cells at their columns, so that merged ones shift none."""
    cells: list[str] = []
    for cell in row:
        cells += [""] * (cell.col - len(cells))
        cells.append(cell.text)
    return cells


def _peer(name: str, folder: str) -> dict[str, tuple[Got, float]]:
    """What a peer read of each file, and how long it took."""
    code = Path(__file__).with_name("fidelity_peer.py")
    done = subprocess.run(
        [peers_python(), "-P", code, folder, name],
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            told = json.loads(line)
            got = Got(told["text"], told["tables"], told["headings"])
            found[told["name"]] = got, float(told["seconds"])
            if "error" in told:
                sys.stderr.write(f"{name} {told['name']}: {told['error']}\n")
    if not found:
        raise RuntimeError(f"the peer {name} did not run: {done.stderr[-500:]}")
    return found


def peers_python() -> Path:
    return peer_python("fidelity", _PACKAGES)
