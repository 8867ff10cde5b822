"""The action agent asks for exactly what the approver reads, with the proof in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from agents.action import TASKS, notify, plain, subject_of
from connectors import connectors
from core.clock import FakeClock
from core.context import Ctx
from core.errors import InvalidInput
from core.events import AgentMessage
from core.ports import EffectCall
from core.settings import Settings
from runtime import Runtime
from workflows.tasks import Done, ScratchDesk, Work

FINDING: dict[str, Any] = {
    "id": "x1", "kind": "po_not_in_ledger", "severity": "medium",
    "message": "PO-10999 is not in the ledger.", "document_id": "d1",
    "filename": "Rechnung 2026-3391.pdf", "vendor": "Alpen Papier & Büro KG",
    "invoice_number": "2026-3391", "amount": "3117.60", "currency": "EUR",
    "sources": [
        {"document_id": "d1", "filename": "Rechnung 2026-3391.pdf", "page": 1, "start": 5,
         "end": 13, "quote": "PO-10999", "sheet": None, "cells": None},
        {"document_id": "d2", "filename": "ledger.xlsx", "page": 1, "start": 0, "end": 9,
         "quote": "PO Number", "sheet": "Purchase Orders", "cells": "A1:A17"},
    ],
}  # fmt: skip


def asked(desk: ScratchDesk | None = None, at: int = 1_795_000_000_000, **payload: Any) -> Done:
    message = AgentMessage("action", "run-1", "notify", payload, 5, at)
    nothing = cast(Runtime, None)  # the task reads no adapter
    return notify(
        Work(nothing, Ctx("t1", "system"), message, "run-1", "s1", desk=desk or ScratchDesk())
    )


def test_each_finding_becomes_one_mail_and_one_webhook() -> None:
    done = asked(exceptions=[FINDING, FINDING], email="ap@clearpay.example",
                 webhook_url="https://hooks.clearpay.example/weft", report_id="r9")  # fmt: skip
    assert [intent.connector for intent in done.effects] == ["email", "webhook"] * 2
    assert done.output == {"sent": 4}
    mail, hook = done.effects[:2]
    assert mail.summary == (
        "E-mail to ap@clearpay.example: Purchase order not in ledger: invoice 2026-3391, "
        "Alpen Papier & Büro KG, EUR 3117.60"
    )
    assert "- ledger.xlsx, Purchase Orders!A1:A17\n  > PO Number" in mail.request["body"]
    assert "- Rechnung 2026-3391.pdf, page 1\n  > PO-10999" in mail.request["body"]
    assert "/reports/r9/download" in mail.request["body"]
    assert hook.request["payload"]["data"] == {
        "run_id": "run-1", "report_id": "r9", "exception": FINDING,
    }  # fmt: skip
    assert (mail.sources, hook.sources) == (tuple(FINDING["sources"]),) * 2


@pytest.mark.parametrize(("targets", "wanted"), [
    ({}, []), ({"email": "", "webhook_url": ""}, []), ({"email": "a@x.example"}, ["email"]),
    ({"webhook_url": "https://x.example/"}, ["webhook"]),
])  # fmt: skip
def test_only_the_named_targets_are_told(targets: Any, wanted: list[str]) -> None:
    done = asked(exceptions=[FINDING], **targets)
    assert [intent.connector for intent in done.effects] == wanted


def test_several_people_may_be_named() -> None:
    for email in (
        "a@x.example, b@x.example",
        "a@x.example;b@x.example",
        ["a@x.example", "b@x.example"],
    ):
        (intent,) = asked(exceptions=[FINDING], email=email).effects
        assert (intent.request["to"], intent.target) == (
            ["a@x.example", "b@x.example"], "a@x.example, b@x.example",
        )  # fmt: skip


def test_a_retry_asks_for_the_same_bytes() -> None:
    desk = ScratchDesk()
    first, second = (
        asked(desk, at, exceptions=[FINDING], webhook_url="https://x.example/", email="a@x.example")
        for at in (1_795_000_000_000, 1_795_000_099_000)
    )
    assert json.dumps([e.request for e in first.effects]) == json.dumps(
        [e.request for e in second.effects]
    )


def test_a_documents_words_cannot_break_the_mail(tmp_path: Path) -> None:
    evil = {**FINDING, "vendor": "Evil\r\nBcc: all@x.example\u202e", "message": "a\nb\x00",
            "sources": [{**FINDING["sources"][0], "quote": "\r\n.\r\nQUIT\r\n" + "y" * 9000}],
            }  # fmt: skip
    done = asked(exceptions=[evil], email="ap@clearpay.example", webhook_url="https://x.example/")
    mail = done.effects[0].request
    assert mail["subject"] == plain(mail["subject"])
    assert len(mail["body"]) < 1000
    opened = connectors(Settings(data_dir=tmp_path, _env_file=None), FakeClock())
    config = {"webhook_secret": "whsec_" + "QUJD" * 8}
    for intent in done.effects:
        opened[intent.connector].check(EffectCall("k", intent.request, config))


def test_a_finding_without_details_still_has_a_subject() -> None:
    assert subject_of({}) == "Exception"
    assert subject_of({"kind": "unreadable_document", "filename": "scan-0007.pdf"}) == (
        "Unreadable document: scan-0007.pdf"
    )


@pytest.mark.parametrize("exceptions", ["text", [1], {"a": 1}])
def test_what_is_no_list_of_findings_is_refused(exceptions: Any) -> None:
    with pytest.raises(InvalidInput):
        asked(exceptions=exceptions, email="a@x.example")


def test_the_task_says_that_it_acts_outside() -> None:
    assert [(spec.agent, spec.task, spec.effects) for spec in TASKS] == [("action", "notify", True)]
