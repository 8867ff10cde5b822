"""A whole site comes in by the real platform, at one request a second, and its death in the middle
costs at most the page that was on its way."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes.site import Site, shop
from tests.flows.person import Person
from tests.flows.platform import Platform
from tests.flows.program import until
from tests.flows.test_kill import QUICK

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]
# A second each, twice: 200 pages take seven minutes.
PAGES = 200 if os.environ.get("WEFT_TORTURE") == "1" else int(os.environ.get("WEFT_SITE", "40"))
# A lease that a loaded machine keeps: who loses it asks for its page once more.
MORE = {**QUICK, "WEFT_LEASE_SECONDS": "10", "WEFT_HEARTBEAT_SECONDS": "1"}
ENDED = ("completed", "failed", "needs_review")


def crawled(who: Person, run: str) -> None:
    path = f"/workflows/{run}/status"
    assert until(lambda: who.get(path)["status"] in ENDED, PAGES * 3 + 120), who.get(path)
    status = who.get(path)
    assert status["status"] == "completed", status["error"]


@contextmanager
def running(platform: Platform) -> Iterator[Platform]:
    platform.start()
    try:
        yield platform
    finally:
        if platform.running:
            assert platform.stop() == 0


def test_a_site_is_read_once_although_its_reader_is_killed(tmp_path: Path) -> None:
    with Site() as site:
        wanted = shop(site, PAGES)
        platform = Platform(tmp_path / "data", MORE | {"WEFT_EGRESS_ALLOW": site.place})
        platform.provision(acme="unlimited")
        with running(platform):
            who = platform.person("acme")
            config = {"urls": [f"{site.url}/"], "depth": 4, "pages_max": PAGES * 2}
            body = {"kind": "web", "name": "shop", "config": config}
            own = who.post("/integrations", json=body).json()["integration_id"]
            run = who.post(f"/integrations/{own}/pull").json()["workflow_id"]
            assert until(lambda: len(site.asked) > PAGES // 2, PAGES * 2 + 60), site.asked
            assert platform.kill() == -9
        before = set(site.counts())
        with running(platform):
            crawled(who, run)
            counts = site.counts()
            again = {path for path, count in counts.items() if count > 1}
            assert wanted <= set(counts)
            assert len(again) <= 1
            assert again <= before
            documents = taken(who, f"/integrations/{own}/items", site, wanted)

            site.forget()
            crawled(who, who.post(f"/integrations/{own}/pull").json()["workflow_id"])
            assert {status for path, status in site.asked if path in wanted} == {304}
            assert {one["document_id"] for one in who.listing("/documents")} == documents
            who.close()


def taken(who: Person, items: str, site: Site, wanted: set[str]) -> set[str]:
    """The documents, when each page has exactly one."""
    keys = [one["key"].removeprefix(site.url) for one in who.listing(items)]
    assert len(keys) == len(set(keys))
    assert wanted <= set(keys)
    documents = {one["document_id"] for one in who.listing("/documents")}
    urls = [who.get(f"/documents/{name}")["metadata"]["url"] for name in documents]
    assert len(urls) == len(set(urls)), "a page became two documents"
    assert {f"{site.url}{path}" for path in wanted} <= set(urls)
    return documents
