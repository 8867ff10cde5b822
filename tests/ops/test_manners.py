"""A worker beside a gateway lets requests go first, but not for ever."""

from __future__ import annotations

import threading
import time

from ops.serve import Manners


class _Work:
    """Stays until it is let go; notes how many are in it at once."""

    def __init__(self) -> None:
        self.inside, self.most, self.begun = 0, 0, threading.Semaphore(0)
        self.go, self._lock = threading.Event(), threading.Lock()

    def __call__(self) -> bool:
        with self._lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        self.begun.release()
        self.go.wait(10)
        with self._lock:
            self.inside -= 1
        return True


def _crew(manners: Manners, work: _Work, many: int) -> list[threading.Thread]:
    act = manners.polite(work, threading.Event())
    crew = [threading.Thread(target=act) for _ in range(many)]
    for thread in crew:
        thread.start()
    return crew


def test_steps_begin_together_where_nobody_asks() -> None:
    work = _Work()
    crew = _crew(Manners(), work, 3)
    assert all(work.begun.acquire(timeout=10) for _ in crew)
    assert work.most == 3
    work.go.set()


def test_beside_requests_steps_begin_one_after_the_other() -> None:
    manners, work = Manners(), _Work()
    manners.TURN, manners.REST = 10.0, 0.05
    manners.mind(lambda: True)
    work.go.set()
    began = time.monotonic()
    for thread in _crew(manners, work, 4):
        thread.join(10)
    assert time.monotonic() - began >= 4 * manners.REST


def test_no_step_waits_for_another_ones_end() -> None:
    manners, work = Manners(), _Work()
    manners.TURN = 30.0
    manners.mind(lambda: True)
    crew = _crew(manners, work, 2)
    assert all(work.begun.acquire(timeout=10) for _ in crew)
    assert work.most == 2
    work.go.set()
