"""Nothing private is reached, whatever it is called; hostile servers cost little."""

from __future__ import annotations

import ipaddress
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.addresses import literal, parse, public
from connectors.egress import Egress
from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from tests.fakes.sink import HttpSink, bomb

HOSTS = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1",
    "017700000001", "127.0.0.1.", "127.000.000.001", "0", "0.0.0.0", "localhost", "localhost.",
    "LOCALHOST", "a.localhost", "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25eth0]",
    "①②⑦.⓪.⓪.①", "127。0。0。1", "user@127.0.0.1", "example.org@127.0.0.1",
    "127.0.0.1#@example.org", "example.org\\@127.0.0.1", "127.0.0.1%2f", "10.0.0.8", "192.168.1.1",
    "172.16.0.1", "169.254.169.254", "100.64.0.1", "[fd00::1]", "[fe80::1]",
)  # fmt: skip


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[HttpSink]:
    with HttpSink(tmp_path / "sink.jsonl") as http:
        yield http


def allowed(sink: HttpSink, **caps: float) -> Egress:
    return Egress(sink.place, bytes_max=int(caps.get("bytes_max", 200_000)),
                  seconds_max=caps.get("seconds_max", 5.0))  # fmt: skip


@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_of_a_private_address_is_connected_to(sink: HttpSink, host: str) -> None:
    def never(name: str, port: int) -> list[str]:
        raise AssertionError(f"{name} was looked up")

    for url in (f"http://{host}:{sink.port}/", f"http://{host}/", f"https://{host}:443/"):
        with pytest.raises(InvalidInput):
            Egress(resolver=never).request("GET", url)
    assert sink.connections == 0


@pytest.mark.parametrize("url", [
    "file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "//example.org/",
    "http:///x", "http://", "http://exa mple.org/", "http://example.org:99999/",
    "http://example.org:22/", "http://-bad-.org/", "javascript:alert(1)", "",
])  # fmt: skip
def test_only_plain_web_addresses_are_taken(url: str) -> None:
    with pytest.raises(InvalidInput):
        Egress().check(url)


