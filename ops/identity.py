"""Tenants, users and keys as the operator makes them, on the machine that holds the data folder."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from core.context import PLATFORM, Ctx
from core.errors import Conflict, InvalidInput
from core.settings import Settings
from database.tenants import PLATFORM_SLUG, Tenant
from runtime import Runtime

KEY_SECONDS = 30 * 86_400


@contextlib.contextmanager
def opened(settings: Settings) -> Iterator[Runtime]:
    """The runtime of this command; it works beside a running platform and without one."""
    from backends.build import open_runtime

    with open_runtime(settings) as rt:
        yield rt


@contextlib.contextmanager
def inside(settings: Settings, slug: str | None) -> Iterator[tuple[Runtime, Ctx]]:
    """The runtime and the system's Ctx in one tenant; None: the only one there is."""
    from gateway.provision import tenant_ctx

    slug = slug or only_tenant(settings)
    with opened(settings) as rt:
        yield rt, tenant_ctx(rt, slug)


def create_tenant(settings: Settings, slug: str, name: str, tier: str) -> Tenant:
    from gateway.provision import provision

    with opened(settings) as rt:
        return provision(rt, slug, name, tier)


def ensure_tenant(settings: Settings, slug: str, name: str, tier: str) -> None:
    with contextlib.suppress(Conflict):
        create_tenant(settings, slug, name, tier)


def tenants(settings: Settings) -> list[Tenant]:
    """Every tenant but the platform's own."""
    from database import tenants as query

    with opened(settings) as rt, rt.db.read(PLATFORM) as tx:
        found: list[Tenant] = []
        cursor: str | None = None
        while True:
            page = query.listing(tx, limit=200, cursor=cursor)
            found += [tenant for tenant in page.items if tenant.slug != PLATFORM_SLUG]
            cursor = page.next_cursor
            if cursor is None:
                return found


def only_tenant(settings: Settings) -> str:
    """The slug of the only tenant; with several the caller must say which."""
    slugs = sorted(tenant.slug for tenant in tenants(settings))
    if not slugs:
        raise InvalidInput("There is no tenant yet. Type: weft tenants create SLUG")
    if len(slugs) > 1:
        raise InvalidInput(f"Say which tenant: --tenant {' | '.join(slugs)}")
    return slugs[0]


def create_user(settings: Settings, slug: str, email: str, password: str, role: str) -> Any:
    from gateway import provision

    with inside(settings, slug) as (rt, ctx):
        return provision.create_user(rt, ctx, email=email, password=password, role=role)


def ensure_user(settings: Settings, slug: str, email: str, password: str, role: str) -> None:
    with contextlib.suppress(Conflict):
        create_user(settings, slug, email, password, role)


def create_key(
    settings: Settings, slug: str, name: str, scopes: list[str], expires_ms: int | None
) -> tuple[Any, str]:
    """The row and the key; no scopes named means all that the tenant's admin has."""
    from gateway import provision

    with inside(settings, slug) as (rt, ctx):
        return provision.create_api_key(
            rt, ctx, name=name, scopes=scopes or sorted(ctx.scopes), expires_ms=expires_ms
        )


def command_key(settings: Settings, slug: str) -> str:
    """A key of the command's own, kept in DATA_DIR/keys, readable by its owner only."""
    path = settings.data_dir / "keys" / f"{slug}.json"
    now_ms = int(datetime.now().timestamp() * 1000)
    if path.exists():
        kept = json.loads(path.read_text())
        if kept["expires_ms"] > now_ms + 60_000:
            return str(kept["key"])
    expires_ms = now_ms + KEY_SECONDS * 1000
    _row, key = create_key(settings, slug, "weft command", [], expires_ms)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"key": key, "expires_ms": expires_ms}, file)
    return key
