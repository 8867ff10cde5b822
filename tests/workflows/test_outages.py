"""A store that is away costs time, never an attempt."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from core.clock import FakeClock
from core.context import Ctx
from core.errors import Outage, Unavailable
from database import Database, Tx
from database.tx import translated
from runtime import Runtime
from tests.engine import Drain, Script, Sent, flow, step
from workflows import Submission, approvals, status, submit, sweeper
from workflows.tasks import Done, EffectIntent, Work


def test_an_outage_of_a_minute_spends_no_attempt(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    away = Outage("Away.", code="blobs_unavailable", retry_after=2)
    script.on("a", *([away] * 30), Unavailable("Busy."), Done({}))
    run = submit(rt, tenant, Submission(definition=flow(step("a", retry={"attempts": 2}))))
    for _ in range(60):
        drain(rt, script.agents())
        clock.advance(8)  # four times what the store asked for
    done = status(rt, tenant, run.id)
    assert done["status"] == "completed"
    assert script.calls["a"] == 32
    assert done["steps"][0]["attempts"] == 2


def test_it_says_what_it_waits_for(rt: Runtime, tenant: Ctx, drain: Drain) -> None:
    script = Script()
    script.on("a", Outage("The object store is away.", code="blobs_unavailable", retry_after=2))
    run = submit(rt, tenant, Submission(definition=flow(step("a"))))
    drain(rt, script.agents())
    found = status(rt, tenant, run.id)
    assert found["status"] == "running"
    error = found["steps"][0]["error"]
    assert error["code"] == "blobs_unavailable"


def test_an_outage_does_not_outlive_the_run(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain
) -> None:
    script = Script()
    script.on("a", Outage("Away.", retry_after=2))
    run = submit(rt, tenant, Submission(definition=flow(step("a"))))
    drain(rt, script.agents())
    clock.advance(rt.settings.run_seconds_max + 1)
    sweeper.sweep(rt, script.agents())
    drain(rt, script.agents())
    assert status(rt, tenant, run.id)["status"] == "failed"


class Flickering:
    """The database, away for the next `away` transactions; `late`: it commits them and then says
    nothing."""

    def __init__(self, db: Database) -> None:
        self._db, self.away, self.late = db, 0, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    @contextlib.contextmanager
    def transaction(self, ctx: Ctx, *, durable: bool = True) -> Iterator[Tx]:
        self.away, now = max(0, self.away - 1), self.away
        if now and not self.late:
            raise Outage("Away.", code="database_unavailable", retry_after=1)
        with self._db.transaction(ctx, durable=durable) as tx:
            yield tx
        if now:
            raise Outage("Gone before it answered.", code="database_unavailable", retry_after=1)


@pytest.mark.parametrize("late", [False, True])
def test_a_database_that_goes_while_a_step_is_written_down_spends_no_attempt(
    rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain, late: bool
) -> None:
    db = Flickering(rt.db)
    script = Script()

    def goes(work: Work) -> Done:
        db.away, db.late = 1 if late else 2, late
        return Done({"by": "a"})

    script.on("a", *([goes] * 3), Done({"by": "a"}))
    two = flow(step("a", retry={"attempts": 1}), step("b", "a"))
    run = submit(rt, tenant, Submission(definition=two))
    for _ in range(8):
        drain(replace(rt, db=db), script.agents())  # type: ignore[arg-type]
        clock.advance(8)
    done = status(rt, tenant, run.id)
    assert done["status"] == "completed"
    assert [one["attempts"] for one in done["steps"]] == [1, 1]
    assert script.calls["a"] == (1 if late else 4)


def test_a_database_that_goes_while_an_effect_is_written_down_leaves_no_doubt(
    rt: Runtime, tenant: Ctx, drain: Drain
) -> None:
    db, sent, script = Flickering(rt.db), Sent("blind"), Script()
    send = sent.send

    def goes(call: Any) -> dict[str, Any]:
        db.away = 2
        return send(call)

    sent.send = goes  # type: ignore[method-assign]
    script.on("a", Done({}, effects=(EffectIntent("sink", "x", "pay", {"amount": 1}),)))
    run = submit(rt, tenant, Submission(definition=flow(step("a", task="action.act"))))
    weak = replace(rt, db=db, connectors={"sink": sent})  # type: ignore[arg-type]
    drain(weak, script.agents())
    with rt.db.read(tenant) as tx:
        (request,) = approvals.listing(tx, tenant).items
    approvals.decide(rt, tenant, request.approval.id, "approve")
    drain(weak, script.agents())
    assert status(rt, tenant, run.id)["status"] == "completed"
    assert len(sent.calls) == 1


def sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("no")
    error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sqlite_error(sqlite3.SQLITE_BUSY), Outage),
        (sqlite_error(sqlite3.SQLITE_IOERR_WRITE), Outage),
        (sqlite_error(sqlite3.SQLITE_FULL), Outage),
        (sqlite_error(sqlite3.SQLITE_ERROR), Unavailable),
        (psycopg.OperationalError("server closed the connection"), Outage),
        (psycopg.errors.AdminShutdown(), Outage),
        (psycopg.errors.QueryCanceled(), Unavailable),
    ],
)
def test_a_database_that_is_away_is_an_outage_and_a_bad_question_is_none(
    error: Exception, kind: type[Exception]
) -> None:
    with pytest.raises(Unavailable) as caught, translated(type(error)):
        raise error
    assert type(caught.value) is kind
