"""`tail -F data/weft.log | python -m loki.ship http://127.0.0.1:3100`: JSON lines to Loki.

Labels are few and small (service, level, role); the ids to join by are structured metadata, as in
`deploy/compose/alloy.alloy`.
"""

from __future__ import annotations

import json
import os
import select
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

JOINED_BY = ("run_id", "request_id", "tenant", "trace_id")
BATCH_LINES, BATCH_SECONDS = 500, 1.0


def body(lines: Iterable[str], role: str = "platform") -> dict[str, Any]:
    """Loki's push format. What is no JSON object goes as it is, with the time of now."""
    streams: dict[str, list[Any]] = {}
    for line in lines:
        told = _parsed(line)
        ids = {name: told[name] for name in JOINED_BY if isinstance(told.get(name), str)}
        entry = [_nanoseconds(told.get("timestamp")), line, ids]
        streams.setdefault(str(told.get("level", "info")), []).append(entry)
    return {"streams": [
        {"stream": {"service": "weft", "role": role, "level": level}, "values": values}
        for level, values in streams.items()
    ]}  # fmt: skip


def push(
    url: str, lines: Iterable[str], role: str = "platform", organisation: str = "weft"
) -> None:
    """Raises `OSError` when Loki does not take them."""
    request = urllib.request.Request(  # noqa: S310 (the operator's own address)
        f"{url.rstrip('/')}/loki/api/v1/push",
        json.dumps(body(lines, role)).encode(),
        {"Content-Type": "application/json", "X-Scope-OrgID": organisation},
    )
    with urllib.request.urlopen(request, timeout=10):  # noqa: S310
        return


def _parsed(line: str) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _nanoseconds(stamp: Any) -> str:
    try:
        moment = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return str(time.time_ns())
    return str(int(moment.timestamp() * 1_000_000) * 1000)


def _batches(descriptor: int) -> Iterator[list[str]]:
    """Whole lines, at most a second old."""
    rest, began = b"", time.monotonic()
    waiting: list[str] = []
    while True:
        if select.select([descriptor], [], [], BATCH_SECONDS)[0]:
            found = os.read(descriptor, 2**16)
            if not found:
                break
            *whole, rest = (rest + found).split(b"\n")
            waiting += [line.decode("utf-8", "replace") for line in whole if line]
        if waiting and (len(waiting) >= BATCH_LINES or time.monotonic() - began > BATCH_SECONDS):
            yield waiting
            waiting, began = [], time.monotonic()
    if waiting:
        yield waiting


def main() -> None:
    url, role = sys.argv[1], (sys.argv[2] if len(sys.argv) > 2 else "platform")
    for lines in _batches(sys.stdin.fileno()):
        for pause in (1, 5, 25, None):
            try:
                push(url, lines, role)
                break
            except OSError as error:
                print(f"{len(lines)} lines wait: {error}", file=sys.stderr)  # noqa: T201
                if pause is not None:
                    time.sleep(pause)


if __name__ == "__main__":
    main()
