"""Runs that start by themselves: by the clock, by a signed call, by a document; each once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.registry import AGENTS
from connectors.signatures import sign
from core.ids import new_id
from database import triggers
from tests.engine import drained
from tests.gateway.people import Town
from workflows import schedules, sweeper

ECHO = {
    "name": "echo", "inputs": {"told": {"type": "string", "default": "nothing"}},
    "steps": [{"id": "say", "agent": "supervisor", "task": "noop",
               "with": {"told": "${inputs.told}", "documents": "${documents}"}}],
    "outputs": {"told": "${steps.say.output.told}", "documents": "${steps.say.output.documents}"},
}  # fmt: skip
SECRET = "whsec_" + base64.b64encode(b"a secret of 24 bytes ...").decode()


@pytest.fixture(scope="module", autouse=True)
def _workflow(town: Town) -> None:
    for slug in ("acme", "other"):
        answer = town.http.put("/workflow-definitions/echo", json=ECHO, headers=town.as_role(slug))
        assert answer.status_code == 200, answer.text


def made(town: Town, slug: str = "acme", **body: Any) -> dict[str, Any]:
    body = {"name": new_id(), "workflow": "echo", **body}
    answer = town.http.post("/triggers", json=body, headers=town.as_role(slug))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def outputs(town: Town, workflow_id: str, slug: str = "acme") -> dict[str, Any]:
    drained(town.rt)
    url = f"/workflows/{workflow_id}/status"
    status = town.http.get(url, headers=town.as_role(slug)).json()
    assert status["status"] == "completed", status
    found: dict[str, Any] = status["outputs"]
    return found


def standard(body: bytes, event: str, seconds: int | None = None) -> dict[str, str]:
    at = int(time.time()) if seconds is None else seconds
    return {"webhook-id": event, "webhook-timestamp": str(at),
            "webhook-signature": sign(SECRET, event, at, body)}  # fmt: skip


def call(town: Town, url: str, body: bytes, headers: dict[str, str]) -> Any:
    return town.http.post(
        url, content=body, headers={"content-type": "application/json", **headers}
    )


def test_a_signed_call_starts_its_workflow_once(town: Town) -> None:
    hook = made(town, kind="webhook", secret=SECRET, inputs={"told": "${event.body.order.id}"})
    body = json.dumps({"order": {"id": "A-7"}}).encode()
    first = call(town, hook["url"], body, standard(body, "evt_1"))
    again = call(town, hook["url"], body, standard(body, "evt_1"))
    assert (first.status_code, again.status_code) == (202, 202)
    assert (first.json()["again"], again.json()["again"]) == (False, True)
    assert again.json()["workflow_id"] == first.json()["workflow_id"]
    assert outputs(town, first.json()["workflow_id"])["told"] == "A-7"
    other = json.dumps({"order": {"id": "B-8"}}).encode()
    mixed = call(town, hook["url"], other, standard(other, "evt_1"))
    assert mixed.json()["code"] == "idempotency_mismatch"


def github(body: bytes) -> dict[str, str]:
    made = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return {"x-hub-signature-256": f"sha256={made}", "x-github-delivery": new_id()}


def stripe(body: bytes) -> dict[str, str]:
    at = int(time.time())
    made = hmac.new(SECRET.encode(), b"%d." % at + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={'0' * 64},v1={made},v0=x"}


def plain(body: bytes) -> dict[str, str]:
    made = hmac.new(SECRET.encode(), body, hashlib.sha256).digest()
    return {"x-shop-hmac": base64.b64encode(made).decode()}


@pytest.mark.parametrize(("config", "signed"), [
    ({"preset": "github"}, github), ({"preset": "stripe"}, stripe),
    ({"preset": "hmac", "header": "X-Shop-Hmac", "encoding": "base64"}, plain),
])  # fmt: skip
def test_each_preset_takes_its_own_signature_and_no_other(
    town: Town, config: dict[str, str], signed: Any
) -> None:
    hook = made(town, kind="webhook", secret=SECRET, config=config)
    body = json.dumps({"id": new_id()}).encode()
    assert call(town, hook["url"], body, signed(body)).status_code == 202
    for wrong in ({}, standard(body, "e"), signed(body + b" "), signed(b"")):
        answer = call(town, hook["url"], body, wrong)
        assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")


def test_an_old_call_played_again_is_refused(town: Town) -> None:
    hook = made(town, kind="webhook", secret=SECRET)
    for at in (int(time.time()) - 400, int(time.time()) + 400):
        answer = call(town, hook["url"], b"{}", standard(b"{}", "old", at))
        assert answer.status_code == 401
    for strange in ("", "-1", "1e9", "9" * 400):
        headers = {**standard(b"{}", "old"), "webhook-timestamp": strange}
        assert call(town, hook["url"], b"{}", headers).status_code == 401


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a": NaN}', b"\xff", b'{"a":"\\u0000"}'])
def test_what_is_signed_but_no_json_object_is_refused(town: Town, body: bytes) -> None:
    hook = made(town, kind="webhook", secret=SECRET, config={"preset": "github"})
    answer = call(town, hook["url"], body, github(body))
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_json")


def test_a_call_for_nobody_and_one_to_another_kind_read_the_same(town: Town) -> None:
    timed = made(town, kind="schedule", config={"cron": "0 7 * * *"})
    off = made(town, kind="webhook", secret=SECRET, enabled=False)
    answers = [
        call(town, f"/triggers/{one}", b"{}", standard(b"{}", "x")).json()["code"]
        for one in (new_id(), timed["trigger_id"], off["trigger_id"], "no-id")
    ]
    assert set(answers) == {"bad_signature"}


def test_weft_makes_a_secret_that_is_shown_once(town: Town) -> None:
    hook = made(town, kind="webhook")
    shown = town.http.get(f"/triggers/{hook['trigger_id']}", headers=town.as_role("acme")).json()
    assert hook["secret"].startswith("whsec_")
    assert "secret" not in shown
    assert hook["secret"] not in json.dumps(shown)


def test_a_schedule_fires_each_time_once(town: Town) -> None:
    timed = made(
        town, kind="schedule", config={"cron": "* * * * *"}, inputs={"told": "${event.at}"}
    )
    ctx = town.ctx("acme")
    with town.rt.db.transaction(ctx) as tx:
        due = tx.now_ms - 1
        triggers.change(tx, ctx, timed["trigger_id"], due_ms=due)
    for _ in range(3):
        sweeper.sweep(town.rt, AGENTS)
    url = f"/triggers/{timed['trigger_id']}"
    shown = town.http.get(url, headers=town.as_role("acme")).json()
    assert shown["fired"] == 1
    at = datetime.fromtimestamp(due / 1000, UTC).isoformat(timespec="milliseconds")
    assert outputs(town, shown["workflow_id"])["told"] == at.replace("+00:00", "Z")
    assert town.http.delete(url, headers=town.as_role("acme")).status_code == 204


def test_one_that_cannot_be_told_the_time_keeps_no_other_from_firing(town: Town) -> None:
    lost, sound = (
        made(town, kind="schedule", config={"cron": "* * * * *"}) for _ in range(2)
    )  # fmt: skip
    ctx = town.ctx("acme")
    with town.rt.db.transaction(ctx) as tx:
        gone = {"cron": "* * * * *", "zone": "Europe/Atlantis"}
        triggers.change(tx, ctx, lost["trigger_id"], due_ms=1, config=gone)
        triggers.change(tx, ctx, sound["trigger_id"], due_ms=2)
    sweeper.sweep(town.rt, AGENTS)
    headers = town.as_role("acme")
    shown = town.http.get(f"/triggers/{sound['trigger_id']}", headers=headers).json()
    assert shown["fired"] == 1
    for one in (lost, sound):
        town.http.delete(f"/triggers/{one['trigger_id']}", headers=headers)


def test_a_document_starts_what_waits_for_its_kind(town: Town) -> None:
    bills = made(town, kind="document", inputs={"told": "${document.filename}"},
                 config={"when": "document.document_type == 'invoice' and "
                                 "document.metadata.mandant == 'north'"})  # fmt: skip
    bill = "INVOICE\nInvoice number: INV-77\nInvoice date: 2026-03-01\nTotal due: 120.00 EUR\n"
    for name, text, metadata in (
        ("bill.txt", bill, {"mandant": "north"}), ("note.txt", "A note.", {"mandant": "north"}),
        ("south.txt", bill + "South", {"mandant": "south"}),
    ):  # fmt: skip
        files = {"file": (name, text.encode(), "text/plain")}
        town.http.post("/documents", files=files, data={"metadata": json.dumps(metadata)},
                       headers=town.as_role("acme"))  # fmt: skip
    drained(town.rt)
    url = f"/triggers/{bills['trigger_id']}"
    shown = town.http.get(url, headers=town.as_role("acme")).json()
    assert shown["fired"] == 1
    found = outputs(town, shown["workflow_id"])
    assert found["told"] == "bill.txt"
    assert len(found["documents"]) == 1
    assert town.http.delete(url, headers=town.as_role("acme")).status_code == 204


def test_a_copy_starts_nothing_whatever_is_told_of_it(town: Town) -> None:
    """The same bill by mail and by hand is paid once."""
    asks = made(town, kind="document", config={"when": "document.metadata.way != ''"})
    for way in ("mail", "hand"):
        files = {"file": (f"{way}.txt", b"The one bill that comes by two ways.", "text/plain")}
        town.http.post("/documents", files=files, data={"metadata": json.dumps({"way": way})},
                       headers=town.as_role("acme"))  # fmt: skip
        drained(town.rt)
    url = f"/triggers/{asks['trigger_id']}"
    assert town.http.get(url, headers=town.as_role("acme")).json()["fired"] == 1
    assert town.http.delete(url, headers=town.as_role("acme")).status_code == 204


def test_what_cannot_start_is_said_on_the_trigger(town: Town) -> None:
    timed = made(town, kind="schedule", config={"cron": "* * * * *"}, inputs={"told": "${event}"})
    ctx = town.ctx("acme")
    with town.rt.db.transaction(ctx) as tx:
        triggers.change(tx, ctx, timed["trigger_id"], due_ms=1)
    sweeper.sweep(town.rt, AGENTS)
    url = f"/triggers/{timed['trigger_id']}"
    shown = town.http.get(url, headers=town.as_role("acme")).json()
    assert shown["error"]["detail"] == "inputs.told: must be of type string."
    assert shown["fired"] == 0


@pytest.mark.parametrize("body", [
    {"kind": "schedule", "config": {"cron": "nonsense"}},
    {"kind": "schedule", "config": {"cron": "* * * * * *"}},  # each second
    {"kind": "schedule", "config": {}},
    {"kind": "webhook", "config": {"preset": "carrier-pigeon"}},
    {"kind": "webhook", "config": {"preset": "hmac"}},
    {"kind": "document", "config": {"when": "document. =="}},
    {"kind": "document", "config": {"if": "true"}},
    {"kind": "document", "workflow": "no-such-workflow"},
    {"kind": "document", "inputs": {"told": "${1 +}"}},
])  # fmt: skip
def test_a_trigger_that_could_never_start_is_refused(town: Town, body: dict[str, Any]) -> None:
    whole = {"name": "wrong", "workflow": "echo", **body}
    answer = town.http.post("/triggers", json=whole, headers=town.as_role("acme"))
    assert answer.status_code in (404, 422), answer.text


def test_a_triggered_run_decides_no_approval_and_does_no_more_than_its_maker(town: Town) -> None:
    maker = {**town.key("acme", "integrations:write", "documents:read")}
    answer = town.http.post("/triggers", headers=maker, json={
        "name": "narrow", "kind": "webhook", "workflow": "echo"})  # fmt: skip
    ctx, other = town.ctx("acme"), made(town, kind="webhook")
    with town.rt.db.read(ctx) as tx:
        narrow = triggers.get(tx, ctx, answer.json()["trigger_id"])
        wide = triggers.get(tx, ctx, other["trigger_id"])
    assert narrow.scopes == ["documents:read"]
    assert "approvals:decide" not in wide.scopes


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(("missed", "count"), [("once", 1), ("skip", 0), ("all", 5)])
def test_missed_times_are_made_up_for_as_wished(missed: str, count: int) -> None:
    schedule = schedules.check({"cron": "0 7 * * *", "missed": missed})
    due, now = at("2026-03-01T07:00:00+00:00"), at("2026-03-05T12:00:00+00:00")
    times, following = schedules.turns(schedule, due, now)
    assert len(times) == count
    assert following == at("2026-03-06T07:00:00+00:00")


def test_local_times_keep_their_hour_when_the_clocks_change() -> None:
    schedule = schedules.check({"cron": "0 7 * * *", "zone": "Europe/Berlin"})
    before = schedules.following(schedule, at("2026-03-28T00:00:00+01:00"))
    after = schedules.following(schedule, before)
    assert before == at("2026-03-28T07:00:00+01:00")
    assert after == at("2026-03-29T07:00:00+02:00")
    assert after - before == 23 * 3_600_000
