"""When something is due again: every so many seconds, or by a cron line in a time zone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from core.errors import InvalidInput

LEAST_SECONDS, MOST_SECONDS = 5, 31 * 86_400
MISSED = ("once", "skip", "all")
CATCH_UP_MAX = 100  # of "all": an old schedule that was off for years starts no flood
_LATE_MS = 60_000  # later than this after its time it counts as missed


def check(schedule: Mapping[str, Any], field: str = "schedule") -> dict[str, Any]:
    """The schedule with its defaults. Raises `InvalidInput` with `field`."""
    given = dict(schedule)
    if set(given) == {"every_seconds"}:
        seconds = given["every_seconds"]
        fits = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not fits or not LEAST_SECONDS <= seconds <= MOST_SECONDS:
            raise _bad(f"`every_seconds` is {LEAST_SECONDS} to {MOST_SECONDS}.", field)
        return given
    if "cron" not in given or not set(given) <= {"cron", "zone", "missed"}:
        raise _bad("Give `every_seconds`, or `cron` with `zone` and `missed`.", field)
    made = {"zone": "UTC", "missed": "once", **given}
    if made["missed"] not in MISSED:
        raise _bad("`missed` is one of " + ", ".join(MISSED) + ".", field)
    following(made, 0)
    return made


def following(schedule: Mapping[str, Any], after_ms: int) -> int:
    """The next time after `after_ms`, ms since the epoch. Raises `InvalidInput`."""
    if "every_seconds" in schedule:
        return after_ms + int(schedule["every_seconds"] * 1000)
    from cronsim import CronSim, CronSimError

    line, zone = schedule["cron"], _zone(str(schedule.get("zone", "UTC")))
    if not isinstance(line, str) or len(line) > 200 or len(line.split()) != 5:  # six: by seconds
        raise _bad("`cron` is a line of five fields, such as 0 7 * * 1-5.", "cron")
    start = datetime.fromtimestamp(after_ms / 1000, zone)
    try:
        found = next(CronSim(line, start))
    except CronSimError as error:
        raise _bad(f"`cron`: {error}. It has five fields, such as 0 7 * * 1-5.", "cron") from error
    except StopIteration:
        raise _bad("`cron` names no time that ever comes.", "cron") from None
    return int(found.timestamp() * 1000)


def turns(schedule: Mapping[str, Any], due_ms: int, now_ms: int) -> tuple[list[int], int]:
    """The times to start for now, and when it is due after that. What was missed while nothing ran
    is started once, skipped, or made up for one by one, as `missed` says."""
    if "every_seconds" in schedule:
        return [due_ms], following(schedule, now_ms)
    missed = schedule.get("missed", "once")
    times, at = [due_ms], following(schedule, due_ms)
    while at <= now_ms and len(times) < CATCH_UP_MAX:
        times.append(at)
        at = following(schedule, at)
    if at <= now_ms:
        at = following(schedule, now_ms)
    if missed == "all":
        return times, at
    if missed == "skip":
        return [one for one in times[-1:] if now_ms - one <= _LATE_MS], at
    return times[-1:], at


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise _bad(f"There is no time zone {name!r}; one is Europe/Berlin.", "zone") from error


def _bad(detail: str, field: str) -> InvalidInput:
    return InvalidInput(detail, code="bad_schedule", field=field)
