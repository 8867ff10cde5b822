"""A key per tenant, kept sealed under the root key. Deleting the row's key shreds the tenant."""

from __future__ import annotations

import os

from sqlalchemy import select

from core.context import Ctx
from core.errors import NotFound
from core.vault import seal, unseal
from database.engine import Database
from database.tables import tenants


def new_tenant_key(root: bytes, tenant_id: str) -> bytes:
    """A fresh key, sealed for `tenants.wrapped_key`."""
    return seal(root, os.urandom(32), f"tenant-key/{tenant_id}")


class TenantKeys:
    """`keys(ctx)` gives the tenant's 32 bytes; unsealed once per process and kept in memory."""

    def __init__(self, db: Database, root: bytes) -> None:
        self._db = db
        self._root = root
        self._open: dict[str, bytes] = {}

    def __call__(self, ctx: Ctx) -> bytes:
        if ctx.tenant not in self._open:
            with self._db.read(ctx) as tx:
                wrapped = tx.execute(
                    select(tenants.c.wrapped_key).where(tenants.c.id == ctx.tenant)
                ).scalar_one_or_none()
            if wrapped is None:
                raise NotFound("This tenant has no key.", code="tenant_key_missing")
            self._open[ctx.tenant] = unseal(self._root, wrapped, f"tenant-key/{ctx.tenant}")
        return self._open[ctx.tenant]

    def forget(self, tenant_id: str) -> None:
        self._open.pop(tenant_id, None)
