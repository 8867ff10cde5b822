"""The HTTP contract as clients written by others meet it: curl, .NET, OpenAI's library."""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from runtime import Runtime
from tests.fakes.chat import ScriptedChat
from tests.fakes.embedder import HashEmbedder
from tests.flows.waiting import document_when_read, status_when
from tests.gateway.people import PASSWORD, Town
from tests.ingestion import builders

NOOP: dict[str, Any] = {
    "name": "n", "steps": [{"id": "a", "agent": "supervisor", "task": "noop"}],
}  # fmt: skip
HI = {"messages": [{"role": "user", "content": "Say hello"}]}


@dataclass
class ScriptedModels:
    """One chat model and one embedding model, both made up."""

    chat: ScriptedChat
    vectors: HashEmbedder = field(default_factory=HashEmbedder)

    def any_chat(self, name: str | None = None) -> ScriptedChat | None:
        return self.chat if name in (None, self.chat.name) else None

    def embedder(self) -> HashEmbedder:
        return self.vectors

    def describe(self) -> list[dict[str, Any]]:
        kinds = ((self.chat.name, "chat"), (self.vectors.name, "embedding"))
        return [{"id": name, "kind": kind, "available": True} for name, kind in kinds]


def _models(rt: Runtime, *replies: str) -> tuple[TestClient, ScriptedChat]:
    chat = ScriptedChat(list(replies))
    models: Any = ScriptedModels(chat)
    return TestClient(create_app(replace(rt, models=models))), chat


def _chunks(text: str) -> list[dict[str, Any]]:
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line]
    assert lines.pop() == "[DONE]"
    return [json.loads(line) for line in lines]


# Any client


