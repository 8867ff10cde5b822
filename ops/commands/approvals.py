"""approvals: see exactly what would be sent, then decide."""

from __future__ import annotations

import json

import click

from core.settings import Settings
from ops.client import connect
from ops.commands.work import as_tenant
from ops.output import emit, guarded, json_option, say, table


@click.group()
def approvals() -> None:
    """List and decide what waits for a person."""


@approvals.command("list")
@as_tenant
@json_option
@click.pass_obj
@guarded
def listing(
    settings: Settings, tenant: str | None, key: str | None, url: str | None, as_json: bool
) -> None:
    """What waits, oldest last."""
    items = list(connect(settings, tenant, key, url).listing("/approvals"))
    rows = [(item["id"], item["status"], item["summary"]) for item in items]
    emit(items, as_json, lambda: table(("id", "status", "what would be done"), rows))


@approvals.command()
@click.argument("approval_id")
@as_tenant
@json_option
@click.pass_obj
@guarded
def show(
    settings: Settings,
    approval_id: str,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """The exact request, its sources and its cost."""
    item = connect(settings, tenant, key, url).call("GET", f"/approvals/{approval_id}")
    emit(item, as_json, lambda: say(json.dumps(item, ensure_ascii=False, indent=2)))


@approvals.command(epilog="Example: weft approvals decide 01a1… approve --comment 'checked'")
@click.argument("approval_ids", nargs=-1, required=True)
@click.argument("decision", type=click.Choice(["approve", "reject"]))
@click.option("--comment", default="", help="Kept with the decision.")
@as_tenant
@json_option
@click.pass_obj
@guarded
def decide(
    settings: Settings,
    approval_ids: tuple[str, ...],
    decision: str,
    comment: str,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Approve or reject."""
    client = connect(settings, tenant, key, url)
    body = {"decision": decision, "comment": comment}
    done = [client.call("POST", f"/approvals/{item}", json=body) for item in approval_ids]
    emit(done, as_json, lambda: say(f"{decision}: {len(done)}"))
