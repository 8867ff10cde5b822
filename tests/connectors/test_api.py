"""What an API's answer to a change means: done, surely not done, refused, or nobody knows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.api import Api
from connectors.egress import Egress
from core.breaker import Breaker
from core.clock import FakeClock
from core.errors import InDoubt, InvalidInput, Unanswered, Unavailable, Unfinishable
from core.ports import EffectCall
from tests.fakes.api import FakeApi

SECRETS = {
    "username": "weft", "password": "a pass word", "token": "a-token", "api_key": "a-key-1",
    "client_id": "me", "client_secret": "a-secret",
}  # fmt: skip
STYLES = ("none", "basic", "bearer", "header", "query", "oauth2")


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi([]).running() as made:
        yield made


def connector(api: FakeApi, allow: str = "") -> Api:
    clock = FakeClock()
    return Api(Egress(allow or api.place, seconds_max=5), clock, Breaker(clock))


def call(api: FakeApi, style: str = "none", key: str = "", **request: Any) -> EffectCall:
    auth = {"style": style, "name": "X-Key", "token_url": f"{api.url}/token", "scope": ""}
    account = {"tenant": "t", "base_url": api.url, "auth": auth, "secrets": SECRETS}
    whole = {
        "integration_id": "i", "method": "POST", "url": f"{api.url}/plain", "headers": {},
        "content_type": "application/json", "body": {"a": 1}, "idempotency_header": key, **request,
    }  # fmt: skip
    return EffectCall("the-key", whole, {"integration": account})


@pytest.mark.parametrize("style", STYLES)
def test_it_signs_in_as_the_integration_says(api: FakeApi, style: str) -> None:
    assert connector(api).send(call(api, style))["status"] == 200
    method, path, headers = api.asked[-1]
    told = {"basic": "Basic d2VmdDphIHBhc3Mgd29yZA==", "bearer": "Bearer a-token",
            "oauth2": "Bearer t1"}  # fmt: skip
    assert (method, headers.get("authorization")) == ("POST", told.get(style))
    assert path == ("/plain?X-Key=a-key-1" if style == "query" else "/plain")
    assert headers.get("x-key") == ("a-key-1" if style == "header" else None)


@pytest.mark.parametrize(("status", "blind", "keyed"), [
    (0, InDoubt, Unavailable), (500, InDoubt, Unavailable), (503, InDoubt, Unavailable),
    (302, InDoubt, Unavailable), (429, Unavailable, Unavailable), (408, Unavailable, Unavailable),
    (400, Unfinishable, Unfinishable), (401, Unfinishable, Unfinishable),
    (409, Unfinishable, Unfinishable), (307, Unfinishable, Unfinishable),
])  # fmt: skip
def test_doubt_is_for_what_may_have_been_done(
    api: FakeApi, status: int, blind: type[Exception], keyed: type[Exception]
) -> None:
    for key, expected in (("", blind), ("Idempotency-Key", keyed)):
        api.script.append((status, {"location": "/other"}))
        with pytest.raises((InDoubt, Unavailable, Unfinishable)) as caught:
            connector(api).send(call(api, key=key))
        assert type(caught.value) is expected
    assert len(api.asked) == 2
    assert [headers.get("idempotency-key") for _, _, headers in api.asked] == [None, "the-key"]


def test_an_answer_that_cannot_be_read_is_doubt(api: FakeApi) -> None:
    api.script.append((200, {"content-encoding": "zstd"}))
    with pytest.raises(InDoubt):
        connector(api).send(call(api))


def test_what_was_not_reached_was_surely_not_done(api: FakeApi) -> None:
    """And reads the same as what did not answer."""
    told = []
    for place in ("127.0.0.1:9", api.place):
        if place == api.place:
            api.script.append((0, {}))
        with pytest.raises(Unavailable) as caught:
            Egress(f"127.0.0.1:9,{api.place}").request("POST", f"http://{place}/")
        told.append((isinstance(caught.value, Unanswered), caught.value.slug))
    assert told == [(False, "unreachable"), (True, "unreachable")]


def test_a_token_that_does_not_come_is_no_doubt(api: FakeApi) -> None:
    for status, expected in ((0, Unavailable), (503, Unavailable), (400, Unfinishable)):
        api.script.append((status, {}))
        with pytest.raises(expected) as caught:
            connector(api).send(call(api, "oauth2"))
        assert not isinstance(caught.value, Unanswered)
    assert {path for _, path, _ in api.asked} == {"/token"}


@pytest.mark.parametrize("wrong", [
    {"method": "GET"}, {"method": "CONNECT"}, {"url": "http://10.0.0.1/"}, {"url": "file:///etc"},
    {"headers": {"x": "a\r\nb: c"}}, {"body": {"a": "x" * 1_000_001}},
])  # fmt: skip
def test_what_may_never_be_sent_is_refused(api: FakeApi, wrong: Any) -> None:
    for act in (connector(api).check, connector(api).send):
        with pytest.raises(InvalidInput):
            act(call(api, **wrong))
    assert api.asked == []


def test_a_secret_goes_to_the_integrations_own_place_only(api: FakeApi) -> None:
    with FakeApi([]).running() as other:
        both = f"{api.place},{other.place}"
        with pytest.raises(Unfinishable) as caught:
            connector(api, both).send(call(api, "header", url=f"{other.url}/plain"))
        api.script.append((303, {"location": f"{other.url}/plain"}))
        assert connector(api, both).send(call(api, "header"))["status"] == 303
        assert other.asked == []
    assert caught.value.slug == "request_changed"


def test_without_the_integration_nothing_is_sent(api: FakeApi) -> None:
    gone = EffectCall("k", call(api).request, {})
    with pytest.raises(Unfinishable) as caught:
        connector(api).send(gone)
    assert (caught.value.slug, api.asked) == ("integration_gone", [])
