"""Runs every bench (or the named ones), prints JSON lines, writes build/figures.jsonl."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

BENCHES = ("platform", "parsing", "workflow", "search", "http", "reports", "embedding")
FIGURES = Path("build/figures.jsonl")


def main(names: Iterable[str]) -> int:
    wanted = tuple(names) or BENCHES
    unknown = set(wanted) - set(BENCHES)
    if unknown:
        sys.stderr.write(f"There is no bench {', '.join(unknown)}; there are {BENCHES}\n")
        return 2
    FIGURES.parent.mkdir(exist_ok=True)
    kept = _kept(set(wanted))
    short = 0
    with FIGURES.open("w") as file:
        file.writelines(kept)
        for name in wanted:
            sys.stderr.write(f"bench {name} ...\n")
            for figure in importlib.import_module(f"benchmarks.{name}").run():
                line = json.dumps({**figure, "bench": name, "at": int(time.time())})
                print(line, flush=True)
                file.write(line + "\n")
                short += not figure["pass"]
    sys.stderr.write(f"{short} figures fall short of their goal\n")
    return 0


def _kept(again: set[str]) -> list[str]:
    """The figures of the benches that are not run this time."""
    if not FIGURES.exists():
        return []
    lines = FIGURES.read_text().splitlines(keepends=True)
    return [line for line in lines if _bench(line) not in again]


def _bench(line: str) -> str:
    figure: dict[str, Any] = json.loads(line)
    return str(figure.get("bench"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
