"""A site becomes documents by its address alone, and nothing private is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from tests.connectors.test_egress import HOSTS
from tests.engine import drained
from tests.fakes.site import Site
from tests.gateway.people import Town
from tests.gateway.platform import opened


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with Site() as made:
        made.page("/", "Opening hours", "The shop is open from nine to six, but not on Sundays.")
        made.page("/terms", "Terms", "Goods may be returned within thirty days.")
        yield made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("weft")
    with opened(folder, egress_allow=site.place) as rt:
        app = create_app(rt)
        with TestClient(app, raise_server_exceptions=False, client=("203.0.113.7", 4711)) as http:
            made = Town(rt, app, http)
            made.tenant("acme")
            yield made


def scrape(town: Town, status: int = 202, key: str | None = None, **body: Any) -> dict[str, Any]:
    headers = {**town.as_role("acme"), **({"Idempotency-Key": key} if key else {})}
    answer = town.http.post("/web-scrape", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    told: dict[str, Any] = answer.json()
    return told


def get(town: Town, path: str, **params: Any) -> dict[str, Any]:
    answer = town.http.get(path, headers=town.as_role("acme"), params=params)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_page_is_asked_for_by_its_address_and_found(town: Town, site: Site) -> None:
    begun = scrape(town, url=f"{site.url}/", key="one", tags=["hours"])
    assert scrape(town, url=f"{site.url}/", key="one", tags=["hours"]) == begun
    drained(town.rt)
    run = get(town, f"/workflows/{begun['workflow_id']}/status")
    assert (run["status"], run["workflow"]) == ("completed", "pull-source")
    found = get(town, "/documents")["items"]
    [document] = [one for one in found if one["tags"] == ["hours"]]
    assert document["filename"] == "Opening hours.html"
    body = {"query": "when is the shop open"}
    hits = town.http.post("/search", json=body, headers=town.as_role("acme")).json()["hits"]
    assert "not on Sundays" in hits[0]["text"]
    assert not [hit for hit in hits if "cookies" in hit["text"]]
    about = get(town, f"/documents/{document['document_id']}")
    assert about["metadata"]["url"] == f"{site.url}/"


def test_the_same_address_again_goes_on_and_starts_what_it_names(town: Town, site: Site) -> None:
    url = f"{site.url}/terms"
    first = scrape(town, url=url)
    drained(town.rt)
    site.page("/terms", "Terms", "Goods may be returned within sixty days.")
    again = scrape(town, url=url, workflow="ingest-document",
                   inputs={"document_id": "${document.id}"})  # fmt: skip
    assert again["integration_id"] == first["integration_id"]
    assert first["trigger_id"] is None
    drained(town.rt)
    trigger = get(town, f"/triggers/{again['trigger_id']}")
    assert (trigger["fired"], trigger["error"]) == (1, None)
    taken = get(town, f"/integrations/{first['integration_id']}")
    assert taken["items"] == {"taken": 1}
    assert scrape(town, url=url)["trigger_id"] is None
    drained(town.rt)
    gone = town.http.get(f"/triggers/{again['trigger_id']}", headers=town.as_role("acme"))
    assert gone.status_code == 404


@pytest.mark.parametrize("url", ["ftp://example.org/", "http://127.0.0.1:1/", "example.org"])
def test_an_address_that_cannot_be_scraped_is_named(town: Town, url: str) -> None:
    assert scrape(town, 422, url=url)["field"] == "url"


def test_a_workflow_that_does_not_exist_is_told_at_once(town: Town) -> None:
    scrape(town, 404, url="https://example.org/", workflow="no-such-thing")
    names = [one["name"] for one in get(town, "/integrations", limit=200)["items"]]
    assert "web https://example.org/" not in names


@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_of_a_private_address_is_taken(town: Town, site: Site, host: str) -> None:
    before = len(site.asked)
    for url in (f"http://{host}/", f"https://{host}:443/"):
        scrape(town, 422, url=url)
        body = {"kind": "web", "name": "private", "config": {"urls": [url]}}
        made = town.http.post("/integrations", json=body, headers=town.as_role("acme"))
        assert made.status_code == 422, made.text
    assert len(site.asked) == before
