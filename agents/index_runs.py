"""The runs of an index's upkeep: how they are submitted, and whether one was lately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.context import Ctx
from database import Tx, runs
from runtime import Runtime
from workflows.submission import Submission

REINDEX, REBUILD, FREE = "reindex", "rebuild-index", "free-index"
_AGAIN_MS = 600_000  # between two runs of which the first did not help
_SUMMARIES = {
    REINDEX: "Embed passages that lack vectors of the current model",
    REBUILD: "Make the vectors of another model beside those in use",
    FREE: "Delete what is stored of vectors that are no longer wanted",
}


def submission(name: str, digest: str, given: Mapping[str, Any]) -> Submission:
    task = name.removesuffix("-index")
    step = {"id": task, "agent": "ingestion", "task": task, "with": dict(given)}
    flow = {"name": name, "summary": _SUMMARIES[name], "steps": [step]}
    return Submission(definition=flow, priority=1, metadata={"digest": digest})


def lately(tx: Tx, ctx: Ctx, workflow: str, digest: str) -> bool:
    last = runs.listing(tx, ctx, workflow=workflow, limit=1).items
    return any(
        run.metadata.get("digest") == digest
        and (not run.ended or run.created_ms > tx.now_ms - _AGAIN_MS)
        for run in last
    )


def system(ctx: Ctx) -> Ctx:
    return Ctx(ctx.tenant, "system", request_id=ctx.request_id)


def ring(rt: Runtime) -> None:
    rt.jobs.ring("supervisor")
    rt.jobs.ring("relay")
