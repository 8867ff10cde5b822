"""Runs every bench (or the named ones), prints JSON lines, writes build/figures.jsonl."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BENCHES = (
    "platform", "parsing", "fidelity", "workflow", "workflow_postgres", "dispatch", "search",
    "http", "reports", "embedding", "scaling", "answers", "retrieval", "pii", "ocr",
    "office", "mixed",
)  # fmt: skip
FIGURES = Path("build/figures.jsonl")


def main(names: Iterable[str]) -> int:
    """`--goals`: ends with 1 when a figure falls short, for what must hold anywhere."""
    asked = list(names)
    wanted = tuple(name for name in asked if name != "--goals") or BENCHES
    unknown = set(wanted) - set(BENCHES)
    if unknown:
        sys.stderr.write(f"There is no bench {', '.join(unknown)}; there are {BENCHES}\n")
        return 2
    if len(wanted) > 1:
        return max([_alone(name) for name in wanted])
    sys.stderr.write(f"bench {wanted[0]} ...\n")
    lines, short = [], 0
    for figure in importlib.import_module(f"benchmarks.{wanted[0]}").run():
        lines.append(json.dumps({**figure, "bench": wanted[0], "at": int(time.time())}))
        print(lines[-1], flush=True)
        short += not figure["pass"]
    _keep(wanted[0], lines)
    if short:
        sys.stderr.write(f"{short} figures of {wanted[0]} fall short of their goal\n")
    return int(bool(short) and "--goals" in asked)


def _alone(name: str) -> int:
    """Each bench in a process of its own: what one leaves in memory is not the next one's."""
    return subprocess.run([sys.executable, "-m", "benchmarks", name]).returncode


def _keep(name: str, lines: list[str]) -> None:
    """Puts a bench's figures in place of its last ones; the file is never half-written."""
    old = FIGURES.read_text().splitlines() if FIGURES.exists() else []
    kept = [line for line in old if _bench(line) != name]
    FIGURES.parent.mkdir(exist_ok=True)
    part = FIGURES.with_suffix(f".{os.getpid()}")
    part.write_text("\n".join([*kept, *lines]) + "\n")
    part.replace(FIGURES)


def _bench(line: str) -> str:
    figure: dict[str, Any] = json.loads(line)
    return str(figure.get("bench"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
