"""A step's side records, in the database, under the fence of its claim."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.failpoints import fp
from database import Tx, jobs, journal, run_logs
from database import steps as step_rows
from runtime import Runtime
from workflows.held import Held


@dataclass(frozen=True, slots=True)
class RunDesk:
    rt: Runtime
    held: Held

    def recall(self, key: str) -> tuple[bool, Any]:
        held = self.held
        with self.rt.db.read(held.ctx) as tx:
            return journal.get(tx, held.ctx, held.run.id, held.step_id, key)

    def record(self, key: str, value: Any) -> Any:
        """Durable before it is used. A worker that lost its claim records nothing: `FenceLost`."""
        held = self.held
        with fp("journal.commit"), self._mine(durable=True) as tx:
            known, kept = journal.get(tx, held.ctx, held.run.id, held.step_id, key)
            if known:
                return kept
            journal.put(tx, held.ctx, held.run.id, held.step_id, key, value)
        return value

    def log(self, message: str, level: str, data: Mapping[str, Any]) -> None:
        held = self.held
        with self.rt.db.transaction(held.ctx, durable=False) as tx:
            run_logs.add(
                tx, held.ctx, held.run.id, message, level=level, step_id=held.step.id,
                agent=held.step.agent, data=dict(data) or None,
            )  # fmt: skip

    def progress(self, done: int, total: int) -> None:
        held = self.held
        with self._mine(durable=False) as tx:
            step_rows.set_progress(tx, held.ctx, held.step_id, done, total)

    def cancelled(self) -> bool:
        with self.rt.db.read(self.held.ctx) as tx:
            if tx.now_ms > self.held.run.deadline_ms:
                return True
            return not jobs.is_held(tx, self.held.claim)

    @contextlib.contextmanager
    def _mine(self, *, durable: bool) -> Iterator[Tx]:
        with self.rt.db.transaction(self.held.ctx, durable=durable) as tx:
            jobs.hold(tx, self.held.claim)
            yield tx
