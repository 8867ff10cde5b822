"""The platform's own look over all tenants: claim the fairest job, sweep what was left, relay.

The only queries without `Ctx`: what they give is used to make one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Float,
    Integer,
    String,
    and_,
    any_,
    bindparam,
    case,
    column,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from core.context import Ctx
from core.events import Event
from core.tiers import tier_of
from database.engine import Tx
from database.prepared import Prepared
from database.tables import approvals, events, jobs, runs, turns

# How many turns a tenant that comes back from idling may take before the others, above its own.
_BURST = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that this worker holds until its lease ends; every write says `WHERE fence = mine`."""

    tenant: str
    job_id: str
    run_id: str
    step_id: str | None
    effect_id: str | None
    kind: str  # advance | step | effect
    queue: str
    fence: int
    attempts: int
    priority: int


# How many tenants with ready jobs one claim looks at, in each queue.
LOOK = 32


@dataclass(slots=True)
class Round:
    """Where a worker's next look begins when more tenants wait than one look takes in."""

    after: str = ""


@lru_cache(maxsize=64)
def _waiting(queues: tuple[str, ...]) -> Prepared:
    """The next tenants with ready jobs in each queue: one step down the index for each, however
    many jobs it has. A worker asks for the same queues all its life."""
    places = " UNION ALL ".join(f"SELECT :q{n} AS queue" for n in range(len(queues)))
    line = text(_LINE.format(places=places))
    kinds = (String, String, Integer, String, Float)
    names = ("tenant", "queue", "n", "tier", "served")
    return Prepared(
        line.bindparams(
            bindparam("after", type_=String), bindparam("most", type_=Integer),
            bindparam("now", type_=BigInteger),
            *(bindparam(f"q{n}", queue, String) for n, queue in enumerate(queues)),
        ).columns(*(column(*each) for each in zip(names, kinds, strict=True)))
    )  # fmt: skip


# Subqueries, not joins: PostgreSQL cannot know how short the line is and would read whole tables.
_LINE = """
WITH RECURSIVE line(queue, tenant, n) AS (
    SELECT queue, CAST(:after AS VARCHAR(64)), 0 FROM ({places}) AS places
    UNION ALL
    SELECT queue, (
        SELECT jobs.tenant_id FROM jobs
        WHERE jobs.status = 'ready' AND jobs.queue = line.queue AND jobs.tenant_id > line.tenant
            AND jobs.ready_ms <= :now
        ORDER BY jobs.tenant_id LIMIT 1
    ), n + 1 FROM line WHERE tenant IS NOT NULL AND n < :most
)
SELECT tenant, queue, n,
    (SELECT tier FROM tenants WHERE tenants.id = line.tenant AND tenants.status = 'active'),
    (SELECT served FROM turns WHERE turns.tenant_id = line.tenant AND turns.queue = line.queue)
FROM line WHERE n > 0 AND tenant IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A tenant with ready jobs in a queue, and its virtual time there."""

    tenant: str
    queue: str
    place: int  # in the line of that queue
    tier: str | None  # None: the tenant is not active
    served: float | None


_busy = Prepared(
    select(jobs.c.tenant_id, func.count())
    .where(jobs.c.status == "running")
    .group_by(jobs.c.tenant_id)
)
_oldest = (
    select(
        jobs.c.id, jobs.c.run_id, jobs.c.step_id, jobs.c.effect_id, jobs.c.kind, jobs.c.fence,
        jobs.c.attempts, jobs.c.priority,
    )
    .where(
        jobs.c.status == "ready",
        jobs.c.queue == bindparam("queue"),
        jobs.c.tenant_id == bindparam("tenant"),
        jobs.c.ready_ms <= bindparam("now"),
    )
    .order_by(jobs.c.priority.desc(), jobs.c.ready_ms, jobs.c.id)
    .limit(1)
)  # fmt: skip
_its_run = and_(runs.c.tenant_id == jobs.c.tenant_id, runs.c.id == jobs.c.run_id)
_first = Prepared(_oldest)
_take = Prepared(
    update(jobs)
    .where(
        jobs.c.tenant_id == bindparam("tenant"),
        jobs.c.id == bindparam("job"),
        jobs.c.fence == bindparam("seen"),
        jobs.c.status == "ready",
    )
    .values(
        status="running",
        fence=jobs.c.fence + 1,
        attempts=jobs.c.attempts + 1,
        lease_until_ms=bindparam("until"),
        lease_owner=bindparam("owner"),
    )
)


