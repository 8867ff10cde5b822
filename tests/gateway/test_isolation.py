"""Every operation of the OpenAPI document as a stranger: foreign ids are ids of nothing."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from sqlalchemy import select

from core.context import Ctx
from core.ids import new_id
from database import approvals, integrations, reports, runs
from database.tables import metadata
from tests.gateway.operations import NOBODY, Operation, named_fields, operations
from tests.gateway.people import Town

IDLIKE = re.compile(r"(_ids?|^id|^ids|^documents|^cursor|^key)$")
# Parameters and fields that look like ids: where each is tried below, or why it need not be.
COVERED = {
    "path": {
        "key_id", "tenant_id", "user_id", "document_id", "workflow_id", "approval_id", "report_id",
        "actor", "session_id", "fact_id", "integration_id", "item_id", "trigger_id",
    },
    "query": {"tenant_id", "parent_id", "cursor"},
    # A number of one's own stream; one's own key.
    "header": {"last-event-id", "idempotency-key", "cache-control"},
    "body": {
        "tenant_id", "documents",
        "session_id",  # chosen by the client, and kept per tenant and person
        "id", "tool_call_id",  # of a tool's call: names within one request
        "operation_id",  # a name within the integration that the path names
    },
}  # fmt: skip
FREE = {"agent_type", "name", "status", "document_type", "format", "filename", "sha256", "workflow",
        "limit", "days", "state"}  # fmt: skip


@pytest.fixture(scope="module")
def foreign(town: Town) -> dict[str, str]:
    """Something of every kind that belongs to `other`, by the name of its parameter."""
    ctx, headers = town.ctx("other"), town.as_role("other")
    upload = town.http.post(
        "/documents", files={"file": ("secret.txt", b"the canary of other sings")}, headers=headers
    )
    document = upload.json()["items"][0]["document_id"]
    body = {"workflow": "ingest-document", "inputs": {"document_id": document}}
    run = town.http.post("/workflows/execute", json=body, headers=headers).json()["workflow_id"]
    key = {"name": "theirs", "scopes": ["documents:read"]}
    key_id = town.http.post("/auth/api-keys", json=key, headers=headers).json()["id"]
    made = {
        "document_id": document, "workflow_id": run, "key_id": key_id, "tenant_id": ctx.tenant,
        "user_id": town.http.get("/auth/verify", headers=headers).json()["user_id"],
        "report_id": new_id(), "approval_id": new_id(), "parent_id": document,
    }  # fmt: skip
    made |= _set_up(town, headers)
    made |= _remembered(town, headers, made["user_id"])
    with town.rt.db.transaction(ctx) as tx:
        reports.create(
            tx, ctx, report_id=made["report_id"], run_id=run, step_id="s", template="t", title="T",
            files={"pdf": {"name": new_id(), "bytes": 1, "sha256": "0"}}, sources=[], params={},
            created_ms=tx.now_ms,
        )  # fmt: skip
        approvals.add_many(tx, ctx, [{
            "id": made["approval_id"], "run_id": run, "step_id": None, "effect_id": None,
            "kind": "plan", "summary": "s", "request_hash": "0", "status": "waiting",
            "expires_ms": tx.now_ms + 10**6, "created_ms": tx.now_ms,
        }])  # fmt: skip
        runs.get(tx, ctx, run)
    return made


def _set_up(town: Town, headers: Mapping[str, str]) -> dict[str, str]:
    """A folder that is watched, with a dead letter, and a trigger."""
    folder = {"kind": "folder", "name": "theirs"}
    place = town.http.post("/integrations", json=folder, headers=headers).json()["integration_id"]
    hook = {"kind": "webhook", "name": "theirs", "workflow": "ingest-document"}
    trigger = town.http.post("/triggers", json=hook, headers=headers).json()["trigger_id"]
    ctx = town.ctx("other")
    with town.rt.db.transaction(ctx) as tx:
        integrations.note_item(tx, ctx, place, "canary", "1", "dead", error={"code": "x"})
    return {"integration_id": place, "trigger_id": trigger,
            "item_id": integrations.named("canary")}  # fmt: skip


def _remembered(town: Town, headers: Mapping[str, str], user_id: str) -> dict[str, str]:
    """A conversation and a fact, of a person of `other`."""
    asked = {"question": "Remember that the canary of other sings. Is there a canary?"}
    session = town.http.post("/ask", json=asked, headers=headers).json()["session_id"]
    facts = town.http.get("/memory/facts/me", headers=headers).json()["facts"]
    return {"actor": f"user:{user_id}", "session_id": session, "fact_id": facts[0]["id"]}


def _rows(town: Town, tenant: str) -> dict[str, list[Any]]:
    """Everything that the tenant has, but for what its own people's requests leave."""
    with town.rt.db.read(Ctx(tenant, "system")) as tx:
        return {
            table.name: [tuple(map(str, row)) for row in tx.execute(
                select(table).where(table.c.tenant_id == tenant)
            )]
            for table in metadata.sorted_tables if table.info.get("tenant")
        }  # fmt: skip


