"""Waiting over HTTP, as a client does, with a deadline."""

from __future__ import annotations

import time
from typing import Any

from tests.gateway.people import Town

ENDED = {"completed", "failed", "cancelled", "needs_review"}
SECONDS = 60.0


def status_when(
    town: Town, headers: dict[str, str], run: str, *wanted: str, seconds: float = SECONDS
) -> dict[str, Any]:
    """The run's status once it is one of `wanted` (default: it has ended)."""
    deadline = time.monotonic() + seconds
    while True:
        answer = town.http.get(f"/workflows/{run}/status", headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        if found["status"] in (wanted or ENDED):
            return found
        assert time.monotonic() < deadline, f"still {found['status']}: {found['steps']}"


def document_when_read(town: Town, headers: dict[str, str], document: str) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while True:
        found: dict[str, Any] = town.http.get(f"/documents/{document}", headers=headers).json()
        if found["status"] in ("ready", "failed"):
            return found
        assert time.monotonic() < deadline, f"still {found['status']}"


def events_in(text: str) -> list[tuple[int, str]]:
    """(id, type) of each server-sent event."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "id" in lines:
            found.append((int(lines["id"]), lines["event"]))
    return found
