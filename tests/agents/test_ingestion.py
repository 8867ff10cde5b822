from __future__ import annotations

import gzip
import io
import time
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest

from agents import compaction, ingestion, reindexing, shelf
from agents.attachments import Family, read_all
from agents.documents import child_id
from agents.ingestion import (
    Received,
    Upload,
    content_of,
    ingest,
    receive,
    reindex,
    remove,
    text_of,
)
from agents.search import search
from core import failpoints
from core.context import Ctx
from core.documents import Attachment
from core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    Unavailable,
    Unfinishable,
    UnsupportedFormat,
)
from core.events import AgentMessage
from core.failpoints import FailpointError
from core.ids import new_id
from database import Tx, documents, runs
from database.documents import DocumentRow
from models import Models, weights
from runtime import Runtime
from tests.fakes.memory import OneEmbedder, Platform, platform
from workflows.tasks import Defer, Done, Work

TEXT = b"# Refunds\n\nRefunds are paid within 14 days.\n\nERR-1042 means the gateway timed out.\n"
LONG = "\n\n".join(
    f"# Chapter {n}\n\n" + f"Paragraph {n} tells of matter number {n}. " * 30 for n in range(30)
).encode()


class Started:
    """Stands for the run engine: what would be started, in the transaction of the row."""

    def __init__(self) -> None:
        self.documents: list[str] = []

    def __call__(self, rt: Runtime, tx: Tx, ctx: Ctx, document_id: str) -> None:
        self.documents.append(document_id)


class Desk:
    """One tenant with everything a test needs to put files in and ask for them."""

    def __init__(self, house: Platform, ctx: Ctx | None = None) -> None:
        self.house, self.rt = house, house.rt
        self.ctx = ctx or house.tenant("clearpay")
        self.started = Started()

    def receive(self, data: bytes = TEXT, name: str = "kb.md", **more: Any) -> Received:
        upload = Upload(name, "text/plain", data, **more)
        return receive(self.rt, self.ctx, [upload], self.started)[0]

    def work(self, document_id: str, step: str = "step-1", attempt: int = 1) -> Work:
        message = AgentMessage("ingestion", "run", "ingest", {"document_id": document_id}, 5, 0)
        return Work(self.rt, self.ctx, message, "run", step, attempt)

    def ingest(self, document_id: str) -> dict[str, Any]:
        done = ingest(self.work(document_id))
        assert isinstance(done, Done)
        return done.output

    def put(self, data: bytes = TEXT, name: str = "kb.md", **more: Any) -> str:
        received = self.receive(data, name, **more)
        self.ingest(received.document_id)
        return received.document_id

    def row(self, document_id: str) -> DocumentRow:
        with self.rt.db.read(self.ctx) as tx:
            return documents.get(tx, self.ctx, document_id)

    def found(self, text: str, **more: Any) -> list[str]:
        hits = search(self.rt, self.ctx, text, **more).hits
        return list(dict.fromkeys(hit.chunk.document_id for hit in hits))

    def blobs(self, kind: str) -> set[str]:
        return set(self.rt.vault.names(self.ctx, kind))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(platform(tmp_path))
    yield made
    made.rt.db.close()


@pytest.fixture
def failing() -> Iterator[None]:
    yield
    failpoints.reset("")


def test_an_upload_is_received_read_and_found(desk: Desk) -> None:
    received = desk.receive(metadata={"team": "support"}, tags=["kb"])
    assert (received.status, desk.started.documents) == ("received", [received.document_id])
    assert "supervisor" in desk.house.bells.rung
    output = desk.ingest(received.document_id)
    assert output["status"] == "ready"
    assert output["chunks"] > 0
    found = search(desk.rt, desk.ctx, "how long do refunds take", filters={"team": "support"})
    assert found.hits[0].filename == "kb.md"
    assert found.degraded is None
    chunk = found.hits[0].chunk
    page = text_of(desk.rt, desk.ctx, received.document_id).pages[chunk.page - 1]
    assert page.text[chunk.start : chunk.end] == chunk.text
    assert content_of(desk.rt, desk.ctx, received.document_id) == TEXT


