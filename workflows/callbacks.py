"""The completion callback: an effect of its own that never changes the run's status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.clock import rfc3339
from database import effects, jobs
from database.runs import Run
from workflows import intents
from workflows.tasks import EffectIntent
from workflows.turn import Turn

STEP = "callback"


def reserve(t: Turn, run: Run, status: str, outputs: Any, error: Mapping[str, Any] | None) -> None:
    """In the transaction of the run's end; each end (after a retry, say) is told once."""
    if "webhook" not in t.rt.connectors:
        return
    t.mark("effect.reserve")
    told = sum(one.step_id == STEP for one in effects.of_run(t.tx, t.ctx, run.id))
    payload = {
        "type": f"workflow.{status}",
        "timestamp": rfc3339(t.tx.now_ms),
        "data": {
            "workflow_id": run.id, "workflow": run.workflow, "status": status,
            "outputs": outputs, "error": dict(error) if error else None,
            "created_at": rfc3339(run.created_ms), "completed_at": rfc3339(t.tx.now_ms),
            "metadata": dict(run.metadata),
        },
    }  # fmt: skip
    intent = EffectIntent(
        "webhook", run.callback_url or "", f"Tell {run.callback_url} that the run is {status}",
        {"url": run.callback_url, "payload": payload},
    )  # fmt: skip
    row = intents.row(t, run.id, STEP, told, intent, free=True)
    effects.add_many(t.tx, t.ctx, [row])
    jobs.add_many(t.tx, t.ctx, [intents.job(t, row, run.priority)])
    t.ring(intents.QUEUE)
