"""Pulling: what is new at an integration becomes documents, each once, whatever dies in between.

What was taken is not fetched again; a changed item's new document replaces the one before. Pulls
have half of a process's threads at most, so that people's uploads are read meanwhile.
"""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from agents import refusals
from agents.access import access_of
from agents.keeping import Keeping
from core.context import Ctx
from core.errors import Conflict, InvalidInput, Rejected, Unavailable, Unfinishable, WeftError
from core.ids import new_id
from database import Tx, integrations
from database.integrations import Integration
from ingestion.sources import Access, At, Pause
from ingestion.sources.kinds import source
from workflows.tasks import Defer, Done, TaskSpec, Work

_LEASE_SECONDS = 120.0
_ITEMS_MAX = 1_000  # of one run; what is left is due again at once
_BEAT_ITEMS = 20
_BROKE = Unavailable(
    "The pull broke on Weft's side. What came is kept and it is tried again; when it goes on, the "
    "operator finds the reason in the log.", code="internal_error",
)  # fmt: skip


class _Share:
    """How many pulls go on in this process."""

    def __init__(self) -> None:
        self._lock, self._count = threading.Lock(), 0

    @contextlib.contextmanager
    def of(self, threads: int) -> Iterator[bool]:
        """Whether one more fits in."""
        with self._lock:
            fits = self._count < max(1, threads // 2)
            self._count += fits
        try:
            yield fits
        finally:
            with self._lock:
                self._count -= fits


SHARE = _Share()


def pull(work: Work) -> Done | Defer:
    """`integration_id` → `{integration_id, taken, duplicate, dead, gone, documents, more}`."""
    with SHARE.of(work.rt.settings.worker_threads) as fits:
        return _pulled(work) if fits else Defer(1.0, "other pulls go on")


def _pulled(work: Work) -> Done | Defer:
    name = work.message.payload.get("integration_id")
    if not isinstance(name, str):
        raise InvalidInput("This task needs an `integration_id`.", field="integration_id")
    # What comes is the integration's, whichever run fetched it.
    rt, ctx = work.rt, replace(work.ctx, actor=f"integration:{name}")
    # A worker that lost its step may still be at it: each attempt has a name of its own.
    handler = f"{work.step_id}:{new_id()[-12:]}"
    with rt.db.transaction(ctx, durable=False) as tx:
        row = integrations.get(tx, ctx, name)
        if not integrations.claim(
            tx, ctx, name, handler, _LEASE_SECONDS, before=f"{work.step_id}:"
        ):
            return Defer(1.0, f"integration {row.name}: another run pulls it")
    one = _Pull(work, ctx, row, handler)
    try:
        one.run()
    except (Rejected, Unfinishable, Unavailable) as error:
        one.end(error)
        raise
    except Exception:
        one.end(_BROKE)
        raise
    except BaseException:
        one.let_go()
        raise
    if one.pause is not None:
        one.turn_over()
        return Defer(one.pause.seconds, f"integration {row.name}: {one.pause.waiting_for}")
    one.end(None)
    return Done({"integration_id": name, **one.summary()})


class _Pull:
    def __init__(self, work: Work, ctx: Ctx, row: Integration, handler: str) -> None:
        self._work, self._row, self._handler = work, row, handler
        self._rt, self._ctx = work.rt, ctx
        self._kept = Keeping(work.rt, ctx, row, handler)
        self._more = False
        self.pause: Pause | None = None

    def run(self) -> None:
        self._kept.clear_stale()
        access = access_of(self._rt, self._ctx, self._row, self._work)
        try:
            self._go_through(replace(access, taken=self._taken(access)))
        except WeftError:
            with contextlib.suppress(WeftError):  # what is told is why it ended
                self._kept.flush()
            raise
        self._kept.flush()
        self._kept.clear_stale()

    def _go_through(self, access: Access) -> None:
        seen = 0
        for one in source(self._row.kind).pull(access):
            if isinstance(one, Pause):
                self.pause = one
                break
            self._kept.take(one)
            seen += not isinstance(one, At)
            if seen % _BEAT_ITEMS == 1:
                self._beat(seen)
            if seen >= _ITEMS_MAX:
                self._more = True
                break

    def _taken(self, access: Access) -> Callable[[str], bool]:
        """A source asks before it marks or moves a mail: what waits is kept first."""

        def taken(key: str) -> bool:
            self._kept.flush()
            return access.taken(key)

        return taken

    def turn_over(self) -> None:
        """A pause: where it goes on is kept, and what came so far counts for the whole run."""
        assert self.pause is not None
        if self._kept.counts:
            turn = len(list(self._turns()))
            kept = {"counts": dict(self._kept.counts), "documents": self._kept.documents}
            self._work.remember(f"turn-{turn}", lambda: kept)
        with self._rt.db.transaction(self._ctx) as tx:
            self._kept.move(tx, self.pause.cursor)
            integrations.release(tx, self._ctx, self._row.id, self._handler)

    def _turns(self) -> Iterator[dict[str, Any]]:
        """What came in the earlier turns of this run."""
        for turn in itertools.count():
            known, kept = self._work.desk.recall(f"turn-{turn}")
            if not known:
                return
            yield kept

    def summary(self) -> dict[str, Any]:
        counts, documents = Counter[str](), list[str]()
        for turn in self._turns():
            counts.update(turn["counts"])
            documents += turn["documents"]
        counts.update(self._kept.counts)
        documents += self._kept.documents
        told = {state: counts[state] for state in ("taken", "duplicate", "dead", "gone")}
        return {**told, "documents": documents[:_ITEMS_MAX], "more": self._more}

    def end(self, error: WeftError | None) -> None:
        with self._rt.db.transaction(self._ctx) as tx:
            values = {"pulled_ms": tx.now_ms, **self._outcome(tx, error)}
            if self._more:
                values["due_ms"] = tx.now_ms
            integrations.release(tx, self._ctx, self._row.id, self._handler, **values)

    def _outcome(self, tx: Tx, error: WeftError | None) -> dict[str, Any]:
        if error is None:
            return {"status": "ok", "error": None}
        row = integrations.get(tx, self._ctx, self._row.id)
        if row.updated_ms != self._row.updated_ms:  # what it is now was not tried yet
            return {}
        told = refusals.told(row, error, tx.now_ms)
        return {"status": "failing", "error": told, **refusals.due(row, told)}

    def let_go(self) -> None:
        with self._rt.db.transaction(self._ctx, durable=False) as tx:
            integrations.release(tx, self._ctx, self._row.id, self._handler)

    def _beat(self, seen: int) -> None:
        self._work.progress(seen, 0)
        with self._rt.db.transaction(self._ctx, durable=False) as tx:
            held = integrations.claim(tx, self._ctx, self._row.id, self._handler, _LEASE_SECONDS)
        if not held:
            raise Conflict("Another run pulls this integration now.", code="claim_lost")


TASKS = (
    TaskSpec(
        "ingestion", "pull", pull, "Take in what is new at an integration",
        {"integration_id": "where to look"},
    ),
)  # fmt: skip
