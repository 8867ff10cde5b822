"""What a pull brings is kept: the documents of many small items, what is known of them and the
position after them are one commit."""

from __future__ import annotations

import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from agents.removal import remove
from agents.uploads import Received, Upload, receive, safe_name, submitted
from core.context import Ctx
from core.errors import Conflict, NotFound, Rejected, Unfinishable
from core.plain import check_plain
from database import Tx, integrations, twins
from database.integrations import Integration, ItemRow
from ingestion.sources import At, Dead, Gone, Item, Pulled
from runtime import Runtime

_TOGETHER, _BYTES = 20, 2 * 2**20  # of one commit
_SLOW_SECONDS = 0.5  # what took longer to come is kept at once
# Below what a person brings: ten thousand mails keep nobody's upload waiting.
_PRIORITY = 3
_start = partial(submitted, priority=_PRIORITY)


class _Changed(Exception):
    """Another pull kept, or somebody removed, the same content while this one looked at it."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """An item beside what is known: `same` is the document of its content, `stale` the one that it
    replaces."""

    one: Item
    identity: str
    known: bool
    same: str | None
    stale: str | None

    @property
    def twin(self) -> bool:
        return self.same is not None and self.same != self.stale


class Keeping:
    """Of one pull. What was given to `take` is kept after `flush`."""

    def __init__(self, rt: Runtime, ctx: Ctx, row: Integration, handler: str) -> None:
        self._rt, self._ctx, self._row, self._handler = rt, ctx, row, handler
        self._waiting: list[Item] = []
        self._since = time.monotonic()
        self.counts: Counter[str] = Counter()
        self.documents: list[str] = []

    def take(self, one: Pulled) -> None:
        """Raises `Conflict` when the claim is lost."""
        if isinstance(one, Item):
            self._item(one)
        else:
            self.flush()
            self._rest(one)
        self._since = time.monotonic()

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._together(waiting)

    def clear_stale(self) -> None:
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

    def move(self, tx: Tx, cursor: Mapping[str, Any] | None) -> None:
        integrations.moved(tx, self._ctx, self._row.id, self._handler, cursor)

    def _item(self, one: Item) -> None:
        mine = _identity(one)
        if any(one.key == other.key or mine == _identity(other) for other in self._waiting):
            self.flush()
        self._waiting.append(one)
        slow = time.monotonic() - self._since > _SLOW_SECONDS
        size = sum(len(each.data) for each in self._waiting)
        if slow or len(self._waiting) >= _TOGETHER or size >= _BYTES:
            self.flush()

    def _together(self, items: Sequence[Item]) -> None:
        """One at a time where something is wrong with one of them."""
        seen = self._looked(items)
        try:
            self._keep(seen)
        except Conflict:
            raise
        except _Changed:
            self._apart(items)
        except (Rejected, Unfinishable) as error:
            if len(items) > 1:
                self._apart(items)
                return
            one = items[0]
            self._note(one.key, one.version, "dead", one.cursor, identity=seen[0].identity,
                       error=error.to_json(), stale_id=seen[0].stale)  # fmt: skip

    def _apart(self, items: Sequence[Item]) -> None:
        for one in items:
            self._together([one])

    def _looked(self, items: Sequence[Item]) -> list[_Seen]:
        with self._rt.db.read(self._ctx) as tx:
            return [self._look(tx, one) for one in items]

    def _look(self, tx: Tx, one: Item) -> _Seen:
        before, identity = self._before(tx, one.key), _identity(one)
        known = before is not None and before.version == one.version
        known = known and before is not None and before.state not in ("again", "gone")
        stale = before.document_id if before and before.state == "taken" else None
        same = None if known else integrations.document_of(tx, self._ctx, identity)
        return _Seen(one, identity, known, same, stale)

    def _keep(self, seen: Sequence[_Seen]) -> None:
        """Raises `_Changed`, and what an upload raises."""
        new = [each for each in seen if not each.known and not each.twin]
        copies = [each for each in seen if not each.known and each.twin]
        cursor = next((e.one.cursor for e in reversed(seen) if e.one.cursor is not None), None)

        def also(tx: Tx, made: Sequence[Received]) -> None:
            self._insist(tx, seen)
            for each, got in zip(new, made, strict=True):
                self._note_in(tx, each, "taken", got.document_id)
            for each in copies:
                self._note_in(tx, each, "duplicate", each.same)
            self.move(tx, cursor)

        made: list[Received] = []
        if new:
            made = receive(self._rt, self._ctx, [self._upload(each.one) for each in new],
                           _start, also)  # fmt: skip
        elif copies or cursor is not None:
            with self._rt.db.transaction(self._ctx, durable=bool(copies)) as tx:
                also(tx, [])
        self.counts["taken"] += len(new)
        self.counts["duplicate"] += len(copies)
        self.documents += [one.document_id for one in made]

    def _insist(self, tx: Tx, seen: Sequence[_Seen]) -> None:
        """That all is as it was seen, until the transaction ends. Everybody waits for contents in
        the same order."""
        for each in sorted(seen, key=lambda each: each.identity):
            if each.known:
                continue
            if each.twin and each.same:
                if not twins.still_of(tx, self._ctx, each.identity, each.same):
                    raise _Changed
                continue
            found = integrations.document_of(tx, self._ctx, each.identity, alone=True)
            if found is not None and found != each.stale:
                raise _Changed

    def _note_in(self, tx: Tx, each: _Seen, state: str, document_id: str | None) -> None:
        integrations.note_item(
            tx, self._ctx, self._row.id, each.one.key, each.one.version, state,
            identity=each.identity, document_id=document_id, stale_id=each.stale,
        )  # fmt: skip

    def _upload(self, one: Item) -> Upload:
        told = {
            **one.metadata, "integration": self._row.name, "integration_kind": self._row.kind,
            "source_key": one.key,
        }  # fmt: skip
        return Upload(safe_name(one.filename), one.content_type, one.data,
                      metadata=_plain(told), tags=tuple(self._row.tags))  # fmt: skip

    def _rest(self, one: Pulled) -> None:
        if isinstance(one, Dead):
            error = {"code": one.code, "detail": one.detail}
            self._note(one.key, one.version, "dead", one.cursor, error=error)
        elif isinstance(one, Gone):
            self._gone(one)
        elif isinstance(one, At):
            with self._rt.db.transaction(self._ctx, durable=False) as tx:
                self.move(tx, one.cursor)

    def _gone(self, one: Gone) -> None:
        with self._rt.db.read(self._ctx) as tx:
            before = self._before(tx, one.key)
        if before is None or before.state == "gone":
            return
        removes = self._row.on_gone == "remove" and before.state == "taken"
        stale = before.document_id if removes else None
        self._note(one.key, before.version, "gone", one.cursor, stale_id=stale,
                   document_id=None if stale else before.document_id)  # fmt: skip

    def _before(self, tx: Tx, key: str) -> ItemRow | None:
        return integrations.item(tx, self._ctx, self._row.id, key)

    def _note(self, key: str, version: str, state: str, cursor: Any, **about: Any) -> None:
        with self._rt.db.transaction(self._ctx) as tx:
            integrations.note_item(tx, self._ctx, self._row.id, key, version, state, **about)
            self.move(tx, cursor)
        self.counts[state] += 1

    def _may_go(self, document_id: str) -> bool:
        with self._rt.db.transaction(self._ctx) as tx:
            return twins.may_go(tx, self._ctx, document_id)


def _identity(one: Item) -> str:
    return one.identity or hashlib.sha256(one.data).hexdigest()


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
