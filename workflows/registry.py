"""Definitions by name: a tenant's own versions, and the built-in ones that everybody has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.context import Ctx
from core.errors import InvalidInput, NotFound
from database import Tx, audit
from database import definitions as rows
from runtime import Runtime
from workflows import definitions
from workflows.definitions import Definition
from workflows.tasks import Catalog

_ROOT = Path(__file__).parent
FOLDERS = (_ROOT / "builtin", _ROOT.parent / "examples" / "workflows")


@dataclass(frozen=True, slots=True)
class Registered:
    """`version` 0 and `builtin`: comes with the platform."""

    definition: Definition
    version: int
    builtin: bool
    created_by: str
    created_ms: int | None


@lru_cache(maxsize=1)
def builtin() -> Mapping[str, Definition]:
    """Every YAML file of `FOLDERS`, by name."""
    files = sorted(file for folder in FOLDERS for file in folder.glob("*.yaml"))
    found = (definitions.parse(file.read_text(encoding="utf-8")) for file in files)
    return {one.name: one for one in found}


def save(
    rt: Runtime, ctx: Ctx, name: str, source: str | Mapping[str, Any], catalog: Catalog
) -> Registered:
    """The next version of `name`, or the same one when nothing changed."""
    definition = definitions.parse(source, catalog)
    if definition.name != name:
        raise InvalidInput(
            f"The definition calls itself {definition.name!r}, not {name!r}.",
            code="bad_definition",
            errors=[{"line": None, "field": "name", "detail": f"must be {name!r}"}],
        )
    with rt.db.transaction(ctx) as tx:
        last = rows.find(tx, ctx, name)
        if last is not None and last.hash == definition.hash:
            return _registered(last)
        version = last.version + 1 if last else 1
        saved = rows.add(tx, ctx, name, version, definition.hash, definition.body)
        audit.record(tx, ctx, "definition.save", f"{name}@{version}", {"hash": definition.hash})
    return _registered(saved)


def get(tx: Tx, ctx: Ctx, reference: str) -> Registered:
    """By `name` (the tenant's newest, else the built-in one) or `name@version`."""
    name, _, version = reference.partition("@")
    if version and not version.isdigit():
        raise InvalidInput(f"{reference!r}: a version is a number, like {name}@3.")
    saved = rows.find(tx, ctx, name, int(version) if version else None)
    if saved is not None:
        return _registered(saved)
    own = builtin().get(name)
    if own is None or (version and int(version)):
        raise NotFound(f"There is no workflow definition {reference!r}.")
    return Registered(own, 0, True, "system", None)


def listing(tx: Tx, ctx: Ctx) -> list[Registered]:
    """The newest version of each, by name; a tenant's own hides a built-in one."""
    saved = {row.name: _registered(row) for row in rows.listing(tx, ctx)}
    for name, own in builtin().items():
        saved.setdefault(name, Registered(own, 0, True, "system", None))
    return [saved[name] for name in sorted(saved)]


def _registered(row: rows.Saved) -> Registered:
    definition = definitions.stored(row.hash, row.body)
    return Registered(definition, row.version, False, row.created_by, row.created_ms)