# On PostgreSQL the run is locked with its job, in the order that everybody keeps (run, job, step),
# and nobody waits for either: what another worker holds is passed over.
_free = (
    _oldest.with_only_columns(jobs.c.id)
    .join(runs, _its_run)
    .with_for_update(of=(runs, jobs), key_share=True, skip_locked=True)
    .cte("free")
)
_take_first = Prepared(
    update(jobs)
    .where(jobs.c.tenant_id == bindparam("tenant"), jobs.c.id == _free.c.id)
    .values(
        status="running", fence=jobs.c.fence + 1, attempts=jobs.c.attempts + 1,
        lease_until_ms=bindparam("until"), lease_owner=bindparam("owner"),
    )
    .returning(
        jobs.c.id, jobs.c.run_id, jobs.c.step_id, jobs.c.effect_id, jobs.c.kind, jobs.c.fence,
        jobs.c.attempts, jobs.c.priority,
    )
)  # fmt: skip


def _taken(tx: Tx, tenant: str, queue: str, owner: str, lease_ms: int) -> Claim | None:
    """The first ready job of the tenant in that queue, ours from now on."""
    wanted = {"queue": queue, "tenant": tenant, "now": tx.now_ms}
    mine = {"owner": owner, "until": tx.now_ms + lease_ms}
    if tx.dialect == "postgresql":
        row = tx.execute(_take_first, {**wanted, **mine}).first()
        if row is None:
            return None
        job, run, step, effect, kind, fence, attempts, priority = row
    else:
        row = tx.execute(_first, wanted).first()
        if row is None:
            return None
        job, run, step, effect, kind, seen, tries, priority = row
        if tx.execute(_take, {"tenant": tenant, "job": job, "seen": seen, **mine}).rowcount != 1:
            return None
        fence, attempts = seen + 1, tries + 1
    return Claim(tenant, job, run, step, effect, kind, queue, fence, attempts, priority)


def _upsert_turn(insert: Any) -> Prepared:
    """Adds to what is there: another worker may have added meanwhile."""
    statement = insert(turns).values(
        tenant_id=bindparam("tenant"), queue=bindparam("queue_"), served=bindparam("served_")
    )
    least = case(
        (turns.c.served > bindparam("floor", type_=Float), turns.c.served),
        else_=bindparam("floor", type_=Float),
    )
    return Prepared(
        statement.on_conflict_do_update(
            index_elements=["tenant_id", "queue"],
            set_={"served": least + bindparam("cost", type_=Float)},
        )
    )


_turn = {"sqlite": _upsert_turn(sqlite.insert), "postgresql": _upsert_turn(postgresql.insert)}


def _next(tx: Tx, queues: tuple[str, ...], after: str) -> Callable[[], tuple[list[_Waiting], str]]:
    """When called: the tenants that wait behind `after`, and behind whom the next look begins. At
    the end of the line it goes on at its head, so that no tenant is alone in a look."""
    asked = {"now": tx.now_ms, "most": LOOK}
    found = tx.execute(_waiting(queues), {**asked, "after": after})

    def looked() -> tuple[list[_Waiting], str]:
        line = [_Waiting(*row) for row in found]
        last = [one.tenant for one in line if one.place == LOOK]
        if after and len(last) < len(queues):
            head = [_Waiting(*row) for row in tx.execute(_waiting(queues), {**asked, "after": ""})]
            seen = {(one.queue, one.tenant) for one in line}
            full = {one.queue for one in line if one.place == LOOK}
            line += [
                one for one in head if one.queue not in full and (one.queue, one.tenant) not in seen
            ]
            last = last or [one.tenant for one in head if one.place == LOOK]
        return [one for one in line if one.tier is not None], min(last, default="")

    return looked


