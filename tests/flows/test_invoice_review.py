"""A back-office person's story: invoices in, a report to trust, and nothing sent unasked.

The platform is a process of its own and everything happens over HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from examples.make import invoices
from tests.fakes.sink import HttpSink, Script
from tests.flows.outside import amounts_in, callback_of, deliveries_of, mails_of, texts_of, verified
from tests.flows.person import Person
from tests.flows.platform import ROOT, Platform
from tests.flows.waiting import events_in

AS_OF = "2026-11-21"
FEW = ("Brightwater invoice 2026-118.docx", "Globex GL-5567.xlsx", "ledger.xlsx")
GOAL = "Check these invoices against the ledger and mail me the exceptions at ap@clearpay.example"


@pytest.fixture(scope="module")
def clerk(platform: Platform) -> Iterator[Person]:
    who = platform.person("clearpay")
    yield who
    who.close()


@pytest.fixture(scope="module")
def papers(clerk: Person) -> dict[str, str]:
    """file name → document id of the example invoices."""
    given = list(invoices())
    return dict(zip((name for name, _ in given), clerk.upload(*given), strict=True))


@pytest.fixture(scope="module")
def reviewed(clerk: Person, papers: dict[str, str]) -> dict[str, Any]:
    """The status of a review of all of them, which tells nobody."""
    run = clerk.execute(
        workflow="invoice-review", documents=list(papers.values()), inputs={"as_of": AS_OF}
    )
    return clerk.status(run, "completed")


@pytest.fixture(scope="module")
def secret(clerk: Person) -> str:
    """The key that the tenant's outgoing webhooks are signed with, as its admin reads it."""
    tenant = clerk.get("/auth/verify")["tenant_id"]
    return str(clerk.get(f"/tenants/{tenant}")["config"]["webhook_secret"])


def _few(papers: dict[str, str]) -> list[str]:
    return [papers[name] for name in FEW]


def test_every_planted_fault_is_found_and_nothing_else(reviewed: dict[str, Any]) -> None:
    wanted = json.loads((ROOT / "examples" / "expected.json").read_text())["exceptions"]
    found = {(one["kind"], one["filename"]) for one in reviewed["outputs"]["exceptions"]}
    either = [
        {(one["kind"], one["filename"]), (one["kind"], one.get("also", one["filename"]))}
        for one in wanted
    ]
    assert all(found & names for names in either), [n for n in either if not found & n]
    assert len(found) == len(wanted) == reviewed["outputs"]["exception_count"]


def test_each_exception_quotes_what_stands_in_its_document(
    clerk: Person, reviewed: dict[str, Any]
) -> None:
    checked = 0
    for exception in reviewed["outputs"]["exceptions"]:
        for source in exception["sources"]:
            pages = clerk.get(f"/documents/{source['document_id']}/text")["pages"]
            page = next(one for one in pages if one["page"] == source["page"])
            assert page["text"][source["start"] : source["end"]] == source["quote"]
            checked += 1
    assert checked >= 7


def test_a_damaged_file_stops_nothing_and_is_named_in_every_report(
    clerk: Person, papers: dict[str, str], reviewed: dict[str, Any]
) -> None:
    damaged = clerk.get(f"/documents/{papers['scan-0007.pdf']}")
    assert (damaged["status"], damaged["error"]["code"]) == ("failed", "corrupted")
    assert reviewed["status"] == "completed"
    (report,) = {one["report_id"] for one in reviewed["reports"]}
    for form, text in texts_of(clerk, report).items():
        assert "scan-0007.pdf" in text, form


def test_three_files_of_one_report_agree_in_every_figure(
    clerk: Person, reviewed: dict[str, Any]
) -> None:
    assert {one["format"] for one in reviewed["reports"]} == {"pdf", "xlsx", "csv"}
    (report,) = {one["report_id"] for one in reviewed["reports"]}
    texts = texts_of(clerk, report)
    for exception in reviewed["outputs"]["exceptions"]:
        for form, text in texts.items():
            assert exception["filename"] in text, form
    for amount in ("5830.80", "5380.80"):
        assert [form for form, text in texts.items() if amount not in amounts_in(text)] == []
    kept = clerk.get(f"/reports/{report}")
    assert {file["format"] for file in kept["files"]} == {"pdf", "xlsx", "csv"}
    assert kept["sources"]


