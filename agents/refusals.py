"""A refused sign-in. Who knocks every five minutes with a wrong password has the account locked, so
the next try by itself waits longer each time; what a person changes or starts is tried at once."""

from __future__ import annotations

from typing import Any

from core.errors import Unavailable, WeftError
from database.integrations import Integration
from ingestion.sources import SIGN_IN_REFUSED
from workflows import schedules

_FIRST_SECONDS, _FACTOR, _MOST_SECONDS = 600, 3, 86_400


def told(row: Integration, error: WeftError, now_ms: int) -> dict[str, Any]:
    """The error as it is kept: `refused`, how many times in a row, and `next_ms`, when it is tried
    again by itself, where it is at all. A server that is away in between forgives nothing."""
    before = int((row.error or {}).get("refused", 0))
    if error.slug != SIGN_IN_REFUSED:
        kept = before if isinstance(error, Unavailable) else 0
        return {**error.to_json(), **({"refused": kept} if kept else {})}
    made = {**error.to_json(), "refused": before + 1}
    if row.schedule or row.config.get("watch"):
        made["next_ms"] = _next(row, now_ms, before)
    return made


def due(row: Integration, error: dict[str, Any] | None) -> dict[str, int]:
    """What of the row changes: its schedule waits as long."""
    moved = error is not None and "next_ms" in error and row.schedule
    return {"due_ms": error["next_ms"]} if moved and error else {}


def next_ms(row: Integration) -> int:
    """Before this moment nothing signs in there by itself; 0: at any time."""
    return int((row.error or {}).get("next_ms", 0))


def shown(row: Integration) -> dict[str, Any] | None:
    """`{times, next_at, detail}` for people."""
    error = row.error or {}
    if error.get("code") != SIGN_IN_REFUSED or "refused" not in error:
        return None
    times = "once" if error["refused"] == 1 else f"{error['refused']} times in a row"
    detail = (
        f"The sign-in was refused {times}, so it is tried later and "
        "later: too many tries lock accounts. Whoever keeps this integration sets the right "
        "secret or setting (PATCH), which is tried at once; after the account was unlocked "
        "there, start a pull."
    )
    return {"times": error["refused"], "next_at": error.get("next_ms"), "detail": detail}


def _next(row: Integration, now_ms: int, before: int) -> int:
    seconds: int = min(_MOST_SECONDS, _FIRST_SECONDS * _FACTOR ** min(before, 10))
    if not row.schedule:
        return now_ms + seconds * 1000
    if "every_seconds" in row.schedule:
        return max(now_ms + seconds * 1000, schedules.following(row.schedule, now_ms))
    # A little less: what is due daily at seven is due at seven tomorrow, not the day after.
    return schedules.following(row.schedule, now_ms + seconds * 900)
