from __future__ import annotations

import time

from database.server_clock import FRESH_SECONDS, ServerClock


def test_nothing_is_known_before_the_server_spoke_or_long_after() -> None:
    clock, now = ServerClock(), time.monotonic()
    assert clock.at_least_ms() is None
    clock.heard(1_000_000, now - FRESH_SECONDS - 1, now - FRESH_SECONDS - 0.5)
    assert clock.at_least_ms() is None


def test_it_is_never_ahead_of_the_server_and_never_goes_back() -> None:
    clock, now = ServerClock(), time.monotonic()
    clock.heard(1_000_000, now - 0.1, now)  # the server's clock was read in these 100 ms
    first = clock.at_least_ms()
    assert first is not None
    assert 1_000_000 <= first <= 1_000_000 + (time.monotonic() - now) * 1000 + 1
    clock.heard(1_000_000, now - 0.1, time.monotonic() + 0.05)  # a slower answer knows less
    assert (clock.at_least_ms() or 0) >= first


def test_a_server_whose_clock_was_set_back_is_believed() -> None:
    clock, now = ServerClock(), time.monotonic()
    clock.heard(1_000_000, now, now)
    clock.heard(900_000, now, now)
    assert 900_000 <= (clock.at_least_ms() or 0) < 910_000
