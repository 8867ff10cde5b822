"""One transition: state, facts and jobs in one transaction; bells rung after it is durable."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from core.context import Ctx
from core.failpoints import fp
from database import Tx, events, run_logs
from database.runs import Run
from runtime import Runtime
from workflows.supervision import Agents

RELAY = "relay"


@dataclass(slots=True)
class Turn:
    """Collects what the transition says to the outside; `ctx` is set once its tenant is known."""

    rt: Runtime
    agents: Agents | None
    tx: Tx
    ctx: Ctx
    boundaries: contextlib.ExitStack
    facts: list[tuple[str | None, str, dict[str, Any]]] = field(default_factory=list)
    rings: dict[str, int] = field(default_factory=dict)

    def fact(self, run_id: str | None, kind: str, **data: Any) -> None:
        self.facts.append((run_id, kind, data))

    def ring(self, queue: str, times: int = 1) -> None:
        self.rings[queue] = self.rings.get(queue, 0) + times

    def become(self, ctx: Ctx) -> None:
        """What was begun over all tenants goes on as this one."""
        self.tx.become(ctx)
        self.ctx = ctx

    def mark(self, name: str) -> None:
        """The failpoint `name` lies around this transaction's commit."""
        self.boundaries.enter_context(fp(name))


@contextlib.contextmanager
def turn(
    rt: Runtime, ctx: Ctx, *names: str, agents: Agents | None = None, durable: bool = True
) -> Iterator[Turn]:
    """Commits on exit and rings after; `names` are the failpoints around the commit."""
    with contextlib.ExitStack() as boundaries:
        for name in names:
            boundaries.enter_context(fp(name))
        with rt.db.transaction(ctx, durable=durable) as tx:
            one = Turn(rt, agents, tx, ctx, boundaries)
            yield one
            events.append_many(tx, one.ctx, one.facts)
            _tell_people(one)
    for queue, times in one.rings.items():
        for _ in range(times):
            rt.jobs.ring(queue)
    if one.facts:
        rt.jobs.ring(RELAY)


# What people find among a run's log lines, beside what its tasks say.
_LEVELS = {
    "step.retrying": "warning", "step.failed": "error", "job.dead": "error",
    "step.needs_review": "warning", "approval.requested": "info", "approval.approved": "info",
    "approval.rejected": "warning", "approval.expired": "warning", "effect.confirmed": "info",
    "effect.refused": "error", "effect.unknown": "warning", "effect.retrying": "warning",
    "workflow.planned": "info", "workflow.retried": "info", "workflow.completed": "info",
    "workflow.failed": "error", "workflow.cancelled": "warning",
    "workflow.needs_review": "warning",
}  # fmt: skip


def _tell_people(t: Turn) -> None:
    for run_id, kind, data in t.facts:
        if kind in _LEVELS and run_id:
            run_logs.add(
                t.tx, t.ctx, run_id, kind.replace(".", " ").replace("_", " "),
                level=_LEVELS[kind], step_id=data.get("step"), agent=data.get("agent"),
                data=data or None,
            )  # fmt: skip


def run_ctx(run: Run, tenant: str) -> Ctx:
    """What a run may do is what its submitter could, kept on its row."""
    return Ctx(tenant, f"run:{run.id}", frozenset(run.roles), frozenset(run.scopes), run.request_id)
