"""The generations of a tenant's index as people see them, and what to type next."""

from __future__ import annotations

from typing import Any

from agents import generations, shelf
from agents.swapping import named, run_of
from core.clock import rfc3339
from core.context import Ctx
from core.errors import Unavailable
from core.ports import Embedder
from database import steps
from database.runs import Run
from runtime import Runtime
from vectorstore import Generation, Head


def status(rt: Runtime, ctx: Ctx) -> dict[str, Any]:
    """→ `{passages, generations: [{model, state, digest, missing, loadable, …}], todo}`; `missing`:
    passages without its vectors. `todo`: what to type, or None."""
    head = shelf.head_of(rt, ctx)
    known = head.generations if head.generation("serving") else (head.serving, *head.generations)
    shown = [_shown(rt, ctx, head, one) for one in known if one is not None]
    return {"passages": head.readable, "generations": shown, "todo": _todo(rt, head)}


def _shown(rt: Runtime, ctx: Ctx, head: Head, one: Generation) -> dict[str, Any]:
    lacking = head.lacking if one.state == "serving" else head.missing
    found = _loaded(rt, one)
    told: dict[str, Any] = {
        "model": one.model or (generations.name_of(rt, found) if found else "") or one.digest[:12],
        "state": one.state, "digest": one.digest, "passages": head.readable - lacking(one.digest),
        "missing": lacking(one.digest), "loadable": found is not None,
        "since": rfc3339(one.since_ms) if one.since_ms else None,
        "kept_until": rfc3339(one.until_ms) if one.until_ms else None,
    }  # fmt: skip
    run = run_of(rt, ctx, one.run_id)
    if one.state == "beside" and run is not None:
        told["run"] = {"id": run.id, "status": run.status, **_progress(rt, ctx, run)}
    return told


def _loaded(rt: Runtime, one: Generation) -> Embedder | None:
    try:
        return generations.loaded(rt.models, one)
    except Unavailable:
        return None


def _progress(rt: Runtime, ctx: Ctx, run: Run) -> dict[str, Any]:
    with rt.db.read(ctx) as tx:
        rows = steps.of_run(tx, ctx, run.id)
    told = next((row.progress for row in rows.values() if row.progress), None)
    return {"progress": told, "error": dict(run.error) if run.error else None}


def _todo(rt: Runtime, head: Head) -> str | None:
    """Most urgent first."""
    serving, beside = head.serving, head.generation("beside")
    if serving is not None and _loaded(rt, serving) is None:
        return (
            f"{named(serving)} made this index and is not here: bring it back (weft models pull), "
            "or let the next search start a rebuild by WEFT_EMBEDDING"
        )
    if beside is not None:
        complete = not head.missing(beside.digest)
        return "weft index compare, then weft index swap" if complete else "weft index rebuild"
    chosen = rt.settings.embedding
    if serving is not None and rt.models.embedder() not in (None, _loaded(rt, serving)):
        return (
            f"WEFT_EMBEDDING is {chosen}, and this index goes on with {named(serving)}: weft index "
            "rebuild"
        )
    return None
