"""Webhooks verify with the reference library, keep one id, and say what may be repeated."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks

from connectors.egress import Egress
from connectors.webhook import Webhook, wish
from core.breaker import Breaker
from core.clock import FakeClock
from core.errors import InvalidInput, Unavailable, Unfinishable
from core.ports import EffectCall
from tests.connectors.test_egress import HOSTS
from tests.fakes.sink import HttpSink

OLD, NEW = ("whsec_" + base64.b64encode(bytes([n]) * 24).decode() for n in (1, 2))
PAYLOAD = {"type": "invoice.exception", "data": {"vendor": "Müller & Söhne", "total": "12.50"}}


def call(url: str, **config: Any) -> EffectCall:
    secret = config or {"webhook_secret": NEW}
    return EffectCall("effect-1", {"url": url, "payload": PAYLOAD}, secret)


def webhook(sink: HttpSink, clock: FakeClock | None = None, seconds: float = 5) -> Webhook:
    clock = clock or FakeClock()
    return Webhook(Egress(sink.place, seconds_max=seconds), clock, Breaker(clock))


def test_a_delivery_verifies_with_the_reference_library(tmp_path: Path) -> None:
    with HttpSink(tmp_path / "s") as sink:
        answer = webhook(sink).send(call(sink.url))
        got = sink.deliveries()[0]
    assert answer == {"status": 200, "webhook_id": "effect-1"}
    assert standardwebhooks.Webhook(NEW).verify(got["body"], got["headers"]) == PAYLOAD
    assert got["id"] == "effect-1"


def test_both_secrets_sign_while_one_replaces_the_other(tmp_path: Path) -> None:
    with HttpSink(tmp_path / "s") as sink:
        webhook(sink).send(call(sink.url, webhook_secret=NEW, webhook_secret_old=OLD))
        got = sink.deliveries()[0]
    for secret in (OLD, NEW):
        assert standardwebhooks.Webhook(secret).verify(got["body"], got["headers"]) == PAYLOAD


@pytest.mark.parametrize("first", ["500", "500-after-commit", "reset", "reset-after-commit",
                                   "hang-after-commit", "429", "408", "503"])  # fmt: skip
def test_a_retry_carries_the_same_id_and_body(tmp_path: Path, first: str) -> None:
    with HttpSink(tmp_path / "s", [first, "204"]) as sink:
        hook = webhook(sink, seconds=0.4)
        with pytest.raises(Unavailable):
            hook.send(call(sink.url))
        assert hook.send(call(sink.url))["status"] == 204
        one, two = sink.deliveries()
    assert one["id"] == two["id"] == "effect-1"
    assert one["body"] == two["body"]


@pytest.mark.parametrize(("answer", "code"), [("410", "webhook_gone"), ("400", "webhook_refused"),
                                              ("redirect", "webhook_refused")])  # fmt: skip
def test_a_final_answer_is_not_retried(tmp_path: Path, answer: str, code: str) -> None:
    with HttpSink(tmp_path / "s", [answer]) as sink:
        with pytest.raises(Unfinishable) as caught:
            webhook(sink).send(call(sink.url))
        assert sink.connections == 1
    assert caught.value.slug == code


def test_the_answers_wish_to_wait_is_passed_on(tmp_path: Path) -> None:
    with HttpSink(tmp_path / "s", ["429"]) as sink, pytest.raises(Unavailable) as caught:
        webhook(sink).send(call(sink.url))
    assert caught.value.extra["retry_after"] == 7


def test_a_wish_to_wait_may_be_a_date_and_is_bounded() -> None:
    clock = FakeClock(1_800_000_000_000)
    when = format_datetime(datetime.fromtimestamp(1_800_000_090, UTC), usegmt=True)
    waits = [wish(clock, text) for text in (when, "999999999", "soon", "nan", "-4")]
    assert waits == [{"retry_after": 90.0}, {"retry_after": 86_400.0}, {}, {}, {"retry_after": 0.0}]


@pytest.mark.parametrize("secret", [None, "", "secret", "whsec_", "whsec_!!!", 7])
def test_a_bad_secret_is_refused_before_anything_is_sent(tmp_path: Path, secret: Any) -> None:
    with HttpSink(tmp_path / "s") as sink:
        with pytest.raises(InvalidInput):
            webhook(sink).check(call(sink.url, webhook_secret=secret))
        with pytest.raises(Unfinishable):
            webhook(sink).send(call(sink.url, webhook_secret=secret))
        assert sink.connections == 0


@pytest.mark.parametrize("payload", [None, [], "text", {"x": float("nan")}, {"x": "a" * 1_100_000}])
def test_a_bad_payload_is_refused(tmp_path: Path, payload: Any) -> None:
    with HttpSink(tmp_path / "s") as sink, pytest.raises((InvalidInput, ValueError)):
        webhook(sink).check(
            EffectCall("k", {"url": sink.url, "payload": payload}, {"webhook_secret": NEW})
        )


def test_a_failing_target_rests_and_is_then_probed_once(tmp_path: Path) -> None:
    clock = FakeClock()
    with HttpSink(tmp_path / "s", ["500"] * 6 + ["200"]) as sink:
        hook = webhook(sink, clock)
        for _ in range(5):
            with pytest.raises(Unavailable, match="answered 500"):
                hook.send(call(sink.url))
        with pytest.raises(Unavailable, match="rests") as caught:
            hook.send(call(sink.url))
        assert (caught.value.extra["retry_after"], sink.connections) == (30, 5)
        clock.advance(31)
        with pytest.raises(Unavailable, match="answered 500"):
            hook.send(call(sink.url))
        with pytest.raises(Unavailable, match="rests"):
            hook.send(call(sink.url))
        clock.advance(31)
        assert hook.send(call(sink.url))["status"] == 200
        assert hook.send(call(sink.url))["status"] == 200


def test_a_refusal_is_an_answer_and_opens_nothing(tmp_path: Path) -> None:
    def refused(hook: Webhook, request: EffectCall) -> str:
        with pytest.raises(Unfinishable) as caught:
            hook.send(request)
        return caught.value.slug

    send: Callable[[Webhook, EffectCall], str] = refused
    with HttpSink(tmp_path / "s", ["400"]) as sink:
        hook = webhook(sink)
        slugs = {send(hook, call(sink.url)) for _ in range(7)}
        assert (slugs, sink.connections) == ({"webhook_refused"}, 7)


@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_of_a_private_place_is_told_of_anything(tmp_path: Path, host: str) -> None:
    clock = FakeClock()
    with HttpSink(tmp_path / "s") as sink:
        sender = Webhook(Egress(resolver=lambda _host, _port: ["127.0.0.1"]), clock, Breaker(clock))
        for url in (f"http://{host}:{sink.port}/", f"http://{host}/"):
            with pytest.raises(InvalidInput):
                sender.check(call(url))
            with pytest.raises(Unfinishable):
                sender.send(call(url))
        assert sink.connections == 0