def claim(
    tx: Tx,
    queues: Sequence[str],
    owner: str,
    *,
    lease_ms: int,
    running_max: int,
    round_: Round | None = None,
) -> Claim | None:
    """The fairest ready job; the transaction goes on as its tenant. The fairest: lowest virtual
    time of its tenant, then priority, then age.

    A tenant's virtual time grows by 1/weight a job (start-time fair queueing; Goyal, Vin and Cheng,
    SIGCOMM 1996), weighted as its tier's jobs at once; a tenant that has that many running waits.
    Nobody starts behind where the last job started, less a short burst: who worked while others
    idled does not wait until they have caught up.
    Where more than `LOOK` tenants wait in a queue, the fairest of the next so many of the round.
    """
    looked = _next(tx, tuple(queues), "" if round_ is None else round_.after)
    running = tx.execute(_busy) if tx.dialect == "postgresql" else None  # the same round trip
    waiting, after = looked()
    if round_ is not None:
        round_.after = after
    if not waiting:
        return None
    busy: dict[str, int] = dict((running or tx.execute(_busy)).fetchall())
    most = {
        row.tier: min(tier_of(row.tier or "").running or running_max, running_max)
        for row in waiting
    }
    # In this order of service the last start is the highest of all, so nothing must keep it.
    begun = max((row.served - 1.0 / most[row.tier] for row in waiting if row.served), default=0.0)
    floors = {tier: begun - _BURST / weight for tier, weight in most.items()}
    open_ = [row for row in waiting if busy.get(row.tenant, 0) < most[row.tier]]
    open_.sort(key=lambda row: (max(row.served or 0.0, floors[row.tier]), busy.get(row.tenant, 0)))
    for row in open_:
        tx.become(Ctx(row.tenant, "system"))
        claim = _taken(tx, row.tenant, row.queue, owner, lease_ms)
        if claim is None:
            continue
        cost, floor = 1.0 / most[row.tier], floors[row.tier]
        # At last, because the tenant's other claims wait for this row.
        tx.at_last(
            _turn[tx.dialect],
            {"tenant": row.tenant, "queue_": row.queue,
             "served_": max(row.served or 0.0, floor) + cost, "floor": floor, "cost": cost},
        )  # fmt: skip
        return claim
    return None


def retake(tx: Tx, lost: Claim, owner: str, *, lease_ms: int) -> bool:
    """Takes the very job of a claim that was rolled back; False when somebody else has it."""
    took = tx.execute(
        _take,
        {"tenant": lost.tenant, "job": lost.job_id, "seen": lost.fence - 1, "owner": owner,
         "until": tx.now_ms + lease_ms},
    )  # fmt: skip
    return took.rowcount == 1


_claim_columns = (
    jobs.c.tenant_id, jobs.c.id, jobs.c.run_id, jobs.c.step_id, jobs.c.effect_id, jobs.c.kind,
    jobs.c.queue, jobs.c.fence, jobs.c.attempts, jobs.c.priority,
)  # fmt: skip
_expired = Prepared(
    select(*_claim_columns)
    .where(jobs.c.status == "running", jobs.c.lease_until_ms < bindparam("now"))
    .limit(200)
)


def expired(tx: Tx) -> list[Claim]:
    """Running jobs whose worker fell silent, as they look without a lock."""
    return [Claim(*row) for row in tx.execute(_expired, {"now": tx.now_ms})]


_held = Prepared(
    update(jobs)
    .where(
        jobs.c.tenant_id == bindparam("tenant"),
        jobs.c.id == bindparam("job"),
        jobs.c.fence == bindparam("mine"),
        jobs.c.status == "running",
    )
    .values(lease_until_ms=bindparam("until"))
)


