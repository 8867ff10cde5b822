"""A mail box that tells of a mail is pulled then, and listened to by one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agents import integrations as setting_up
from agents.listening import Listener
from core.context import Ctx
from database import integrations
from runtime import Runtime
from tests.engine import new_tenant
from tests.fakes.imap import FakeImap, mail
from tests.gateway.platform import opened
from workflows import triggers


@pytest.fixture
def box() -> Iterator[FakeImap]:
    with FakeImap() as made:
        yield made


@pytest.fixture
def rt(tmp_path: Path, box: FakeImap) -> Iterator[Runtime]:
    with opened(tmp_path, egress_allow=box.place) as made:
        yield made


def set_up(rt: Runtime, ctx: Ctx, box: FakeImap, **config: object) -> str:
    with rt.db.transaction(ctx) as tx:
        return setting_up.create(rt, tx, ctx, box.integration(watch=True, **config)).id


def until(holds: Callable[[], object]) -> bool:
    end = time.monotonic() + 20
    while not holds():
        if time.monotonic() > end:
            return False
        threading.Event().wait(0.02)
    return True


def test_a_mail_makes_its_box_due_at_once(rt: Runtime, box: FakeImap) -> None:
    ctx = new_tenant(rt)
    own = set_up(rt, ctx, box)

    def due() -> bool:
        with rt.db.read(ctx) as tx:
            return integrations.get(tx, ctx, own).due_ms is not None

    listener = Listener(rt)
    listener.round()
    try:
        assert box.idling.wait(20)
        assert not due()
        box.put(mail(1))
        assert until(due)
        assert triggers.sweep(rt) == 1, "a run that pulls"
    finally:
        box.over.set()
        listener.close()


def test_one_process_listens_to_a_box_and_another_follows(rt: Runtime, box: FakeImap) -> None:
    ctx = new_tenant(rt)
    own = set_up(rt, ctx, box)
    first, second = Listener(rt), Listener(rt)
    try:
        first.round()
        second.round()
        first.round()
        assert (set(first.held), set(second.held)) == ({own}, set())
        first.close()
        second.round()
        assert set(second.held) == {own}
    finally:
        box.over.set()
        first.close()
        second.close()


@pytest.mark.parametrize("change", [{"enabled": False}, {"config": {"watch": False}}])
def test_who_is_told_to_stop_listening_does(
    rt: Runtime, box: FakeImap, change: dict[str, object]
) -> None:
    ctx = new_tenant(rt)
    own = set_up(rt, ctx, box)
    listener = Listener(rt)
    try:
        listener.round()
        assert box.idling.wait(20)
        with rt.db.transaction(ctx) as tx:
            row = integrations.get(tx, ctx, own)
            if isinstance(more := change.get("config"), dict):
                change = {"config": {**row.config, **more}}
            setting_up.change(rt, tx, ctx, own, change)
        listener.round()
        assert listener.held == {}
    finally:
        box.over.set()
        listener.close()


def test_a_box_that_refuses_is_shown_and_left_in_peace(rt: Runtime, box: FakeImap) -> None:
    ctx = new_tenant(rt)
    box.refuse = "[CONTACTADMIN] Account locked."
    own = set_up(rt, ctx, box)
    listener = Listener(rt)
    listener.round()

    def shown() -> str:
        with rt.db.read(ctx) as tx:
            return str((integrations.get(tx, ctx, own).error or {}).get("detail", ""))

    try:
        assert until(lambda: "Account locked" in shown())
        sweeper_finds = triggers.sweep(rt)
        assert sweeper_finds == 0
    finally:
        box.over.set()
        listener.close()