def _all(town: Town) -> list[Operation]:
    return list(operations(town.app))


def test_every_parameter_and_field_that_names_something_is_tried(town: Town) -> None:
    document = town.app.openapi()
    for one in _all(town):
        for parameter in one.parameters:
            name = parameter["name"]
            known = COVERED[parameter["in"]] | FREE
            assert name.lower() in known, f"{one.id}: {parameter['in']} {name}"
        fields = {name for name in named_fields(document, one.schema) if IDLIKE.search(name)}
        assert fields <= COVERED["body"], f"{one.id}: {fields}"


@pytest.mark.parametrize("credential", ["person", "key"])
def test_a_foreign_id_in_the_path_is_the_id_of_nothing(
    town: Town, foreign: Mapping[str, str], credential: str
) -> None:
    person = town.as_role("acme")
    scopes = sorted(town.ctx("acme").scopes)
    headers = person if credential == "person" else town.key("acme", *scopes)
    before = _rows(town, foreign["tenant_id"])
    tried = 0
    for one in _all(town):
        names = re.findall(r"\{(\w+)\}", one.path)
        if not set(names) & foreign.keys():
            continue
        wanted = _valid(one)
        theirs = one.send(town, _named(headers), foreign, **wanted)
        nothing = one.send(town, _named(headers), dict.fromkeys(names, NOBODY), **wanted)
        if one.scopes and not set(one.scopes) & town.ctx("acme").scopes:
            assert theirs.status_code == nothing.status_code == 403, one.id
            continue
        if one.open:  # a signature is asked for before anything is said
            assert (theirs.status_code, theirs.json()) == (401, nothing.json()), one.id
            continue
        assert theirs.status_code == 404, f"{one.id}: {theirs.status_code} {theirs.text}"
        assert _without_ids(theirs.text) == _without_ids(nothing.text), one.id
        tried += 1
    assert tried >= 20
    assert _rows(town, foreign["tenant_id"]) == before


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {**headers, "X-Request-ID": "same"}


