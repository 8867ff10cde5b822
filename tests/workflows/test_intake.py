"""Messages in, without a broker: signed or refused, once however often they come."""

from __future__ import annotations

import hashlib
import json
import random
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from agents.registry import AGENTS
from core.clock import FakeClock
from core.context import Ctx
from core.messages import ATTEMPT, ATTEMPTS_MAX, CODE, KEY, Later, Message, Refused, Taken, Verdict
from database.tables import audit
from runtime import Runtime
from tests.engine import Drain, new_tenant
from tests.fakes.topics import Topics, envelope, secret_of, signed
from tests.poison import poisons
from workflows import ingest_secrets, views
from workflows.intake import BYTES_MAX, SIGNED_SECONDS_MAX, is_ready, receive


@pytest.fixture
def topics(rt: Runtime, clock: FakeClock) -> Topics:
    return Topics(clock, partial(receive, rt, AGENTS.catalog))


def runs_of(rt: Runtime, ctx: Ctx) -> list[Any]:
    return list(views.listing(rt, ctx, limit=200).items)


def trail(rt: Runtime, ctx: Ctx) -> list[Any]:
    mine = (audit.c.action == "ingest.refuse", audit.c.tenant_id == ctx.tenant)
    with rt.db.read(ctx) as tx:
        return list(tx.execute(select(audit.c.data).where(*mine)).scalars())


