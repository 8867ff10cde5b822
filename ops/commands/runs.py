"""runs: what was recorded of them, put to another model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from core.settings import Settings
from ops.client import connect
from ops.commands.work import as_tenant
from ops.output import emit, guarded, json_option, say, table

_SECONDS = 300.0


@click.group()
def runs() -> None:
    """A tenant's runs, looked at again."""


@runs.command(epilog="Example: weft runs replay 01a1fc3d-… --model qwen3:4b --tenant clearpay")
@click.argument("run")
@click.option("--model", required=True, help="The chat model that is asked now.")
@click.option("--order", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file whose text stands for every call's system message.")  # fmt: skip
@click.option("--judge", help="A model that passed as a judge compares old and new.")
@as_tenant
@json_option
@click.pass_obj
@guarded
def replay(
    settings: Settings,
    run: str,
    model: str,
    order: Path | None,
    judge: str | None,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Ask the model calls of RUN again and compare. No step runs; nothing happens outside."""
    body = {"model": model, "order": order.read_text() if order else None, "judge": judge}
    client = connect(settings, tenant, key, url)
    told = client.call("POST", f"/workflows/{run}/replay", json=body, timeout=_SECONDS)
    emit(told, as_json, lambda: _show(told))


def _show(told: dict[str, Any]) -> None:
    calls = told["calls"]
    if not calls:
        say("No model call of this run was kept: rules did its work, or it is older than that.")
        return
    table(
        ("step", "call", "same", "old faults", "new faults", "judged", "tokens", "ms"),
        (_row(call) for call in calls),
    )
    for call in calls:
        if not call["same"]:
            say(f"\n{call['step']} {call['key']}")
            say(call["error"] or "\n".join(call["diff"]))


def _row(call: dict[str, Any]) -> tuple[object, ...]:
    old, new = call["old"], call["new"] or {}
    return (
        call["step"], call["key"], "yes" if call["same"] else "no",
        "; ".join(old["faults"]) or "none", "; ".join(new.get("faults", ["no reply"])) or "none",
        call["judged"] or "", f"{old['completion_tokens']} > {new.get('completion_tokens', '')}",
        f"{old['ms']} > {new.get('ms', '')}",
    )  # fmt: skip
