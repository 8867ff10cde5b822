"""What a start asks of the limiter, it asks before its transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agents.registry import AGENTS
from agents.uploads import Upload, receive
from core.context import PLATFORM, Ctx
from core.ids import new_id
from core.ports import Allowance
from database import triggers
from runtime import Runtime
from tests.engine import drained, flow, new_tenant, step
from tests.gateway.platform import opened
from workflows import registry
from workflows.triggers import sweep


class Watching:
    """Writes from another thread each time that it is asked: in vain while a transaction is open
    (SQLite has one writer). `left`: how many more runs it lets start."""

    def __init__(self) -> None:
        self.rt: Runtime | None = None
        self.asked, self.waited, self.left = 0, 0, 1

    def hit(self, key: str, limit: int, window_seconds: int, cost: int = 1) -> Allowance:
        del key, window_seconds, cost
        self.asked += 1
        over = threading.Event()

        def write() -> None:
            assert self.rt is not None
            with self.rt.db.transaction(PLATFORM, durable=False):
                over.set()

        one = threading.Thread(target=write, daemon=True)
        one.start()
        self.waited += not over.wait(10)
        self.left -= 1
        return Allowance(self.left >= 0, limit, max(0, self.left), 60.0)


@pytest.fixture
def limiter() -> Watching:
    return Watching()


@pytest.fixture
def rt(tmp_path: Path, limiter: Watching) -> Iterator[Runtime]:
    with opened(tmp_path) as made:
        limiter.rt = made
        yield replace(made, limiter=limiter)


def made(rt: Runtime, ctx: Ctx, kind: str, due_ms: int | None, **config: Any) -> str:
    own = new_id()
    with rt.db.transaction(ctx) as tx:
        triggers.create(tx, ctx, own, {
            "name": own, "kind": kind, "config": config, "secret": None, "workflow": "flow",
            "inputs": {}, "scopes": sorted(ctx.scopes), "enabled": True, "due_ms": due_ms,
        })  # fmt: skip
    return own


def fired(rt: Runtime, ctx: Ctx, own: str) -> tuple[int, object]:
    with rt.db.read(ctx) as tx:
        one = triggers.get(tx, ctx, own)
    return one.fired, (one.error or {}).get("code")


def test_no_transaction_waits_for_the_limiter(rt: Runtime, limiter: Watching) -> None:
    ctx = new_tenant(rt, tier="free")
    registry.save(rt, ctx, "flow", flow(step("a", task="supervisor.noop")), AGENTS.catalog)
    timed = made(rt, ctx, "schedule", 1, every_seconds=60)
    sweep(rt)
    read = made(rt, ctx, "document", None)
    receive(rt, ctx, [Upload("a.txt", "text/plain", b"A note.")])
    drained(rt)
    assert (limiter.asked, limiter.waited) == (2, 0)
    assert fired(rt, ctx, timed) == (1, None)
    assert fired(rt, ctx, read) == (0, "quota_exceeded"), "what the limit says is on the trigger"
