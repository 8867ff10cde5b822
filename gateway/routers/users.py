"""`/users`: a tenant's admin for its own users; the platform's admins for any tenant's."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from core.context import PLATFORM, ROLE_SCOPES, Ctx
from core.errors import Forbidden, NotFound
from database import tenants, users
from database.users import User
from gateway import provision
from gateway.house import Caller, permit
from gateway.once import Creating
from gateway.paging import Cursor, Limit, listed
from gateway.passwords import hash_password
from gateway.schemas.base import Listing
from gateway.schemas.tenants import UserAnswer, UserChange, UserRequest

router = APIRouter(prefix="/users", tags=["users"])
Reader = Annotated[Caller, permit("users:read", "tenants:read")]
Writer = Annotated[Caller, permit("users:write", "tenants:write")]
TenantId = Annotated[
    str | None, Query(max_length=64, description="for the platform's admins; else one's own")
]


@router.post("", status_code=201, response_model=UserAnswer)
def create(who: Writer, once: Creating, body: UserRequest) -> Response:
    return once(who, _without_password(who, body), lambda: _create(who, body))


@router.get("")
def listing(
    who: Reader, tenant_id: TenantId = None, limit: Limit = 50, cursor: Cursor = None
) -> Listing[UserAnswer]:
    ctx = _within(who, tenant_id)
    with who.rt.db.read(ctx) as tx:
        return listed(users.listing(tx, ctx, limit=limit, cursor=cursor), _shown)


@router.get("/{user_id}")
def show(who: Reader, user_id: str, tenant_id: TenantId = None) -> UserAnswer:
    ctx = _within(who, tenant_id)
    with who.rt.db.read(ctx) as tx:
        return _shown(users.get(tx, ctx, user_id))


@router.patch("/{user_id}")
def change(who: Writer, user_id: str, body: UserChange, tenant_id: TenantId = None) -> UserAnswer:
    """A new role, password or lock ends the user's sessions."""
    ctx = _within(who, tenant_id)
    with who.rt.db.read(ctx) as tx:
        old = users.get(tx, ctx, user_id)
    for role in {old.role, body.role or old.role}:
        _may_hand_out(who, role)
    hashed = hash_password(body.password) if body.password else None
    with who.rt.db.transaction(ctx) as tx:
        changed = users.patch(
            tx, ctx, user_id, name=body.name, role=body.role, disabled=body.disabled,
            password_hash=hashed,
        )  # fmt: skip
    who.house.access.forget()
    return _shown(changed)


@router.delete("/{user_id}", status_code=204)
def delete(who: Writer, user_id: str, tenant_id: TenantId = None) -> None:
    ctx = _within(who, tenant_id)
    with who.rt.db.transaction(ctx) as tx:
        users.delete(tx, ctx, user_id)
    who.house.access.forget()


def _create(who: Caller, body: UserRequest) -> UserAnswer:
    ctx = _within(who, body.tenant_id)
    _may_hand_out(who, body.role)
    made = provision.create_user(
        who.rt, ctx, email=body.email, password=body.password, role=body.role, name=body.name
    )
    return _shown(made)


def _may_hand_out(who: Caller, role: str) -> None:
    """A program's key makes nobody who may do more than the key itself, and takes over nobody."""
    if "tenants:write" in who.ctx.scopes or who.ctx.roles:
        return
    beyond = sorted(ROLE_SCOPES[role] - who.ctx.scopes)
    if beyond:
        raise Forbidden(
            f"This key lacks {beyond[0]!r}, which the role {role!r} holds.", scope=beyond[0]
        )


def _without_password(who: Caller, body: UserRequest) -> dict[str, object]:
    """The fingerprint of a request must not be a place where passwords can be guessed at."""
    keyed = who.house.keyring.digest(body.password)
    return {**body.model_dump(mode="json"), "password": keyed}


def _within(who: Caller, tenant_id: str | None) -> Ctx:
    """The one place where a tenant is named in a request: only the platform's admins may."""
    if tenant_id is None or tenant_id == who.ctx.tenant:
        if not who.ctx.scopes & {"users:read", "users:write", "tenants:write"}:
            raise Forbidden("This needs the scope 'users:read'.", scope="users:read")
        return who.ctx
    if "tenants:write" not in who.ctx.scopes:
        raise NotFound("There is no such tenant.")
    with who.rt.db.read(PLATFORM) as tx:
        tenants.get(tx, tenant_id)
    return replace(who.ctx, tenant=tenant_id)


def _shown(user: User) -> UserAnswer:
    return UserAnswer.model_validate({
        "id": user.id, "tenant_id": user.tenant, "email": user.email, "name": user.name,
        "role": user.role, "disabled": user.disabled, "created_at": user.created_ms,
    })  # fmt: skip
