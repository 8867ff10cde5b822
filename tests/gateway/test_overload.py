"""The line alone: who waits for whom, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from gateway.overload import Gate, Line


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def _line(share: int = 1, **given: Any) -> Line:
    return Line(
        **{"places": 1, "share": share, "patient": 10, "standing": 10, "brisk": 10, **given}
    )


async def _asked(line: Line, *tenants: str) -> list[asyncio.Task[bool]]:
    """Each has asked, in this order."""
    tasks = []
    for tenant in tenants:
        tasks.append(asyncio.create_task(line.enter(tenant)))
        await asyncio.sleep(0)
    return tasks


def _in(tasks: list[asyncio.Task[bool]]) -> int:
    return sum(task.done() and task.result() for task in tasks)


def test_a_loud_tenant_waits_behind_itself() -> None:
    async def story() -> None:
        line = _line()
        loud = await _asked(line, *["loud"] * 100)
        (quiet,) = await _asked(line, "quiet")
        assert _in(loud) == 1
        line.leave("loud")
        await asyncio.sleep(0)
        assert _in(loud) == 2, "the loud one asked first"
        line.leave("loud")
        await asyncio.sleep(0)
        assert await quiet
        line.leave("quiet")
        for _ in range(98):
            await asyncio.sleep(0)
            line.leave("loud")
        assert all(await asyncio.gather(*loud))

    _run(story())


def test_one_tenant_leaves_a_place_for_others() -> None:
    async def story() -> None:
        line = _line(places=3, share=2)
        loud = await _asked(line, *["loud"] * 5)
        assert _in(loud) == 2
        assert await line.enter("quiet")
        line.leave("quiet")
        await asyncio.sleep(0)
        assert _in(loud) == 2, "the free place is not for the one who holds two"
        line.leave("loud")
        await asyncio.sleep(0)
        assert _in(loud) == 3
        for task in loud[3:]:
            task.cancel()

    _run(story())


def test_a_burst_is_waited_for_and_a_standing_queue_is_not() -> None:
    async def story() -> None:
        line = _line(patient=5, standing=0.2, brisk=0.02)
        assert await line.enter("a")
        burst = await _asked(line, "a", "a", "a")
        await asyncio.sleep(0.1)
        line.leave("a")
        assert await burst[0], "a burst may wait"
        await asyncio.sleep(0.15)
        line.leave("a")  # the queue has stood too long: who grew old in it goes
        assert not await burst[1]
        assert not await burst[2]
        assert await line.enter("a"), "and the place is free"

    _run(story())


def test_a_standing_queue_grows_no_longer_than_it_can_be_served() -> None:
    async def story() -> None:
        line = _line(patient=5, standing=0.05, brisk=0.02)
        assert await line.enter("a")
        waiting = await _asked(line, *["a"] * 3)
        await asyncio.sleep(0.1)
        assert not line.refuses("b"), "only its own queue refuses a tenant"
        assert line.refuses("a")
        began = asyncio.get_running_loop().time()
        assert not await line.enter("a")
        assert asyncio.get_running_loop().time() - began < 0.02, "without a wait"
        line.leave("a")
        assert not any(await asyncio.gather(*waiting))
        await asyncio.sleep(0.1)
        assert await line.enter("a")
        burst = await _asked(line, "a", "a")
        line.leave("a")
        assert await burst[0], "the queue was empty for a while: a burst may wait again"
        burst[1].cancel()

    _run(story())


def test_whoever_is_never_served_is_told_in_time() -> None:
    async def story() -> None:
        line = _line(patient=0.1)
        assert await line.enter("a")
        (late,) = await _asked(line, "a")
        assert not await late
        assert not line.refuses("a")

    _run(story())


def test_a_loud_tenants_overload_is_not_its_neighbours() -> None:
    async def story() -> None:
        line = _line(patient=5, standing=0.05, brisk=0.01)
        assert await line.enter("loud")
        old = await _asked(line, "loud", "loud")
        await asyncio.sleep(0.1)
        (quiet,) = await _asked(line, "quiet")
        await asyncio.sleep(0.03)
        line.leave("loud")
        assert await quiet, "it has only just come"
        assert not await old[0]
        line.leave("quiet")
        assert not await old[1]

    _run(story())


def test_a_client_that_goes_away_leaves_no_place_behind() -> None:
    async def story() -> None:
        line = _line()
        assert await line.enter("a")
        gone, stays = await _asked(line, "a", "b")
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        line.leave("a")
        assert await stays
        line.leave("b")
        assert await asyncio.wait_for(line.enter("a"), 1)
        # The place comes in the same moment in which its client goes.
        (gone,) = await _asked(line, "a")
        line.leave("a")
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert await asyncio.wait_for(line.enter("b"), 1)
        line.leave("b")
        assert line.at_work == 0

    _run(story())


def test_too_many_are_not_even_queued() -> None:
    async def story() -> None:
        line = _line(waiting_max=2)
        assert await line.enter("a")
        waiting = await _asked(line, "a", "b")
        assert not await line.enter("c")
        assert await _drained(line, waiting)

    async def _drained(line: Line, waiting: list[asyncio.Task[bool]]) -> bool:
        line.leave("a")
        first = await waiting[0]
        line.leave("a")
        return first and await waiting[1]

    _run(story())


def test_tenants_that_went_are_forgotten() -> None:
    async def story() -> None:
        line = _line(share=1)
        for number in range(2_500):
            assert await line.enter(f"t{number}")
            line.leave(f"t{number}")
        assert len(line._queues) <= 1_000

    _run(story())


def test_a_credential_that_was_let_in_stands_in_its_tenants_line() -> None:
    gate = Gate()
    assert gate.tenant(b"key") == ""
    gate.learn(b"key", "acme")
    assert gate.tenant(b"key") == "acme"
    gate.learn(b"key", None)
    assert gate.tenant(b"key") == ""
    assert gate.line("GET", "/healthz") is None
    assert gate.line("POST", "/documents") is gate.long
    assert gate.line("GET", "/documents") is gate.short


def test_a_flood_hears_no_a_little_later_each_time() -> None:
    async def story() -> None:
        gate, loop = Gate(), asyncio.get_running_loop()
        began = loop.time()
        await asyncio.gather(*(gate.refuse() for _ in range(50)))
        assert loop.time() - began < 0.2, "a few are told at once"
        late = [asyncio.create_task(gate.refuse()) for _ in range(2_001)]
        await asyncio.sleep(0.1)
        assert sum(task.done() for task in late) == 1, "so many wait and no more"
        await asyncio.gather(*late)
        assert loop.time() - began >= 0.5

    _run(story())
