from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest

from agents import analysis_fields as analysis
from agents.ingestion import Upload, ingest, receive
from core.context import Ctx
from core.errors import InvalidInput, NotFound, Unavailable
from core.events import AgentMessage
from database import documents
from runtime import Runtime
from tests.fakes.chat import ScriptedChat
from tests.fakes.memory import Platform, platform
from workflows.tasks import Defer, Done, Work

INVOICE = b"""Harrow Supplies Ltd
INVOICE
Invoice No: HS-2041
Invoice date: 2026-09-01
Due date: 2026-10-01
PO Number: PO-7781
Subtotal: 165.00
VAT 20%: 33.00
Total: GBP 198.00
"""
LEDGER = b"""Paid on,Invoice Number,Vendor,Amount,Currency
2026-09-20,HS-2041,Harrow Supplies Ltd,189.00,GBP
2026-09-21,X-1,Other Ltd,20.00,GBP
"""


class Office:
    """A tenant whose documents were read."""

    def __init__(self, house: Platform) -> None:
        self.house, self.rt, self.ctx = house, house.rt, house.tenant("clearpay")

    def put(self, name: str, data: bytes, *, read: bool = True) -> str:
        upload = Upload(name, "application/octet-stream", data)
        received = receive(self.rt, self.ctx, [upload], lambda *_: None)[0]
        if read:
            work = self.work("ingest", {"document_id": received.document_id})
            assert isinstance(ingest(work), Done)
        return received.document_id

    def work(self, task: str, payload: dict[str, Any], ctx: Ctx | None = None) -> Work:
        message = AgentMessage("analysis", "run", task, payload, 5, 0)
        return Work(self.rt, ctx or self.ctx, message, "run", f"step-{task}")

    def check(self, **payload: Any) -> dict[str, Any]:
        done = analysis.check_invoices(self.work("check_invoices", payload))
        assert isinstance(done, Done)
        return done.output


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(platform(tmp_path, with_embedder=False))
    yield made
    made.rt.db.close()


def test_extract_keeps_the_fields_and_says_what_it_found(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE)
    done = analysis.extract(office.work("extract", {"document_id": document_id}))
    assert isinstance(done, Done)
    assert done.output["document_type"] == "invoice"
    assert done.output["field_count"] >= 8
    with office.rt.db.read(office.ctx) as tx:
        kept = documents.fields(tx, office.ctx, document_id)
        row = documents.get(tx, office.ctx, document_id)
    assert kept is not None
    assert (kept.fields["total"].value, row.document_type) == ("198.00", "invoice")


def test_extract_waits_for_a_document_that_nobody_has_read(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE, read=False)
    waiting = analysis.extract(office.work("extract", {"document_id": document_id}))
    assert isinstance(waiting, Defer)


def test_the_attachment_is_the_invoice_and_the_mail_its_cover(office: Office) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@b.example", "c@d.example", "Invoice HS-2041"
    mail.set_content("Invoice No: HS-2041\nTotal: GBP 198.00\nVAT 20%: 33.00\n")
    mail.add_attachment(INVOICE.decode(), filename="hs.txt")
    document_id = office.put("mail.eml", mail.as_bytes())
    done = analysis.extract(office.work("extract", {"document_id": document_id}))
    assert isinstance(done, Done)
    assert [child["document_type"] for child in done.output["children"]] == ["invoice"]
    facts = office.check(documents=[document_id], as_of="2026-09-02")["facts"]
    assert [one["filename"] for one in facts["documents"]] == ["hs.txt"]


def test_the_review_holds_invoices_against_the_ledger(office: Office) -> None:
    ids = [office.put("hs.txt", INVOICE), office.put("ledger.csv", LEDGER)]
    output = office.check(documents=ids, as_of="2026-11-21")
    assert [e["kind"] for e in output["exceptions"]] == ["payment_amount_differs"]
    assert output["exception_count"] == 1
    (exception,) = output["exceptions"]
    assert exception["amount"] == "9.00"
    assert "D2" in {source["cells"] for source in exception["sources"]}
    assert output["facts"]["ledger"]["filename"] == "ledger.csv"


