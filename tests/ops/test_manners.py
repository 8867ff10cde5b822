"""A worker beside a gateway lets requests go first, but not for ever."""

from __future__ import annotations

import threading
from itertools import count, repeat

from ops.serve import Manners


class _Stop(threading.Event):
    """Counts the waits instead of waiting."""

    waits = 0

    def wait(self, timeout: float | None = None) -> bool:
        self.waits += 1
        return self.is_set()


def test_a_step_waits_for_requests_but_not_for_ever() -> None:
    manners, stop, done = Manners(), _Stop(), count()
    work = manners.polite(lambda: next(done) >= 0, stop)
    assert work()
    assert stop.waits == 0, "before there is a gateway"
    answers = iter([True, True, False])
    manners.mind(lambda: next(answers))
    assert work()
    assert stop.waits == 2
    busy = repeat(True)
    manners.mind(lambda: next(busy))
    assert work(), "runs go on under any load"
    assert stop.waits == 2 + Manners.PATIENCE
    stop.set()
    assert work(), "whoever works looks at the stop itself"
    assert stop.waits == 3 + Manners.PATIENCE
