"""`/workflow-definitions`: YAML or JSON, versioned, checked; errors name line and field."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from agents.registry import AGENTS
from gateway.bodies import Source, yaml_or_json
from gateway.house import Caller, permit
from gateway.paging import Cursor, Limit, sliced
from gateway.schemas.workflows import DefinitionAnswer, Definitions, Validated
from workflows import definitions, registry
from workflows.registry import Registered

router = APIRouter(prefix="/workflow-definitions", tags=["definitions"])
Reader = Annotated[Caller, permit("definitions:read")]
Writer = Annotated[Caller, permit("definitions:write")]
_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
Name = Annotated[str, Path(pattern=_NAME)]
Reference = Annotated[str, Path(pattern=_NAME[:-1] + r"(@[0-9]{1,9})?$")]


@router.get("")
def listing(who: Reader, limit: Limit = 50, cursor: Cursor = None) -> Definitions:
    """The newest version of each; a tenant's own hides a built-in one of the same name."""
    with who.rt.db.read(who.ctx) as tx:
        found = registry.listing(tx, who.ctx)
    page = sliced(found, lambda one: one.definition.name, limit, cursor)
    shown = [_shown(one, whole=False) for one in page.items]
    return Definitions(items=shown, next_cursor=page.next_cursor)


@router.post("/validate", openapi_extra=yaml_or_json("a definition"))
def validate(who: Reader, source: Source) -> Validated:
    """Says what is wrong without saving anything."""
    found = definitions.parse(source, AGENTS.catalog)
    return Validated(valid=True, name=found.name, hash=found.hash, inputs=dict(found.inputs))


@router.get("/{name}")
def show(who: Reader, name: Reference) -> DefinitionAnswer:
    """By `name` or `name@version`."""
    with who.rt.db.read(who.ctx) as tx:
        return _shown(registry.get(tx, who.ctx, name))


@router.put("/{name}", openapi_extra=yaml_or_json("a definition"))
def save(who: Writer, name: Name, source: Source) -> DefinitionAnswer:
    """The next version, or the same one when nothing changed. Runs keep the one they began with."""
    return _shown(registry.save(who.rt, who.ctx, name, source, AGENTS.catalog))


def _shown(found: Registered, *, whole: bool = True) -> DefinitionAnswer:
    own = found.definition
    values: dict[str, Any] = {
        "name": own.name, "version": found.version, "hash": own.hash, "summary": own.summary,
        "builtin": found.builtin, "inputs": dict(own.inputs),
        "definition": dict(own.body) if whole else None, "created_by": found.created_by,
        "created_at": found.created_ms,
    }  # fmt: skip
    return DefinitionAnswer.model_validate(values)
