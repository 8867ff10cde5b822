"""A6: the object store goes away, slows down and is cut off; nothing that was accepted is lost."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from agents import shelf
from core.ids import new_id
from gateway import provision
from tests.flows.person import Person
from tests.flows.platform import Platform, pause
from tests.stack.servers import Servers
from tests.stack.toxics import Proxy
from tests.stack.uploaders import Uploaders, drained
from tests.torture.figures import at_most, held, none

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
FULL = os.environ.get("WEFT_TORTURE") == "1"
DRAIN_SECONDS = 60.0
PROXY = 16  # the stack keeps some ports free for proxies; this is ours, counted from Toxiproxy's
FAULTS: dict[str, tuple[Callable[[Proxy], AbstractContextManager[None]], float]] = {
    "down": (lambda way: way.down(), 60.0 if FULL else 12.0),
    "late": (lambda way: way.poisoned("latency", latency=5000), 25.0 if FULL else 12.0),
    "silent": (lambda way: way.poisoned("timeout", timeout=0), 40.0 if FULL else 12.0),
    "reset": (lambda way: way.poisoned("reset_peer", 0.5, timeout=0), 20.0 if FULL else 8.0),
    "cut": (lambda way: way.poisoned("limit_data", bytes=300), 20.0 if FULL else 8.0),
    "slow": (lambda way: way.poisoned("bandwidth", rate=1), 20.0 if FULL else 8.0),
}


@pytest.fixture(scope="module")
def way(servers: Servers) -> Iterator[Proxy]:
    """The road to the store."""
    servers.up("minio", "toxiproxy")
    store = urlsplit(servers.url("minio"))
    api, port = servers.url("toxiproxy"), servers.port("toxiproxy")
    listen = f"{store.hostname}:{port + PROXY}"
    made = Proxy(api, "objects", listen, f"{store.hostname}:{store.port}")
    made.make()
    yield made
    made.remove()


@pytest.fixture(scope="module")
def platform(
    servers: Servers, way: Proxy, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    store = urlsplit(servers.url("minio"))
    keys = store.netloc.rpartition("@")[0]
    url = f"s3://{keys}@{way.listen}{store.path}?prefix={new_id()}"
    made = Platform(tmp_path_factory.mktemp("a6"), {
        "WEFT_BLOBS_URL": url, "WEFT_SWEEP_SECONDS": "0.5", "WEFT_WORKER_THREADS": "3",
    })  # fmt: skip
    made.provision(acme="unlimited")
    made.start()
    try:
        yield made
    finally:
        assert made.stop() == 0


@pytest.fixture(scope="module")
def token(platform: Platform) -> Iterator[dict[str, str]]:
    who = platform.person("acme")
    yield dict(who.http.headers)
    who.close()


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_accepted_is_lost(
    platform: Platform, way: Proxy, token: dict[str, str], fault: str
) -> None:
    break_it, seconds = FAULTS[fault]
    crowd = Uploaders(platform, token, fault)
    with crowd.at_work():
        pause(2.0)
        with break_it(way):
            pause(seconds)
            searched = _searched(platform, token)
    took = drained(platform, token, set(crowd.accepted), DRAIN_SECONDS)
    found = _contents(platform, token, crowd.accepted)
    lost = [one for one, data in crowd.accepted.items() if found[one] != data]
    torn = _torn(platform, set(crowd.accepted))
    short = held([
        none(f"A6.{fault}.lost", len(lost), f"of {len(crowd.accepted)} acknowledged uploads"),
        none(f"A6.{fault}.torn", len(torn), f"passages of {len(crowd.accepted)} documents"),
        none(f"A6.{fault}.rude", len(crowd.rude), f"others of {dict(crowd.answers)}"),
        at_most(f"A6.{fault}.drained", took, DRAIN_SECONDS, "s"),
        at_most(f"A6.{fault}.slowest", crowd.slowest, 60.0, "s"),
    ])  # fmt: skip
    assert searched in (200, 503)
    assert len(crowd.accepted) > 0
    assert not short, [crowd.rude[:5], torn[:5], lost[:5]]


def _searched(platform: Platform, token: dict[str, str]) -> int:
    with httpx.Client(base_url=platform.url, headers=token, timeout=60, trust_env=False) as http:
        return http.post("/search", json={"query": "note"}).status_code


def _contents(platform: Platform, token: dict[str, str], wanted: Iterable[str]) -> dict[str, bytes]:
    """Asked for as any client would: once more after a 503."""
    found = {}
    with httpx.Client(base_url=platform.url, headers=token, timeout=60, trust_env=False) as http:
        for one in wanted:
            answer = http.get(f"/documents/{one}/content")
            if answer.status_code == 503:
                pause(float(answer.headers["Retry-After"]))
                answer = http.get(f"/documents/{one}/content")
            found[one] = answer.content
    return found


def _torn(platform: Platform, wanted: set[str]) -> list[str]:
    """Documents whose passages are not on the shelf exactly once; every segment must open."""
    with platform.opened() as rt:
        ctx = provision.tenant_ctx(rt, "acme")
        found = [
            entry.chunk.document_id
            for segment in shelf.head_of(rt, ctx).segments
            for entry in rt.shelves.entries(ctx, segment)
        ]
    return [one for one in wanted if found.count(one) != 1]


def test_the_store_is_named_when_it_is_away(
    platform: Platform, way: Proxy, token: dict[str, str], tmp_path: Path
) -> None:
    """A cold shelf says so; a hot one answers."""
    who = Person(platform.url, token)
    (document,) = who.upload(("hot.md", b"# Warm\n\nThe kettle is warm.\n"))
    assert who.read(document)["status"] == "ready"
    assert who.post("/search", json={"query": "kettle", "mode": "keyword"}).json()["hits"]
    with way.down():
        hot = who.http.post("/search", json={"query": "kettle", "mode": "keyword"})
        content = who.http.get(f"/documents/{document}/content")
    who.close()
    assert hot.status_code == 200
    assert (content.status_code, content.json()["code"]) == (503, "blobs_unavailable")
    assert int(content.headers["Retry-After"]) >= 1
