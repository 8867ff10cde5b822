"""People of a tenant: what they may do, and how often somebody guessed at their password."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete as delete_from
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from core.context import Ctx
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from database import audit, forgetting
from database.engine import Tx
from database.pages import Page, page
from database.tables import refresh_tokens, tenants, users
from database.tenants import PLATFORM_SLUG


@dataclass(frozen=True, slots=True)
class User:
    id: str
    tenant: str
    email: str
    name: str
    role: str
    disabled: bool
    epoch: int
    created_ms: int


@dataclass(frozen=True, slots=True)
class Login:
    """What a login attempt is checked against."""

    user: User
    tenant_slug: str
    password_hash: str


def create(tx: Tx, ctx: Ctx, *, email: str, password_hash: str, role: str, name: str = "") -> User:
    """`platform_admin` lives in the platform's tenant only, and the other roles never do."""
    _fits(tx, ctx, role)
    user_id = new_id()
    row = {
        "tenant_id": ctx.tenant, "id": user_id, "email": normal(email), "name": name,
        "password_hash": password_hash, "role": role, "disabled": False, "epoch": 0,
        "failed_logins": 0, "created_ms": tx.now_ms,
    }  # fmt: skip
    try:
        tx.execute(insert(users), row)
    except IntegrityError as error:
        raise Conflict("A user with this e-mail address exists.", code="email_taken") from error
    audit.record(tx, ctx, "user.create", user_id, {"role": role})
    return get(tx, ctx, user_id)


def normal(email: str) -> str:
    """Addresses are compared without regard to case."""
    return email.strip().lower()


def get(tx: Tx, ctx: Ctx, user_id: str) -> User:
    row = tx.execute(select(users).where(_is(ctx, user_id))).first()
    if row is None:
        raise NotFound("There is no such user.")
    return user_of(row)


def listing(tx: Tx, ctx: Ctx, *, limit: int = 50, cursor: str | None = None) -> Page[User]:
    query = select(users).where(users.c.tenant_id == ctx.tenant)
    keys = (users.c.created_ms, users.c.id)
    return page(tx, query, keys, user_of, limit=limit, cursor=cursor)


def count(tx: Tx, ctx: Ctx) -> int:
    query = select(func.count()).select_from(users).where(users.c.tenant_id == ctx.tenant)
    return int(tx.execute(query).scalar_one())


def patch(
    tx: Tx,
    ctx: Ctx,
    user_id: str,
    *,
    name: str | None = None,
    role: str | None = None,
    disabled: bool | None = None,
    password_hash: str | None = None,
) -> User:
    """A new role, password or lock ends every session of that user: the epoch, for access tokens,
    is raised, and the refresh tokens are revoked."""
    old = get(tx, ctx, user_id)
    if role is not None:
        _fits(tx, ctx, role)
    changes = {"name": name, "role": role, "disabled": disabled, "password_hash": password_hash}
    values: dict[str, Any] = {key: value for key, value in changes.items() if value is not None}
    if values.keys() - {"name"}:
        values["epoch"] = old.epoch + 1
        _end_sessions(tx, ctx, user_id)
    if values:
        tx.execute(update(users).where(_is(ctx, user_id)).values(**values))
        _keep_one_admin(tx, ctx, old)
        audit.record(tx, ctx, "user.change", user_id, {"fields": sorted(values.keys() - {"epoch"})})
    return get(tx, ctx, user_id)


def _end_sessions(tx: Tx, ctx: Ctx, user_id: str) -> None:
    tx.execute(
        update(refresh_tokens)
        .where(refresh_tokens.c.tenant_id == ctx.tenant, refresh_tokens.c.user_id == user_id)
        .where(refresh_tokens.c.revoked_ms.is_(None))
        .values(revoked_ms=tx.now_ms)
    )


def delete(tx: Tx, ctx: Ctx, user_id: str) -> None:
    old = get(tx, ctx, user_id)
    tx.execute(delete_from(users).where(_is(ctx, user_id)))
    _keep_one_admin(tx, ctx, old)
    forgetting.actor(tx, ctx, f"user:{user_id}")
    audit.record(tx, ctx, "user.delete", user_id)


def logins(tx: Tx, email: str, slug: str | None) -> list[Login]:
    """Before authentication, so without a `Ctx`: who this address may be, at most five of them.
    An address may be known to several tenants; `slug` names the one meant."""
    query = (
        select(users, tenants.c.slug)
        .join(tenants, tenants.c.id == users.c.tenant_id)
        .where(users.c.email == normal(email), users.c.disabled.is_(False))
        .where(tenants.c.status == "active")
        .order_by(users.c.created_ms)
        .limit(5)
    )
    if slug is not None:
        query = query.where(tenants.c.slug == slug)
    rows = tx.execute(query).fetchall()
    return [Login(user_of(row), row.slug, row.password_hash) for row in rows]


def guess(tx: Tx, user: User, *, tries: int, window_ms: int) -> int | None:
    """Counts one try at a password before it is checked. None: it may be checked; else the
    milliseconds until the next try. A window begins with its first try."""
    mine = (users.c.tenant_id == user.tenant) & (users.c.id == user.id)
    query = select(users.c.failed_logins, users.c.locked_until_ms).where(mine)
    row = tx.execute(query.with_for_update()).first()
    if row is None:
        return None
    running = row.locked_until_ms is not None and row.locked_until_ms > tx.now_ms
    if running and row.failed_logins >= tries:
        return int(row.locked_until_ms - tx.now_ms)
    failed = row.failed_logins + 1 if running else 1
    until = row.locked_until_ms if running else tx.now_ms + window_ms
    tx.execute(update(users).where(mine).values(failed_logins=failed, locked_until_ms=until))
    return None


def forgive(tx: Tx, user: User) -> None:
    """The password was right: earlier tries no longer count."""
    mine = (users.c.tenant_id == user.tenant) & (users.c.id == user.id)
    tx.execute(update(users).where(mine).values(failed_logins=0, locked_until_ms=None))


def _fits(tx: Tx, ctx: Ctx, role: str) -> None:
    slug = tx.execute(select(tenants.c.slug).where(tenants.c.id == ctx.tenant)).scalar_one_or_none()
    if slug is None:
        raise NotFound("There is no such tenant.")
    if (role == "platform_admin") != (slug == PLATFORM_SLUG):
        raise InvalidInput(
            f"The role platform_admin belongs to the tenant {PLATFORM_SLUG!r}, and to it alone.",
            code="bad_role",
        )


def _keep_one_admin(tx: Tx, ctx: Ctx, old: User) -> None:
    """Nobody can lock a tenant out of itself."""
    if old.role not in ("admin", "platform_admin") or old.disabled:
        return
    query = select(func.count()).select_from(users).where(
        users.c.tenant_id == ctx.tenant, users.c.role == old.role, users.c.disabled.is_(False)
    )  # fmt: skip
    if tx.execute(query).scalar_one() == 0:
        raise Conflict("This is the last admin. Make another one first.", code="last_admin")


def _is(ctx: Ctx, user_id: str) -> Any:
    return (users.c.tenant_id == ctx.tenant) & (users.c.id == user_id)


def user_of(row: Any) -> User:
    return User(
        row.id, row.tenant_id, row.email, row.name, row.role, bool(row.disabled), row.epoch,
        row.created_ms,
    )  # fmt: skip
