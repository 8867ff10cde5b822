"""Runs in the peers' own environment:
`workflow_peer.py dbos|langgraph ALONE HEAP AT_ONCE URL [POOL]`."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypedDict

os.environ["LANGSMITH_TRACING"] = "false"


class State(TypedDict):
    x: int


async def drive(
    one: Callable[[], Awaitable[Any]], alone: int, heap: int, at_once: int
) -> dict[str, float]:
    for _ in range(5):
        await one()
    times = []
    for _ in range(alone):
        begun = time.perf_counter()
        await one()
        times.append(time.perf_counter() - begun)
    gate = asyncio.Semaphore(at_once)

    async def gated() -> None:
        async with gate:
            await one()

    begun = time.perf_counter()
    await asyncio.gather(*(gated() for _ in range(heap)))
    rate = heap / (time.perf_counter() - begun)
    return {"p50_ms": statistics.median(times) * 1e3, "per_second": rate}


async def langgraph(folder: str, *counts: int) -> dict[str, float]:
    from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
    from langgraph.graph import END, START, StateGraph

    graph: Any = StateGraph(State)
    for n in range(4):
        graph.add_node(f"s{n}", lambda state: {"x": state["x"] + 1})
        graph.add_edge(f"s{n - 1}" if n else START, f"s{n}")
    graph.add_edge("s3", END)
    async with AsyncSqliteSaver.from_conn_string(f"{folder}/c.db") as saver:
        compiled = graph.compile(checkpointer=saver)

        async def one() -> None:
            await compiled.ainvoke({"x": 0}, {"configurable": {"thread_id": uuid.uuid4().hex}})

        return await drive(one, *counts)


def dbos(url: str, pool: int, *counts: int) -> dict[str, float]:
    from dbos import DBOS

    DBOS(config={
        "name": "bench", "system_database_url": url, "sys_db_pool_size": pool,
        "log_level": "ERROR", "run_admin_server": False,
    })  # fmt: skip

    @DBOS.step()
    async def step(x: int) -> int:
        return x + 1

    @DBOS.workflow()
    async def flow() -> int:
        x = 0
        for _ in range(4):
            x = await step(x)
        assert x == 4
        return x

    DBOS.launch()
    figures = asyncio.run(drive(flow, *counts))
    DBOS.destroy()
    return figures


if __name__ == "__main__":
    name, *rest = sys.argv[1:]
    counts, url = [int(one) for one in rest[:3]], rest[3]
    pool = int(rest[4]) if len(rest) > 4 else 20  # DBOS's own default
    with tempfile.TemporaryDirectory() as folder:
        if name == "dbos":
            at = url or f"sqlite:///{folder}/dbos.sqlite"
            print(json.dumps(dbos(at, pool, *counts)), flush=True)
        else:
            print(json.dumps(asyncio.run(langgraph(folder, *counts))), flush=True)
        os._exit(0)
