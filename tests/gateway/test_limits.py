"""A tenant's rate limit and quotas; one tenant's use is not another's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from core.tiers import TIERS
from gateway import provision
from gateway.app import create_app
from tests.gateway.people import PASSWORD, Town
from tests.gateway.platform import opened


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Town]:
    """A fresh gateway: limits are counted from nothing."""
    with opened(tmp_path) as rt:
        app = create_app(rt)
        yield Town(rt, app, TestClient(app, raise_server_exceptions=False))


def test_a_tenant_over_its_rate_is_told_when_to_come_back(street: Town) -> None:
    limit = TIERS["free"].requests_per_minute
    assert limit is not None
    street.tenant("small", "free")
    street.tenant("large", "unlimited")
    small, large = street.key("small", "users:read"), street.key("large", "users:read")
    answers = [street.http.get("/auth/verify", headers=small) for _ in range(limit + 5)]
    assert [a.status_code for a in answers] == [200] * limit + [429] * 5
    refused = answers[-1]
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert refused.headers["ratelimit"].startswith('"tenant";r=0;t=')
    assert refused.headers["ratelimit-policy"] == f'"tenant";q={limit};w=60'
    assert (refused.json()["code"], refused.json()["limit"]) == (
        "rate_limited", "requests_per_minute"
    )  # fmt: skip
    assert answers[0].headers["ratelimit"].startswith(f'"tenant";r={limit - 1};')
    assert street.http.get("/auth/verify", headers=large).status_code == 200


def test_another_credential_of_the_tenant_shares_its_limit(street: Town) -> None:
    street.tenant("small", "free")
    keys = [street.key("small", "users:read") for _ in range(2)]
    limit = TIERS["free"].requests_per_minute or 0
    codes = [street.http.get("/auth/verify", headers=keys[n % 2]).status_code for n in range(limit)]
    assert set(codes) == {200}
    for key in keys:
        assert street.http.get("/auth/verify", headers=key).status_code == 429


def test_a_tier_holds_so_many_users(street: Town) -> None:
    street.tenant("small", "free")
    ctx = street.ctx("small")
    most = TIERS["free"].users or 0
    for n in range(most - 1):
        provision.create_user(
            street.rt, ctx, email=f"u{n}@small.example", password=PASSWORD, role="viewer"
        )
    admin = street.as_role("small")
    body = {"email": "one@more.example", "password": PASSWORD}
    answer = street.http.post("/users", json=body, headers=admin)
    assert (answer.status_code, answer.json()["limit"]) == (429, "users")
