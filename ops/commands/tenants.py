"""tenants, users, api-keys: who may use this platform. Works while it runs and before."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from core.clock import rfc3339
from core.context import PLATFORM, ROLES
from core.errors import InvalidInput
from core.settings import Settings
from core.tiers import BUDGETS, TIERS
from ops import identity
from ops.output import emit, guarded, json_option, say, table


@click.group()
def tenants() -> None:
    """The operator's customers."""


@tenants.command(epilog="Example: weft tenants create clearpay --name ClearPay --tier business")
@click.argument("slug")
@click.option("--name", default="", help="Shown to people; default: the slug.")
@click.option("--tier", type=click.Choice(sorted(TIERS)), default="free", show_default=True)
@json_option
@click.pass_obj
@guarded
def create(settings: Settings, slug: str, name: str, tier: str, as_json: bool) -> None:
    """Make a tenant with its own key."""
    tenant = identity.create_tenant(settings, slug, name, tier)
    emit(_shown(tenant), as_json, lambda: say(f"Tenant {tenant.slug} ({tenant.id}), {tier}."))


@tenants.command("list")
@json_option
@click.pass_obj
@guarded
def listing(settings: Settings, as_json: bool) -> None:
    """Every tenant."""
    found = [_shown(tenant) for tenant in identity.tenants(settings)]
    columns = ("slug", "name", "tier", "status", "created_at")
    emit(
        found,
        as_json,
        lambda: table(columns, ([item[column] for column in columns] for item in found)),
    )


@tenants.command("ingest-secret", epilog="Example: weft tenants ingest-secret clearpay --rotate")
@click.argument("slug")
@click.option("--rotate", is_flag=True, help="Make a new one; the present one is good for a while.")
@click.option("--overlap-hours", type=click.IntRange(0, 2160), default=168, show_default=True)
@json_option
@click.pass_obj
@guarded
def show_ingest_secret(
    settings: Settings, slug: str, rotate: bool, overlap_hours: int, as_json: bool
) -> None:
    """Show what the tenant signs its Kafka messages with (docs/kafka.md)."""
    from database import tenants as query
    from workflows import ingest_secrets

    with identity.inside(settings, slug) as (rt, ctx):
        if rotate:
            ingest_secrets.rotate(rt, ctx, overlap_hours * 3600)
        with rt.db.read(ctx) as tx:
            tenant = query.own(tx, ctx)
        secret, version = ingest_secrets.newest(rt, tenant), ingest_secrets.version_of(tenant)
    value = {"tenant": slug, "secret": secret, "version": version}
    emit(value, as_json, lambda: say(f"{secret}\nVersion {version} of {slug}."))


@tenants.command(epilog="Example: weft tenants budget clearpay tokens_per_day=500000")
@click.argument("slug")
@click.argument("limits", nargs=-1, metavar="[NAME=NUMBER|none]...")
@json_option
@click.pass_obj
@guarded
def budget(settings: Settings, slug: str, limits: tuple[str, ...], as_json: bool) -> None:
    """Set limits of the tenant's budget for models, and show where it stands."""
    from database import budgets
    from database import tenants as query

    own = dict(_limit(one) for one in limits)
    with identity.inside(settings, slug) as (rt, ctx):
        if own:
            with rt.db.transaction(PLATFORM) as tx:
                query.set_budget(tx, PLATFORM, ctx.tenant, own)
        with rt.db.read(ctx) as tx:
            found = [_stands(one) for one in budgets.standing(tx, ctx)]
    columns = ("limit", "most", "used", "reserved", "resets_at")
    emit(found, as_json, lambda: table(columns, ([row[c] for c in columns] for row in found)))


def _limit(pair: str) -> tuple[str, int | None]:
    name, _, number = pair.partition("=")
    if name not in BUDGETS or not (number == "none" or number.isdigit()):
        raise InvalidInput(f"A limit is NAME=NUMBER or NAME=none; names: {', '.join(BUDGETS)}.")
    return name, None if number == "none" else int(number)


def _stands(one: Any) -> dict[str, Any]:
    """Tokens, or seconds."""
    scale = 1000 if one.name.startswith("cpu") else 1
    most = None if one.limit is None else one.limit // scale
    return {"limit": one.name, "most": most, "used": one.used / scale,
            "reserved": one.reserved / scale, "resets_at": rfc3339(one.resets_ms)}  # fmt: skip


@click.group()
def users() -> None:
    """A tenant's people."""


@users.command("create")
@click.option("--tenant", required=True, help="Slug; `platform` for the operators themselves.")
@click.option("--email", required=True)
@click.option("--password", required=True, prompt=True, hide_input=True)
@click.option("--role", type=click.Choice(ROLES), default="operator", show_default=True)
@json_option
@click.pass_obj
@guarded
def create_user(
    settings: Settings, tenant: str, email: str, password: str, role: str, as_json: bool
) -> None:
    """Make a user who signs in by email and password."""
    user = identity.create_user(settings, tenant, email, password, role)
    value = {"id": user.id, "tenant": tenant, "email": user.email, "role": user.role}
    emit(value, as_json, lambda: say(f"User {user.email} of {tenant}, {role}."))


@click.group("api-keys")
def api_keys() -> None:
    """Keys for programs."""


@api_keys.command("create")
@click.option("--tenant", required=True, help="Slug.")
@click.option("--name", default="made by the operator", help="What it is for.")
@click.option(
    "--scopes", multiple=True, help="Such as documents:write; may be repeated. Default: all."
)
@click.option("--expires", metavar="YYYY-MM-DD", help="Last day.")
@json_option
@click.pass_obj
@guarded
def create_key(
    settings: Settings,
    tenant: str,
    name: str,
    scopes: tuple[str, ...],
    expires: str | None,
    as_json: bool,
) -> None:
    """Make an API key; it is shown once."""
    named = [scope for item in scopes for scope in item.replace(",", " ").split()]
    row, key = identity.create_key(settings, tenant, name, named, _end_of(expires))
    value = {"id": row.id, "key": key, "tenant": tenant, "scopes": sorted(row.scopes)}
    emit(value, as_json, lambda: say(f"{key}\nKeep it now: it is not shown again."))


def _end_of(day: str | None) -> int | None:
    if day is None:
        return None
    try:
        return int(datetime.fromisoformat(f"{day}T23:59:59+00:00").timestamp() * 1000)
    except ValueError as error:
        raise InvalidInput(f"--expires wants YYYY-MM-DD, not {day!r}.") from error


def _shown(tenant: Any) -> dict[str, Any]:
    return {
        "id": tenant.id,
        "slug": tenant.slug,
        "name": tenant.name,
        "tier": tenant.tier,
        "status": tenant.status,
        "created_at": rfc3339(tenant.created_ms),
    }
