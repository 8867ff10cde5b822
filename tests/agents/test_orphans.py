from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from agents import orphans, shelf
from agents.documents import ORIGINAL, child_id
from agents.ingestion import Upload, receive
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.ids import new_id
from database import tenants
from runtime import Runtime
from tests.engine import Drain, new_tenant
from vectorstore import SEGMENT


def test_an_original_without_a_row_goes_after_an_hour(
    rt: Runtime, tenant: Ctx, clock: FakeClock
) -> None:
    kept = receive(rt, tenant, [Upload("a.txt", "text/plain", b"Refunds take 14 days.")])[0]
    attached = child_id(kept.document_id, 0)
    loose = new_id()
    for name in (loose, attached):
        rt.vault.put(tenant, ORIGINAL, name, b"left by a crash")
    assert orphans.sweep(rt) == 0
    clock.advance(3700)
    assert orphans.sweep(rt) == 1
    assert set(rt.vault.names(tenant, ORIGINAL)) == {kept.document_id, attached}


def test_what_a_deleted_tenant_left_goes_too(rt: Runtime, tenant: Ctx, clock: FakeClock) -> None:
    gone = new_tenant(rt)
    rt.vault.put(gone, "parsed", new_id(), b"left by a crash")
    with rt.db.transaction(PLATFORM) as tx:
        tenants.delete(tx, PLATFORM, gone.tenant)
    rt.vault.put(tenant, "parsed", new_id(), b"stays")
    clock.advance(3700)
    assert orphans.sweep(rt) == 1
    assert rt.vault.tenants() == {tenant.tenant}


def segments(rt: Runtime, ctx: Ctx) -> set[str]:
    return set(rt.vault.names(ctx, SEGMENT))


def test_a_segment_that_no_head_names_goes_when_its_run_must_be_over(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    receive(rt, tenant, [Upload("a.txt", "text/plain", b"Refunds take 14 days.")])
    drain(rt)
    shelved = segments(rt, tenant)
    assert shelved
    loose = sha256(b"left by a crash").hexdigest()
    rt.vault.put(tenant, SEGMENT, loose, b"left by a crash")
    clock.advance(rt.settings.run_seconds_max)
    assert orphans.sweep(rt) == 0
    clock.advance(3700)
    assert orphans.sweep(rt) == 1
    assert segments(rt, tenant) == shelved


def test_a_writer_that_comes_again_makes_its_segment_young(
    rt: Runtime, tenant: Ctx, clock: FakeClock
) -> None:
    name = sha256(b"the same again").hexdigest()
    for _ in range(2):
        rt.vault.put(tenant, SEGMENT, name, b"the same again")
        clock.advance(rt.settings.run_seconds_max)
    assert orphans.sweep(rt) == 0
    assert segments(rt, tenant) == {name}


def test_a_retired_segment_is_left_to_the_next_merge(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    receive(rt, tenant, [Upload("a.txt", "text/plain", b"Refunds take 14 days.")])
    drain(rt)
    before = segments(rt, tenant)
    now_ms = clock.now_ms()
    shelf.move(
        rt, tenant,
        lambda head: replace(
            head, segments=(), retired=tuple(one.retired(now_ms) for one in head.segments)
        ),
        lambda tx: None,
    )  # fmt: skip
    clock.advance(rt.settings.run_seconds_max + 3700)
    assert orphans.sweep(rt) == 0
    assert segments(rt, tenant) == before
