"""`/auth`: sessions and API keys."""

from __future__ import annotations

from datetime import UTC
from typing import Annotated

from fastapi import APIRouter, Request
from starlette.responses import Response

from database import api_keys
from database.api_keys import ApiKey
from gateway import provision, sessions
from gateway.exchange import exchange_of
from gateway.house import Caller, Open, SignedIn, permit
from gateway.once import Creating
from gateway.paging import Cursor, Limit, listed
from gateway.schemas.auth import (
    ApiKeyAnswer,
    ApiKeyRequest,
    LoginRequest,
    NewApiKey,
    RefreshRequest,
    Tokens,
    Verified,
)
from gateway.schemas.base import Listing

router = APIRouter(prefix="/auth", tags=["auth"])
KeyWriter = Annotated[Caller, permit("keys:write")]


@router.post("/login")
def login(house: Open, request: Request, body: LoginRequest) -> Tokens:
    """Access token for an hour, refresh token for a week."""
    return sessions.login(house, body, exchange_of(request.scope).client)


@router.post("/refresh")
def refresh(house: Open, body: RefreshRequest) -> Tokens:
    """Both tokens anew; the one sent is used up."""
    return sessions.refresh(house, body.refresh_token)


@router.post("/logout", status_code=204)
def logout(who: SignedIn) -> None:
    """Ends this session: its refresh and its access tokens."""
    sessions.logout(who)


@router.get("/verify", response_model=Verified)
async def verify(who: SignedIn) -> Response:
    """Who the credential belongs to and what it may do."""
    return verified(who)


@router.post("/api-keys", status_code=201, response_model=NewApiKey)
def create_key(who: KeyWriter, once: Creating, body: ApiKeyRequest) -> Response:
    """The key is shown in this answer and never again."""
    return once(who, body, lambda: _new_key(who, body))


@router.get("/api-keys")
def list_keys(who: KeyWriter, limit: Limit = 50, cursor: Cursor = None) -> Listing[ApiKeyAnswer]:
    with who.rt.db.read(who.ctx) as tx:
        page = api_keys.listing(tx, who.ctx, limit=limit, cursor=cursor)
    return listed(page, _shown)


@router.get("/api-keys/{key_id}")
def show_key(who: KeyWriter, key_id: str) -> ApiKeyAnswer:
    with who.rt.db.read(who.ctx) as tx:
        return _shown(api_keys.get(tx, who.ctx, key_id))


@router.delete("/api-keys/{key_id}", status_code=204)
def revoke_key(who: KeyWriter, key_id: str) -> None:
    """In force at once here, and within five seconds everywhere."""
    with who.rt.db.transaction(who.ctx) as tx:
        api_keys.revoke(tx, who.ctx, key_id)
    who.house.access.forget()


def verified(who: Caller) -> Response:
    identity, ctx = who.identity, who.ctx
    kind, _, subject = ctx.actor.partition(":")
    answer = Verified(
        user_id=subject if kind == "user" else None,
        key_id=subject if kind == "key" else None,
        tenant_id=ctx.tenant,
        tenant=identity.tenant_slug,
        email=identity.email,
        roles=sorted(ctx.roles),
        scopes=sorted(ctx.scopes),
        expires_at=identity.expires_ms,
    )
    return Response(answer.model_dump_json(), media_type="application/json")


def _new_key(who: Caller, body: ApiKeyRequest) -> NewApiKey:
    expires = body.expires_at
    if expires is not None and expires.tzinfo is None:
        expires = expires.replace(tzinfo=UTC)
    expires_ms = None if expires is None else int(expires.timestamp() * 1000)
    row, key = provision.create_api_key(
        who.rt, who.ctx, name=body.name, scopes=body.scopes, expires_ms=expires_ms,
        keyring=who.house.keyring,
    )  # fmt: skip
    return NewApiKey(key=key, **_shown(row).model_dump())


def _shown(key: ApiKey) -> ApiKeyAnswer:
    return ApiKeyAnswer.model_validate({
        "id": key.id, "name": key.name, "prefix": f"wk_{key.prefix}", "scopes": list(key.scopes),
        "created_by": key.created_by, "expires_at": key.expires_ms,
        "last_used_at": key.last_used_ms, "created_at": key.created_ms,
    })  # fmt: skip
