"""Listening: an integration that says by itself when something is new (IMAP IDLE) is pulled then.

Each is listened to by one process, which holds a lease in the database, in a thread of its own: a
worker that dies is followed by another one after the lease.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

from agents import refusals
from agents.access import access_of
from core import telemetry
from core.context import PLATFORM, Ctx
from core.errors import NotFound, Unavailable, WeftError
from database import integrations, watches
from database.integrations import Integration
from database.watches import Watch
from ingestion.sources import Watching
from ingestion.sources.kinds import source
from runtime import Runtime
from workflows.triggers import ring

MOST = 32  # of one process; a thread that waits costs little, but not nothing
_ROUND_SECONDS, _LEASE_SECONDS = 5.0, 30.0
_TURN_SECONDS = 1_500.0  # less than the half hour that servers keep a silent client
_PAUSE_SECONDS, _PAUSE_MOST = 5.0, 300.0
_PULL_SECONDS = 60.0  # a pull that takes longer is not waited for
_REST_SECONDS = 60.0  # between two looks whether a refused sign-in may be tried again
_log = telemetry.log("agents")


@dataclass(slots=True)
class _Ear:
    watch: Watch
    over: threading.Event
    thread: threading.Thread


def listen(rt: Runtime, stop: threading.Event) -> None:
    """Until `stop`; an edge, as the worker is one."""
    listener = Listener(rt)
    while True:
        try:
            listener.round()
        except WeftError as error:
            _log.warning("listening waits", **error.to_json())
        except Exception:  # noqa: BLE001 (an edge: it goes on)
            _log.exception("listening broke")
        if stop.wait(_ROUND_SECONDS):
            break
    listener.close()


class Listener:
    def __init__(self, rt: Runtime) -> None:
        self._rt = rt
        self._ears: dict[str, _Ear] = {}

    @property
    def held(self) -> Mapping[str, Watch]:
        return {name: ear.watch for name, ear in self._ears.items()}

    def round(self) -> None:
        """Keeps what is held, lets go of what was changed, takes what is free."""
        for name, ear in list(self._ears.items()):
            with self._rt.db.transaction(_ctx(ear.watch), durable=False) as tx:
                kept = watches.hold(tx, _ctx(ear.watch), ear.watch, _LEASE_SECONDS)
            if kept is None or not ear.thread.is_alive():
                ear.over.set()
                del self._ears[name]
            else:
                ear.watch = kept
        if len(self._ears) < MOST:
            self._take(MOST - len(self._ears))

    def close(self) -> None:
        for ear in self._ears.values():
            ear.over.set()
        for ear in self._ears.values():
            ear.thread.join(_ROUND_SECONDS)
            try:
                with self._rt.db.transaction(_ctx(ear.watch), durable=False) as tx:
                    watches.let_go(tx, _ctx(ear.watch), ear.watch)
            except WeftError as error:  # then its lease runs out
                _log.warning("a lease stays", **error.to_json())
        self._ears.clear()

    def _take(self, most: int) -> None:
        with self._rt.db.read(PLATFORM) as tx:
            found = watches.free(tx, most)
        for one in found:
            with self._rt.db.transaction(_ctx(one), durable=False) as tx:
                held = watches.hold(tx, _ctx(one), one, _LEASE_SECONDS)
            if held is None:
                continue
            over = threading.Event()
            thread = threading.Thread(
                target=_hear, args=(self._rt, _ctx(one), one.id, over),
                name=f"weft-listen-{one.id[-8:]}", daemon=True,
            )  # fmt: skip
            self._ears[one.id] = _Ear(held, over, thread)
            thread.start()


def _ctx(one: Watch) -> Ctx:
    return Ctx(one.tenant, f"integration:{one.id}")


def _hear(rt: Runtime, ctx: Ctx, name: str, over: threading.Event) -> None:
    """The thread of one integration. What fails is tried again after longer and longer pauses: a
    server that locks out who knocks too often is left in peace."""
    pause, failing = _PAUSE_SECONDS, False
    while not over.is_set():
        try:
            row = _row(rt, ctx, name)
            if (left := (refusals.next_ms(row) - rt.clock.now_ms()) / 1000) > 0:
                over.wait(min(left, _REST_SECONDS))
                continue
            access = replace(access_of(rt, ctx, row), stopped=over.is_set)
            # After a failure a short look, so that a pull soon says that it works again.
            seconds = 1.0 if failing else _TURN_SECONDS
            told = cast(Watching, source(row.kind)).wait(access, seconds)
            if over.is_set() or not (told or failing):
                continue
            moved = _pulled(rt, ctx, row, over)
            failing = False
        except NotFound:
            return
        except (WeftError, OSError, ValueError) as error:
            moved, failing = False, True
            _failed(rt, ctx, name, error)
        except Exception:  # noqa: BLE001 (an edge: the other ears go on)
            moved, failing = False, True
            _log.exception("a watch broke", integration=name)
        pause = _PAUSE_SECONDS if moved else min(pause * 2, _PAUSE_MOST)
        if not moved:
            over.wait(pause)


def _row(rt: Runtime, ctx: Ctx, name: str) -> Integration:
    with rt.db.read(ctx) as tx:
        return integrations.get(tx, ctx, name)


def _pulled(rt: Runtime, ctx: Ctx, row: Integration, over: threading.Event) -> bool:
    """Has it pulled; whether that came any further."""
    with rt.db.transaction(ctx) as tx:
        watches.news(tx, ctx, row.id)
    ring(rt)
    now = row
    for _ in range(int(_PULL_SECONDS)):
        now = _row(rt, ctx, row.id)
        if now.pulled_ms != row.pulled_ms or over.wait(1.0):
            break
    return now.cursor != row.cursor


def _failed(rt: Runtime, ctx: Ctx, name: str, error: Exception) -> None:
    """Never raises: the next try says it again."""
    known = error if isinstance(error, WeftError) else Unavailable(
        "The other side answered what cannot be read.", code="unreadable"
    )  # fmt: skip
    try:
        with rt.db.transaction(ctx, durable=False) as tx:
            row = integrations.get(tx, ctx, name)
            told = refusals.told(row, known, tx.now_ms)
            watches.failed(tx, ctx, row, told, **refusals.due(row, told))
    except WeftError as other:
        _log.warning("listening waits", **other.to_json())
