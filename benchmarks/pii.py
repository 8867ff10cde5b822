"""Personal data in 500 labelled lines of five languages; the held-out half was not looked at while
the detectors were made."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from benchmarks.figures import at_least
from ingestion.pii import find
from tests.ingestion.pii.lines import dev, held_out
from tests.ingestion.pii.scoring import scored


def run() -> Iterator[dict[str, Any]]:
    for name, lines in (("dev", dev()), ("held-out", held_out())):
        score = scored(lines)
        about = f"lines of {len(lines)}"
        yield at_least(f"pii.recall.{name}", score.recall, 0.95, about)
        yield at_least(f"pii.precision.{name}", score.precision, 0.90, about)
    text = "\n".join(line.text for line in (*dev(), *held_out())) * 5
    begun = time.perf_counter()
    find(text, "de")
    speed = len(text) / (time.perf_counter() - begun) / 1000
    yield at_least("pii.speed", speed, 50, "thousand characters a second")
