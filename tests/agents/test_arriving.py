"""A message that brings a document: signed, once by its id and once by its bytes, or refused."""

from __future__ import annotations

import base64
import dataclasses
import json
from functools import partial
from typing import Any

import pytest

from agents.arriving import BYTES_MAX, receive
from agents.registry import AGENTS
from core import failpoints
from core.clock import FakeClock
from core.context import Ctx
from core.failpoints import FailpointError
from core.messages import CODE, DETAIL, Taken
from core.tiers import TIERS
from database import documents
from database.documents import DocumentRow
from runtime import Runtime
from tests.engine import Drain, flow, new_tenant
from tests.fakes.topics import Topics, signed
from workflows import registry, views

NOTE = "The lease of the depot ends in May 2027."


@pytest.fixture
def topics(rt: Runtime, clock: FakeClock) -> Topics:
    return Topics(clock, partial(receive, rt))


def envelope(**data: Any) -> dict[str, Any]:
    body = {"filename": "lease.txt", "text": NOTE, **data}
    kept = {name: value for name, value in body.items() if value is not None}
    return {"version": 1, "type": "document.ingest", "data": kept}


def documents_of(rt: Runtime, ctx: Ctx) -> list[DocumentRow]:
    with rt.db.read(ctx) as tx:
        return list(documents.listing(tx, ctx, limit=200).items)


def runs_of(rt: Runtime, ctx: Ctx) -> list[Any]:
    return list(views.listing(rt, ctx, limit=200).items)


def test_a_message_brings_a_document_that_is_read(
    rt: Runtime, tenant: Ctx, topics: Topics, drain: Drain
) -> None:
    other = new_tenant(rt)
    data = base64.encodebytes(b"vendor;amount\nAcme;12,50\n").decode()
    body = envelope(
        filename="../x/costs.csv", text=None, content=data, content_type="text/csv",
        metadata={"from": "erp"}, tags=["costs"],
    )  # fmt: skip
    topics.settle([signed(rt, tenant, body)])
    drain(rt)
    (row,) = documents_of(rt, tenant)
    assert (row.status, row.format, row.filename) == ("ready", "csv", "costs.csv")
    assert (row.content_type, row.created_by) == ("text/csv", "ingest")
    assert (row.metadata, list(row.tags)) == ({"from": "erp"}, ["costs"])
    (run,) = runs_of(rt, tenant)
    assert (run.workflow, run.status) == ("ingest-document", "completed")
    assert topics.verdicts == [Taken(run.id, document_id=row.id)]
    assert documents_of(rt, other) == []


def test_a_message_that_comes_again_is_one_document(
    rt: Runtime, tenant: Ctx, topics: Topics
) -> None:
    message = signed(rt, tenant, envelope())
    topics.settle([message] * 3)
    first, *again = topics.verdicts
    assert isinstance(first, Taken)
    assert again == [dataclasses.replace(first, again=True)] * 2
    assert (len(documents_of(rt, tenant)), len(runs_of(rt, tenant))) == (1, 1)


def test_a_twin_is_the_same_document(
    rt: Runtime, tenant: Ctx, topics: Topics, drain: Drain
) -> None:
    """Read or not yet; another tenant's is its own."""
    other = new_tenant(rt)
    topics.settle(signed(rt, tenant, envelope(filename=name)) for name in ("a.txt", "b.txt"))
    drain(rt)
    topics.settle([signed(rt, tenant, envelope()), signed(rt, other, envelope())])
    (row,) = documents_of(rt, tenant)
    assert {one.document_id for one in topics.verdicts[:3] if isinstance(one, Taken)} == {row.id}
    assert len(runs_of(rt, tenant)) == len(documents_of(rt, other)) == 1


def test_a_twin_that_came_first_by_another_process_is_found(
    rt: Runtime, tenant: Ctx, topics: Topics
) -> None:
    """Between the look and the commit; what was stored for the later one is gone."""
    receive_now = rt.vault.put

    def put(*args: Any) -> None:
        if not documents_of(rt, tenant):
            object.__setattr__(vault, "put", receive_now)
            receive(rt, signed(rt, tenant, envelope(filename="first.txt")))
        receive_now(*args)

    vault = _Vault(rt.vault, put)
    other = dataclasses.replace(rt, vault=vault)  # type: ignore[arg-type]
    door = Topics(topics.clock, partial(receive, other))
    door.settle([signed(rt, tenant, envelope(filename="second.txt"))])
    (row,) = documents_of(rt, tenant)
    assert row.filename == "first.txt"
    assert [one for one in door.verdicts if isinstance(one, Taken)] == [
        Taken("", document_id=row.id)
    ]


