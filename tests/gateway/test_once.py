"""`Idempotency-Key`: carried out once, answered the same way again."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from core.context import PLATFORM
from core.errors import Conflict
from core.tiers import TIERS
from database import idempotency, users
from database.tables import idempotency as rows
from tests.gateway.people import PASSWORD, Town


def _body(name: str) -> dict[str, str]:
    return {"email": f"{name}@once.example", "password": PASSWORD}


def test_the_stored_answer_is_given_again(town: Town) -> None:
    headers = {**town.as_role("acme"), "Idempotency-Key": "again"}
    first = town.http.post("/users", json=_body("again"), headers=headers)
    second = town.http.post("/users", json=_body("again"), headers=headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.content == second.content
    assert second.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


def test_the_same_words_in_another_order_are_the_same_request(town: Town) -> None:
    headers = {**town.as_role("acme"), "Idempotency-Key": "order"}
    body = _body("order")
    first = town.http.post("/users", json=body, headers=headers)
    turned = dict(reversed(body.items()))
    assert town.http.post("/users", json=turned, headers=headers).content == first.content


def test_another_body_or_route_under_the_key_is_a_mismatch(town: Town) -> None:
    headers = {**town.as_role("acme"), "Idempotency-Key": "mismatch"}
    town.http.post("/users", json=_body("mismatch"), headers=headers)
    other = town.http.post("/users", json=_body("other"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    key = {"name": "k", "scopes": ["documents:read"]}
    elsewhere = town.http.post("/auth/api-keys", json=key, headers=headers)
    assert (elsewhere.status_code, elsewhere.json()["code"]) == (422, "idempotency_mismatch")


def test_a_refused_request_frees_its_key(town: Town) -> None:
    headers = {**town.as_role("acme"), "Idempotency-Key": "freed"}
    taken = {"email": "admin@acme.example", "password": PASSWORD}
    assert town.http.post("/users", json=taken, headers=headers).status_code == 409
    assert town.http.post("/users", json=_body("freed"), headers=headers).status_code == 201


def test_twenty_at_once_make_one(town: Town) -> None:
    headers = {**town.as_role("acme"), "Idempotency-Key": "race"}
    with ThreadPoolExecutor(20) as pool:
        answers = list(
            pool.map(
                lambda _: town.http.post("/users", json=_body("race"), headers=headers), range(20)
            )
        )
    made = {a.text for a in answers if a.status_code == 201}
    assert len(made) == 1
    waiting = [a for a in answers if a.status_code == 409]
    assert len(waiting) + sum(a.status_code == 201 for a in answers) == 20
    assert all(a.headers["retry-after"] for a in waiting)
    with town.rt.db.read(town.ctx("acme")) as tx:
        found = users.listing(tx, town.ctx("acme"), limit=200).items
    assert sum(user.email == "race@once.example" for user in found) == 1


def test_a_request_that_died_half_way_is_taken_over_after_its_lease(town: Town) -> None:
    ctx = town.ctx("acme")
    asked: dict[str, Any] = {"route": "POST /users", "body_hash": "0" * 64, "lease_ms": 30_000}
    with town.rt.db.transaction(ctx) as tx:
        fence = idempotency.begin(tx, ctx, "half", **asked)
        later = replace(tx, now_ms=tx.now_ms + 30_001)  # type: ignore[type-var]
        assert idempotency.begin(later, ctx, "half", **asked) == later.now_ms
        assert isinstance(fence, int)
        with pytest.raises(Conflict):
            idempotency.finish(later, ctx, "half", fence, 201, "the first one comes too late")


def test_keys_of_two_tenants_do_not_meet(town: Town) -> None:
    for slug in ("acme", "other"):
        headers = {**town.as_role(slug), "Idempotency-Key": "shared"}
        answer = town.http.post("/users", json=_body(f"shared-{slug}"), headers=headers)
        assert answer.status_code == 201


def test_a_stored_answer_shows_no_key_to_a_reader_of_the_database(town: Town) -> None:
    headers = {**town.as_role("acme"), "Idempotency-Key": "sealed"}
    body = {"name": "k", "scopes": ["documents:read"]}
    made = town.http.post("/auth/api-keys", json=body, headers=headers).json()
    again = town.http.post("/auth/api-keys", json=body, headers=headers).json()
    assert again["key"] == made["key"]
    with town.rt.db.read(PLATFORM) as tx:
        stored = tx.execute(select(rows.c.response).where(rows.c.key == "sealed")).scalar_one()
    assert made["key"] not in stored


def test_tiers_grow() -> None:
    sizes = [tier.requests_per_minute or float("inf") for tier in TIERS.values()]
    assert sizes == sorted(sizes)