def test_a_document_that_failed_is_named(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE)
    failed = [{"item": document_id, "error": {"code": "corrupted", "detail": "It is damaged."}}]
    facts = office.check(documents=[document_id, "gone"], failed=failed)["facts"]
    assert {one["error"] for one in facts["unreadable"]} == {"It is damaged.", "It was deleted."}


def test_fields_are_asked_for_by_name_or_by_schema(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE + b"Delivery date: 3 September 2026\n")
    schema = {"type": "object", "properties": {"total": {}, "delivery_date": {}}}
    expected = {"total": "198.00", "delivery_date": "2026-09-03"}
    fields = analysis.fields_of(office.rt, office.ctx, document_id, [*expected])
    assert {name: value.value for name, value in fields.fields.items()} == expected
    filled = analysis.filled_of(office.rt, office.ctx, document_id, schema)
    assert {name: value.value for name, value in filled.fields.items()} == expected
    assert filled.data == expected
    with pytest.raises(InvalidInput):
        analysis.filled_of(office.rt, office.ctx, document_id, {"type": "object"})


def test_another_tenants_document_is_not_found(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE)
    with pytest.raises(NotFound):
        analysis.fields_of(office.rt, office.house.tenant("mediops"), document_id)


@pytest.mark.parametrize("payload", [{}, {"documents": "x"}, {"documents": [], "as_of": "soon"}])
def test_a_wrong_request_says_which_field(office: Office, payload: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as error:
        office.check(**payload)
    assert error.value.extra["field"] in ("documents", "as_of")


@dataclass
class Reader:
    """Models whose chat passed the gate of extraction."""

    replies: list[str | BaseException]
    asked_for: list[str] = field(default_factory=list)

    def embedder(self, name: str | None = None) -> None:
        return None

    def chat(self, task: str, text: str = "") -> ScriptedChat:
        self.asked_for.append(task)
        return ScriptedChat(self.replies)


def with_model(office: Office, *replies: str | BaseException) -> Runtime:
    return replace(office.rt, models=cast(Any, Reader(list(replies))))


def test_a_models_value_is_kept_only_where_the_text_holds_it(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE + b"Goods left the yard on 3 September 2026.\n")
    told = {"yard_day": "3 September 2026", "driver": "Mike Ross", "total": "1.00"}
    rt = with_model(office, json.dumps(told))
    names = ["yard_day", "driver", "total"]
    fields = analysis.fields_of(rt, office.ctx, document_id, names).fields
    assert {name: value.value for name, value in fields.items()} == {
        "yard_day": "3 September 2026", "driver": None, "total": "198.00",
    }  # fmt: skip
    proof = fields["yard_day"].source
    assert proof is not None
    assert proof.quote == "3 September 2026"
    assert fields["yard_day"].confidence <= 0.5


@pytest.mark.parametrize("reply", ["no JSON", "[1]", '{"driver": 7}', Unavailable("away")])
def test_a_model_that_fails_changes_nothing(office: Office, reply: str | BaseException) -> None:
    document_id = office.put("hs.txt", INVOICE)
    rt = with_model(office, reply)
    assert (
        analysis.fields_of(rt, office.ctx, document_id, ["driver"]).fields["driver"].value is None
    )


def test_a_schemas_gaps_are_asked_of_the_model_too(office: Office) -> None:
    document_id = office.put("hs.txt", INVOICE + b"Goods left with Mike Ross.\n")
    rt = with_model(office, json.dumps({"driver": "Mike Ross", "mood": "sunny"}))
    schema = {"type": "object", "properties": {"driver": {"type": "string"}, "mood": {}}}
    filled = analysis.filled_of(rt, office.ctx, document_id, schema)
    assert (filled.data, list(filled.missing)) == ({"driver": "Mike Ross"}, ["mood"])
