"""Tenants: made, found, changed, shredded. Their settings hold webhook secret and branding."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from core.context import PLATFORM, Ctx
from core.errors import Conflict, InvalidInput, NotFound
from core.tiers import TIERS
from database import audit
from database.engine import Tx
from database.pages import Page, page
from database.tables import metadata, tenants

PLATFORM_SLUG = "platform"  # the operator's own tenant: it manages tenants and holds no documents
_SLUG = re.compile(r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")


@dataclass(frozen=True, slots=True)
class Tenant:
    id: str
    slug: str
    name: str
    tier: str
    config: Mapping[str, Any]
    status: str
    created_ms: int


def create(
    tx: Tx,
    ctx: Ctx,
    wrapped_key: bytes,
    *,
    tenant_id: str,
    slug: str,
    name: str,
    tier: str,
    config: Mapping[str, Any] | None = None,
) -> Tenant:
    """`wrapped_key` comes from `database.keys.new_tenant_key(root, tenant_id)`."""
    if not _SLUG.match(slug):
        raise InvalidInput(
            "A slug is 1 to 63 small letters, digits and inner dashes, such as `clearpay`.",
            code="bad_slug",
        )
    _known_tier(tier)
    row = {
        "id": tenant_id, "slug": slug, "name": name or slug, "tier": tier, "status": "active",
        "config": complete(config or {}, name or slug), "wrapped_key": wrapped_key,
        "created_ms": tx.now_ms,
    }  # fmt: skip
    try:
        tx.execute(insert(tenants), row)
    except IntegrityError as error:
        raise Conflict(f"There is already a tenant {slug!r}.", code="slug_taken") from error
    audit.record(tx, ctx, "tenant.create", tenant_id, {"slug": slug, "tier": tier})
    return get(tx, tenant_id)


def complete(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Adds what every tenant has: a webhook secret (Standard Webhooks) and branding."""
    return {
        "webhook_secret": "whsec_" + base64.b64encode(os.urandom(24)).decode(),
        **config,
        "branding": {"name": name, "color": "#1f6feb", **config.get("branding", {})},
    }


def get(tx: Tx, tenant_id: str) -> Tenant:
    """By id. Who may ask is the caller's business: a tenant row belongs to the platform."""
    return _one(tx, tenants.c.id == tenant_id)


def ids(tx: Tx) -> frozenset[str]:
    """Of every tenant, active or not."""
    return frozenset(tx.execute(select(tenants.c.id)).scalars())


def by_slug(tx: Tx, slug: str) -> Tenant:
    return _one(tx, tenants.c.slug == slug)


def own(tx: Tx, ctx: Ctx) -> Tenant:
    """The tenant that `ctx` speaks for, with its configuration."""
    return get(tx, ctx.tenant)


def listing(tx: Tx, *, limit: int = 50, cursor: str | None = None) -> Page[Tenant]:
    keys = (tenants.c.created_ms, tenants.c.id)
    return page(tx, select(tenants), keys, _tenant, limit=limit, cursor=cursor)


def patch(
    tx: Tx,
    ctx: Ctx,
    tenant_id: str,
    *,
    name: str | None = None,
    tier: str | None = None,
    status: str | None = None,
    config: Mapping[str, Any] | None = None,
) -> Tenant:
    """`config` is merged over the present one; `status` is `active` or `suspended`."""
    old = get(tx, tenant_id)
    if tier is not None:
        _known_tier(tier)
    if old.slug == PLATFORM_SLUG and status not in (None, "active"):
        raise Conflict("The platform's own tenant stays active.", code="platform_tenant")
    changes = {"name": name, "tier": tier, "status": status}
    values: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    if config is not None:
        values["config"] = complete({**old.config, **config}, name or old.name)
    if values:
        tx.execute(update(tenants).where(tenants.c.id == tenant_id).values(**values))
        audit.record(tx, ctx, "tenant.change", tenant_id, {"fields": sorted(values)})
    return get(tx, tenant_id)


def set_budget(tx: Tx, ctx: Ctx, tenant_id: str, limits: Mapping[str, int | None]) -> Tenant:
    """Over the tier's own (`core.tiers.BUDGETS`); None is no limit. What is not named stays."""
    own = {**get(tx, tenant_id).config.get("budget", {}), **limits}
    return patch(tx, ctx, tenant_id, config={"budget": own})


def delete(tx: Tx, ctx: Ctx, tenant_id: str) -> None:
    """Shreds the key and removes every row of the tenant but its audit trail. What is left in the
    blob store can no longer be read by anyone; `Vault` objects are removed by the caller."""
    if get(tx, tenant_id).slug == PLATFORM_SLUG:
        raise Conflict("The platform's own tenant cannot be deleted.", code="platform_tenant")
    tx.become(Ctx(tenant_id, "system"))
    for table in reversed(metadata.sorted_tables):
        if table.info.get("tenant") and table.name != "audit":
            tx.execute(delete_from(table).where(table.c.tenant_id == tenant_id))
    tx.become(PLATFORM)
    tx.execute(delete_from(tenants).where(tenants.c.id == tenant_id))
    audit.record(tx, ctx, "tenant.delete", tenant_id)


def _known_tier(tier: str) -> None:
    if tier not in TIERS:
        raise InvalidInput(f"A tier is one of {', '.join(TIERS)}.", code="bad_tier")


def _one(tx: Tx, condition: Any) -> Tenant:
    row = tx.execute(select(tenants).where(condition)).first()
    if row is None:
        raise NotFound("There is no such tenant.")
    return _tenant(row)


def _tenant(row: Any) -> Tenant:
    return Tenant(
        row.id, row.slug, row.name, row.tier, dict(row.config), row.status, row.created_ms
    )
