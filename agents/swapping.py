"""What an operator does with the generations of an index: rebuild, swap, roll back, drop."""

from __future__ import annotations

import contextlib
from typing import Any

import workflows
from agents import freeing, generations, reindexing, shelf
from agents.index_runs import REINDEX
from core.clock import rfc3339
from core.context import Ctx
from core.errors import Conflict, NotFound, Unavailable
from core.ports import Embedder
from database import Tx, audit, runs
from database.runs import Run
from runtime import Runtime
from vectorstore import Generation, Head
from vectorstore import generations as heads


def rebuild(rt: Runtime, ctx: Ctx, model: str | None = None) -> dict[str, Any]:
    """→ `{state, model, run_id}`; `state`: `started`, `running` (it was already) or `complete`. By
    WEFT_EMBEDDING where no model is named. Raises `InvalidInput` for a name that it may not have,
    `Unavailable` where the weights are missing, `Conflict` where there is nothing to rebuild."""
    name = (model or rt.settings.embedding).removeprefix("minilm-")
    embedder = _there(rt, name)
    head = shelf.head_of(rt, ctx)
    _check_rebuild(head, embedder.digest, name)
    serving = head.serving
    if serving is not None and serving.digest == embedder.digest:
        return _repaired(rt, ctx, head, serving)
    beside = head.generation("beside")
    told = {"model": name, "run_id": beside.run_id if beside else ""}
    if beside is not None and not head.missing(beside.digest):
        return {**told, "state": "complete"}
    if beside is not None and _open(rt, ctx, beside.run_id):
        return {**told, "state": "running"}
    run_id = reindexing.begin(rt, ctx, Generation(embedder.digest, name, "beside"))
    return {**told, "state": "started", "run_id": run_id}


def _there(rt: Runtime, name: str) -> Embedder:
    found = rt.models.embedder(name)
    if found is not None:
        return found
    todo = f"weft models pull minilm-{name}"
    if name == "sentence-transformers":
        todo = ".venv/bin/uv pip install '.[torch]'"
    raise Unavailable(f"The embedding model {name} is not here. Type: {todo}", code="model_missing")


def _check_rebuild(head: Head, digest: str, name: str) -> None:
    beside, kept = head.generation("beside"), head.generation("kept")
    if not head.segments:
        raise Conflict(
            "Nothing is indexed yet: the first document is indexed by WEFT_EMBEDDING.",
            code="index_empty",
        )
    if beside is not None and beside.digest != digest:
        raise Conflict(
            f"A generation of {named(beside)} is there already. Type: weft index swap, or weft "
            "index drop",
            code="index_beside",
        )
    if kept is not None and kept.digest == digest:
        raise Conflict(
            f"The vectors of {name} are still kept. Type: weft index rollback, or weft index drop "
            "--kept and then rebuild",
            code="index_kept",
        )


def _repaired(rt: Runtime, ctx: Ctx, head: Head, serving: Generation) -> dict[str, Any]:
    """That model serves already: what lacks its vectors gets them."""
    if not head.lacking(serving.digest):
        raise Conflict(
            f"The index is of {named(serving)} already. Type: weft index rebuild --model NAME, "
            "with the model that you want to compare it with",
            code="index_current",
        )
    asked = reindexing.ask(rt, ctx, serving.digest)
    with rt.db.read(ctx) as tx:
        last = runs.listing(tx, ctx, workflow=REINDEX, limit=1).items
    run_id = last[0].id if last else ""
    state = "started" if asked else "running"
    return {"model": named(serving), "state": state, "run_id": run_id}


def swap(
    rt: Runtime, ctx: Ctx, *, force: bool = False, keep_seconds: float = reindexing.KEEP_SECONDS
) -> dict[str, Any]:
    """→ `{model, before, missing, kept_until}`. Searches use the generation beside from this commit
    on; the one before can be taken back until it is dropped. Raises `Conflict` when there is none,
    when it is not complete (`force`: what lacks vectors is found by words until it has them), or
    when its model cannot be loaded."""
    beside = shelf.head_of(rt, ctx).generation("beside")
    if beside is None:
        raise Conflict(
            "There is nothing to swap. Type: weft index rebuild --model NAME",
            code="nothing_to_swap",
        )
    _check_here(rt, beside)
    now_ms = rt.clock.now_ms()
    until_ms = now_ms + int(keep_seconds * 1000)
    told: dict[str, Any] = {}

    def also(tx: Tx) -> None:
        head = shelf.head_in(tx, ctx, lock=True)
        _check_same(head, beside)
        missing = head.missing(beside.digest)
        if missing and not force:
            raise _incomplete(beside, missing, head.readable)
        told.update(_turned(head, beside), kept_until=rfc3339(until_ms))
        if (kept := head.generation("kept")) is not None:
            freeing.free_in(rt, tx, ctx, kept.digest)
        audit.record(tx, ctx, "index.swap", beside.digest, dict(told))

    shelf.move(rt, ctx, lambda head: heads.swapped(head, beside, now_ms, until_ms), also)
    if told["missing"]:
        reindexing.ask(rt, ctx, beside.digest)
    return told


