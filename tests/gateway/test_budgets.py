"""A tenant's budget for models, over HTTP: refused with the reason, shown to its admin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from tests.fakes.ollama import MODEL, FakeOllama, fake_ollama
from tests.gateway.people import Town
from tests.gateway.platform import opened

HI = {"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 20}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, FakeOllama]]:
    folder = tmp_path_factory.mktemp("budgets")
    with fake_ollama() as server, opened(folder, models_url=f"ollama:{server.url[5:]}") as rt:
        app = create_app(rt)
        with TestClient(app, raise_server_exceptions=False) as http:
            yield Town(rt, app, http), server


def _limit(town: Town, slug: str, **limits: int | None) -> int:
    operator = town.as_role("platform", "platform_admin")
    path = f"/tenants/{town.ctx(slug).tenant}"
    return town.http.patch(path, json={"budget": limits}, headers=operator).status_code


def test_an_exhausted_budget_says_which_limit_until_when_and_whom_to_ask(
    house: tuple[Town, FakeOllama],
) -> None:
    town, server = house
    town.tenant("small", "free")
    assert _limit(town, "small", tokens_per_day=120) == 200
    key = town.key("small", "models:use")
    chats = server.chats
    first = town.http.post("/v1/chat", json=HI, headers=key)
    assert first.json()["usage"]["prompt_tokens"] == 12
    town.http.post("/v1/chat", json=HI, headers=key)
    for path, more in (
        ("/v1/chat", {}), ("/v1/chat/completions", {}), ("/v1/chat/completions", {"stream": True})
    ):  # fmt: skip
        answer = town.http.post(path, json={**HI, **more}, headers=key)
        told = answer.json()
        assert (answer.status_code, told["code"], told["limit"]) == (
            429, "budget_exhausted", "tokens_per_day"
        )  # fmt: skip
        assert (told["used"], told["budget"]) == (34, 120)
        assert told["resets_at"]
        assert "weft tenants budget" in told["detail"]
        assert int(answer.headers["retry-after"]) == told["retry_after"]
        assert answer.headers["x-should-retry"] == "false"
    assert server.chats == chats + 2, "nothing was asked of the model"
    assert _limit(town, "small", tokens_per_day=None) == 200
    assert town.http.post("/v1/chat", json=HI, headers=key).status_code == 200


def test_the_admin_sees_what_was_used_and_what_is_left(house: tuple[Town, FakeOllama]) -> None:
    town, _ = house
    town.tenant("seen", "free")
    key = town.key("seen", "models:use")
    for path in ("/v1/chat", "/v1/chat/completions"):
        assert town.http.post(path, json=HI, headers=key).status_code == 200
    told = town.http.get("/usage", headers=town.as_role("seen")).json()
    (row,) = told["items"]
    assert (row["task"], row["calls"], row["prompt_tokens"], row["completion_tokens"]) == (
        "chat", 2, 24, 10
    )  # fmt: skip
    assert told["total"]["prompt_tokens"] == 24
    limits = {one["name"]: one for one in told["budget"]}
    day = limits["tokens_per_day"]
    assert (day["used"], day["reserved"], day["left"]) == (34, 0, day["limit"] - 34)
    assert limits["cpu_seconds_per_day"]["used"] > 0
    assert town.http.get("/usage", headers=town.as_role("seen", "operator")).status_code == 403


def test_no_tenant_raises_its_own_budget(house: tuple[Town, FakeOllama]) -> None:
    town, _ = house
    town.tenant("greedy", "free")
    path, admin = f"/tenants/{town.ctx('greedy').tenant}", town.as_role("greedy")
    wish = {"tokens_per_day": None}
    assert town.http.patch(path, json={"budget": wish}, headers=admin).status_code == 403
    config = {"config": {"budget": wish}}
    assert town.http.patch(path, json=config, headers=admin).status_code == 422
    told = town.http.get("/usage", headers=admin).json()
    assert told["budget"][0]["limit"] == 200_000


def test_a_call_that_failed_gives_its_reservation_back(house: tuple[Town, FakeOllama]) -> None:
    town, server = house
    town.tenant("unlucky", "free")
    server.fault = "http_500"
    try:
        body = {**HI, "deadline_seconds": 1}
        answer = town.http.post("/v1/chat", json=body, headers=town.key("unlucky", "models:use"))
    finally:
        server.fault = None
        town.rt.models._chats.clear()
    assert answer.status_code == 503
    told = town.http.get("/usage", headers=town.as_role("unlucky")).json()
    assert told["budget"][0] == {**told["budget"][0], "used": 0, "reserved": 0}
    assert told["items"][0]["calls"] == 1
