"""Many small items are kept together, and people's uploads go first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agents import integrations as setting_up
from agents import pulling
from agents.registry import AGENTS
from agents.uploads import Upload, receive
from core.context import Ctx
from database import documents, integrations
from runtime import Runtime
from tests.engine import drained, new_tenant
from tests.fakes.imap import FakeImap, mail
from tests.gateway.platform import opened
from workflows.engine import work_once


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
        own = setting_up.create(rt, tx, ctx, box.integration(**config)).id
        setting_up.pull(rt, tx, ctx, own)
    return own


def pulled(rt: Runtime, ctx: Ctx, own: str) -> dict[str, int]:
    """The pull alone: what it brought is not read yet."""
    assert work_once(rt, ("supervisor",), AGENTS)
    assert work_once(rt, ("ingestion",), AGENTS)
    with rt.db.read(ctx) as tx:
        return integrations.counts(tx, ctx, own)


def test_a_mail_is_marked_once_it_is_kept(rt: Runtime, box: FakeImap) -> None:
    box.put(*(mail(n) for n in range(5)), mail(2, Received="again by mx9"))
    ctx = new_tenant(rt)
    own = set_up(rt, ctx, box, on_taken="mark_seen")
    assert pulled(rt, ctx, own) == {"taken": 5, "duplicate": 1}
    assert {uid for (_, uid), flags in box.flags.items() if "\\Seen" in flags} == set(range(1, 7))


def test_what_a_person_brings_is_read_before_what_a_pull_brought(
    rt: Runtime, box: FakeImap
) -> None:
    box.put(*(mail(n) for n in range(5)))
    ctx = new_tenant(rt)
    assert pulled(rt, ctx, set_up(rt, ctx, box)) == {"taken": 5}
    [mine] = receive(rt, ctx, [Upload("mine.txt", "text/plain", b"It is urgent.")])
    while work_once(rt, ("supervisor",), AGENTS):
        pass
    assert work_once(rt, ("ingestion",), AGENTS)
    with rt.db.read(ctx) as tx:
        assert documents.get(tx, ctx, mine.document_id).status == "ready"
    drained(rt)


def test_mails_come_many_by_one_question(rt: Runtime, box: FakeImap) -> None:
    box.put(*(mail(n) for n in range(45)))
    ctx = new_tenant(rt)
    assert pulled(rt, ctx, set_up(rt, ctx, box)) == {"taken": 45}
    assert box.fetched == list(range(1, 46))
    assert len(box.questions) == 3


def test_pulls_have_half_of_the_threads(rt: Runtime, box: FakeImap) -> None:
    box.put(mail(0))
    ctx = new_tenant(rt)
    own = set_up(rt, ctx, box)
    with pulling.SHARE.of(2) as first, pulling.SHARE.of(4) as second:
        assert (first, second) == (True, True)
        assert pulled(rt, ctx, own) == {}, "it waits until another one is done"
    with pulling.SHARE.of(1) as alone:
        assert alone