def test_a_file_on_disk_is_taken_as_well(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(TEXT)
    received = receive(desk.rt, desk.ctx, [Upload("a.md", "text/plain", file)], desk.started)
    assert content_of(desk.rt, desk.ctx, received[0].document_id) == TEXT


@pytest.mark.parametrize(
    ("bad", "error"),
    [
        (Upload("x.exe", "application/octet-stream", b"MZ\x90\x00" * 40), UnsupportedFormat),
        (Upload("empty.txt", "text/plain", b""), InvalidInput),
        (Upload("fake.pdf", "application/pdf", b"only text"), InvalidInput),
    ],
)
def test_one_bad_file_refuses_the_request_and_nothing_is_kept(
    desk: Desk, bad: Upload, error: type[Exception]
) -> None:
    good = Upload("kb.md", "text/plain", TEXT)
    with pytest.raises(error, match=bad.filename):
        receive(desk.rt, desk.ctx, [good, bad], desk.started)
    assert desk.house.store.objects == {}
    assert desk.started.documents == []
    with desk.rt.db.read(desk.ctx) as tx:
        assert documents.counts(tx, desk.ctx) == {}


def test_names_are_data_and_never_paths(desk: Desk) -> None:
    assert desk.receive(name="../../etc/pass\x00wd\u202e.md").filename == "passwd.md"


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("side", ["before", "after"])
def test_an_upload_is_whole_or_not_there(desk: Desk, side: str) -> None:
    failpoints.reset(f"upload.commit:{side}:1=error")
    with pytest.raises(FailpointError):
        desk.receive()
    with desk.rt.db.read(desk.ctx) as tx:
        rows = documents.listing(tx, desk.ctx).items
    assert len(rows) == (0 if side == "before" else 1)
    assert desk.blobs("original") == {row.id for row in rows}


@pytest.mark.usefixtures("failing")
@pytest.mark.parametrize("place", ["journal.commit", "index.commit"])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("nth", [1, 2])
def test_an_interrupted_reading_goes_on_without_embedding_again(
    desk: Desk, place: str, side: str, nth: int
) -> None:
    if place == "journal.commit" and nth == 2:
        return
    received = desk.receive(LONG, "long.md")
    failpoints.reset(f"{place}:{side}:{nth}=error")
    with pytest.raises(FailpointError):
        ingest(desk.work(received.document_id))
    failpoints.reset("")
    output = desk.ingest(received.document_id)
    assert output["status"] == "ready"
    assert desk.house.embedder.texts == output["chunks"]
    head = shelf.head_of(desk.rt, desk.ctx)
    assert head.count == output["chunks"]
    assert head.lacking(desk.house.embedder.digest) == 0


def test_a_document_is_found_by_words_before_it_is_embedded(desk: Desk) -> None:
    received = desk.receive(LONG, "long.md")
    seen: list[tuple[str, list[str], str | None]] = []

    def look() -> None:
        desk.house.embedder.before = lambda: None
        found = search(desk.rt, desk.ctx, "matter number 17")
        hits = [hit.chunk.document_id for hit in found.hits]
        seen.append((desk.row(received.document_id).status, hits, found.degraded))

    desk.house.embedder.before = look
    desk.ingest(received.document_id)
    status, hits, degraded = seen[0]
    assert status == "embedding"
    assert received.document_id in hits
    assert degraded is not None
    assert "no vectors yet" in degraded


def test_without_an_embedder_everything_is_found_by_words(tmp_path: Path) -> None:
    desk = Desk(platform(tmp_path, with_embedder=False))
    document_id = desk.put()
    found = search(desk.rt, desk.ctx, "ERR-1042")
    assert found.hits[0].chunk.document_id == document_id
    assert found.degraded is not None
    desk.rt.db.close()


def test_a_model_that_does_not_answer_leaves_the_words(desk: Desk) -> None:
    document_id = desk.put()

    def fail() -> None:
        raise Unavailable("busy")

    desk.house.embedder.before = fail
    found = search(desk.rt, desk.ctx, "ERR-1042")
    assert found.hits[0].chunk.document_id == document_id
    assert found.degraded is not None
    assert "busy" in found.degraded


@pytest.mark.parametrize("data", [TEXT, LONG])
def test_a_model_whose_file_was_deleted_leaves_the_words(
    desk: Desk, tmp_path: Path, data: bytes
) -> None:
    """After it was found and before it was loaded; and when it is back, so are the vectors."""
    there, gone = tmp_path / "there.onnx", [True]

    def load() -> None:
        if gone[0]:
            weights.path_of(
                desk.rt.settings.model_copy(update={"models_dir": there}), "minilm-fp32"
            )

    desk.house.embedder.before = load
    own = desk.put(data)
    assert desk.row(own).status == "ready"
    found = search(desk.rt, desk.ctx, "refunds paragraph")
    assert [hit.chunk.document_id for hit in found.hits[:1]] == [own]
    assert "weft models pull" in (found.degraded or "")
    gone[0] = False
    assert reindex(desk.work("", "again"))
    assert search(desk.rt, desk.ctx, "refunds paragraph").degraded is None


def test_passages_without_vectors_get_them_when_a_model_arrives(desk: Desk) -> None:
    bare = Desk(desk.house, desk.ctx)
    bare.rt = replace(desk.rt, models=cast(Models, OneEmbedder(None)))
    bare.put()
    assert search(desk.rt, desk.ctx, "refunds").degraded is not None
    done = ingestion.reindex(desk.work("-"))
    assert isinstance(done, Done)
    assert done.output["embedded"] > 0
    assert search(desk.rt, desk.ctx, "refunds", mode="vector").degraded is None
    desk.house.clock.advance(61)
    compaction.compact(desk.rt, desk.ctx, force=True)
    assert desk.found("refunds", mode="vector") != []


def test_a_search_that_misses_vectors_asks_for_them_once(desk: Desk) -> None:
    bare = Desk(desk.house, desk.ctx)
    bare.rt = replace(desk.rt, models=cast(Models, OneEmbedder(None)))
    bare.put()
    desk.found("refunds")
    desk.found("refunds")
    with desk.rt.db.read(desk.ctx) as tx:
        asked = runs.listing(tx, desk.ctx, workflow="reindex").items
    assert [run.metadata["digest"] for run in asked] == [desk.house.embedder.digest]
    assert asked[0].actor == "system"


def test_a_document_that_is_just_being_embedded_is_left_to_its_own_run(desk: Desk) -> None:
    document_id = desk.receive(LONG).document_id
    found: list[bool] = []
    desk.house.embedder.before = lambda: found.append(reindexing.ask(desk.rt, desk.ctx, "digest"))
    desk.ingest(document_id)
    assert found != []
    assert not any(found)


def test_a_ready_document_is_not_read_again(desk: Desk) -> None:
    document_id = desk.put()
    before = desk.house.embedder.texts
    assert desk.ingest(document_id)["status"] == "ready"
    assert desk.house.embedder.texts == before


def test_known_bytes_are_ready_at_once_and_shown_once(desk: Desk) -> None:
    first = desk.put(name="first.md")
    second = desk.receive(name="second.md")
    assert (second.status, second.duplicate_of) == ("ready", first)
    assert desk.started.documents == [first]
    assert desk.found("refunds") == [first]
    assert text_of(desk.rt, desk.ctx, second.document_id) == text_of(desk.rt, desk.ctx, first)
    assert desk.ingest(second.document_id)["chunks"] == desk.row(first).chunks


def test_a_copy_can_be_asked_for_by_its_own_id(desk: Desk) -> None:
    desk.put(name="first.md")
    second = desk.receive(name="second.md")
    hit = search(desk.rt, desk.ctx, "refunds", filters={"document_id": second.document_id}).hits[0]
    assert (hit.chunk.document_id, hit.filename) == (second.document_id, "second.md")


def test_a_copy_with_other_tags_is_found_by_them_and_embeds_nothing(desk: Desk) -> None:
    first = desk.put(tags=["old"])
    before = desk.house.embedder.texts
    second = desk.put(tags=["new"])
    assert desk.house.embedder.texts == before
    assert desk.row(second).duplicate_of == first
    assert desk.found("refunds", filters={"tags": "new"}) == [second]
    assert len(desk.found("refunds")) == 1


def test_the_same_file_twice_in_one_request_is_read_once(desk: Desk) -> None:
    both = [Upload("a.md", "text/plain", TEXT), Upload("b.md", "text/plain", TEXT)]
    one, two = receive(desk.rt, desk.ctx, both, desk.started)
    assert two.duplicate_of == one.document_id
    with desk.rt.db.transaction(desk.ctx) as tx:
        assert documents.claim(tx, desk.ctx, one.document_id, "step-other", 30)
    assert isinstance(ingest(desk.work(two.document_id)), Defer)
    with desk.rt.db.transaction(desk.ctx) as tx:
        documents.release(tx, desk.ctx, one.document_id, "step-other")
    assert desk.ingest(two.document_id)["status"] == "ready"
    assert desk.row(one.document_id).status == "ready"
    assert desk.found("refunds") == [one.document_id]


def test_a_known_document_costs_a_hundredth(desk: Desk) -> None:
    started = time.perf_counter()
    desk.put(LONG, "long.md")
    first = time.perf_counter() - started
    again = []
    for _ in range(5):
        started = time.perf_counter()
        assert desk.receive(LONG, "long.md").status == "ready"
        again.append(time.perf_counter() - started)
    assert min(again) < first / 5  # the hash embedder costs nothing; benchmarks measure the real


def test_a_document_that_another_step_reads_is_waited_for(desk: Desk) -> None:
    received = desk.receive()
    with desk.rt.db.transaction(desk.ctx) as tx:
        assert documents.claim(tx, desk.ctx, received.document_id, "step-other", 30)
    assert isinstance(ingest(desk.work(received.document_id)), Defer)
    desk.house.clock.advance(31)
    assert desk.ingest(received.document_id)["status"] == "ready"


def test_a_bad_document_says_why_on_its_row_and_to_every_run(desk: Desk) -> None:
    received = desk.receive(b"%PDF-1.7 and then nothing of the kind", "broken.pdf")
    for _ in range(2):
        with pytest.raises(Unfinishable) as caught:
            ingest(desk.work(received.document_id))
        assert caught.value.slug == "corrupted"
    row = desk.row(received.document_id)
    assert row.status == "failed"
    assert row.error is not None
    assert row.error["code"] == "corrupted"
    with pytest.raises(Unfinishable):
        text_of(desk.rt, desk.ctx, received.document_id)


def test_bytes_that_failed_are_tried_afresh_when_they_come_again(desk: Desk) -> None:
    data = b"%PDF-1.7 and then nothing of the kind"
    first = desk.receive(data, "broken.pdf")
    with pytest.raises(Unfinishable):
        ingest(desk.work(first.document_id))
    assert desk.receive(data, "broken.pdf").duplicate_of is None


def test_a_copy_of_what_failed_is_read_for_itself(desk: Desk) -> None:
    both = [Upload(name, "", b"%PDF-1.7 nothing of the kind") for name in ("a.pdf", "b.pdf")]
    _one, two = receive(desk.rt, desk.ctx, both, desk.started)
    with pytest.raises(Unfinishable):
        ingest(desk.work(two.document_id))
    assert desk.row(two.document_id).status == "failed"


def test_an_unread_document_has_no_text_yet(desk: Desk) -> None:
    with pytest.raises(Conflict, match="not been read"):
        text_of(desk.rt, desk.ctx, desk.receive().document_id)


def mail(*attached: tuple[str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "a@example.com", "b@example.com"
    message["Subject"] = "Invoice 17"
    message.set_content("Please find the papers attached.")
    for name, data in attached:
        message.add_attachment(data, maintype="text", subtype="plain", filename=name)
    return message.as_bytes()


def test_attachments_become_documents_and_go_with_their_mail(desk: Desk) -> None:
    parent = desk.put(mail(("terms.txt", b"Penalty clause of nine percent."), ("x.exe", b"MZ\x00")),
                      "mail.eml")  # fmt: skip
    with desk.rt.db.read(desk.ctx) as tx:
        child, *others = documents.children(tx, desk.ctx, parent)
    assert others == []
    assert (child.filename, child.parent_id, child.status) == ("terms.txt", parent, "ready")
    assert desk.found("penalty clause")[0] == child.id
    assert desk.ingest(parent)["children"] == [child.id]
    assert any("x.exe" in warning for warning in desk.row(parent).warnings)
    remove(desk.rt, desk.ctx, parent, desk.started)
    assert desk.found("penalty clause") == []
    assert desk.blobs("original") == desk.blobs("parsed") == set()


def archive(*members: tuple[str, bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members:
            made.writestr(name, data)
    return target.getvalue()


def test_an_archive_of_archives_is_read_as_deep_as_allowed(desk: Desk) -> None:
    data = archive(("deepest.txt", b"Nobody reads the sentence about zebras."))
    for name, word in (("c", "ospreys"), ("b", "badgers"), ("a", "otters")):
        data = archive((f"{name}.txt", f"A sentence about {word}.".encode()), ("inner.zip", data))
    desk.put(data, "papers.zip")
    with desk.rt.db.read(desk.ctx) as tx:
        names = {row.filename for row in documents.ready(tx, desk.ctx)}
    assert names == {"papers.zip", "inner.zip", "a.txt", "b.txt", "c.txt"}


def test_one_upload_brings_in_so_many_files_and_says_which_are_left(desk: Desk) -> None:
    parent = desk.put(archive(*((f"{n}.txt", f"Note {n}.".encode()) for n in range(4))), "a.zip")
    files = text_of(desk.rt, desk.ctx, parent).attachments
    family, read = Family(5), list[str]()
    told = [
        list(read_all(desk.rt, desk.ctx, desk.row(parent), files, depth=depth, family=family,
                      read=read.append))
        for depth in (1, 2, 2, 3)
    ]  # fmt: skip
    assert len(read) == 5
    assert told[0] == []
    assert "Only the first 1 of 4" in told[1][0]
    assert "Only the first 0 of 4" in told[2][0]
    assert "too deep" in told[3][0]


def test_files_that_would_take_long_are_read_by_runs_of_their_own(desk: Desk) -> None:
    inner = ("inner.zip", archive(("x.txt", b"X.")))
    data = archive(("slow.txt", b"Slow."), ("note.txt", b"A note."), inner)
    parent = desk.put(data, "all.zip")
    remove(desk.rt, desk.ctx, parent, desk.started)
    parent = desk.receive(data, "all.zip").document_id
    attached = (Attachment("slow.txt", "", b""), Attachment("note.txt", "", b""),
                Attachment("inner.zip", "", b""))  # fmt: skip
    for number, content in enumerate((b"Slow.", b"A note.", inner[1])):
        desk.rt.vault.put(desk.ctx, "original", child_id(parent, number), content)
    read = list[str]()
    told = list(read_all(desk.rt, desk.ctx, desk.row(parent), attached, depth=0, family=Family(),
                         read=read.append, together_seconds=0.0))  # fmt: skip
    assert read == []
    assert len(told) == 1
    assert "inner.zip was not read" in told[0]
    with desk.rt.db.read(desk.ctx) as tx:
        children = documents.children(tx, desk.ctx, parent)
    assert {one.filename: one.status for one in children} == {
        "slow.txt": "received", "note.txt": "received"
    }  # fmt: skip


def test_a_removed_document_is_gone_at_once(desk: Desk) -> None:
    kept, gone = desk.put(b"Refunds take long.", "a.txt"), desk.put()
    remove(desk.rt, desk.ctx, gone, desk.started)
    assert desk.found("refunds") == [kept]
    assert desk.blobs("original") == {kept}
    for look in (lambda: text_of(desk.rt, desk.ctx, gone), lambda: desk.row(gone)):
        with pytest.raises(NotFound):
            look()
    with pytest.raises(NotFound):
        remove(desk.rt, desk.ctx, gone, desk.started)


def test_a_copy_takes_the_place_of_a_removed_original(desk: Desk) -> None:
    first = desk.put(name="first.md")
    second = desk.receive(name="second.md").document_id
    third = desk.receive(name="third.md").document_id
    remove(desk.rt, desk.ctx, first, desk.started)
    assert desk.started.documents == [first, second]
    desk.ingest(second)
    assert desk.found("refunds") == [second]
    assert desk.row(third).duplicate_of == second


def test_a_document_removed_while_it_is_read_stays_removed(desk: Desk) -> None:
    received = desk.receive(LONG, "long.md")

    def take_away() -> None:
        desk.house.embedder.before = lambda: None
        remove(desk.rt, desk.ctx, received.document_id, desk.started)

    desk.house.embedder.before = take_away
    with pytest.raises(NotFound):
        ingest(desk.work(received.document_id))
    assert desk.found("matter") == []


def test_another_tenant_sees_nothing(desk: Desk) -> None:
    document_id = desk.put()
    other = desk.house.tenant("mediops")
    assert search(desk.rt, other, "refunds").hits == []
    for call in (text_of, content_of, remove):
        with pytest.raises(NotFound):
            call(desk.rt, other, document_id)
    stranger = replace(desk.work(document_id), ctx=other)
    with pytest.raises(NotFound):
        ingest(stranger)


def test_small_segments_are_merged_and_old_ones_go_after_a_grace(desk: Desk) -> None:
    ids = [desk.put(f"Letter {n} about topic{n}.".encode(), f"{n}.txt") for n in range(12)]
    head = shelf.head_of(desk.rt, desk.ctx)
    assert len(head.segments) <= compaction.SEGMENTS_MAX
    assert head.retired
    for n, document_id in enumerate(ids):
        assert desk.found(f"topic{n}", mode="keyword") == [document_id]
    desk.house.clock.advance(61)
    compaction.compact(desk.rt, desk.ctx, force=True)
    desk.house.clock.advance(61)
    compaction.compact(desk.rt, desk.ctx, force=True)
    head = shelf.head_of(desk.rt, desk.ctx)
    names = {name for one in (*head.segments, *head.retired) for name in (one.id, one.vectors)}
    assert desk.blobs("segment") == names
    assert len(head.segments) == 1


def test_removed_passages_leave_the_disk_at_compaction(desk: Desk) -> None:
    gone, kept = desk.put(b"Secret alpha.", "a.txt"), desk.put(b"Open beta.", "b.txt")
    remove(desk.rt, desk.ctx, gone, desk.started)
    compaction.compact(desk.rt, desk.ctx, force=True)
    head = shelf.head_of(desk.rt, desk.ctx)
    assert head.tombstones == ()
    assert [desk.rt.shelves.documents(desk.ctx, one) for one in head.segments] == [{kept}]


def test_many_writers_lose_nothing(desk: Desk) -> None:
    received = [desk.receive(f"Note {n} on subject{n}.".encode(), f"{n}.txt") for n in range(12)]

    def run(some: list[Received]) -> None:
        for one in some:
            ingest(desk.work(one.document_id, new_id()))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, [received[n::3] for n in range(3)], timeout=30))
    for n, one in enumerate(received):
        assert desk.found(f"subject{n}", mode="keyword") == [one.document_id]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"text": "  "}, "empty"),
        ({"text": "\x01\x1b\u202e"}, "empty"),
        ({"text": "x", "mode": "magic"}, "mode"),
        ({"text": "x", "k": 0}, "k must"),
        ({"text": "x", "filters": {"a": None}}, "compare"),
    ],
)
def test_a_bad_question_is_refused(desk: Desk, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        search(desk.rt, desk.ctx, **arguments)


def test_a_failing_parser_is_retried_and_then_written_down(desk: Desk) -> None:
    received = desk.receive()
    desk.rt.vault.delete(desk.ctx, "original", received.document_id)
    with pytest.raises(NotFound):
        ingest(desk.work(received.document_id))
    assert desk.row(received.document_id).status == "failed"


def test_what_a_gzip_file_does_not_name_is_named_after_it(desk: Desk) -> None:
    desk.put(gzip.compress(b"name;rate\nEUR;1,5\n"), "rates.csv.gz")
    with desk.rt.db.read(desk.ctx) as tx:
        rows = {row.filename: row.format for row in documents.ready(tx, desk.ctx)}
    assert rows == {"rates.csv.gz": "gz", "rates.csv": "csv"}


def test_a_warning_about_a_file_within_holds_no_list_of_formats(desk: Desk) -> None:
    parent = desk.put(archive(("a.txt", b"A."), ("tool.exe", b"MZ" + bytes(99))), "all.zip")
    told = desk.row(parent).warnings
    assert list(told) == [
        "Attachment tool.exe was not read: This is a Windows program, which Weft does not read."
    ]