def test_a_name_with_one_private_address_among_public_ones_is_not_reached(sink: HttpSink) -> None:
    egress = Egress(resolver=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(Unavailable) as caught:
        egress.request("GET", "http://rebind.example.org/")
    assert sink.connections == 0
    assert caught.value.detail == "rebind.example.org:80 could not be reached."


def test_refused_and_unresolvable_and_private_read_the_same() -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no such name")

    errors = []
    for egress in (Egress(resolver=unknown), Egress(resolver=lambda h, p: ["10.0.0.1"]),
                   Egress("x.example.org:1", resolver=lambda h, p: ["127.0.0.1"])):  # fmt: skip
        port = 1 if "x.example.org:1" in egress._allow else 443
        with pytest.raises(Unavailable) as caught:
            egress.request("GET", f"https://x.example.org:{port}/")
        errors.append((caught.value.slug, caught.value.detail.replace(f":{port} ", " ")))
    assert len(set(errors)) == 1


def test_the_name_is_resolved_once_and_the_checked_address_is_used(sink: HttpSink) -> None:
    asked = []

    def changing(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    place = f"hook.example.org:{sink.port}"
    reply = Egress(place, resolver=changing).request(
        "GET", f"http://{place}/a?b=c d".replace(" ", "+")
    )
    assert (reply.status, reply.body, asked) == (200, b"ok", ["hook.example.org"])
    assert sink.deliveries()[0]["headers"]["host"] == place
    assert sink.deliveries()[0]["path"] == "/a?b=c+d"


def test_the_allow_list_is_exact(sink: HttpSink) -> None:
    with pytest.raises(InvalidInput):
        Egress(sink.place).request("GET", f"http://localhost:{sink.port}/")
    with pytest.raises(InvalidInput):
        Egress(f"127.0.0.1:{sink.port + 1}").request("GET", sink.url)
    assert sink.connections == 0


def test_the_environments_proxy_is_ignored(sink: HttpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert allowed(sink).request("GET", sink.url).status == 200


@pytest.mark.parametrize("location", [
    "http://127.0.0.1:1/", "http://169.254.169.254/latest/", "file:///etc/passwd",
    "http://localhost/", "//[::1]/", "https://10.1.2.3/", "http://[", "http://[127.0.0.1]/",
])  # fmt: skip
def test_a_redirect_to_a_private_place_is_not_followed(tmp_path: Path, location: str) -> None:
    with HttpSink(tmp_path / "s", ["redirect"], location=location) as sink:
        with pytest.raises(WeftError):
            allowed(sink).request("GET", sink.url)
        assert sink.connections == 1


def test_a_circle_of_redirects_ends_after_five(tmp_path: Path) -> None:
    with HttpSink(tmp_path / "s", ["redirect"]) as sink:
        with pytest.raises(Unfinishable, match="More than 5 redirects"):
            allowed(sink).request("GET", sink.url)
        assert sink.connections == 6


def test_credentials_stay_with_their_origin(tmp_path: Path) -> None:
    secret = {"Authorization": "Bearer s3cret", "Cookie": "a=b", "X-Api-Key": "k", "Accept": "*/*"}
    with (
        HttpSink(tmp_path / "there") as there,
        HttpSink(tmp_path / "here", ["redirect"], location=there.url) as here,
    ):
        Egress(f"{here.place},{there.place}").request("GET", here.url, headers=secret)
        headers = there.deliveries()[0]["headers"]
    assert headers["accept"] == "*/*"
    assert not {"authorization", "cookie", "x-api-key"} & set(headers)
    assert here.deliveries()[0]["headers"]["authorization"] == "Bearer s3cret"


def test_a_gzip_bomb_is_cut_while_it_opens(tmp_path: Path) -> None:
    bomb()  # packed before the memory is watched
    with HttpSink(tmp_path / "s", ["bomb"]) as sink:
        egress = Egress(sink.place)
        tracemalloc.start()
        with pytest.raises(Unfinishable, match="larger than 20,000,000"):
            egress.request("GET", sink.url)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 50_000_000


def test_a_packed_answer_is_unpacked(tmp_path: Path) -> None:
    with HttpSink(tmp_path / "s", ["gzip"]) as sink:
        assert allowed(sink).request("GET", sink.url).body == b"packed answer"


@pytest.mark.parametrize("answer", ["drip", "drip-header"])
def test_a_slow_drip_is_cut_at_the_deadline(tmp_path: Path, answer: str) -> None:
    with HttpSink(tmp_path / "s", [answer]) as sink:
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            allowed(sink, seconds_max=0.4).request("GET", sink.url)
        assert time.monotonic() - begun < 10, "a million bytes would take hours"


@pytest.mark.parametrize(("answer", "error"), [
    ("endless", Unfinishable), ("big-header", Unavailable), ("short", Unavailable),
    ("reset", Unavailable),
])  # fmt: skip
def test_a_hostile_answer_is_an_error_that_names_who_acts(
    tmp_path: Path, answer: str, error: type[WeftError]
) -> None:
    with HttpSink(tmp_path / "s", [answer]) as sink, pytest.raises(error):
        allowed(sink).request("GET", sink.url)


def test_a_resolver_that_hangs_is_left_behind(sink: HttpSink) -> None:
    def hangs(host: str, port: int) -> list[str]:
        sink.stopped.wait(20)
        return []

    with pytest.raises(Unavailable):
        Egress(resolver=hangs, seconds_max=0.2).request("GET", "https://example.org/")


@pytest.mark.parametrize("value", ["a\r\nevil: 1", "a\0", "ä"])
def test_a_header_cannot_smuggle_another(sink: HttpSink, value: str) -> None:
    with pytest.raises(InvalidInput, match="one line of ASCII"):
        allowed(sink).request("GET", sink.url, headers={"x": value})
    assert sink.connections == 0


@pytest.mark.parametrize(("address", "is_public"), [
    ("93.184.216.34", True), ("2606:4700:4700::1111", True), ("192.0.2.1", False),
    ("224.0.0.1", False), ("255.255.255.255", False), ("198.18.0.1", False), ("2001::1", False),
    ("2001:db8::1", False), ("3fff::1", False), ("ff02::1", False), ("64:ff9b:1::1", False),
    ("::ffff:8.8.8.8", False), ("not an address", False),
])  # fmt: skip
def test_special_ranges_are_not_public(address: str, is_public: bool) -> None:
    assert public(address) is is_public


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,30}(:[0-9]{1,6})?/[^\n]{0,20}"))
@settings(max_examples=300, deadline=None)
def test_whatever_the_text_a_url_is_refused_or_means_one_place(text: str) -> None:
    try:
        target = parse(text)
    except InvalidInput:
        return
    assert parse(target.url) == target
    assert not literal(target.host) or ipaddress.ip_address(target.host)


def test_a_url_is_built_again_from_its_parts() -> None:
    target = parse("HTTPS://Exämple.ORG./a b?q=ü#frag".replace(" ", "%20"))
    assert target.url == "https://xn--exmple-cua.org/a%20b?q=%C3%BC"
