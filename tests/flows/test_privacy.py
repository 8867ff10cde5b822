"""Personal data in a tenant's documents: hidden from whoever may not see it on every way out,
revealed to whoever may and written down, or never kept."""

from __future__ import annotations

import json
from email import message_from_bytes
from typing import Any

import pytest
from sqlalchemy import text as sql

from tests.flows.waiting import document_when_read, status_when
from tests.gateway.operations import operations
from tests.gateway.people import Town

MAIL, IBAN, NAME = "klara.kanari@example.com", "DE89370400440532013000", "Klara Kanari"
PHONE, CARD = "+49 30 901820 77", "4111 1111 1111 1111"
CANARIES = (MAIL, IBAN, NAME, PHONE, CARD)
NOTE = (
    f"# Contact sheet of station Ulm\n\nName: {NAME}\nMail: {MAIL}\n\nThe pump P-7 at station Ulm "
    f"is looked after by {NAME}, phone {PHONE}.\n\nRent for station Ulm goes to IBAN {IBAN} each "
    f"month.\n\n"
    f"The deposit of station Ulm was paid with card {CARD}.\n"
)
QUESTIONS = (
    "Who looks after the pump P-7 at station Ulm?", "What is the IBAN for the rent of station Ulm?",
    "What is the phone number for pump P-7?", "How was the deposit of station Ulm paid?",
)  # fmt: skip


@pytest.fixture(scope="module")
def veiled(town: Town) -> tuple[Town, str]:
    """A tenant that masks, with the note and all that was made of it by somebody who may see."""
    town.tenant("veiled")
    admin = town.as_role("veiled", "admin")
    note = _upload(town, admin, "contact.md", NOTE)
    before = town.http.post("/ask", json={"question": QUESTIONS[1]}, headers=admin).json()
    assert IBAN in json.dumps(before)
    answer = town.http.put("/pii-policy", json={"mode": "mask"}, headers=admin)
    assert answer.status_code == 200, answer.text
    assert answer.json()["mode"] == "mask"
    return town, note


def _upload(town: Town, headers: dict[str, str], name: str, text: str) -> str:
    answer = town.http.post("/documents", files={"file": (name, text.encode())}, headers=headers)
    assert answer.status_code == 202, answer.text
    document = str(answer.json()["items"][0]["document_id"])
    assert document_when_read(town, headers, document)["status"] == "ready"
    return document


