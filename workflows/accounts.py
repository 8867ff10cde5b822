"""What a connector is given beside the frozen request: the tenant's settings, or its account at the
outside API, as both are at this moment. Secrets are opened here and kept nowhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from core.context import Ctx
from core.errors import NotFound
from core.vault import unseal
from database import Tx, integrations, tenants
from database.integrations import Integration
from runtime import Runtime

API = "api"  # the connector that signs in at an integration


def secrets_address(integration_id: str) -> str:
    return f"integration-secrets/{integration_id}"


def secrets_of(rt: Runtime, ctx: Ctx, row: Integration) -> dict[str, str]:
    if row.secrets is None:
        return {}
    opened: dict[str, str] = json.loads(unseal(rt.keys(ctx), row.secrets, secrets_address(row.id)))
    return opened


def config_of(
    rt: Runtime, tx: Tx, ctx: Ctx, connector: str, request: Mapping[str, Any]
) -> Mapping[str, Any]:
    """`{integration}` for the connector `api`, and nothing where it is gone or switched off."""
    if connector != API:
        return tenants.own(tx, ctx).config
    try:
        row = integrations.get(tx, ctx, str(request.get("integration_id", "")))
    except NotFound:
        return {}
    if not row.enabled or row.kind != "openapi":
        return {}
    return {"integration": {
        "tenant": ctx.tenant, "base_url": row.config["base_url"], "auth": row.config["auth"],
        "secrets": secrets_of(rt, ctx, row),
    }}  # fmt: skip
