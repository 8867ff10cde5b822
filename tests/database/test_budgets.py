"""Budgets for models: nobody overspends, not even at once, and what died gives back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.context import PLATFORM, Ctx
from core.errors import QuotaExceeded
from core.tiers import TIERS, budget_of
from database import budgets, tenants
from gateway import provision
from runtime import Runtime
from tests.gateway.platform import opened

LONG = 60_000


@pytest.fixture(scope="module")
def rt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    with opened(tmp_path_factory.mktemp("budgets")) as found:
        yield found


def _tenant(rt: Runtime, slug: str, **limits: int | None) -> Ctx:
    provision.provision(rt, slug, slug, "free")
    ctx = provision.tenant_ctx(rt, slug)
    with rt.db.transaction(PLATFORM) as tx:
        tenants.set_budget(tx, PLATFORM, ctx.tenant, limits)
    return ctx


def _reserve(rt: Runtime, ctx: Ctx, tokens: int, cpu_ms: int = 0, lapse_ms: int = LONG) -> str:
    with rt.db.transaction(ctx) as tx:
        return budgets.reserve(tx, ctx, "chat", tokens=tokens, cpu_ms=cpu_ms, lapse_ms=lapse_ms)


def _settle(rt: Runtime, ctx: Ctx, held: str, tokens: int, cpu_ms: int = 0) -> None:
    with rt.db.transaction(ctx) as tx:
        budgets.settle(tx, ctx, held, "chat", prompt=tokens, completion=0, cpu_ms=cpu_ms)


def _standing(rt: Runtime, ctx: Ctx) -> dict[str, budgets.Standing]:
    with rt.db.read(ctx) as tx:
        return {one.name: one for one in budgets.standing(tx, ctx)}


def test_many_at_once_get_exactly_what_the_budget_has(rt: Runtime) -> None:
    ctx = _tenant(rt, "crowd", tokens_per_day=500)

    def one(_: int) -> int:
        try:
            return len(_reserve(rt, ctx, 100)) > 0
        except QuotaExceeded:
            return 0

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(24))) == 5
    assert _standing(rt, ctx)["tokens_per_day"].left == 0


def test_what_was_not_needed_is_given_back(rt: Runtime) -> None:
    ctx = _tenant(rt, "frugal", tokens_per_day=100)
    held = _reserve(rt, ctx, 100)
    with pytest.raises(QuotaExceeded):
        _reserve(rt, ctx, 1)
    _settle(rt, ctx, held, 10)
    found = _standing(rt, ctx)["tokens_per_day"]
    assert (found.used, found.reserved, found.left) == (10, 0, 90)


def test_the_reservation_of_a_process_that_died_lapses(rt: Runtime) -> None:
    ctx = _tenant(rt, "crashed", tokens_per_day=100)
    _reserve(rt, ctx, 100, lapse_ms=-1)
    assert _standing(rt, ctx)["tokens_per_day"].reserved == 0
    assert _reserve(rt, ctx, 100)


@pytest.mark.parametrize(
    ("limit", "tokens", "cpu_ms"),
    [
        ("tokens_per_day", 11, 0),
        ("tokens_per_month", 11, 0),
        ("cpu_seconds_per_day", 0, 10_001),
        ("cpu_seconds_per_month", 0, 10_001),
    ],
)
def test_each_limit_is_named_with_its_reset_and_who_can_raise_it(
    rt: Runtime, limit: str, tokens: int, cpu_ms: int
) -> None:
    ctx = _tenant(rt, limit.replace("_", "-"), **{limit: 10})
    _settle(rt, ctx, _reserve(rt, ctx, tokens and 1, cpu_ms and 1000), tokens and 1, cpu_ms and 1)
    with pytest.raises(QuotaExceeded, match="weft tenants budget") as caught:
        _reserve(rt, ctx, tokens, cpu_ms)
    found = caught.value
    assert (found.slug, found.extra["limit"], found.extra["budget"]) == (
        "budget_exhausted", limit, 10
    )  # fmt: skip
    assert found.extra["resets_at"].endswith("T00:00:00.000Z")
    assert found.extra["retry_after"] > 0


def test_a_tenant_does_not_spend_anothers(rt: Runtime) -> None:
    poor = _tenant(rt, "poor", tokens_per_day=10)
    rich = _tenant(rt, "rich", tokens_per_day=1000)
    _reserve(rt, rich, 900)
    assert _reserve(rt, poor, 10)
    with rt.db.read(poor) as tx:
        assert budgets.days(tx, poor, "2000-01-01") == []


def test_what_caches_saved_is_counted_beside_what_was_used(rt: Runtime) -> None:
    ctx = _tenant(rt, "cached")
    _settle(rt, ctx, "", 7, 1500)
    with rt.db.transaction(ctx) as tx:
        budgets.saved(tx, ctx, "chat", tokens=7, cpu_ms=1500)
        budgets.saved(tx, ctx, "answer", tokens=3)
    with rt.db.read(ctx) as tx:
        rows = {day.task: day for day in budgets.days(tx, ctx, "2000-01-01")}
    assert (rows["chat"].calls, rows["chat"].prompt_tokens, rows["chat"].cpu_ms) == (1, 7, 1500)
    assert (rows["chat"].saved_calls, rows["chat"].saved_tokens) == (1, 7)
    assert (rows["answer"].calls, rows["answer"].saved_tokens) == (0, 3)


def test_the_operators_word_counts_over_the_tiers() -> None:
    tier = TIERS["free"]
    assert budget_of("free", {})["tokens_per_day"] == tier.tokens_per_day
    assert budget_of("free", {"tokens_per_day": 7})["tokens_per_day"] == 7
    assert budget_of("free", {"tokens_per_day": None})["tokens_per_day"] is None
    assert set(budget_of("unlimited", {}).values()) == {None}
