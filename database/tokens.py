"""Sessions: families of refresh tokens, each used once. A token used twice ends its family."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import insert, select, update

from core.context import Ctx
from core.ids import new_id
from database import audit
from database.engine import Tx
from database.tables import refresh_tokens, tenants, users
from database.users import User, user_of


@dataclass(frozen=True, slots=True)
class Session:
    """Whose session it is, read anew: role, epoch and state are today's."""

    user: User
    tenant_slug: str
    tier: str
    family: str


def issue(tx: Tx, user: User, token_hash: str, expires_ms: int, family: str | None = None) -> str:
    """Stores the hash of a fresh token, in a new family unless one is given. Gives the family."""
    family = family or new_id()
    tx.execute(
        insert(refresh_tokens),
        {
            "tenant_id": user.tenant, "id": new_id(), "user_id": user.id, "family": family,
            "token_hash": token_hash, "expires_ms": expires_ms, "created_ms": tx.now_ms,
        },
    )  # fmt: skip
    return family


def redeem(tx: Tx, token_hash: str) -> Session | None:
    """Uses a token up; the transaction goes on as its tenant. None: unknown, expired, revoked, or
    already used, which revokes its whole family, because then two parties hold it. Commit in
    either case."""
    row = tx.execute(
        select(refresh_tokens).where(refresh_tokens.c.token_hash == token_hash)
    ).first()
    if row is None or row.revoked_ms is not None or row.expires_ms <= tx.now_ms:
        return None
    tx.become(Ctx(row.tenant_id, "system"))
    if row.used_ms is not None:
        _revoke(tx, row.tenant_id, row.family)
        audit.record(tx, Ctx(row.tenant_id, "system"), "session.reuse", row.user_id)
        return None
    taken = tx.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.token_hash == token_hash, refresh_tokens.c.used_ms.is_(None))
        .values(used_ms=tx.now_ms)
    )
    if taken.rowcount != 1:
        _revoke(tx, row.tenant_id, row.family)
        return None
    return session(tx, row.tenant_id, row.user_id, row.family)


def session(tx: Tx, tenant_id: str, user_id: str, family: str) -> Session | None:
    """While authenticating: the session behind a signed token, or None when it has ended."""
    row = tx.execute(
        select(users, tenants.c.slug, tenants.c.tier)
        .join(tenants, tenants.c.id == users.c.tenant_id)
        .where(users.c.tenant_id == tenant_id, users.c.id == user_id)
        .where(users.c.disabled.is_(False), tenants.c.status == "active")
    ).first()
    if row is None:
        return None
    ended = tx.execute(
        select(refresh_tokens.c.id)
        .where(refresh_tokens.c.tenant_id == tenant_id, refresh_tokens.c.family == family)
        .where(refresh_tokens.c.revoked_ms.is_not(None))
        .limit(1)
    ).first()
    return None if ended else Session(user_of(row), row.slug, row.tier, family)


def revoke(tx: Tx, ctx: Ctx, family: str) -> None:
    """Logout: every token of the family, and the access tokens that came with it."""
    _revoke(tx, ctx.tenant, family)
    audit.record(tx, ctx, "session.logout", family)


def sweep(tx: Tx, older_than_ms: int) -> None:
    """Forgets tokens that expired before."""
    tx.execute(delete_from(refresh_tokens).where(refresh_tokens.c.expires_ms < older_than_ms))


def _revoke(tx: Tx, tenant_id: str, family: str) -> Any:
    return tx.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.tenant_id == tenant_id, refresh_tokens.c.family == family)
        .values(revoked_ms=tx.now_ms)
    )
