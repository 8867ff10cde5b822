"""What reached the people and systems outside: report files, mails, webhooks."""

from __future__ import annotations

import csv
import io
import json
import re
import time
from email import message_from_bytes
from email.policy import default as modern
from pathlib import Path
from typing import Any

import openpyxl
import pypdfium2
import pytest
import standardwebhooks

from tests.fakes.sink import HttpSink
from tests.flows.person import Person
from tests.flows.platform import Platform, pause


def download(clerk: Person, report: str, form: str) -> bytes:
    answer = clerk.ask("GET", f"/reports/{report}/download", params={"format": form})
    assert answer.status_code == 200, answer.text
    assert "attachment" in answer.headers["content-disposition"]
    return answer.content


def texts_of(clerk: Person, report: str) -> dict[str, str]:
    """What a reader sees in each of the three files."""
    pdf = pypdfium2.PdfDocument(download(clerk, report, "pdf"))
    printed = "\n".join(page.get_textpage().get_text_range() for page in pdf)
    pdf.close()
    book = openpyxl.load_workbook(io.BytesIO(download(clerk, report, "xlsx")))
    cells = [
        str(cell) for sheet in book for row in sheet.values for cell in row if cell is not None
    ]
    book.close()
    text = download(clerk, report, "csv").decode("utf-8-sig")
    rows = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
    return {"pdf": _flat(printed), "xlsx": _flat("\n".join(cells)), "csv": _flat("\n".join(rows))}


def _cell(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def amounts_in(text: str) -> set[str]:
    return {one.replace(",", "") for one in re.findall(r"\d[\d,]*\.\d\d", text)}


def _flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def mails_of(platform: Platform, run: str, asked: list[dict[str, Any]]) -> list[Any]:
    """The mails in the outbox that name the run's own report."""
    reports = {
        found[1]
        for one in asked if one["connector"] == "email"
        if (found := re.search(r"/reports/([0-9a-f-]{36})/", one["request"]["body"]))
    }  # fmt: skip
    mails = [
        message_from_bytes(path.read_bytes(), policy=modern)
        for path in sorted(Path(platform.folder, "outbox").glob("*.eml"))
    ]
    assert len({mail["Message-ID"] for mail in mails}) == len(mails)
    return [mail for mail in mails if any(one in mail.get_content() for one in reports)]


def deliveries_of(sink: HttpSink, run: str) -> list[dict[str, Any]]:
    """Deliveries about exceptions of that run."""
    return [
        one for one in sink.deliveries()
        if one["path"] == "/hook" and json.loads(one["body"])["data"]["run_id"] == run
    ]  # fmt: skip


def callback_of(clerk: Person, sink: HttpSink, run: str) -> dict[str, Any]:
    """The one delivery that says how the run ended, waited for."""
    deadline = time.monotonic() + 30
    while True:
        bodies = ((one, json.loads(one["body"])["data"]) for one in sink.deliveries())
        found = [one for one, data in bodies if data.get("workflow_id") == run]
        if found:
            (only,) = found
            return only
        assert time.monotonic() < deadline, "no callback came"
        pause()


def verified(secret: str, delivery: dict[str, Any]) -> dict[str, Any]:
    """The payload, if the signature is right (Standard Webhooks 1.0)."""
    body, headers = delivery["body"], delivery["headers"]
    found: dict[str, Any] = standardwebhooks.Webhook(secret).verify(body, headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(secret).verify(body + " ", headers)
    return found