def renew(tx: Tx, claim: Claim, lease_ms: int) -> bool:
    """Prolongs the lease, in the transaction of its tenant; False when it is no longer ours."""
    found = tx.execute(
        _held,
        {"tenant": claim.tenant, "job": claim.job_id, "mine": claim.fence,
         "until": tx.now_ms + lease_ms},
    )  # fmt: skip
    return found.rowcount == 1


_overdue_runs = (
    select(runs.c.tenant_id, runs.c.id)
    .where(
        runs.c.completed_ms.is_(None),
        runs.c.status.in_(("pending", "running", "waiting_approval")),
        runs.c.deadline_ms < bindparam("now"),
    )
    .limit(200)
)
_overdue_approvals = Prepared(
    select(approvals.c.tenant_id, approvals.c.id)
    .where(approvals.c.status == "waiting", approvals.c.expires_ms < bindparam("now"))
    .limit(200)
)


def overdue_runs(tx: Tx) -> list[tuple[str, str]]:
    """(tenant, run id) of runs past their deadline."""
    return [(row[0], row[1]) for row in tx.execute(_overdue_runs, {"now": tx.now_ms})]


def overdue_approvals(tx: Tx) -> list[tuple[str, str]]:
    """(tenant, approval id) of requests that nobody answered in time."""
    return [(row[0], row[1]) for row in tx.execute(_overdue_approvals, {"now": tx.now_ms})]


# One step down the index for each queue, however many jobs are in it.
_ready_queues = Prepared(
    text("""
WITH RECURSIVE found(queue) AS (
    SELECT min(queue) FROM jobs WHERE status = 'ready'
    UNION ALL
    SELECT (SELECT min(jobs.queue) FROM jobs
            WHERE jobs.status = 'ready' AND jobs.queue > found.queue)
    FROM found WHERE queue IS NOT NULL
)
SELECT queue FROM found WHERE EXISTS (
    SELECT 1 FROM jobs
    WHERE jobs.status = 'ready' AND jobs.queue = found.queue AND jobs.ready_ms <= :now
)
""").bindparams(bindparam("now", type_=BigInteger)).columns(column("queue", String))
)  # fmt: skip


def ready_queues(tx: Tx) -> list[str]:
    """Queues that have work now; the relay rings them again in case a ring was lost."""
    return [row[0] for row in tx.execute(_ready_queues, {"now": tx.now_ms})]


_unpublished = Prepared(
    select(
        events.c.seq, events.c.tenant_id, events.c.run_id, events.c.type, events.c.at_ms,
        events.c.data, runs.c.traceparent,
    )
    .outerjoin(runs, and_(runs.c.tenant_id == events.c.tenant_id, runs.c.id == events.c.run_id))
    .where(events.c.published_ms.is_(None))
    .order_by(events.c.published_ms, events.c.seq)  # as its index has them
    .limit(bindparam("limit"))
)  # fmt: skip
_mark = update(events).values(published_ms=bindparam("now"))
_published = Prepared(_mark.where(events.c.seq == bindparam("number")))
_published_all = Prepared(
    _mark.where(events.c.seq == any_(bindparam("numbers", type_=postgresql.ARRAY(BigInteger))))
)


def unpublished(tx: Tx, limit: int) -> list[Event]:
    """Committed facts that the bus has not had, oldest first."""
    return [Event(*row) for row in tx.execute(_unpublished, {"limit": limit})]


def mark_published(tx: Tx, seqs: Sequence[int]) -> None:
    # One by one: a range would also mark what was committed in between and not published yet.
    if tx.dialect == "postgresql":
        tx.execute(_published_all, {"numbers": list(seqs), "now": tx.now_ms})
        return
    tx.execute(_published, [{"number": seq, "now": tx.now_ms} for seq in seqs])


_depths = Prepared(
    select(jobs.c.queue, jobs.c.status, func.count()).group_by(jobs.c.queue, jobs.c.status)
)


def depths(tx: Tx) -> dict[tuple[str, str], int]:
    """(queue, status) → jobs, over all tenants; for metrics and `doctor`."""
    return {(row[0], row[1]): row[2] for row in tx.execute(_depths)}