def _without_ids(text: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


def _valid(one: Operation) -> dict[str, Any]:
    """A body that would do something if the id were one's own."""
    bodies: dict[str, Any] = {
        "users_change": {"name": "taken over"},
        "tenants_change": {"name": "taken over"},
        "documents_extract": {"fields": ["vendor"]},
        "approvals_decide": {"decision": "approve"},
        "replay_run": {"model": "any"},
        "integrations_change": {"name": "taken over"},
        "integrations_call": {"operation_id": "list"},
        "triggers_change": {"name": "taken over"},
        "memory_prefer": {"length": "short"},
        "memory_save_facts": {"facts": [{"text": "taken over"}]},
        "memory_edit_summary": {"text": "taken over"},
    }
    return {"json": bodies[one.id]} if one.id in bodies else {}


def _bodies(theirs: Mapping[str, str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    document, tenant = theirs["document_id"], theirs["tenant_id"]
    own = {"email": "spy@acme.example", "password": "long enough to pass"}
    yield "POST", "/users", {**own, "tenant_id": tenant}
    single = {"workflow": "ingest-document", "inputs": {"document_id": document}}
    yield "POST", "/workflows/execute", single
    for documents in ([document], [document, NOBODY]):
        yield "POST", "/workflows/execute", {"workflow": "ingest-document", "documents": documents}
        yield "POST", "/workflows/execute", {"goal": "read it", "documents": documents}
        yield "POST", "/reports", {"template": "invoice-review", "documents": documents}
        yield "POST", "/agents/analysis/trigger", {
            "task_type": "check_invoices", "payload": {"documents": documents},
        }  # fmt: skip
        yield "POST", "/search", {"query": "canary", "filters": {"document_id": {"in": documents}}}
    yield "POST", "/agents/ingestion/trigger", {
        "task_type": "ingest", "payload": {"document_id": document},
    }  # fmt: skip
    yield "POST", "/search", {"query": "canary", "filters": {"document_id": document}}
    yield "POST", "/ask", {"question": "canary?", "filters": {"document_id": document}}


def test_a_foreign_id_in_a_body_is_the_id_of_nothing(
    town: Town, foreign: Mapping[str, str]
) -> None:
    headers = town.as_role("acme")
    mine = town.ctx("acme").tenant
    theirs_before, mine_before = _rows(town, foreign["tenant_id"]), _rows(town, mine)
    for method, path, body in _bodies(foreign):
        answer = town.http.request(method, path, json=body, headers=headers)
        assert answer.status_code == 404, f"{path} {body}: {answer.status_code} {answer.text}"
    assert _rows(town, foreign["tenant_id"]) == theirs_before
    assert _rows(town, mine) == mine_before


def test_a_foreign_id_in_the_query_is_the_id_of_nothing(
    town: Town, foreign: Mapping[str, str]
) -> None:
    headers = town.as_role("acme")
    for path in (
        f"/users?tenant_id={foreign['tenant_id']}",
        f"/users/{foreign['user_id']}?tenant_id={foreign['tenant_id']}",
        f"/documents?parent_id={foreign['document_id']}",
    ):
        assert town.http.get(path, headers=headers).status_code == 404, path


def test_a_foreign_cursor_leads_nowhere(town: Town, foreign: Mapping[str, str]) -> None:
    """Cursors are places in one's own list, whoever gave them out."""
    theirs = base64.urlsafe_b64encode(json.dumps([10**15, "z"]).encode()).decode().rstrip("=")
    for one in _all(town):
        if one.method != "GET" or not any(p["name"] == "cursor" for p in one.parameters):
            continue
        if "{" in one.path or one.id == "tenants_listing":
            continue
        answer = town.http.get(f"{one.path}?cursor={theirs}", headers=town.as_role("acme"))
        assert answer.status_code == 200, one.id
        assert not any(value in answer.text for value in foreign.values()), one.id


def test_lists_hold_nothing_of_another_tenant(town: Town, foreign: Mapping[str, str]) -> None:
    for one in _all(town):
        if one.method != "GET" or "{" in one.path or one.id.startswith("health"):
            continue
        answer = one.send(town, town.as_role("acme"))
        assert not any(value in answer.text for value in foreign.values()), one.id
        assert "canary" not in answer.text, one.id


def test_the_platforms_admin_manages_tenants_and_reads_no_content(
    town: Town, foreign: Mapping[str, str]
) -> None:
    root = town.as_role("platform", "platform_admin")
    tenant = town.http.get(f"/tenants/{foreign['tenant_id']}", headers=root)
    assert tenant.json()["slug"] == "other"
    assert "whsec_" not in tenant.text
    for path in (f"/documents/{foreign['document_id']}", "/documents", "/workflows", "/reports"):
        assert town.http.get(path, headers=root).status_code == 403
    for path in (f"/users?tenant_id={foreign['tenant_id']}",):
        assert foreign["user_id"] in town.http.get(path, headers=root).text


def test_a_deleted_tenant_is_gone_with_its_key(town: Town) -> None:
    ctx = town.tenant("doomed")
    headers = town.as_role("doomed")
    town.http.post("/documents", files={"file": ("a.txt", b"soon unreadable")}, headers=headers)
    root = town.as_role("platform", "platform_admin")
    assert town.http.delete(f"/tenants/{ctx.tenant}", headers=root).status_code == 204
    assert town.http.get("/auth/verify", headers=headers).status_code == 401
    assert town.http.get(f"/tenants/{ctx.tenant}", headers=root).status_code == 404
    left = {name for name, rows in _rows(town, ctx.tenant).items() if rows}
    assert left <= {"audit"}
    assert ctx.tenant not in town.rt.vault.tenants()
