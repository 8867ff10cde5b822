"""A back-office person's story: drop files, find and ask, get a report that proves itself."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from examples.make import files
from tests.flows.waiting import document_when_read, status_when
from tests.gateway.people import Town

NOTE = (
    b"# Pumps\n\nPump P-7 was moved to station Ulm on 3 March 2026.\n\nValve V-9 stayed in Bonn.\n"
)


def _upload(town: Town, headers: dict[str, str], name: str, data: bytes) -> str:
    answer = town.http.post("/documents", files={"file": (name, data)}, headers=headers)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["items"][0]["document_id"])


def test_a_document_is_read_found_asked_and_forgotten(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    document = _upload(town, headers, "pumps.md", NOTE)
    assert document_when_read(town, headers, document)["status"] == "ready"
    text = town.http.get(f"/documents/{document}/text", headers=headers).json()["pages"]
    assert "P-7" in text[0]["text"]
    hits = town.http.post("/search", json={"query": "pump P-7 station"}, headers=headers).json()
    assert hits["hits"][0]["document_id"] == document
    assert hits["degraded"], "there is no embedding model here, and it says so"
    ask = {"question": "Which station was pump P-7 moved to?"}
    answer = town.http.post("/ask", json=ask, headers=headers).json()
    assert answer["answered"]
    assert "Ulm" in answer["answer"]
    cited = answer["citations"][0]
    page = text[cited["page"] - 1]["text"]
    assert page[cited["start"] : cited["end"]] == cited["quote"]
    assert town.http.delete(f"/documents/{document}", headers=headers).status_code == 204
    gone = town.http.post("/search", json={"query": "pump P-7 station"}, headers=headers).json()
    assert document not in [hit["document_id"] for hit in gone["hits"]]
    assert town.http.get(f"/documents/{document}/content", headers=headers).status_code == 404


def test_an_answer_streams_and_ends_whole(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    body = {"question": "Who invented the paper clip?", "stream": True}
    answer = town.http.post("/ask", json=body, headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    kinds = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
    assert set(kinds) <= {"token", "citation", "done"}
    assert kinds[-1] == "done"
    last = json.loads(answer.text.strip().rpartition("data: ")[2])
    assert last["answered"] is False
    assert last["citations"] == []


def test_nothing_of_one_tenant_is_found_by_another(town: Town) -> None:
    town.tenant("rival")
    theirs, mine = town.as_role("rival"), town.as_role("acme")
    document = _upload(town, theirs, "secret.md", b"The canary code of rival is ZX-4711-CANARY.\n")
    assert document_when_read(town, theirs, document)["status"] == "ready"
    query = {"query": "ZX-4711-CANARY", "k": 50}
    assert "CANARY" in town.http.post("/search", json=query, headers=theirs).text
    for path, body in (
        ("/search", query),
        ("/search", {**query, "mode": "keyword"}),
        ("/ask", {"question": "What is the canary code ZX-4711-CANARY of rival?"}),
    ):
        answer = town.http.post(path, json=body, headers=mine).json()
        answer.pop("question", None)
        assert document not in json.dumps(answer)
        assert not answer.get("answered", False)
        assert "CANARY" not in json.dumps(answer.get("hits", []))


def test_a_damaged_file_fails_with_its_reason_and_the_others_go_on(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    bad = _upload(town, headers, "broken.pdf", b"%PDF-1.7\nthis is no pdf body\n%%EOF\n")
    found = document_when_read(town, headers, bad)
    assert found["status"] == "failed"
    assert found["error"]["code"] in ("corrupted", "no_pages", "empty")
    assert found["error"]["detail"]
    text = town.http.get(f"/documents/{bad}/text", headers=headers)
    assert text.status_code == 422


@pytest.fixture(scope="module")
def review(town: Town) -> dict[str, Any]:
    """`invoice-review` of ClearPay's example files, ended, with its documents' names."""
    headers = town.as_role("acme", "operator")
    papers = {
        name.rpartition("/")[2]: data
        for name, data in files("clearpay")
        if name.startswith("invoices/")
    }
    ids = {_upload(town, headers, name, data): name for name, data in papers.items()}
    body = {"workflow": "invoice-review", "documents": list(ids)}
    run = town.http.post("/workflows/execute", json=body, headers=headers).json()
    return {"ids": ids, "status": status_when(town, headers, run["workflow_id"], seconds=110)}


def test_the_review_of_invoices_ends_with_exceptions_that_name_their_sources(
    town: Town, review: dict[str, Any]
) -> None:
    status = review["status"]
    assert status["status"] == "completed", status["error"]
    exceptions = status["outputs"]["exceptions"]
    damaged = [one for one in exceptions if "could not be read" in one["message"]]
    assert len(damaged) >= 1
    assert len(exceptions) >= 4 + len(damaged)
    for one in exceptions:
        if one in damaged:
            continue
        assert one["sources"], one["message"]
        for source in one["sources"]:
            assert source["quote"]
            assert source["filename"]


def test_its_report_comes_in_three_formats_with_sources(town: Town, review: dict[str, Any]) -> None:
    headers = town.as_role("acme", "viewer")
    made = {one["format"]: one for one in review["status"]["reports"]}
    assert made.keys() == {"pdf", "xlsx", "csv"}
    starts = {"pdf": b"%PDF-", "xlsx": b"PK\x03\x04", "csv": b""}
    for name, report in made.items():
        answer = town.http.get(report["url"], headers=headers)
        assert answer.content.startswith(starts[name])
        assert answer.headers["content-disposition"].startswith("attachment")
    table = town.http.get(made["csv"]["url"], headers=headers).content.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(table)))) > 5
    detail = town.http.get(f"/reports/{made['pdf']['report_id']}", headers=headers).json()
    assert detail["sources"]
    assert {source["document_id"] for source in detail["sources"]}
    by_run = town.http.get(f"/reports/{review['status']['workflow_id']}", headers=headers).json()
    assert by_run["report_id"] == detail["report_id"]


def test_fields_are_asked_for_by_name(town: Town, review: dict[str, Any]) -> None:
    headers = town.as_role("acme", "viewer")
    document = next(key for key, name in review["ids"].items() if name.endswith(".pdf"))
    body = {"fields": ["vendor", "invoice_number", "total", "no_such_field"]}
    found = town.http.post(f"/documents/{document}/extract", json=body, headers=headers).json()
    assert list(found["fields"]) == body["fields"]
    assert found["fields"]["no_such_field"]["value"] is None
    total = found["fields"]["total"]
    assert total["source"]["quote"]
    assert float(total["value"]) > 0


def test_a_report_is_a_shorthand_for_a_run(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    rows = [{"name": "a", "value": "1"}, {"name": "=cmd()", "value": "2"}]
    body = {"template": "table", "params": {"rows": rows}, "formats": ["csv"]}
    asked = town.http.post("/reports", json=body, headers=headers)
    assert asked.status_code == 202, asked.text
    status = status_when(town, headers, asked.json()["workflow_id"])
    assert status["status"] == "completed", status["error"]
    path = f"/reports/{asked.json()['report_id']}"
    assert town.http.get(path, headers=headers).json()["files"][0]["format"] == "csv"
    got = town.http.get(f"{path}/download?format=csv", headers=headers)
    assert got.status_code == 200
    assert town.http.get(f"{path}/download?format=pdf", headers=headers).status_code == 404
