"""Documents while the object store is away: nothing accepted is lost, nothing fails for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from agents.ingestion import Received, Upload, content_of, receive
from agents.search import search
from core.clock import FakeClock
from core.context import Ctx
from core.errors import Outage
from core.settings import Settings
from database import documents
from runtime import Runtime
from tests.engine import Drain
from tests.fakes.s3 import FakeS3

TEXT = b"# Refunds\n\nRefunds are paid within 14 days.\n"
AWAY = ["503"] * 500


@pytest.fixture
def store() -> Iterator[FakeS3]:
    with FakeS3().running() as running:
        yield running


@pytest.fixture
def settings(settings: Settings, store: FakeS3) -> Settings:
    return settings.model_copy(update={"blobs_url": store.url})


@dataclass(frozen=True, slots=True)
class Desk:
    rt: Runtime
    tenant: Ctx
    clock: FakeClock
    drain: Drain
    store: FakeS3

    def receive(self, data: bytes = TEXT) -> Received:
        (taken,) = receive(self.rt, self.tenant, [Upload("kb.md", "text/markdown", data)])
        return taken

    def status(self, document_id: str) -> str:
        with self.rt.db.read(self.tenant) as tx:
            return documents.get(tx, self.tenant, document_id).status

    def work(self, seconds: int) -> None:
        for _ in range(seconds // 8):
            self.drain(self.rt)
            self.clock.advance(8)

    def back(self) -> None:
        self.store.faults.clear()
        threading.Event().wait(2.1)  # the adapter lets it rest for two seconds


@pytest.fixture
def desk(rt: Runtime, tenant: Ctx, clock: FakeClock, drain: Drain, store: FakeS3) -> Desk:
    return Desk(rt, tenant, clock, drain, store)


def test_an_accepted_document_outlives_an_outage_of_a_minute(desk: Desk) -> None:
    taken = desk.receive()
    desk.store.faults.extend(AWAY)
    desk.work(seconds=80)
    assert desk.status(taken.document_id) == "parsing"
    desk.back()
    desk.work(seconds=16)
    assert desk.status(taken.document_id) == "ready"
    assert [hit.filename for hit in search(desk.rt, desk.tenant, "refunds").hits] == ["kb.md"]


def test_an_upload_meanwhile_is_refused_for_now_and_leaves_nothing(desk: Desk) -> None:
    desk.receive()
    desk.store.faults.extend(AWAY)
    with pytest.raises(Outage) as caught:
        desk.receive(b"another")
    assert (caught.value.status, caught.value.extra["retry_after"]) == (503, 2)
    with desk.rt.db.read(desk.tenant) as tx:
        assert sum(documents.counts(tx, desk.tenant).values()) == 1
    desk.back()
    assert content_of(desk.rt, desk.tenant, desk.receive(b"another").document_id) == b"another"


def test_shelves_in_memory_go_on_and_cold_ones_say_when_to_ask_again(desk: Desk) -> None:
    taken = desk.receive()
    desk.work(seconds=8)
    assert desk.status(taken.document_id) == "ready"
    assert search(desk.rt, desk.tenant, "refunds").hits
    desk.store.faults.extend(AWAY)
    assert search(desk.rt, desk.tenant, "refunds").hits
    desk.rt.shelves.forget(desk.tenant)
    with pytest.raises(Outage) as caught:
        search(desk.rt, desk.tenant, "refunds")
    assert caught.value.extra["retry_after"] > 0
