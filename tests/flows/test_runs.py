"""A developer's story: ask for a run, follow it, come back after a cut, stop it, try again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.flows.waiting import events_in, status_when
from tests.gateway.people import Town

FOUR: dict[str, Any] = {
    "name": "four",
    "steps": [
        {"id": "a", "agent": "supervisor", "task": "noop", "with": {"n": 1}},
        {"id": "b", "agent": "supervisor", "task": "noop", "needs": ["a"], "with": {}},
        {"id": "c", "agent": "supervisor", "task": "noop", "needs": ["a"], "with": {}},
        {"id": "d", "agent": "supervisor", "task": "noop", "needs": ["b", "c"], "with": {"n": 4}},
    ],
    "outputs": {"last": "${steps.d.output.n}"},
}
BROKEN: dict[str, Any] = {
    "name": "broken",
    "steps": [
        {"id": "fine", "agent": "supervisor", "task": "noop", "with": {}},
        {
            "id": "bad", "agent": "ingestion", "task": "ingest", "needs": ["fine"],
            "with": {"document_id": "01900000-0000-7000-8000-000000000000"},
        },
    ],
}  # fmt: skip


def _execute(town: Town, headers: dict[str, str], **body: Any) -> dict[str, Any]:
    answer = town.http.post("/workflows/execute", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_run_from_the_request_to_its_outputs(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    accepted = _execute(town, headers, definition=FOUR, metadata={"case": "7"})
    assert accepted["links"]["status"] == f"/workflows/{accepted['workflow_id']}/status"
    status = status_when(town, headers, accepted["workflow_id"])
    assert (status["status"], status["outputs"]) == ("completed", {"last": 4})
    assert status["progress"] == {"done": 4, "total": 4}
    assert [step["step_id"] for step in status["steps"]] == ["a", "b", "c", "d"]
    assert all(step["completed_at"] >= step["started_at"] for step in status["steps"])
    assert status["metadata"] == {"case": "7"}
    listed = town.http.get("/workflows", headers=headers).json()["items"]
    assert accepted["workflow_id"] in [item["workflow_id"] for item in listed]
    why = town.http.get(f"/workflows/{accepted['workflow_id']}/why", headers=headers).json()
    assert (why["waiting"], why["causes"]) == (False, [])


def test_an_event_stream_goes_on_after_a_cut_without_a_gap_or_a_repeat(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    run = _execute(town, headers, definition=FOUR)["workflow_id"]
    path = f"/workflows/{run}/events"
    whole = town.http.get(path, headers=headers)
    assert whole.headers["content-type"].startswith("text/event-stream")
    events = events_in(whole.text)
    assert events[0][1] == "workflow.submitted"
    assert events[-1][1] == "workflow.completed"
    assert [seq for seq, _ in events] == sorted({seq for seq, _ in events})
    for cut in (0, len(events) // 2, len(events) - 1):
        resumed = town.http.get(path, headers={**headers, "Last-Event-ID": str(events[cut][0])})
        assert events_in(resumed.text) == events[cut + 1 :]


@pytest.mark.parametrize("last", ["x", "-1", "1e9", "9" * 19, "1; DROP TABLE events"])
def test_a_misshapen_event_id_is_refused(town: Town, last: str) -> None:
    headers = town.as_role("acme", "operator")
    run = _execute(town, headers, definition=FOUR)["workflow_id"]
    answer = town.http.get(f"/workflows/{run}/events", headers={**headers, "Last-Event-ID": last})
    assert answer.status_code == 422


def test_an_idempotency_key_makes_one_run(town: Town) -> None:
    headers = {**town.as_role("acme", "operator"), "Idempotency-Key": "one-run"}
    first = _execute(town, headers, definition=FOUR)
    assert _execute(town, headers, definition=FOUR) == first


def test_a_failed_run_says_where_and_is_tried_again_from_there(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    run = _execute(town, headers, definition=BROKEN)["workflow_id"]
    status = status_when(town, headers, run)
    assert status["status"] == "failed"
    assert status["error"]["code"] == "not_found"
    fine = status["steps"][0]
    again = town.http.post(f"/workflows/{run}/retry", headers=headers)
    assert again.status_code == 202
    status = status_when(town, headers, run)
    assert status["steps"][0] == fine, "a finished step is reused"
    assert town.http.post(f"/workflows/{run}/cancel", headers=headers).status_code == 409


def test_a_run_that_waits_is_explained_and_cancelled(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    exception = {"kind": "missing_po", "message": "There is no order."}
    definition = {
        "name": "tell",
        "steps": [{"id": "tell", "agent": "action", "task": "notify",
                   "with": {"exceptions": [exception], "email": "ap@acme.example"}}],
    }  # fmt: skip
    run = _execute(town, headers, definition=definition)["workflow_id"]
    status_when(town, headers, run, "waiting_approval")
    why = town.http.get(f"/workflows/{run}/why", headers=headers).json()
    assert why["waiting"]
    assert why["causes"][0]["waiting_for"] == "approval"
    assert town.http.post(f"/workflows/{run}/cancel", headers=headers).status_code == 202
    assert status_when(town, headers, run)["status"] == "cancelled"
    waiting = town.http.get("/approvals", headers=headers).json()["items"]
    assert run not in [item["workflow_id"] for item in waiting]


def test_a_person_sees_exactly_what_would_be_sent_and_decides_once(town: Town) -> None:
    operator, viewer = town.as_role("acme", "operator"), town.as_role("acme", "viewer")
    exception = {"kind": "missing_po", "message": "There is no order for invoice 7."}
    definition = {
        "name": "tell",
        "steps": [{"id": "tell", "agent": "action", "task": "notify",
                   "with": {"exceptions": [exception], "email": "ap@acme.example"}}],
    }  # fmt: skip
    run = _execute(town, operator, definition=definition)["workflow_id"]
    status_when(town, operator, run, "waiting_approval")
    asked = next(
        item for item in town.http.get("/approvals", headers=viewer).json()["items"]
        if item["workflow_id"] == run
    )  # fmt: skip
    assert asked["request"]["to"] == ["ap@acme.example"]
    assert "invoice 7" in json.dumps(asked["request"])
    path, yes = f"/approvals/{asked['id']}", {"decision": "approve", "comment": "checked"}
    assert town.http.post(path, json=yes, headers=viewer).status_code == 403
    decided = town.http.post(path, json=yes, headers=operator).json()
    assert (decided["status"], decided["comment"]) == ("approved", "checked")
    assert town.http.post(path, json=yes, headers=operator).status_code == 409
    assert status_when(town, operator, run)["status"] == "completed"
    outbox = list((town.rt.settings.data_dir / "outbox").rglob("*"))
    assert sum(b"ap@acme.example" in file.read_bytes() for file in outbox if file.is_file()) == 1


def test_one_task_of_one_agent(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    body = {"task_type": "noop", "payload": {"say": "${steps.task.output}"}}
    answer = town.http.post("/agents/supervisor/trigger", json=body, headers=headers).json()
    status = status_when(town, headers, answer["workflow_id"])
    assert status["outputs"] == {"output": {"say": "${steps.task.output}"}}, "text stays text"
    unknown = {"task_type": "dance", "payload": {}}
    refused = town.http.post("/agents/supervisor/trigger", json=unknown, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (422, "unknown_task")
    agents = town.http.get("/agents/status", headers=headers).json()["agents"]
    assert {one["agent_type"] for one in agents} == {
        "supervisor", "ingestion", "analysis", "report", "action"
    }  # fmt: skip
    assert all(one["workers"] >= 1 for one in agents)


def test_definitions_are_versioned_and_checked_line_by_line(town: Town) -> None:
    headers = {**town.as_role("acme", "operator"), "Content-Type": "application/yaml"}
    path = "/workflow-definitions/hello"
    text = "name: hello\nsteps:\n  - {id: a, agent: supervisor, task: noop}\n"
    first = town.http.put(path, content=text, headers=headers).json()
    again = town.http.put(path, content=text, headers=headers).json()
    other = town.http.put(path, content=text + "summary: new\n", headers=headers).json()
    assert [one["version"] for one in (first, again, other)] == [1, 1, 2]
    kept = town.http.get(f"{path}@1", headers=headers).json()
    assert kept["definition"] == {
        "name": "hello", "steps": [{"id": "a", "agent": "supervisor", "task": "noop"}]
    }  # fmt: skip
    bad = "name: hello\nsteps:\n  - {id: a, agent: supervisor, task: dance}\n"
    for way in (
        town.http.put(path, content=bad, headers=headers),
        town.http.post("/workflow-definitions/validate", content=bad, headers=headers),
    ):
        problem = way.json()
        assert (way.status_code, problem["code"]) == (422, "bad_definition")
        assert problem["errors"][0]["line"] == 3
    run = _execute(town, town.as_role("acme", "operator"), workflow="hello@1")["workflow_id"]
    status = status_when(town, headers, run)
    assert (status["workflow"], status["version"]) == ("hello", 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"workflow": "no-such"}, 404),
        ({"workflow": "hello@99"}, 404),
        ({"workflow": "../etc"}, 422),
        ({"workflow": "ingest-document", "goal": "both"}, 422),
        ({"workflow": "ingest-document"}, 422),
        ({"workflow": "ingest-document", "inputs": {"document_id": 7}}, 422),
        ({"definition": {"name": "x"}}, 422),
        ({"definition": {"name": "x", "steps": []}}, 422),
        ({"definition": FOUR, "priority": 11}, 422),
        ({"definition": FOUR, "callback_url": "ftp://x"}, 422),
        ({"definition": FOUR, "tenant_id": "other"}, 422),
        ({"goal": ""}, 422),
    ],
)
def test_a_request_that_cannot_run_is_refused_at_once(
    town: Town, body: dict[str, Any], status: int
) -> None:
    headers = town.as_role("acme", "operator")
    answer = town.http.post("/workflows/execute", json=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["detail"]
