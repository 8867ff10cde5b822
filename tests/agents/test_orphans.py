from __future__ import annotations

from agents import orphans
from agents.documents import ORIGINAL, child_id
from agents.ingestion import Upload, receive
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.ids import new_id
from database import tenants
from runtime import Runtime
from tests.engine import new_tenant


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
