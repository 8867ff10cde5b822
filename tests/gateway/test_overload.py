"""The line alone: who waits for whom, and for how long."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

from gateway.overload import Line


def _run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


async def _asked(line: Line, *tenants: str) -> list[asyncio.Task[bool]]:
    """Each has asked, in this order."""
    tasks = []
    for tenant in tenants:
        tasks.append(asyncio.create_task(line.enter(tenant)))
        await asyncio.sleep(0)
    return tasks


def _in(tasks: list[asyncio.Task[bool]]) -> list[bool]:
    return [task.done() and task.result() for task in tasks]


def test_a_loud_tenant_waits_behind_itself() -> None:
    async def story() -> None:
        line = Line(places=1, patient=10, brisk=10)
        loud = await _asked(line, *["loud"] * 100)
        (quiet,) = await _asked(line, "quiet")
        assert _in(loud).count(True) == 1
        line.leave()
        line.leave()
        await asyncio.sleep(0)
        assert await quiet
        assert _in(loud).count(True) == 2
        for _ in range(99):
            line.leave()
            await asyncio.sleep(0)
        assert all(await asyncio.gather(*loud))

    _run(story())


def test_a_burst_is_waited_for_and_a_standing_queue_is_not() -> None:
    async def story() -> None:
        line = Line(places=1, patient=0.3, brisk=0.01)
        assert await line.enter("a")
        began = asyncio.get_running_loop().time()
        burst = await _asked(line, "a", "a")
        line.leave()
        assert await burst[0], "a burst may wait"
        late = await _asked(line, "a")
        assert not await burst[1]
        spent = asyncio.get_running_loop().time() - began
        assert spent > 0.25
        assert not await late[0]
        standing = await _asked(line, "a")
        assert not await standing[0]

    _run(story())


def test_overload_is_refused_at_once_and_forgotten_when_the_queue_was_empty() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        line = Line(places=1, patient=0.2, brisk=0.01)
        assert await line.enter("a")
        first = await _asked(line, "a")
        await asyncio.sleep(0.15)
        keeps = await _asked(line, "a")  # so that the queue is never empty
        assert not await first[0]
        await asyncio.sleep(0.1)
        began = loop.time()
        assert not await line.enter("a")
        assert loop.time() - began < 0.15, "a standing queue is left at once"
        assert not await keeps[0]
        line.leave()
        assert await line.enter("a")
        again = await _asked(line, "a")
        await asyncio.sleep(0.05)
        line.leave()
        assert await again[0], "the queue was empty: a burst may wait again"

    _run(story())


def test_a_loud_tenants_overload_is_not_its_neighbours() -> None:
    async def story() -> None:
        line = Line(places=1, patient=0.2, brisk=0.01)
        assert await line.enter("loud")
        first = await _asked(line, "loud")
        await asyncio.sleep(0.15)
        keeps = await _asked(line, "loud")
        await asyncio.sleep(0.1)
        refused = await _asked(line, "loud")
        (quiet,) = await _asked(line, "quiet")
        await asyncio.sleep(0.05)
        assert not await refused[0]
        assert not await first[0]
        line.leave()
        line.leave()
        assert await quiet, "it has only just come"
        assert await keeps[0]

    _run(story())


def test_a_client_that_goes_away_leaves_no_place_behind() -> None:
    async def story() -> None:
        line = Line(places=1, patient=10, brisk=10)
        assert await line.enter("a")
        gone, stays = await _asked(line, "a", "b")
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        line.leave()
        assert await stays
        line.leave()
        assert await asyncio.wait_for(line.enter("a"), 1)
        # The place comes in the same moment in which its client goes.
        (gone,) = await _asked(line, "a")
        line.leave()
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        assert await asyncio.wait_for(line.enter("b"), 1)

    _run(story())


def test_too_many_are_not_even_queued() -> None:
    async def story() -> None:
        line = Line(places=1, patient=10, brisk=10, waiting_max=2)
        assert await line.enter("a")
        waiting = await _asked(line, "a", "b")
        assert not await line.enter("c")
        for task in waiting:
            line.leave()
            assert await task

    _run(story())