def state(rt: Runtime, ctx: Ctx) -> str:
    """What is the same however the messages came: everything but ids and times."""
    found = [
        (one.status, one.workflow, one.priority, dict(one.metadata)) for one in runs_of(rt, ctx)
    ]
    told = json.dumps(sorted(found, key=json.dumps), sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


def test_a_signed_message_is_a_run_of_its_tenant(
    rt: Runtime, tenant: Ctx, topics: Topics, drain: Drain
) -> None:
    other = new_tenant(rt)
    topics.settle([signed(rt, tenant, envelope(metadata={"n": 1}), message_id="m-1")])
    drain(rt)
    (run,) = runs_of(rt, tenant)
    assert (run.status, run.actor, run.request_id) == ("completed", "ingest", "m-1")
    assert "approvals:decide" not in run.scopes
    assert runs_of(rt, other) == []


def test_a_message_that_comes_again_changes_nothing(
    rt: Runtime, tenant: Ctx, topics: Topics
) -> None:
    message = signed(rt, tenant)
    topics.settle([message] * 3)
    first, *again = topics.verdicts
    assert isinstance(first, Taken)
    assert again == [Taken(first.run_id, again=True)] * 2
    assert len(runs_of(rt, tenant)) == 1


def test_one_id_is_one_message(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    """And another tenant's ids are its own."""
    other = new_tenant(rt)
    topics.settle(signed(rt, ctx, message_id="same") for ctx in (tenant, other))
    topics.settle([signed(rt, tenant, envelope(priority=9), message_id="same")])
    assert [len(runs_of(rt, ctx)) for ctx in (tenant, other)] == [1, 1]
    assert [one.text(CODE) for one in topics.dead.values()] == ["idempotency_mismatch"]


@pytest.mark.parametrize("seed", range(3))
def test_a9_repeated_and_shuffled_gives_the_same_state(
    rt: Runtime, topics: Topics, drain: Drain, seed: int
) -> None:
    once, often = new_tenant(rt), new_tenant(rt)
    rng = random.Random(seed)
    bodies = [envelope(metadata={"n": n}, priority=1 + n % 10) for n in range(40)]
    topics.settle(signed(rt, once, body) for body in bodies)
    messages = [signed(rt, often, body) for body in bodies]
    deliveries = [one for one in messages for _ in range(rng.randint(1, 5))]
    for at in range(0, len(deliveries), 100):
        window = deliveries[at : at + 100]
        rng.shuffle(window)
        topics.settle(window)
    drain(rt)
    assert topics.dead == {}
    assert state(rt, often) == state(rt, once)


def test_a10_every_poison_is_buried_with_its_reason(
    rt: Runtime, tenant: Ctx, topics: Topics
) -> None:
    bad = poisons(rt, tenant, new_tenant(rt))
    topics.settle(message for message, _ in bad)
    assert sorted(one.text(CODE) for one in topics.dead.values()) == sorted(c for _, c in bad)
    assert {one.number(ATTEMPT, 0) for one in topics.dead.values()} == {1}
    assert runs_of(rt, tenant) == []


def test_f6_another_tenants_name_does_not_help(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    victim = new_tenant(rt, "victim")
    inside = {**envelope(), "tenant": "victim"}
    topics.settle([signed(rt, tenant, tenant="victim"), signed(rt, tenant, inside)])
    assert [one.text(CODE) for one in topics.dead.values()] == ["bad_signature", "bad_envelope"]
    assert runs_of(rt, victim) == runs_of(rt, tenant) == []
    assert trail(rt, victim) == [{"code": "bad_signature", "claimed_tenant": "victim"}]
    assert [one["code"] for one in trail(rt, tenant)] == ["bad_envelope"]


def test_another_tenants_documents_are_not_there(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    topics.settle(
        [signed(rt, tenant, envelope(documents=["01a1fc3d-6b01-7352-8985-f8b132cfe99f"]))]
    )
    assert [one.text(CODE) for one in topics.dead.values()] == ["not_found"]


def test_what_a_sender_writes_into_our_marks_is_not_believed(rt: Runtime, tenant: Ctx) -> None:
    marked = signed(rt, tenant).marked(**{ATTEMPT: "5", KEY: "x"})
    assert set(marked.bare().headers) == set(signed(rt, tenant).headers)


def test_a_message_is_good_for_six_days(
    rt: Runtime, tenant: Ctx, topics: Topics, clock: FakeClock
) -> None:
    old, early, late = (
        signed(rt, tenant, at_ms=clock.now_ms() + seconds * 1000)
        for seconds in (-SIGNED_SECONDS_MAX - 1, 301, 60 - SIGNED_SECONDS_MAX)
    )
    topics.settle([old, early, late])
    assert [one.text(CODE) for one in topics.dead.values()] == ["signature_expired"] * 2
    assert len(runs_of(rt, tenant)) == 1


def test_two_secrets_are_good_while_they_rotate(
    rt: Runtime, tenant: Ctx, topics: Topics, clock: FakeClock
) -> None:
    old = secret_of(rt, tenant)
    new = ingest_secrets.rotate(rt, tenant, overlap_seconds=60)
    assert new == secret_of(rt, tenant) != old
    topics.settle(signed(rt, tenant, secret=secret) for secret in (old, new))
    assert topics.dead == {}
    clock.advance(61)
    topics.settle([signed(rt, tenant, secret=old)])
    assert [one.text(CODE) for one in topics.dead.values()] == ["bad_signature"]


def test_a_tiers_limits_hold_here_too_and_wait_their_turn(
    rt: Runtime, topics: Topics, clock: FakeClock
) -> None:
    free = new_tenant(rt, tier="free")
    topics.settle(signed(rt, free) for _ in range(121))
    assert topics.retries > 0
    assert topics.dead == {}
    assert len(runs_of(rt, free)) == 121
    topics.settle(signed(rt, free) for _ in range(80))
    assert {one.text(CODE) for one in topics.dead.values()} == {"quota_exceeded"}
    assert {one.number(ATTEMPT, 0) for one in topics.dead.values()} == {ATTEMPTS_MAX}
    clock.advance(86_400)
    topics.redrive()
    assert topics.dead == {}


def test_a_redriven_message_is_as_it_came(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    """Also one without key or value, which a log would take for its own."""
    bad = [signed(rt, tenant, b"{", key=None), Message(b"k", None, {"a": b"b"})]
    topics.settle(bad)
    seen: list[Message] = []

    def look(message: Message) -> Refused:
        seen.append(message.bare())
        return Refused("looked", "")

    topics.receive = look
    topics.redrive()
    assert seen == bad


def test_trouble_of_ours_is_no_message_s_fault(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    answers = [Later("unavailable", "Down.")] * 2

    def flaky(message: Message) -> Verdict:
        return answers.pop() if answers else receive(rt, AGENTS.catalog, message)

    topics.receive = flaky
    topics.settle([signed(rt, tenant)])
    assert (topics.retries, topics.dead, len(runs_of(rt, tenant))) == (2, {}, 1)
    assert is_ready(rt)


def test_an_oversized_message_is_named(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    topics.settle([signed(rt, tenant, b" " * (BYTES_MAX + 1))])
    assert [one.text(CODE) for one in topics.dead.values()] == ["too_large"]
