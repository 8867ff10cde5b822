"""Pulling: what is new at an integration becomes documents, each once, whatever dies in between.

An item's document, what is known of the item and the position after it are one commit. Nothing that
was taken is fetched again; a changed item's new document replaces the one before.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from agents import refusals
from agents.access import access_of
from agents.removal import remove
from agents.uploads import Received, Upload, receive, safe_name
from core.context import Ctx
from core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Rejected,
    Unavailable,
    Unfinishable,
    WeftError,
)
from core.ids import new_id
from core.plain import check_plain
from database import Tx, integrations, twins
from database.integrations import Integration, ItemRow
from ingestion.sources import At, Dead, Gone, Item, Pause, Pulled
from ingestion.sources.kinds import source
from workflows.tasks import Defer, Done, TaskSpec, Work

_LEASE_SECONDS = 120.0
_ITEMS_MAX = 1_000  # of one run; what is left is due again at once
_BEAT_ITEMS = 20
_BROKE = Unavailable(
    "The pull broke on Weft's side. What came is kept and it is tried again; when it goes on, the "
    "operator finds the reason in the log.", code="internal_error",
)  # fmt: skip


def pull(work: Work) -> Done | Defer:
    """`integration_id` → `{integration_id, taken, duplicate, dead, gone, documents, more}`."""
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


class _Twin(Exception):
    """Another pull kept the same content while this one looked at it."""

    def __init__(self, document_id: str) -> None:
        super().__init__(document_id)
        self.document_id = document_id


class _Pull:
    def __init__(self, work: Work, ctx: Ctx, row: Integration, handler: str) -> None:
        self._work, self._row, self._handler = work, row, handler
        self._rt, self._ctx = work.rt, ctx
        self._counts: Counter[str] = Counter()
        self._documents: list[str] = []
        self._more = False
        self.pause: Pause | None = None

    def run(self) -> None:
        self._clear_stale()
        kind = source(self._row.kind)
        seen = 0
        for one in kind.pull(access_of(self._rt, self._ctx, self._row, self._work)):
            if isinstance(one, Pause):
                self.pause = one
                break
            self._take(one)
            seen += not isinstance(one, At)
            if seen % _BEAT_ITEMS == 1:
                self._beat(seen)
            if seen >= _ITEMS_MAX:
                self._more = True
                break
        self._clear_stale()

    def turn_over(self) -> None:
        """A pause: where it goes on is kept, and what came so far counts for the whole run."""
        assert self.pause is not None
        if self._counts:
            turn = len(list(self._turns()))
            kept = {"counts": dict(self._counts), "documents": self._documents}
            self._work.remember(f"turn-{turn}", lambda: kept)
        with self._rt.db.transaction(self._ctx) as tx:
            self._move(tx, self.pause.cursor)
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
        counts.update(self._counts)
        documents += self._documents
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

    def _take(self, one: Pulled) -> None:
        if isinstance(one, Item):
            self._item(one)
        elif isinstance(one, Dead):
            error = {"code": one.code, "detail": one.detail}
            self._note(one.key, one.version, "dead", one.cursor, error=error)
        elif isinstance(one, Gone):
            self._gone(one)
        elif isinstance(one, At):
            with self._rt.db.transaction(self._ctx, durable=False) as tx:
                self._move(tx, one.cursor)

    def _item(self, one: Item) -> None:
        before = self._before(one.key)
        if before and before.version == one.version and before.state not in ("again", "gone"):
            if one.cursor is not None:
                with self._rt.db.transaction(self._ctx, durable=False) as tx:
                    self._move(tx, one.cursor)
            return
        identity = one.identity or hashlib.sha256(one.data).hexdigest()
        stale = before.document_id if before and before.state == "taken" else None
        with self._rt.db.read(self._ctx) as tx:
            same = integrations.document_of(tx, self._ctx, identity)
        if same is not None and same != stale:
            self._twin(one, identity, same, stale)
            return

        def also(tx: Tx, made: list[Received]) -> None:
            twin = integrations.document_of(tx, self._ctx, identity, alone=True)
            if twin is not None and twin != stale:
                raise _Twin(twin)
            integrations.note_item(
                tx, self._ctx, self._row.id, one.key, one.version, "taken", identity=identity,
                document_id=made[0].document_id, stale_id=stale,
            )  # fmt: skip
            self._move(tx, one.cursor)
            self._documents.append(made[0].document_id)

        try:
            receive(self._rt, self._ctx, [self._upload(one)], also=also)
            self._counts["taken"] += 1
        except _Twin as twin:
            self._twin(one, identity, twin.document_id, stale)
        except Conflict:
            raise
        except (Rejected, Unfinishable) as error:
            self._note(one.key, one.version, "dead", one.cursor, identity=identity,
                       error=error.to_json(), stale_id=stale)  # fmt: skip

    def _twin(self, one: Item, identity: str, same: str, stale: str | None) -> None:
        with self._rt.db.transaction(self._ctx) as tx:
            there = twins.still_of(tx, self._ctx, identity, same)
            if there:
                integrations.note_item(
                    tx, self._ctx, self._row.id, one.key, one.version, "duplicate",
                    identity=identity, document_id=same, stale_id=stale,
                )  # fmt: skip
                self._move(tx, one.cursor)
        if there:
            self._counts["duplicate"] += 1
        else:  # it went meanwhile
            self._item(one)

    def _upload(self, one: Item) -> Upload:
        told = {
            **one.metadata, "integration": self._row.name, "integration_kind": self._row.kind,
            "source_key": one.key,
        }  # fmt: skip
        return Upload(safe_name(one.filename), one.content_type, one.data,
                      metadata=_plain(told), tags=tuple(self._row.tags))  # fmt: skip

    def _gone(self, one: Gone) -> None:
        before = self._before(one.key)
        if before is None or before.state == "gone":
            return
        stale = before.document_id if self._removes and before.state == "taken" else None
        self._note(one.key, before.version, "gone", one.cursor, stale_id=stale,
                   document_id=None if stale else before.document_id)  # fmt: skip

    @property
    def _removes(self) -> bool:
        return self._row.on_gone == "remove"

    def _before(self, key: str) -> ItemRow | None:
        with self._rt.db.read(self._ctx) as tx:
            return integrations.item(tx, self._ctx, self._row.id, key)

    def _note(self, key: str, version: str, state: str, cursor: Any, **about: Any) -> None:
        with self._rt.db.transaction(self._ctx) as tx:
            integrations.note_item(tx, self._ctx, self._row.id, key, version, state, **about)
            self._move(tx, cursor)
        self._counts[state] += 1

    def _move(self, tx: Tx, cursor: Mapping[str, Any] | None) -> None:
        integrations.moved(tx, self._ctx, self._row.id, self._handler, cursor)

    def _clear_stale(self) -> None:
        """Documents that a newer version replaced: removed after the new one was kept."""
        while True:
            with self._rt.db.read(self._ctx) as tx:
                found = integrations.stale(tx, self._ctx, self._row.id, 100)
            for one in found:
                if one.stale_id is not None and self._may_go(one.stale_id):
                    with contextlib.suppress(NotFound):  # somebody removed it before
                        remove(self._rt, self._ctx, one.stale_id)
                with self._rt.db.transaction(self._ctx, durable=False) as tx:
                    integrations.freed(tx, self._ctx, self._row.id, one.item)
            if not found:
                return

    def _may_go(self, document_id: str) -> bool:
        with self._rt.db.transaction(self._ctx) as tx:
            return twins.may_go(tx, self._ctx, document_id)


def _plain(value: Any) -> Any:
    """Metadata from outside, as text that every store takes."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\x00", "")[:2000]
    if isinstance(value, Mapping):
        return {str(_plain(str(name)))[:64]: _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value[:100]]
    try:
        return check_plain(value)
    except ValueError:
        return str(value)


TASKS = (
    TaskSpec(
        "ingestion", "pull", pull, "Take in what is new at an integration",
        {"integration_id": "where to look"},
    ),
)  # fmt: skip