def test_a_person_sees_the_exact_request_and_only_what_is_approved_is_sent_once(
    clerk: Person, papers: dict[str, str], platform: Platform, sink: HttpSink, secret: str
) -> None:
    run = clerk.execute(
        workflow="invoice-review", documents=_few(papers), callback_url=f"{sink.url}/done",
        inputs={"as_of": AS_OF, "notify_email": "ap@clearpay.example", "webhook_url": sink.url},
    )  # fmt: skip
    clerk.status(run, "waiting_approval")
    asked = clerk.approvals(run)
    assert sorted(one["connector"] for one in asked) == ["email"] * 2 + ["webhook"] * 2
    for one in asked:
        assert one["sources"], one["summary"]
        assert all(source["quote"] for source in one["sources"])
        assert one["request"], "the request is shown before it happens"
        assert one["cost_micro"] == 0
    assert (mails_of(platform, run, asked), deliveries_of(sink, run)) == ([], [])
    mail = next(one for one in asked if one["connector"] == "email")
    hook = next(one for one in asked if one["connector"] == "webhook")
    for one in asked:
        clerk.decide(one["id"], "approve" if one in (mail, hook) else "reject", "looked at")
    again = clerk.ask("POST", f"/approvals/{mail['id']}", json={"decision": "approve"})
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    assert clerk.status(run)["status"] == "completed"
    (sent,) = mails_of(platform, run, asked)
    assert (sent["To"], sent["Subject"]) == ("ap@clearpay.example", mail["request"]["subject"])
    assert sent.get_content().split() == mail["request"]["body"].split()
    (told,) = deliveries_of(sink, run)
    assert json.loads(told["body"]) == hook["request"]["payload"]
    assert verified(secret, told) == hook["request"]["payload"]
    done = callback_of(clerk, sink, run)
    assert verified(secret, done)["type"] == "workflow.completed"
    assert verified(secret, done)["data"]["outputs"]["exception_count"] == 2


def test_a_rejected_request_is_never_sent(
    clerk: Person, papers: dict[str, str], platform: Platform, sink: HttpSink
) -> None:
    run = clerk.execute(
        workflow="invoice-review", documents=_few(papers),
        inputs={"as_of": AS_OF, "webhook_url": sink.url, "notify_email": "ap@clearpay.example"},
    )  # fmt: skip
    clerk.status(run, "waiting_approval")
    asked = clerk.approvals(run)
    for one in asked:
        clerk.decide(one["id"], "reject", "known already")
    status = clerk.status(run)
    assert status["status"] == "completed"
    assert status["reports"]
    assert (mails_of(platform, run, asked), deliveries_of(sink, run)) == ([], [])


def test_a_viewer_may_look_but_not_decide(
    platform: Platform, clerk: Person, papers: dict[str, str], sink: HttpSink
) -> None:
    run = clerk.execute(
        workflow="invoice-review", documents=_few(papers), inputs={"webhook_url": sink.url}
    )
    clerk.status(run, "waiting_approval")
    viewer = platform.person("clearpay", "viewer")
    one = viewer.approvals(run)[0]
    refused = viewer.ask("POST", f"/approvals/{one['id']}", json={"decision": "approve"})
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    viewer.close()
    why = clerk.get(f"/workflows/{run}/why")
    assert why["waiting"]
    assert {cause["waiting_for"] for cause in why["causes"]} == {"approval"}
    assert clerk.post(f"/workflows/{run}/cancel").status_code == 202
    assert clerk.status(run)["status"] == "cancelled"
    assert clerk.approvals(run) == []
    late = clerk.ask("POST", f"/approvals/{one['id']}", json={"decision": "approve"})
    assert late.status_code == 409
    assert deliveries_of(sink, run) == []


def test_a_refused_webhook_fails_the_run_and_a_retry_sends_only_what_is_missing(
    clerk: Person, papers: dict[str, str], sink: HttpSink
) -> None:
    run = clerk.execute(
        workflow="invoice-review", documents=_few(papers),
        inputs={"as_of": AS_OF, "webhook_url": sink.url},
    )  # fmt: skip
    clerk.status(run, "waiting_approval")
    sink.script = Script(("400", "200"))
    for one in clerk.approvals(run):
        clerk.decide(one["id"], "approve")
    failed = clerk.status(run)
    assert failed["status"] == "failed"
    assert failed["error"]["code"] == "webhook_refused"
    finished = {s["step_id"]: s for s in failed["steps"] if s["status"] == "completed"}
    assert {"read", "check", "report"} <= set(finished)
    clerk.post(f"/workflows/{run}/retry", 202)
    clerk.status(run, "waiting_approval")
    (missing,) = clerk.approvals(run)
    clerk.decide(missing["id"], "approve")
    status = clerk.status(run)
    assert status["status"] == "completed"
    assert {s["step_id"]: s for s in status["steps"] if s["step_id"] in finished} == finished
    tries = deliveries_of(sink, run)
    assert len(tries) == 3
    assert len({one["id"] for one in tries}) == 2
    assert [one["committed"] for one in tries].count(True) == 2


