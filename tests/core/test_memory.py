"""What a thread has used once does not stay with the process."""

from __future__ import annotations

import gc
import sys
import threading
import weakref

import psutil
import pytest

from core import memory


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_what_a_thread_has_freed_goes_back() -> None:
    pins: list[bytes] = []

    def work() -> None:
        held = [bytes(4_000) for _ in range(20_000)]
        pins.append(bytes(bytearray(4_000)))  # above them, so that the heap's end stays where it is
        del held

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    before = psutil.Process().memory_info().rss
    memory.give_back()
    assert before - psutil.Process().memory_info().rss > 40 * 2**20
    assert pins


def test_what_only_refers_to_itself_goes_too() -> None:
    class Ring:
        own: object

    gone: list[int] = []
    one = Ring()
    one.own = one
    weakref.finalize(one, gone.append, 1)
    del one
    memory.give_back(cycles=True)
    assert gone == [1]


@pytest.mark.parametrize(("size", "looks"), [(2**19, True), (2**21, False)])
def test_nobody_looks_for_cycles_while_much_is_made(size: int, looks: bool) -> None:
    with memory.growing(size), memory.growing(size):
        assert gc.isenabled() is looks
    assert gc.isenabled()
