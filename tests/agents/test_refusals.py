"""A wrong password is tried less and less often, and another one at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import integrations as setting_up
from agents.listening import Listener
from database import integrations
from database.integrations import Integration
from database.named import Due
from gateway.routers.integrations import _shown
from runtime import Runtime
from tests.agents.test_listening import until
from tests.engine import drained, new_tenant
from tests.fakes.imap import PASSWORD, USER, FakeImap, mail
from tests.gateway.platform import opened
from workflows import triggers

MINUTES, DAY = 60_000, 86_400_000


@pytest.fixture
def box() -> Iterator[FakeImap]:
    with FakeImap() as made:
        made.put(mail(1))
        yield made


@pytest.fixture
def rt(tmp_path: Path, box: FakeImap) -> Iterator[Runtime]:
    with opened(tmp_path, egress_allow=box.place) as made:
        yield made


class Post:
    """A mail box that is pulled by a schedule with a password that is wrong."""

    def __init__(self, rt: Runtime, box: FakeImap, schedule: Any, *, watch: bool = False) -> None:
        self.rt, self.ctx = rt, new_tenant(rt)
        config = {"host": "127.0.0.1", "port": box.port, "security": "none", "user": USER}
        with rt.db.transaction(self.ctx) as tx:
            self.id = setting_up.create(rt, tx, self.ctx, {
                "kind": "imap", "name": "post", "on_gone": "keep", "tags": [], "enabled": True,
                "schedule": schedule, "secrets": {"password": "an old one"},
                "config": {**config, "watch": watch},
            }).id  # fmt: skip

    @property
    def row(self) -> Integration:
        with self.rt.db.read(self.ctx) as tx:
            return integrations.get(tx, self.ctx, self.id)

    def tried(self) -> int:
        """What is due now is done; how many pulls that were."""
        count = triggers.sweep(self.rt)
        drained(self.rt)
        return count

    def later(self) -> None:
        """Its time has come."""
        with self.rt.db.transaction(self.ctx) as tx:
            integrations.take_due(
                tx, self.ctx, Due(self.ctx.tenant, self.id, self.row.due_ms or 0),
                tx.now_ms,
            )  # fmt: skip

    def patch(self, **values: Any) -> None:
        with self.rt.db.transaction(self.ctx) as tx:
            setting_up.change(self.rt, tx, self.ctx, self.id, values)

    def wait_minutes(self) -> int:
        row = self.row
        assert row.due_ms is not None
        assert row.pulled_ms is not None
        return round((row.due_ms - row.pulled_ms) / MINUTES)


def test_a_wrong_password_is_tried_later_and_later_and_another_at_once(
    rt: Runtime, box: FakeImap
) -> None:
    post, waits = Post(rt, box, {"every_seconds": 5}), []
    for _ in range(7):
        assert post.tried() == 1
        assert post.tried() == 0, "it knocks again"
        waits.append(post.wait_minutes())
        post.later()
    assert waits == [10, 30, 90, 270, 810, 1440, 1440]
    told = _shown(post.row)
    assert told.refused is not None
    assert (told.status, told.refused.times, told.refused.next_at is not None) == (
        "failing", 7, True,
    )  # fmt: skip
    assert "PATCH" in told.refused.detail
    post.patch(secrets={"password": PASSWORD})
    assert _shown(post.row).refused is None
    assert post.tried() == 1
    assert (post.row.status, post.row.error, box.fetched) == ("ok", None, [1])
    assert post.wait_minutes() == 0


def test_a_cron_line_waits_as_long_and_a_new_schedule_shortens_nothing(
    rt: Runtime, box: FakeImap
) -> None:
    post = Post(rt, box, {"cron": "* * * * *"})
    post.later()
    assert post.tried() == 1
    assert 9 <= post.wait_minutes() <= 11
    at = post.row.due_ms
    post.patch(schedule={"every_seconds": 5})
    assert post.row.error is not None
    assert post.row.due_ms == post.row.error["next_ms"] <= (at or 0)
    post.patch(name="letters")
    assert post.tried() == 0


def test_a_server_that_is_away_is_asked_as_often_as_before(rt: Runtime, box: FakeImap) -> None:
    post = Post(rt, box, {"every_seconds": 5})
    box.refuse = "[UNAVAILABLE] later"
    post.patch(secrets={"password": PASSWORD})
    assert post.tried() == 1
    assert (post.row.error or {})["code"] == "busy"
    assert _shown(post.row).refused is None
    assert post.wait_minutes() == 0


def test_who_listens_rests_as_long_and_begins_with_another_password(
    rt: Runtime, box: FakeImap
) -> None:
    post, listener = Post(rt, box, None, watch=True), Listener(rt)
    try:
        listener.round()
        assert until(lambda: post.row.status == "failing")
        told = _shown(post.row).refused
        assert told is not None
        assert told.times == 1
        assert (post.row.error or {})["next_ms"] > rt.clock.now_ms() + 9 * MINUTES
        post.patch(secrets={"password": PASSWORD})
        assert post.row.due_ms is not None, "it is pulled at once"
        listener.round()
        listener.round()
        assert until(lambda: box.idling.is_set() or post.row.status != "failing")
    finally:
        box.over.set()
        listener.close()


def test_while_a_pull_goes_on_no_other_is_started_to_wait_for_it(
    rt: Runtime, box: FakeImap
) -> None:
    post = Post(rt, box, {"every_seconds": 5})
    assert triggers.sweep(rt) == 1
    first = post.row.last_run_id
    post.later()
    assert triggers.sweep(rt) == 0
    assert post.row.last_run_id == first
    drained(rt)
    post.patch(secrets={"password": PASSWORD})
    assert post.tried() == 1
    assert post.row.last_run_id != first
