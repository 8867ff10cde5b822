"""Time, in one unit: integer milliseconds since the epoch, UTC."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    def now_ms(self) -> int:
        """Wall clock, ms since the epoch, UTC."""
        ...


class SystemClock:
    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000


@dataclass
class FakeClock:
    """A clock that stands still until it is told to move; for tests and replays."""

    at_ms: int = field(default_factory=lambda: time.time_ns() // 1_000_000)

    def now_ms(self) -> int:
        return self.at_ms

    def advance(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1000)


def rfc3339(at_ms: int) -> str:
    """`2026-11-21T03:44:54.120Z`."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{at_ms % 1000:03d}Z"
