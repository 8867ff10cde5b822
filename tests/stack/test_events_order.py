"""On PostgreSQL an event's number is given before its commit; a run's numbers must still come in
the order of the commits, or a stream that resumes after the higher one misses the lower one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from core.context import Ctx
from core.ids import new_id
from database import events
from runtime import Runtime
from tests.engine import new_tenant
from tests.gateway.platform import opened
from tests.stack.servers import Servers
from tests.stack.urls import database

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def rt(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    urls = database(servers, "order")
    given = {name.removeprefix("WEFT_").lower(): url for name, url in urls.items()}
    with opened(tmp_path_factory.mktemp("weft"), **given) as made:
        yield made


def _append(rt: Runtime, ctx: Ctx, run: str, kind: str) -> None:
    with rt.db.transaction(ctx) as tx:
        events.append_many(tx, ctx, [(run, kind, {})])


def _seen(rt: Runtime, ctx: Ctx, run: str, after: int = 0) -> list[tuple[int, str]]:
    with rt.db.read(ctx) as tx:
        return [(one.seq, one.type) for one in events.of_run(tx, ctx, run, after=after)]


def test_a_runs_events_become_visible_in_the_order_of_their_numbers(rt: Runtime) -> None:
    ctx, run = new_tenant(rt), new_id()
    second = threading.Thread(target=_append, args=(rt, ctx, run, "second"))
    with rt.db.transaction(ctx) as tx:
        events.append_many(tx, ctx, [(run, "first", {})])
        assert len(events.of_run(tx, ctx, run)) == 1  # it has its number: statements travel late
        second.start()
        second.join(0.5)
        early = _seen(rt, ctx, run)
    second.join(10)
    after = early[-1][0] if early else 0
    found = [*early, *_seen(rt, ctx, run, after)]
    assert [kind for _, kind in found] == ["first", "second"]


def test_other_runs_do_not_wait(rt: Runtime) -> None:
    ctx = new_tenant(rt)
    one, other = new_id(), new_id()
    with rt.db.transaction(ctx) as tx:
        events.append_many(tx, ctx, [(one, "first", {})])
        assert len(events.of_run(tx, ctx, one)) == 1
        thread = threading.Thread(target=_append, args=(rt, ctx, other, "alone"))
        thread.start()
        thread.join(10)
        assert [kind for _, kind in _seen(rt, ctx, other)] == ["alone"]