def _check_here(rt: Runtime, generation: Generation) -> None:
    if generations.loaded(rt.models, generation) is None:
        raise Conflict(
            f"The model {named(generation)} of that generation is not here. Type: weft models "
            "list, and bring it back with: weft models pull NAME",
            code="model_missing",
        )


def _check_same(head: Head, expected: Generation) -> None:
    now = head.generation(expected.state)
    if now is None or now.digest != expected.digest:
        raise Conflict("Somebody else changed it just now. Type: weft index status",
                       code="index_changed")  # fmt: skip


def _incomplete(beside: Generation, missing: int, total: int) -> Conflict:
    return Conflict(
        f"{missing} of {total} passages have no vectors of {named(beside)} yet. Type: weft "
        "index rebuild, and wait for its end (--force: they are found by words meanwhile)",
        code="index_incomplete",
    )


def _turned(head: Head, to: Generation) -> dict[str, Any]:
    before = head.serving
    return {
        "model": named(to), "before": named(before) if before else None,
        "missing": head.missing(to.digest),
    }  # fmt: skip


def rollback(rt: Runtime, ctx: Ctx) -> dict[str, Any]:
    """→ `{model, before, missing}`. What served before the last swap serves again, and what served
    since waits beside. Raises `Conflict` when nothing is kept or its model cannot be loaded."""
    kept = shelf.head_of(rt, ctx).generation("kept")
    if kept is None:
        raise Conflict("There is nothing to go back to.", code="nothing_to_roll_back")
    _check_here(rt, kept)
    told: dict[str, Any] = {}

    def also(tx: Tx) -> None:
        head = shelf.head_in(tx, ctx, lock=True)
        _check_same(head, kept)
        told.update(_turned(head, kept))
        audit.record(tx, ctx, "index.rollback", kept.digest, dict(told))

    now_ms = rt.clock.now_ms()
    shelf.move(rt, ctx, lambda head: heads.rolled_back(head, now_ms), also)
    if told["missing"]:
        reindexing.ask(rt, ctx, kept.digest)
    return told


def drop(rt: Runtime, ctx: Ctx, *, kept: bool = False) -> dict[str, Any]:
    """→ `{model, state}`. The generation beside, made or half made, or the one that is kept. Its
    run is cancelled. Raises `Conflict` when there is none."""
    head = shelf.head_of(rt, ctx)
    one = head.generation("kept" if kept else "beside")
    if one is None:
        other = head.generation("beside" if kept else "kept")
        hint = f" Type: weft index drop{'' if kept else ' --kept'}" if other else ""
        raise Conflict(f"There is nothing to drop.{hint}", code="nothing_to_drop")
    if _open(rt, ctx, one.run_id):
        with contextlib.suppress(Conflict):  # it ended just now
            workflows.cancel(rt, ctx, one.run_id)
    freeing.drop(rt, ctx, one.digest)
    with rt.db.transaction(ctx) as tx:
        audit.record(tx, ctx, "index.drop", one.digest, {"model": named(one)})
    return {"model": named(one), "state": one.state}


def _open(rt: Runtime, ctx: Ctx, run_id: str) -> bool:
    run = run_of(rt, ctx, run_id)
    return run is not None and not run.ended


def run_of(rt: Runtime, ctx: Ctx, run_id: str) -> Run | None:
    if not run_id:
        return None
    with rt.db.read(ctx) as tx, contextlib.suppress(NotFound):
        return runs.get(tx, ctx, run_id)
    return None


def named(generation: Generation) -> str:
    """For people."""
    return generation.model or f"the model {generation.digest[:12]}"
