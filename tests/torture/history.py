"""What happened, as JSON lines: what clients asked and heard, what reached the outside, what died.

Every line has `at` (seconds, this machine's clock) and `kind`:

| kind | fields |
| --- | --- |
| asked | op, tenant: a client begins to ask; repeated asks have one `op`, its Idempotency-Key |
| answered | op, status, run (with 202), retry_after |
| cut | op: no answer |
| delivered | id, run, what, effect (keyed or blind), body: one delivery that the outside took |
| struck | role, how: a process was killed, stopped or resumed |
| ended | run, status, ended_at, mails, needs: what the platform says at the very end |
| fact | run, seq, type, step: the run's events, in the order of its stream |
| listed | run, op: every run that the platform has |
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

Line: TypeAlias = dict[str, Any]


class History:
    """Written by many threads, kept in memory as well; the file is what a failure is read from."""

    def __init__(self, path: Path) -> None:
        self.path, self.lines = path, list[Line]()
        self._lock = threading.Lock()

    def note(self, kind: str, **fields: Any) -> Line:
        line = {"at": time.time(), "kind": kind, **fields}
        with self._lock:
            self.lines.append(line)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        return line

    def of(self, *kinds: str) -> list[Line]:
        with self._lock:
            return [line for line in self.lines if line["kind"] in kinds]


def read(path: Path) -> list[Line]:
    return [json.loads(text) for text in path.read_text("utf-8").splitlines()]


def by(lines: Iterable[Line], name: str) -> dict[Any, list[Line]]:
    """Grouped by a field, each group in order."""
    found: dict[Any, list[Line]] = {}
    for line in lines:
        found.setdefault(line.get(name), []).append(line)
    return found
