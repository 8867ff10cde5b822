"""GW8: the object store is there and does not answer; who searches and asks is not left waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from core.ids import new_id
from tests.flows.person import Person
from tests.flows.platform import Platform, pause
from tests.stack.servers import Servers

pytestmark = [pytest.mark.stack, pytest.mark.timeout(300)]
WAIT_SECONDS = 12.0  # the wire gives up a silent store after 5 s; the rest is a busy machine's
KETTLE = b"# Kettle\n\nThe kettle boils water in 180 seconds. Its number is ERR-1042.\n"
KNOWN, NEW = "How long does the kettle boil water?", "Which number has the kettle?"


@pytest.fixture(scope="module")
def platform(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    servers.up("minio")
    made = Platform(tmp_path_factory.mktemp("gw8"), {
        "WEFT_BLOBS_URL": f"{servers.url('minio')}?prefix={new_id()}",
        "WEFT_SHELF_BYTES_MAX": "1",  # every search reads its segments: all shelves are cold
    })  # fmt: skip
    made.provision(acme="unlimited")
    made.start()
    try:
        yield made
    finally:
        assert made.stop() == 0


@pytest.fixture
def who(platform: Platform) -> Iterator[Person]:
    found = platform.person("acme")
    yield found
    found.close()


def timed(who: Person, path: str, **body: Any) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    answer = who.http.post(path, json=body)
    return answer, time.monotonic() - started


def refused(answer: httpx.Response) -> bool:
    """A clear 503 that says when to come back."""
    problem = answer.json()
    return (
        answer.status_code == 503
        and answer.headers["content-type"].startswith("application/problem+json")
        and int(answer.headers["Retry-After"]) >= 1
        and "object store" in problem["detail"].lower()
    )


def test_who_asked_before_gets_the_last_result_and_others_a_clear_no(
    platform: Platform, servers: Servers, who: Person
) -> None:
    [paper] = who.upload(("kettle.md", KETTLE))
    deadline = time.monotonic() + 30
    while not (before := who.post("/search", json={"query": KNOWN}).json())["hits"]:
        assert time.monotonic() < deadline
        pause()
    assert before["age_seconds"] is None
    told = who.post("/ask", json={"question": KNOWN}).json()
    assert told["answered"]
    servers.pause("minio")
    try:
        answer, took = timed(who, "/search", query=KNOWN)
        found = answer.json()
        assert (answer.status_code, took < WAIT_SECONDS) == (200, True), (answer.text, took)
        assert found["hits"] == before["hits"]
        assert "does not answer" in found["degraded"]
        assert found["age_seconds"] >= 0
        again, took = timed(who, "/search", query=KNOWN)
        assert (again.json()["hits"], took < 1.0) == (before["hits"], True), took
        for path, body in (("/search", {"query": NEW}), ("/ask", {"question": NEW})):
            answer, took = timed(who, path, **body)
            assert refused(answer), (path, answer.text)
            assert took < WAIT_SECONDS, (path, took)
        for path in (f"/documents/{paper}/content", f"/documents/{paper}/text"):
            started = time.monotonic()
            answer = who.http.get(path)
            assert refused(answer), (path, answer.text)
            assert time.monotonic() - started < WAIT_SECONDS, path
        answer, took = timed(who, "/ask", question=KNOWN)
        assert (answer.status_code, took < WAIT_SECONDS) == (200, True), (answer.text, took)
        assert answer.json()["answer"] == told["answer"]
    finally:
        servers.resume("minio")
    deadline = time.monotonic() + 30
    while (answer := who.http.post("/search", json={"query": NEW})).status_code == 503:
        assert time.monotonic() < deadline, answer.text
        pause(float(answer.headers["Retry-After"]))
    assert answer.json()["hits"]
    assert answer.json()["age_seconds"] is None
