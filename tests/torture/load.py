"""Offered load, in a process of its own: `python -m tests.torture.load < SPEC`.

SPEC: `{port, seconds, streams: [{name, key, rate | at_once, kind}]}`. With `rate` requests arrive
whether or not the last ones were answered (an open loop: overload does not slow its clients down);
with `at_once` so many clients ask again as soon as they are answered. Kinds: read, start (a
workflow is accepted), whole (started and waited for), search.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

CONNECTIONS_MAX = 400
UNSENT = "unsent"
ANSWER_SECONDS = 30.0
END_SECONDS = 30.0
FLOW = {"name": "load", "steps": [{"id": "a", "agent": "supervisor", "task": "noop", "with": {}}]}
ENDED = frozenset({"completed", "failed", "cancelled", "needs_review"})


class UnsentError(Exception):
    """All connections wait for answers, and as many requests for a connection."""


@dataclass
class Connections:
    """Kept alive and used again; at most `CONNECTIONS_MAX` at once."""

    port: int
    idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = field(default_factory=list)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CONNECTIONS_MAX))
    waiting: int = 0

    @contextlib.asynccontextmanager
    async def one(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        if self.waiting >= CONNECTIONS_MAX:
            raise UnsentError
        self.waiting += 1
        try:
            await self.room.acquire()
        finally:
            self.waiting -= 1
        try:
            pair = self.idle.pop() if self.idle else None
            pair = pair or await asyncio.open_connection("127.0.0.1", self.port)
            try:
                yield pair
            except BaseException:
                pair[1].close()
                raise
            self.idle.append(pair)
        finally:
            self.room.release()

    async def ask(
        self, method: str, path: str, key: str, body: bytes = b""
    ) -> tuple[int, dict[str, str], bytes]:
        """The answer; `served` in its headers is how many seconds it took once it was sent."""
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: load\r\nX-API-Key: {key}\r\n"
            + (f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else "")
            + "\r\n"
        )
        async with self.one() as (reader, writer), asyncio.timeout(ANSWER_SECONDS):
            sent = time.monotonic()
            writer.write(head.encode() + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
            data = await reader.readexactly(int(headers.get("content-length", "0")))
            headers["served"] = str(time.monotonic() - sent)
            return int(lines[0].split(" ")[1]), headers, data


@dataclass
class Stream:
    """One kind of request of one tenant."""

    spec: dict[str, Any]
    http: Connections
    times: list[float] = field(default_factory=list)
    served: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    rude: int = 0
    until: float = 0.0
    in_time: int = 0  # good answers that came before the end
    run: str = ""

    async def go(self, until: float) -> None:
        self.until = until
        if "rate" not in self.spec:
            clients = [self._closed(until) for _ in range(self.spec["at_once"])]
            await asyncio.gather(*clients)
            return
        began, tasks = time.monotonic(), set[asyncio.Task[None]]()
        for number in itertools.count():
            due = began + number / self.spec["rate"]
            if due >= until:
                break
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._once(due))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    async def _closed(self, until: float) -> None:
        while time.monotonic() < until:
            await self._once(time.monotonic())

    async def _once(self, due: float) -> None:
        """Late because no connection was free is late all the same: `due` is when it was wanted."""
        try:
            status, headers = await self._ask()
        except UnsentError:
            self.statuses[UNSENT] += 1
            return
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            self.statuses[type(error).__name__] += 1
            return
        self.statuses[str(status)] += 1
        if status < 300:
            self.in_time += time.monotonic() < self.until
            self.times.append(time.monotonic() - due)
            self.served.append(float(headers["served"]))
        elif status not in (429, 503) or not headers.get("retry-after", "").isdigit():
            self.rude += 1

    async def _ask(self) -> tuple[int, dict[str, str]]:
        key, kind = self.spec["key"], self.spec["kind"]
        if kind == "read":
            return (await self.http.ask("GET", f"/workflows/{self.spec['run']}/status", key))[:2]
        if kind == "search":
            body = json.dumps({"query": "pump in Ulm", "mode": "keyword"}).encode()
            return (await self.http.ask("POST", "/search", key, body))[:2]
        body = json.dumps({"definition": FLOW}).encode()
        status, headers, data = await self.http.ask("POST", "/workflows/execute", key, body)
        if kind == "start" or status != 202:
            return status, headers
        return await self._whole(json.loads(data)["workflow_id"], key)

    async def _whole(self, run: str, key: str) -> tuple[int, dict[str, str]]:
        deadline = time.monotonic() + END_SECONDS
        while time.monotonic() < deadline:
            status, headers, data = await self.http.ask("GET", f"/workflows/{run}/status", key)
            if status != 200 or json.loads(data)["status"] in ENDED:
                return status, headers
            await asyncio.sleep(0.01)
        raise TimeoutError

    def told(self, seconds: float) -> dict[str, Any]:
        times = sorted(self.times)
        offered = sum(self.statuses.values())
        return {
            "name": self.spec["name"], "offered": offered, "good": len(times), "rude": self.rude,
            "statuses": dict(self.statuses), "per_second": self.in_time / seconds,
            "p50_ms": _at(times, 0.5) * 1e3, "p99_ms": _at(times, 0.99) * 1e3,
            "served_p99_ms": _at(sorted(self.served), 0.99) * 1e3,
        }  # fmt: skip


def _at(times: list[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] if times else 0.0


async def offer(spec: dict[str, Any]) -> list[dict[str, Any]]:
    streams = [Stream(one, Connections(spec["port"])) for one in spec["streams"]]
    began = time.monotonic()
    await asyncio.gather(*(one.go(began + spec["seconds"]) for one in streams))
    return [one.told(spec["seconds"]) for one in streams]


if __name__ == "__main__":
    print(json.dumps(asyncio.run(offer(json.load(sys.stdin)))))  # noqa: T201
