"""Figures of the last run: kept in build/figures.jsonl, shown in docs/figures.md.

`python -m tests.torture.figures` writes the table from the lines; no number is typed by hand.
"""

from __future__ import annotations

import fcntl
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.figures import at_least, at_most

ROOT = Path(__file__).parents[2]
TORTURE = os.environ.get("WEFT_TORTURE") == "1"
LINES, TABLE = ROOT / "build" / "figures.jsonl", ROOT / "docs" / "figures.md"
TITLES = {
    "A1": "kill -9 at every boundary and at random", "A3": "paused workers that wake up too late",
    "A4": "Kafka gone and wiped",
    "A5": "PostgreSQL stopped in an instant, Redis flushed and killed",
    "A6": "object storage gone, slow, cut", "A9": "every message repeated and shuffled",
    "A10": "poison messages", "A12": "killed index writers", "A13": "backup, destroy, restore",
    "A15": "SIGTERM under load", "B1": "ten times more than it can do",
    "B3": "a loud tenant beside a quiet one", "B4": "one limit over several gateways",
    "D1": "hostile and broken files", "D2": "what hostile files cost",
}  # fmt: skip


HEADS = ("figure", "goal", "measured", "unit", "beside", "holds", "on")


def keep(figure: dict[str, Any], bench: str = "torture") -> dict[str, Any]:
    """Puts a figure in place of its last one; the file is never half-written."""
    LINES.parent.mkdir(exist_ok=True)
    kept = {**figure, "bench": bench, "at": int(time.time())}
    with (LINES.parent / "figures.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        old = [line for line in _lines() if line["id"] != figure["id"]]
        part = LINES.with_suffix(f".{os.getpid()}")
        part.write_text("".join(json.dumps(line) + "\n" for line in [*old, kept]))
        part.replace(LINES)
    sys.stderr.write(json.dumps(kept) + "\n")
    return kept


def held(figures: Iterable[dict[str, Any]]) -> list[str]:
    """Keeps all of them; the names of those that fall short. A time decides in `make torture`
    alone: elsewhere the machine may be busy with other things, and it is only written down."""
    kept = [keep(figure) for figure in figures]
    return [one["id"] for one in kept if not one["pass"] and (TORTURE or not _is_time(one))]


def _is_time(figure: dict[str, Any]) -> bool:
    return str(figure["unit"]).replace(",", " ").split(" ")[0] in ("s", "ms")


def none(name: str, value: int, of: str) -> dict[str, Any]:
    """Something that may not happen at all; `of` says out of what."""
    return at_most(name, value, 0, of)


def _lines() -> list[dict[str, Any]]:
    if not LINES.exists():
        return []
    return [json.loads(line) for line in LINES.read_text("utf-8").splitlines() if line]


def table(lines: Iterable[dict[str, Any]]) -> str:
    """Markdown: torture first, by figure; then each bench."""
    found = sorted(
        lines, key=lambda one: (one.get("bench") != "torture", one.get("bench"), _key(one))
    )
    made = (
        f"Measured by `make torture` and `make bench` on {machine()}; this page is made from "
        "`build/figures.jsonl` by `python -m tests.torture.figures`."
    )
    text = ["# Figures", "", made, ""]
    last = ""
    for one in found:
        group = _group(one)
        if group != last:
            head = f"{group}: {TITLES[group]}" if group in TITLES else f"Bench: {group}"
            text += ["", f"## {head}", "", f"| {' | '.join(HEADS)} |", "| --- " * len(HEADS) + "|"]
            last = group
        day = time.strftime("%Y-%m-%d", time.gmtime(one.get("at", 0)))
        holds = "yes" if one["pass"] else "**no**"
        cells = (one["id"], one["goal"], f"{one['value']:g}", one["unit"], one["peer"], holds, day)
        text.append("| " + " | ".join(str(cell).replace("|", "/") for cell in cells) + " |")
    return "\n".join(text).replace("\n\n\n", "\n\n") + "\n"


def _group(line: dict[str, Any]) -> str:
    return str(line["id"]).split(".")[0] if line.get("bench") == "torture" else str(line["bench"])


def _key(line: dict[str, Any]) -> tuple[str, int, str]:
    name = str(line["id"])
    head = name.split(".")[0]
    return (head[:1], int(head[1:]) if head[1:].isdigit() else 0, name)


def machine() -> str:
    model = platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [row.split(":", 1)[1].strip() for row in info.read_text().splitlines()
                 if row.startswith("model name")]  # fmt: skip
        model = names[0] if names else model
    return (
        f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}"
    )


def main() -> None:
    TABLE.write_text(table(_lines()), "utf-8")
    short = [line["id"] for line in _lines() if not line["pass"]]
    sys.stdout.write(
        f"{TABLE.relative_to(ROOT)}: {len(_lines())} figures, short: {short or 'none'}\n"
    )


if __name__ == "__main__":
    main()

__all__ = ["at_least", "at_most", "held", "keep", "none", "table"]
