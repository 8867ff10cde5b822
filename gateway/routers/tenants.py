"""`/tenants`: for the platform's admins, and a tenant's own admin for its own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from agents.memory.durations import retime
from core.context import PLATFORM, Ctx
from core.errors import Forbidden, NotFound
from database import tenants
from database.tenants import Tenant
from gateway import provision
from gateway.house import Caller, permit
from gateway.once import Creating
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.base import Listing
from gateway.schemas.tenants import TenantAnswer, TenantChange, TenantConfig, TenantRequest

router = APIRouter(prefix="/tenants", tags=["tenants"])
Operator = Annotated[Caller, permit("tenants:write")]
Reader = Annotated[Caller, permit("tenants:read", "tenant:read")]
Writer = Annotated[Caller, permit("tenants:write", "tenant:write")]


@router.post("", status_code=201, response_model=TenantAnswer)
def create(who: Operator, once: Creating, body: TenantRequest) -> Response:
    """A tenant with its own encryption key."""
    return once(who, body, lambda: _create(who, body))


@router.get("")
def listing(
    who: Annotated[Caller, permit("tenants:read")], limit: Limit = 50, cursor: Cursor = None
) -> Listing[TenantAnswer]:
    with who.rt.db.read(PLATFORM) as tx:
        page = tenants.listing(tx, limit=limit, cursor=cursor)
    return listed(page, lambda tenant: _shown(who, tenant))


@router.get("/{tenant_id}")
def show(who: Reader, tenant_id: str) -> TenantAnswer:
    _own_or_operator(who, tenant_id, "tenants:read")
    with who.rt.db.read(_look(who, tenant_id)) as tx:
        return _shown(who, tenants.get(tx, tenant_id))


@router.patch("/{tenant_id}")
def change(who: Writer, tenant_id: str, body: TenantChange) -> TenantAnswer:
    """A tenant's own admin changes name and configuration; tier and state are the operator's."""
    _own_or_operator(who, tenant_id, "tenants:write")
    if (body.tier or body.status or body.budget) and "tenants:write" not in who.ctx.scopes:
        raise Forbidden(
            "Tier, state and budget are set by the platform's operator.", scope="tenants:write"
        )
    with who.rt.db.transaction(_look(who, tenant_id)) as tx:
        changed = tenants.patch(
            tx, who.ctx, tenant_id, name=body.name, tier=body.tier, status=body.status,
            config=_config(body.config),
        )  # fmt: skip
        if body.budget is not None:
            own = body.budget.model_dump(exclude_unset=True)
            changed = tenants.set_budget(tx, who.ctx, tenant_id, own)
    if body.config is not None:
        retime(who.rt, tenant_id, changed.config)
    who.house.access.forget()
    return _shown(who, changed)


@router.delete("/{tenant_id}", status_code=204)
def delete(who: Operator, tenant_id: str) -> None:
    """Shreds the tenant's key: nothing of it can be read again, not even from a backup."""
    provision.remove_tenant(who.rt, who.ctx, tenant_id)
    who.house.access.forget()


def _create(who: Caller, body: TenantRequest) -> TenantAnswer:
    made = provision.provision(
        who.rt, body.slug, body.name, body.tier, _config(body.config), ctx=who.ctx
    )
    return _shown(who, made)


def _own_or_operator(who: Caller, tenant_id: str, scope: str) -> None:
    if tenant_id != who.ctx.tenant and scope not in who.ctx.scopes:
        raise NotFound("There is no such tenant.")


def _look(who: Caller, tenant_id: str) -> Ctx:
    """Its own row as itself; any other as the platform, which `_own_or_operator` has allowed."""
    return who.ctx if tenant_id == who.ctx.tenant else PLATFORM


def _config(config: TenantConfig | None) -> dict[str, object] | None:
    return None if config is None else config.model_dump(exclude_none=True)


def _shown(who: Caller, tenant: Tenant) -> TenantAnswer:
    """The configuration, with its webhook secret, is for the tenant's own admin alone."""
    own = tenant.id == who.ctx.tenant
    return TenantAnswer.model_validate({
        "id": tenant.id, "slug": tenant.slug, "name": tenant.name, "tier": tenant.tier,
        "status": tenant.status, "branding": tenant.config.get("branding", {}),
        "config": dict(tenant.config) if own else None, "created_at": tenant.created_ms,
    })  # fmt: skip