def test_logs_and_events_tell_the_run_from_its_beginning_to_its_end(
    clerk: Person, reviewed: dict[str, Any]
) -> None:
    run = reviewed["workflow_id"]
    lines = list(clerk.listing(f"/workflows/{run}/logs"))
    assert lines
    # Children write at the same time: what overlaps has no order, all else has.
    told = [datetime.fromisoformat(line["at"]).timestamp() for line in lines]
    assert all(later > earlier - 1 for earlier, later in pairwise(told))
    whole = events_in(clerk.ask("GET", f"/workflows/{run}/events").text)
    assert (whole[0][1], whole[-1][1]) == ("workflow.submitted", "workflow.completed")
    assert [seq for seq, _ in whole] == sorted({seq for seq, _ in whole})
    for cut in (0, len(whole) // 2, len(whole) - 2):
        last = {"Last-Event-ID": str(whole[cut][0])}
        rest = clerk.ask("GET", f"/workflows/{run}/events", headers=last)
        assert events_in(rest.text) == whole[cut + 1 :]
    assert clerk.get(f"/workflows/{run}/why")["waiting"] is False


def test_a_stream_that_is_read_while_the_run_goes_on_misses_nothing(
    clerk: Person, papers: dict[str, str]
) -> None:
    run = clerk.execute(workflow="invoice-review", documents=_few(papers))
    path, last = f"/workflows/{run}/events", "0"
    seen: list[tuple[int, str]] = []
    while not seen or seen[-1][1] != "workflow.completed":
        with clerk.http.stream("GET", path, headers={"Last-Event-ID": last}) as answer:
            text = ""
            for line in answer.iter_lines():  # hangs up after a few and comes back
                text += line + "\n"
                if not line and len(events_in(text)) == 3:
                    break
        found = events_in(text)
        seen += found
        last = str(seen[-1][0])
    assert seen == events_in(clerk.ask("GET", path).text)


def test_one_idempotency_key_makes_one_run_and_one_set_of_documents(
    clerk: Person, papers: dict[str, str]
) -> None:
    body = {"workflow": "invoice-review", "documents": _few(papers)}
    runs = {clerk.execute(key="november", **body) for _ in range(3)}
    assert len(runs) == 1
    other = clerk.ask(
        "POST", "/workflows/execute", json={**body, "documents": []},
        headers={"Idempotency-Key": "november"},
    )  # fmt: skip
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_mismatch")
    file = ("november.txt", b"Rent of November, paid.\n")
    answers = [clerk.send(file, key="rent") for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert len(list(clerk.listing("/documents", filename="november.txt"))) == 1
    clerk.status(runs.pop(), "completed")


def test_a_goal_in_words_is_planned_shown_approved_and_carried_out(
    clerk: Person, papers: dict[str, str], platform: Platform
) -> None:
    run = clerk.execute(goal=GOAL, documents=_few(papers))
    waiting = clerk.status(run, "waiting_approval")
    assert waiting["goal"] == GOAL
    (asked,) = clerk.approvals(run)
    assert asked["kind"] == "plan"
    tasks = [step.get("task") for step in asked["plan"]["steps"]]
    assert tasks[1:] == ["check_invoices", "compose", "notify"]
    assert asked["plan"]["steps"][-1]["with"]["email"] == "ap@clearpay.example"
    clerk.decide(asked["id"], "approve")
    clerk.status(run, "waiting_approval")
    mails = [one for one in clerk.approvals(run) if one["kind"] == "effect"]
    assert {one["connector"] for one in mails} == {"email"}
    for one in mails:
        clerk.decide(one["id"], "approve")
    status = clerk.status(run)
    assert status["status"] == "completed"
    assert status["reports"]
    assert len(mails_of(platform, run, mails)) == len(mails) == 2


def test_a_plan_that_is_rejected_does_nothing(clerk: Person, papers: dict[str, str]) -> None:
    run = clerk.execute(goal=GOAL, documents=_few(papers))
    clerk.status(run, "waiting_approval")
    (asked,) = clerk.approvals(run)
    clerk.decide(asked["id"], "reject")
    status = clerk.status(run)
    assert (status["status"], status["error"]["code"]) == ("cancelled", "plan_rejected")
    assert status["reports"] == []
