"""No source reaches a private place, whatever it is called, wherever it is led, whatever the name
server says; hostile servers cost a crawl one dead letter."""

from __future__ import annotations

import threading
import tracemalloc
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.errors import InvalidInput, Unavailable
from ingestion.sources import Dead
from ingestion.sources.kinds import checked
from tests.connectors.test_egress import HOSTS
from tests.fakes.sink import HttpSink, bomb
from tests.fakes.site import Site
from tests.ingestion.test_web import Visitor, linked

PLAIN = [host for host in HOSTS if "#" not in host and "/" not in host and "@" not in host]


def configs(host: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every kind that calls out, with `host` wherever it takes one."""
    url = f"http://{host}/"
    yield "web", {"urls": [url]}
    yield "rest", {"base_url": url}
    yield "openapi", {"base_url": url}
    yield "s3", {"endpoint": url, "bucket": "papers"}
    if host in PLAIN or host == "example.org":
        yield "imap", {"host": host, "user": "me"}
        yield "pop3", {"host": host, "user": "me"}
        yield "sftp", {"host": host, "username": "me"}
        yield "ftp", {"host": host, "username": "me"}


def never(name: str, port: int) -> Sequence[str]:
    raise AssertionError(f"{name} was looked up")


@pytest.mark.parametrize("host", HOSTS)
def test_no_source_takes_any_spelling_of_a_private_place(host: str) -> None:
    net = Egress(resolver=never)
    for kind, config in configs(host):
        with pytest.raises(InvalidInput) as caught:
            checked(kind, config, net)
        assert caught.value.slug in ("target_not_allowed", "bad_url", "bad_host"), kind


def test_what_is_refused_is_the_place_and_nothing_else() -> None:
    assert [
        checked(kind, config, Egress(resolver=never)) for kind, config in configs("example.org")
    ]


@pytest.fixture
def private(tmp_path: Path) -> Iterator[HttpSink]:
    """A service inside, which the operator has not allowed."""
    with HttpSink(tmp_path / "inside") as made:
        yield made


@pytest.mark.parametrize("found", [
    ["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["93.184.216.34", "::1"],
    ["64:ff9b::7f00:1"], ["::ffff:127.0.0.1"], ["2002:7f00:1::"], ["fe80::1%lo"],
    ["169.254.169.254"], [],
])  # fmt: skip
def test_a_name_that_leads_inside_is_not_crawled(found: list[str]) -> None:
    dialled: list[str] = []

    class Watched(Egress):
        def _checked(self, *args: Any) -> Sequence[str]:
            addresses = super()._checked(*args)
            dialled.extend(addresses)
            return addresses

    with Site() as site:
        visitor = Visitor(site, urls=["http://rebind.example.org/"])
        visitor.net = Watched(resolver=lambda host, port: found)
        with pytest.raises(Unavailable):
            visitor.pull()
        assert site.asked == []
    assert dialled == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_leads_a_crawl_inside(private: HttpSink, status: int) -> None:
    with Site() as site:
        linked(site, ["/r", "/m", "/c", private.url, f"//{private.place}/x"])
        site.moved("/r", private.url, status)
        meta = f'<meta http-equiv="refresh" content="0;url={private.url}">'
        site.page("/m", "M", "Moved.", head=meta)
        site.page("/c", "C", "Told.", head=f'<link rel="canonical" href="{private.url}">')
        site.robots(f"Sitemap: {private.url}\nSitemap: {site.url}/sitemap.xml")
        rows = f"<urlset><url><loc>{private.url}</loc></url></urlset>"
        site.file("/sitemap.xml", rows.encode(), "text/xml")
        for hosts in ([], [site.place, private.place]):  # also where its owner wants it to
            visitor = Visitor(site, hosts=hosts)
            visitor.pull()
            assert f"{site.url}/c" in visitor.items
    assert private.connections == 0


def test_a_robots_txt_that_leads_inside_closes_the_site(private: HttpSink) -> None:
    with Site() as site:
        linked(site, [])
        site.moved("/robots.txt", private.url)
        with pytest.raises(Unavailable):
            Visitor(site).pull()
    assert private.connections == 0


@pytest.mark.parametrize(("answer", "code"), [
    ("endless", "response_too_large"), ("bomb", "response_too_large"), ("drip", "unreachable"),
    ("drip-header", "unreachable"), ("big-header", "unreachable"), ("short", "unreachable"),
    ("reset", "unreachable"),
])  # fmt: skip
def test_a_hostile_page_is_a_dead_letter_and_costs_little(
    tmp_path: Path, answer: str, code: str
) -> None:
    bomb()  # packed before the memory is watched
    threads = threading.active_count()
    with Site() as site, HttpSink(tmp_path / "sink", ["200", answer]) as sink:
        linked(site, [])
        visitor = Visitor(site, urls=[sink.url, f"{site.url}/"], sitemap=False)
        visitor.net = Egress(f"{site.place},{sink.place}", bytes_max=2_000_000, seconds_max=0.4)
        tracemalloc.start()
        visitor.pull()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    [dead] = [one for one in visitor.came if isinstance(one, Dead)]
    assert (dead.key, dead.code) == (sink.url, code)
    assert f"{site.url}/" in visitor.items
    assert peak < 50_000_000
    assert threading.active_count() <= threads + 8
