"""One look at a web site, asked for by its address alone: an integration of kind `web` that nobody
has to set up first. The same address again goes on with what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agents import integrations as setting_up
from core.context import Ctx
from core.errors import Conflict
from core.ids import new_id
from database import Tx, audit, integrations, triggers
from runtime import Runtime
from workflows import triggers as starting

_NAME_MAX = 255


@dataclass(frozen=True, slots=True)
class Scraping:
    workflow_id: str
    integration_id: str
    trigger_id: str | None


def begin(rt: Runtime, tx: Tx, ctx: Ctx, values: Mapping[str, Any]) -> Scraping:
    """`url, depth, pages_max, include, exclude, tags, workflow, inputs`; with a workflow, each
    document that comes starts it. Raises `InvalidInput` with `field`. The caller rings."""
    name = f"web {values['url']}"[:_NAME_MAX]
    config = {"urls": [values["url"]], **{
        key: values[key] for key in ("depth", "pages_max", "include", "exclude")
        if values[key] is not None
    }}  # fmt: skip
    known = integrations.by_name(tx, ctx, name)
    if known is None:
        own = setting_up.create(rt, tx, ctx, {
            "kind": "web", "name": name, "config": config, "secrets": {}, "schedule": None,
            "on_gone": "keep", "tags": values["tags"], "enabled": True,
        }).id  # fmt: skip
    elif known.kind != "web":
        raise Conflict(f"There is another integration called {name!r}.", code="name_taken")
    else:
        own = known.id
        setting_up.change(rt, tx, ctx, own, {"config": config, "tags": values["tags"]})
    trigger = _trigger(tx, ctx, own, name, values["workflow"], values["inputs"])
    return Scraping(setting_up.pull(rt, tx, ctx, own), own, trigger)


def _trigger(
    tx: Tx, ctx: Ctx, own: str, name: str, workflow: str | None, inputs: Mapping[str, Any]
) -> str | None:
    """What is started for each document: as this request says, not as one before it said."""
    when = {"when": f"document.integration_id == '{own}'"}
    for one in triggers.of_kind(tx, ctx, "document"):
        if one.name == name and one.config == when:
            triggers.remove(tx, ctx, one.id)
    if workflow is None:
        return None
    config, _due = starting.checked(tx, ctx, "document", when, workflow, inputs)
    made = triggers.create(tx, ctx, new_id(), {
        "name": name, "kind": "document", "config": config, "workflow": workflow, "inputs": inputs,
        "enabled": True, "due_ms": None, "secret": None,
        "scopes": sorted(ctx.scopes & starting.GRANTED),
    })  # fmt: skip
    audit.record(tx, ctx, "trigger.create", made.id, {"kind": "document"})
    return made.id