class _Vault:
    def __init__(self, inner: Any, put: Any) -> None:
        self._inner, self.put = inner, put

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def test_the_workflow_it_names_starts_on_the_document(
    rt: Runtime, tenant: Ctx, topics: Topics, drain: Drain
) -> None:
    body = flow(
        {"id": "read", "agent": "ingestion", "task": "ingest",
         "with": {"document_id": "${documents[0]}"}},
        name="look", inputs={"who": {"type": "string"}},
    )  # fmt: skip
    registry.save(rt, tenant, "look", body, AGENTS.catalog)
    wanted = envelope(workflow="look", inputs={"who": "erp"})
    topics.settle(signed(rt, tenant, wanted) for _ in range(2))
    topics.settle([signed(rt, tenant, envelope(workflow="no-such", text="other"))])
    drain(rt)
    (row,) = documents_of(rt, tenant)
    runs = [run for run in runs_of(rt, tenant) if run.workflow == "look"]
    assert [(run.status, list(run.documents)) for run in runs] == [("completed", [row.id])] * 2
    assert [one.text(CODE) for one in topics.dead.values()] == ["not_found"]


@pytest.mark.parametrize(("body", "code"), [
    (envelope(text=None), "bad_envelope"),
    (envelope(content="AAAA"), "bad_envelope"),
    (envelope(text=None, content="%%"), "bad_envelope"),
    (envelope(filename=""), "bad_envelope"),
    (envelope(tags="x"), "bad_envelope"),
    (envelope(tenant="other"), "bad_envelope"),
    (envelope(inputs={"a": 1}), "bad_envelope"),
    ({**envelope(), "type": "document.remove"}, "bad_envelope"),
    (envelope(filename="a.exe", text=None, content="TVoAAQID"), "unsupported_format"),
    (envelope(text=""), "empty_file"),
    (envelope(metadata={"a": 2**60}), "bad_json"),
    (envelope(inputs={"document_id": "01a1fc3d-6b01-7352-8985-f8b132cfe99f"}, workflow="x"),
     "not_found"),
])  # fmt: skip
def test_what_cannot_be_taken_is_a_dead_letter_with_its_reason(
    rt: Runtime, tenant: Ctx, topics: Topics, body: Any, code: str
) -> None:
    topics.settle([signed(rt, tenant, body), signed(rt, tenant, envelope(text="good"))])
    assert [one.text(CODE) for one in topics.dead.values()] == [code]
    assert [row.filename for row in documents_of(rt, tenant)] == ["lease.txt"]


def test_a_larger_file_is_told_where_to_go(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    fits = envelope(text="x" * (BYTES_MAX - 200))
    over = envelope(text="x" * BYTES_MAX)
    topics.settle([signed(rt, tenant, body) for body in (fits, over)])
    (letter,) = topics.dead.values()
    assert letter.text(CODE) == "too_large"
    assert "POST /documents" in letter.text(DETAIL)
    assert len(documents_of(rt, tenant)) == 1


def test_the_limit_of_an_upload_holds(rt: Runtime, tenant: Ctx, clock: FakeClock) -> None:
    settings = rt.settings.model_copy(update={"upload_bytes_max": 10})
    topics = Topics(clock, partial(receive, dataclasses.replace(rt, settings=settings)))
    topics.settle([signed(rt, tenant, envelope())])
    assert [one.text(CODE) for one in topics.dead.values()] == ["too_large"]


def test_a_full_tenant_is_asked_again_and_then_told(rt: Runtime, topics: Topics) -> None:
    tenant, most = new_tenant(rt, tier="free"), TIERS["free"].storage_bytes or 0
    with rt.db.transaction(tenant) as tx:
        documents.create(tx, tenant, documents.NewDocument(
            id="01a1fc3d-6b01-7352-8985-f8b132cfe99f", filename="big", format="txt",
            content_type="", sha256="0" * 64, size=most, metadata={}, tags=(),
        ))  # fmt: skip
    topics.settle([signed(rt, tenant, envelope())])
    assert [one.text(CODE) for one in topics.dead.values()] == ["quota_exceeded"]
    assert topics.retries == 4


def test_another_tenants_name_brings_nothing(rt: Runtime, tenant: Ctx, topics: Topics) -> None:
    victim = new_tenant(rt, "victim")
    topics.settle([signed(rt, tenant, envelope(), tenant="victim")])
    assert [one.text(CODE) for one in topics.dead.values()] == ["bad_signature"]
    assert documents_of(rt, victim) == documents_of(rt, tenant) == []


@pytest.mark.parametrize("side", ["before", "after"])
def test_a_death_at_the_commit_loses_and_doubles_nothing(
    rt: Runtime, tenant: Ctx, topics: Topics, side: str, drain: Drain
) -> None:
    message = signed(rt, tenant, envelope())
    failpoints.reset(f"upload.commit:{side}:1=error")
    try:
        with pytest.raises(FailpointError):
            topics.settle([message])
    finally:
        failpoints.reset("")
    topics.settle([message])
    drain(rt)
    (row,) = documents_of(rt, tenant)
    assert row.status == "ready"
    assert json.dumps(row.metadata) == "{}"