def _run(town: Town, headers: dict[str, str]) -> dict[str, Any]:
    """The questions as a report."""
    body = {"template": "support-digest", "params": {"questions": list(QUESTIONS)},
            "formats": ["csv", "pdf"]}  # fmt: skip
    answer = town.http.post("/reports", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    run = answer.json()["workflow_id"]
    found = status_when(town, headers, run, "completed")
    assert found["reports"], found
    return dict(found)


def _clean(said: str, why: str) -> None:
    spaceless = said.replace(" ", "")
    seen = [one for one in CANARIES if one in said or one.replace(" ", "") in spaceless]
    assert seen == [], f"{why} shows {seen}"


def test_no_route_shows_it_to_whoever_may_not_see(veiled: tuple[Town, str]) -> None:
    town, note = veiled
    reader, admin = town.as_role("veiled", "operator"), town.as_role("veiled", "admin")
    run = _run(town, admin)
    ids = {"document_id": note, "workflow_id": run["workflow_id"],
           "report_id": run["reports"][0]["report_id"]}  # fmt: skip
    town.http.post("/ask", json={"question": QUESTIONS[0]}, headers=admin)
    walked = 0
    for one in operations(town.app):
        if one.method == "GET" and not one.path.startswith("/auth"):
            answer = one.send(town, reader, ids)
            _clean(answer.text, f"{one.method} {one.path}")
            walked += answer.status_code == 200
    assert walked > 20
    for question in QUESTIONS:
        for stream in (False, True):
            told = town.http.post("/ask", json={"question": question, "stream": stream},
                                  headers=reader)  # fmt: skip
            assert told.status_code == 200
            _clean(told.text, f"/ask {question} {stream}")
        _clean(town.http.post("/search", json={"query": question}, headers=reader).text, "/search")
    extract = {"fields": ["email", "phone", "iban", "name", "contact", "card"]}
    answer = town.http.post(f"/documents/{note}/extract", json=extract, headers=reader)
    assert answer.status_code == 200
    _clean(answer.text, "/extract")
    wanted = {name: {"type": "string"} for name in ("iban", "email")}
    schema = {"schema": {"type": "object", "properties": wanted}}
    _clean(town.http.post(f"/documents/{note}/extract", json=schema, headers=reader).text, "schema")
    for session in town.http.get("/sessions", headers=reader).json()["items"]:
        shown = town.http.get(f"/sessions/{session['session_id']}", headers=reader)
        _clean(shown.text, "/sessions")


def test_citations_still_fit_what_is_shown(veiled: tuple[Town, str]) -> None:
    town, note = veiled
    reader = town.as_role("veiled", "viewer")
    text = town.http.get(f"/documents/{note}/text", headers=reader).json()["pages"][0]["text"]
    assert "•" * len(MAIL) in text
    assert "pump P-7 at station Ulm" in text
    told = town.http.post("/ask", json={"question": QUESTIONS[1]}, headers=reader).json()
    assert told["answered"]
    for cited in told["citations"]:
        assert text[cited["start"] : cited["end"]] == cited["quote"]


def test_who_may_see_sees_and_it_is_written_down(veiled: tuple[Town, str]) -> None:
    town, note = veiled
    admin, actor = town.as_role("veiled", "admin"), town.ctx("veiled")
    text = town.http.get(f"/documents/{note}/text", headers=admin).json()["pages"][0]["text"]
    assert all(one in text for one in CANARIES)
    assert IBAN in town.http.post("/ask", json={"question": QUESTIONS[1]}, headers=admin).text
    with town.rt.db.read(actor) as tx:
        rows = tx.execute(
            sql("SELECT actor, subject FROM audit WHERE tenant_id = :t AND action = 'pii.reveal'"),
            {"t": actor.tenant},
        ).all()
    assert note in {row.subject for row in rows}
    assert {row.actor.partition(":")[0] for row in rows} <= {"user", "run"}


def test_a_report_is_for_those_who_see_as_much_as_its_maker(veiled: tuple[Town, str]) -> None:
    town, _ = veiled
    reader, admin = town.as_role("veiled", "operator"), town.as_role("veiled", "admin")
    own, theirs = _run(town, reader), _run(town, admin)

    def download(run: dict[str, Any], headers: dict[str, str]) -> Any:
        report = run["reports"][0]["report_id"]
        return town.http.get(f"/reports/{report}/download?format=csv", headers=headers)

    shown = download(own, reader)
    assert shown.status_code == 200
    _clean(shown.text, "a report")
    assert "•" in shown.text
    refused = download(theirs, reader)
    assert (refused.status_code, refused.json()["scope"]) == (403, "pii:reveal")
    assert IBAN in download(theirs, admin).text


def test_what_a_run_sends_out_shows_no_more_than_its_maker_may_see(
    veiled: tuple[Town, str],
) -> None:
    town, note = veiled
    reader = town.as_role("veiled", "operator")
    said = "${steps.ask.output} ${steps.read.output}"
    run = town.http.post("/workflows/execute", headers=reader, json={"definition": {
        "name": "tell-all",
        "steps": [
            {"id": "ask", "agent": "analysis", "task": "answer",
             "with": {"questions": list(QUESTIONS)}},
            {"id": "read", "agent": "analysis", "task": "extract", "with": {"document_id": note}},
            {"id": "tell", "agent": "action", "task": "notify", "needs": ["ask", "read"],
             "with": {"exceptions": [{"kind": "note", "message": said}],
                      "email": "desk@example.org"}},
        ],
    }})  # fmt: skip
    assert run.status_code == 202, run.text
    own = run.json()["workflow_id"]
    status_when(town, reader, own, "waiting_approval")
    asked = next(
        one for one in town.http.get("/approvals", headers=reader).json()["items"]
        if one["workflow_id"] == own
    )  # fmt: skip
    _clean(json.dumps(asked), "an approval")
    yes = town.http.post(f"/approvals/{asked['id']}", json={"decision": "approve"}, headers=reader)
    assert yes.status_code == 200, yes.text
    assert status_when(town, reader, own)["status"] == "completed"
    sent = [message_from_bytes(path.read_bytes())
            for path in (town.rt.settings.data_dir / "outbox").rglob("*.eml")]  # fmt: skip
    [letter] = [one for one in sent if one["To"] == "desk@example.org"]
    told = "".join(str(part.get_payload(decode=True)) for part in letter.walk())
    assert "Ulm" in told
    _clean(told, "a mail")


def test_the_original_needs_the_right_to_see_where_it_holds_something(
    veiled: tuple[Town, str],
) -> None:
    town, note = veiled
    reader, admin = town.as_role("veiled", "viewer"), town.as_role("veiled", "admin")
    plain = _upload(town, admin, "plain.md", "# Pumps\n\nThe pump is blue.\n")
    assert town.http.get(f"/documents/{note}/content", headers=reader).status_code == 403
    assert town.http.get(f"/documents/{plain}/content", headers=reader).status_code == 200
    assert town.http.get(f"/documents/{note}/content", headers=admin).status_code == 200


def test_settings_are_no_documents_and_stay_as_they_were_written(
    veiled: tuple[Town, str],
) -> None:
    town, _ = veiled
    reader, desk = town.as_role("veiled", "operator"), "desk@example.com"
    text = (f"name: told\ninputs: {{to: {{type: string, default: {desk}}}}}\n"
            "steps:\n  - {id: a, agent: supervisor, task: noop}\n")  # fmt: skip
    put = town.http.put("/workflow-definitions/told", content=text,
                        headers={**reader, "Content-Type": "application/yaml"})  # fmt: skip
    assert put.status_code in (200, 201), put.text
    assert desk in town.http.get("/workflow-definitions/told", headers=reader).text


def test_other_kinds_are_left_when_only_some_are_hidden(veiled: tuple[Town, str]) -> None:
    town, note = veiled
    reader, admin = town.as_role("veiled", "viewer"), town.as_role("veiled", "admin")
    town.http.put("/pii-policy", json={"mode": "mask", "kinds": ["iban"]}, headers=admin)
    text = town.http.get(f"/documents/{note}/text", headers=reader).text
    assert IBAN not in text
    assert MAIL in text
    assert town.http.put("/pii-policy", json={"mode": "mask"}, headers=admin).status_code == 200
    _clean(town.http.get(f"/documents/{note}/text", headers=reader).text, "/text")


def test_what_is_redacted_is_kept_nowhere(town: Town) -> None:
    town.tenant("redacting")
    admin = town.as_role("redacting", "admin")
    assert town.http.put("/pii-policy", json={"mode": "redact"}, headers=admin).status_code == 200
    note = _upload(town, admin, "contact.md", NOTE)
    again = _upload(town, admin, "copy.md", NOTE)
    for document in (note, again):
        _clean(town.http.get(f"/documents/{document}/text", headers=admin).text, "/text")
        gone = town.http.get(f"/documents/{document}/content", headers=admin)
        assert (gone.status_code, gone.json()["code"]) == (404, "original_not_kept")
    _clean(
        town.http.post("/search", json={"query": "IBAN rent Ulm"}, headers=admin).text, "/search"
    )
    for kind in ("original", "parsed"):
        for name in town.rt.vault.names(town.ctx("redacting"), kind):
            data = town.rt.vault.get(town.ctx("redacting"), kind, name)
            _clean(data.decode(), kind)


def test_redacting_masks_what_was_read_before_it(town: Town) -> None:
    town.tenant("stricter")
    admin, reader = town.as_role("stricter", "admin"), town.as_role("stricter", "operator")
    note = _upload(town, admin, "contact.md", NOTE)
    for mode in ("mask", "redact"):
        assert town.http.put("/pii-policy", json={"mode": mode}, headers=admin).status_code == 200
        _clean(town.http.get(f"/documents/{note}/text", headers=reader).text, mode)
        found = town.http.post("/search", json={"query": "IBAN rent Ulm"}, headers=reader)
        assert found.json()["hits"]
        _clean(found.text, mode)
        kept = town.http.get(f"/documents/{note}/content", headers=reader)
        assert kept.status_code == 403
    assert IBAN in town.http.get(f"/documents/{note}/text", headers=admin).text


def test_the_policy_is_an_admins_and_its_change_is_written_down(veiled: tuple[Town, str]) -> None:
    town, _ = veiled
    operator = town.as_role("veiled", "operator")
    body = {"mode": "leave"}
    assert town.http.put("/pii-policy", json=body, headers=operator).status_code == 403
    admin = town.as_role("veiled", "admin")
    bad = town.http.put("/pii-policy", json={"mode": "burn"}, headers=admin)
    assert bad.status_code == 422
    actor = town.ctx("veiled")
    with town.rt.db.read(actor) as tx:
        told = tx.execute(
            sql("SELECT count(*) FROM audit WHERE tenant_id = :t AND action = 'pii.policy'"),
            {"t": actor.tenant},
        ).scalar_one()
    assert told >= 1