def test_a_refused_method_names_every_allowed_one(town: Town) -> None:
    headers = town.as_role("acme")
    refused = town.http.patch("/documents", headers=headers)
    assert refused.status_code == 405
    assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    one = town.http.put("/documents/x", headers=headers).headers["allow"]
    assert set(one.split(", ")) == {"DELETE", "GET", "HEAD"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/docs", "/openapi.json", "/documents"])
def test_head_says_what_get_would_without_the_body(town: Town, path: str) -> None:
    headers = town.as_role("acme")
    head, got = (town.http.request(how, path, headers=headers) for how in ("HEAD", "GET"))
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"] == got.headers["content-type"]
    assert town.http.head("/nowhere", headers=headers).status_code == 404
    assert town.http.head("/documents").status_code == 401


def test_head_of_an_event_stream_does_not_wait_for_the_run(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    tell = {"exceptions": [{"kind": "k", "message": "m"}], "email": "ap@acme.example"}
    body = {"task_type": "notify", "payload": tell}
    run = town.http.post("/agents/action/trigger", json=body, headers=headers).json()
    status_when(town, headers, run["workflow_id"], "waiting_approval")
    head = town.http.head(f"/workflows/{run['workflow_id']}/events", headers=headers)
    assert head.status_code == 200
    assert head.headers["content-type"].startswith("text/event-stream")


def test_a_body_over_the_cap_is_told_the_cap(town: Town) -> None:
    most = town.rt.settings.body_bytes_max
    headers = {**town.as_role("acme"), "Content-Type": "application/json"}
    answer = town.http.post("/search", content=b" " * (most + 1), headers=headers)
    assert (answer.status_code, answer.json()["limit"]) == (413, most)
    chunks = (b" " * 65_536 for _ in range(most // 65_536 + 2))
    answer = town.http.post("/search", content=chunks, headers=headers)
    assert (answer.status_code, answer.json()["limit"]) == (413, most)


def test_a_post_without_a_body_may_carry_curls_content_type(town: Town) -> None:
    """`curl -X POST -d ''` says that nothing at all is a form."""
    headers = town.as_role("acme", "operator")
    made = town.http.post("/workflows/execute", json={"definition": NOOP}, headers=headers).json()
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    status_when(town, headers, made["workflow_id"])
    ended = town.http.post(f"/workflows/{made['workflow_id']}/cancel", headers=form)
    assert (ended.status_code, ended.json()["code"]) == (409, "run_ended")


@pytest.mark.parametrize(
    "question", [{"question": " "}, {"question": "x", "filters": {"size": {"near": 1}}}]
)
def test_a_bad_question_is_a_problem_also_when_a_stream_was_asked_for(
    town: Town, question: dict[str, Any]
) -> None:
    headers = town.as_role("acme", "viewer")
    answer = town.http.post("/ask", json={**question, "stream": True}, headers=headers)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/\r\nX-Evil: 1", "https://user:secret@example.com/", "http://[::1]/",
        "http://127.0.0.1/hook", "http://169.254.169.254/latest", "http://localhost/", "https://",
        "http://2130706433/", "https://example.com:22/",
    ],
)  # fmt: skip
def test_a_callback_that_may_never_be_called_is_refused_at_once(town: Town, url: str) -> None:
    body = {"definition": NOOP, "callback_url": url}
    answer = town.http.post(
        "/workflows/execute", json=body, headers=town.as_role("acme", "operator")
    )
    assert answer.status_code == 422
    assert answer.json()["code"] in ("bad_callback_url", "bad_url", "target_not_allowed")
    assert "secret" not in answer.text


def test_a_run_without_a_word_from_its_tasks_has_log_lines(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    run = town.http.post("/workflows/execute", json={"definition": NOOP}, headers=headers).json()
    status_when(town, headers, run["workflow_id"])
    lines = town.http.get(run["links"]["logs"], headers=headers).json()["items"]
    assert lines
    assert all(line["message"] and line["at"].endswith("Z") for line in lines)


@pytest.mark.parametrize("path", ["/workflow-definitions", "/report-templates"])
def test_short_lists_are_walked_like_the_long_ones(town: Town, path: str) -> None:
    headers = town.as_role("acme", "viewer")
    whole = town.http.get(path, headers=headers).json()
    assert whole["next_cursor"] is None
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 50:
        query = {"limit": "1", **({"cursor": cursor} if cursor else {})}
        page = town.http.get(path, params=query, headers=headers).json()
        seen += [one["name"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [one["name"] for one in whole["items"]]
    assert town.http.get(f"{path}?limit=0", headers=headers).status_code == 422


def test_a_quota_that_no_waiting_refills_does_not_invite_to_try_every_second(town: Town) -> None:
    town.tenant("tiny", "free")
    headers = town.as_role("tiny")
    for number in range(5):
        body = {"email": f"{number}@tiny.example", "password": PASSWORD}
        answer = town.http.post("/users", json=body, headers=headers)
    assert (answer.status_code, answer.json()["limit"]) == (429, "users")
    assert int(answer.headers["retry-after"]) >= 600
    assert {"ratelimit", "ratelimit-policy"} <= answer.headers.keys()


def test_a_body_with_two_lengths_is_refused_and_the_connection_closed(town: Town) -> None:
    """A proxy may believe the other one (RFC 9112, 6.1)."""
    headers = {**town.as_role("acme"), "Content-Type": "application/json", "Content-Length": "2"}
    both = {**headers, "Transfer-Encoding": "chunked"}
    answer = town.http.post("/search", content=b"{}", headers=both)
    assert (answer.status_code, answer.headers["connection"]) == (400, "close")


# Files


def test_a_file_name_in_the_extended_notation_wins(town: Town) -> None:
    """.NET sends a MIME word in `filename` and the name itself in `filename*` (RFC 5987)."""
    head = (
        'Content-Disposition: form-data; name="file"; filename="=?utf-8?B?csOpc3Vtw6kudHh0?="; '
        "filename*=utf-8''r%C3%A9sum%C3%A9.txt"
    )
    alone = "Content-Disposition: form-data; name=\"file\"; filename*=UTF-8''%E6%97%A5.txt"
    body = f"--b\r\n{head}\r\n\r\nOne.\r\n--b\r\n{alone}\r\n\r\nTwo.\r\n--b--\r\n".encode()
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    headers = {**town.as_role("acme", "operator"), **kind}
    answer = town.http.post("/documents", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    items = answer.json()["items"]
    assert [item["filename"] for item in items] == ["résumé.txt", "日.txt"]
    sent = town.http.get(f"/documents/{items[1]['document_id']}/content", headers=headers)
    disposition = sent.headers["content-disposition"]
    assert disposition == "attachment; filename=\"file.txt\"; filename*=UTF-8''%E6%97%A5.txt"


def test_an_invoice_that_names_its_order_is_an_invoice_everywhere(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    pages = builders.pdf(
        builders.lines(
            "Sentinel Backup Corp.     INVOICE", "Invoice number: SB-77", "Purchase order: PO-12",
            "Invoice date: 5 October 2026", "Total due: USD 120.00",
        )
    )  # fmt: skip
    sent = town.http.post("/documents", files={"file": ("sb.pdf", pages)}, headers=headers).json()
    document = sent["items"][0]["document_id"]
    assert document_when_read(town, headers, document)["document_type"] == "invoice"
    fields = town.http.get(f"/documents/{document}/fields", headers=headers).json()
    assert fields["document_type"] == "invoice"
    body = {"query": "Sentinel", "filters": {"document_type": "invoice", "document_id": document}}
    assert town.http.post("/search", json=body, headers=headers).json()["hits"]


# Sessions and keys


@pytest.mark.parametrize("change", [{"password": "another battery"}, {"role": "operator"}])
def test_a_changed_password_or_role_ends_the_sessions(town: Town, change: dict[str, str]) -> None:
    email = town.user("acme", "viewer", f"changed-{next(iter(change))}@acme.example")
    tokens = town.http.post("/auth/login", json={"email": email, "password": PASSWORD}).json()
    who = {"Authorization": f"Bearer {tokens['access_token']}"}
    user = town.http.get("/auth/verify", headers=who).json()["user_id"]
    done = town.http.patch(f"/users/{user}", json=change, headers=town.as_role("acme"))
    assert done.status_code == 200
    assert town.http.get("/auth/verify", headers=who).status_code == 401
    body = {"refresh_token": tokens["refresh_token"]}
    assert town.http.post("/auth/refresh", json=body).status_code == 401


def test_the_operator_makes_a_key_for_metrics_and_none_for_content(town: Town) -> None:
    operator = town.as_role("platform", "platform_admin")
    body = {"name": "prometheus", "scopes": ["metrics:read"]}
    made = town.http.post("/auth/api-keys", json=body, headers=operator)
    assert made.status_code == 201, made.text
    key = {"X-API-Key": made.json()["key"]}
    assert "weft_http_requests_total" in town.http.get("/metrics", headers=key).text
    beyond = {"name": "spy", "scopes": ["documents:read"]}
    assert town.http.post("/auth/api-keys", json=beyond, headers=operator).status_code == 403


def test_a_key_for_users_makes_and_takes_over_nobody_beyond_itself(town: Town) -> None:
    viewer = {"documents:read", "search:read", "answers:read", "workflows:read", "reports:read",
              "approvals:read", "agents:read", "definitions:read", "templates:read"}  # fmt: skip
    key = town.key("acme", "users:read", "users:write", *viewer)
    admin = town.http.get("/auth/verify", headers=town.as_role("acme")).json()["user_id"]
    person = {"email": "made@acme.example", "password": PASSWORD}
    refused = [
        town.http.post("/users", json={**person, "role": "admin"}, headers=key),
        town.http.patch(f"/users/{admin}", json={"password": "taken over"}, headers=key),
    ]
    assert [answer.status_code for answer in refused] == [403, 403]
    made = town.http.post("/users", json=person, headers=key)
    assert made.status_code == 201
    path = f"/users/{made.json()['id']}"
    assert town.http.patch(path, json={"role": "operator"}, headers=key).status_code == 403
    assert town.http.patch(path, json={"name": "New"}, headers=key).status_code == 200


def test_an_expiry_without_a_zone_is_utc(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        body = {"name": "k", "scopes": ["search:read"], "expires_at": "2099-01-01T00:00:00"}
        made = town.http.post("/auth/api-keys", json=body, headers=town.as_role("acme")).json()
    finally:
        monkeypatch.undo()
        time.tzset()
    assert made["expires_at"] == "2099-01-01T00:00:00.000Z"


# Templates and definitions


@pytest.mark.parametrize("facts", [{"ref": "../../weft.db"}, {"ref": "x", "kind": "original"}])
def test_facts_that_are_none_fail_the_run_at_once(town: Town, facts: dict[str, str]) -> None:
    headers = town.as_role("acme", "operator")
    body = {"task_type": "compose", "payload": {"template": "table", "facts": facts}}
    run = town.http.post("/agents/report/trigger", json=body, headers=headers).json()
    status = status_when(town, headers, run["workflow_id"])
    assert (status["status"], status["error"]["code"]) == ("failed", "no_facts")
    assert status["steps"][0]["attempts"] == 1


def test_a_built_in_template_is_version_nought_by_name_too(town: Town) -> None:
    headers = town.as_role("acme", "operator")
    found = town.http.get("/report-templates/table@0", headers=headers)
    assert (found.status_code, found.json()["version"]) == (200, 0)
    own = {**found.json()["template"], "summary": "Ours."}
    assert town.http.put("/report-templates/table", json=own, headers=headers).status_code == 200
    assert town.http.get("/report-templates/table@0", headers=headers).json()["version"] == 0
    assert town.http.get("/report-templates/table", headers=headers).json()["version"] == 1


def test_a_definition_nested_too_deep_is_told_so(town: Town) -> None:
    headers = {**town.as_role("acme", "operator"), "Content-Type": "application/yaml"}
    answer = town.http.put(
        "/workflow-definitions/deep", content="a: " + "[" * 5_000, headers=headers
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_definition")
    assert "recursion" not in answer.text


# OpenAI's library


def test_one_model_by_its_id(town: Town) -> None:
    http, _ = _models(town.rt)
    headers = town.as_role("acme", "operator")
    listed = http.get("/v1/models", headers=headers).json()["data"]
    for model in listed:
        assert http.get(f"/v1/models/{model['id']}", headers=headers).json() == model
    assert http.get("/v1/models/gpt-none", headers=headers).json()["code"] == "model_not_found"


def test_a_conversation_with_a_tool_call_in_it_is_taken(town: Town) -> None:
    http, chat = _models(town.rt, "Fine.")
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "42"},
    ]
    body = {"model": "scripted", "messages": messages, "tools": [], "user": "u", "seed": 7}
    answer = http.post(
        "/v1/chat/completions", json=body, headers=town.as_role("acme", "operator")
    ).json()
    assert answer["choices"][0]["message"] == {"role": "assistant", "content": "Fine."}
    assert [message.content for message in chat.asked[0]] == ["Hi", "", "42"]


def test_a_streamed_answer_has_the_shape_and_the_time(town: Town) -> None:
    http, _ = _models(town.rt, "Good day to you")
    headers = town.as_role("acme", "operator")
    answer = http.post("/v1/chat/completions", json={**HI, "stream": True}, headers=headers)
    chunks = _chunks(answer.text)
    assert len({(one["id"], one["created"], one["model"]) for one in chunks}) == 1
    assert chunks[0]["created"] >= 1_700_000_000
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert chunks[-1]["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "stop"}


def test_a_streamed_answer_that_was_cut_says_so(town: Town) -> None:
    http, _ = _models(town.rt, "Good day to you")
    body = {**HI, "stream": True, "max_tokens": 4}
    answer = http.post("/v1/chat/completions", json=body, headers=town.as_role("acme", "operator"))
    assert _chunks(answer.text)[-1]["choices"][0]["finish_reason"] == "length"


def test_a_streamed_answer_keeps_to_the_schema_asked_for(town: Town) -> None:
    http, _ = _models(town.rt, '{"a": 1}')
    shape = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    body = {**HI, "stream": True, "response_format": shape}
    answer = http.post("/v1/chat/completions", json=body, headers=town.as_role("acme", "operator"))
    pieces = [one["choices"][0]["delta"].get("content", "") for one in _chunks(answer.text)]
    assert json.loads("".join(pieces)) == {"a": 1}, "in one piece: it was checked as a whole"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {**HI, "n": 2}),
        ("/v1/embeddings", {"input": "a", "dimensions": 12}),
    ],
)
def test_what_would_be_answered_otherwise_than_asked_is_refused(
    town: Town, path: str, body: dict[str, Any]
) -> None:
    http, _ = _models(town.rt, "no")
    answer = http.post(path, json=body, headers=town.as_role("acme", "operator"))
    assert answer.status_code == 422


def test_embeddings_as_numbers_and_as_base64(town: Town) -> None:
    http, _ = _models(town.rt)
    headers = town.as_role("acme", "operator")
    body = {"model": "hash", "input": ["one", "two"], "dimensions": 64}
    plain = http.post("/v1/embeddings", json=body, headers=headers).json()["data"]
    coded = http.post(
        "/v1/embeddings", json={**body, "encoding_format": "base64"}, headers=headers
    ).json()["data"]
    for one, other in zip(plain, coded, strict=True):
        vector = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        assert np.allclose(vector, one["embedding"])
    assert [one["index"] for one in plain] == [0, 1]
