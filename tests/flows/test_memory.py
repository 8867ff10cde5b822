"""What Weft remembers of a person, over HTTP: shown, used, changed, forgotten; nobody else's."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from agents.memory.tidy import tidy
from core.context import Ctx
from database.tables import metadata
from tests.flows.waiting import document_when_read
from tests.gateway.people import Town

MEMORY = ("chat_sessions", "chat_messages", "memories", "kept_answers", "kept_replies")
HANDBOOK = """# Travel handbook

Trips are approved by the team lead.
The daily allowance is 48 EUR within Germany.
Receipts are handed in within 14 days.
"""


@pytest.fixture(scope="module")
def asked(town: Town) -> Town:
    """`acme` with a handbook, and a second tenant with none."""
    town.tenant("beyond")
    headers = town.as_role("acme")
    files = {"file": ("handbook.md", HANDBOOK.encode())}
    made = town.http.post("/documents", files=files, headers=headers).json()["items"][0]
    document_when_read(town, headers, made["document_id"])
    return town


def _ask(town: Town, who: dict[str, str], question: str, **more: Any) -> Any:
    answer = town.http.post("/ask", json={"question": question, **more}, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _get(town: Town, who: dict[str, str], path: str) -> Any:
    answer = town.http.get(path, headers=who)
    assert answer.status_code == 200, answer.text
    return answer.json()


def _age(town: Town, seconds: float) -> None:
    """All conversations are that much older."""
    ms = int(seconds * 1000)
    sessions, messages = metadata.tables["chat_sessions"], metadata.tables["chat_messages"]
    for slug in ("acme", "beyond"):
        ctx = town.ctx(slug)
        with town.rt.db.transaction(ctx) as tx:
            for table, names in (
                (sessions, ("created_ms", "updated_ms", "due_ms", "forget_ms")),
                (messages, ("created_ms",)),
            ):
                older = {name: table.c[name] - ms for name in names}
                tx.execute(table.update().where(table.c.tenant_id == ctx.tenant).values(**older))


def _rows(town: Town, slug: str, actor: str) -> dict[str, int]:
    ctx = town.ctx(slug)
    with town.rt.db.read(Ctx(ctx.tenant, "system")) as tx:
        found = {}
        for name in MEMORY:
            table = metadata.tables[name]
            mine = (table.c.tenant_id == ctx.tenant, table.c.actor == actor)
            found[name] = len(tx.execute(select(table).where(*mine)).fetchall())
        return found


# Conversations


def test_a_conversation_is_listed_read_and_deleted_by_its_person_alone(asked: Town) -> None:
    mine, colleague = asked.as_role("acme", "viewer"), asked.as_role("acme", "operator")
    stranger = asked.as_role("beyond")
    first = _ask(asked, mine, "Who approves trips?")
    session = first["session_id"]
    _ask(asked, mine, "What is the daily allowance?", session_id=session)
    listed = _get(asked, mine, "/sessions")["items"]
    assert [(one["session_id"], one["title"]) for one in listed] == [
        (session, "Who approves trips?")
    ]
    shown = _get(asked, mine, f"/sessions/{session}")
    assert [one["role"] for one in shown["messages"]] == ["user", "assistant"] * 2
    assert shown["messages"][1]["citations"][0]["filename"] == "handbook.md"
    assert "48 EUR" in shown["messages"][3]["content"]
    for other in (colleague, stranger):
        assert _get(asked, other, "/sessions")["items"] == []
        for method in ("GET", "DELETE"):
            answer = asked.http.request(method, f"/sessions/{session}", headers=other)
            assert answer.status_code == 404
    assert asked.http.delete(f"/sessions/{session}", headers=mine).status_code == 204
    assert asked.http.get(f"/sessions/{session}", headers=mine).status_code == 404


def test_somebody_elses_session_id_begins_a_conversation_of_ones_own(asked: Town) -> None:
    mine, colleague = asked.as_role("acme", "viewer"), asked.as_role("acme", "operator")
    session = _ask(asked, mine, "Who approves trips?")["session_id"]
    _ask(asked, colleague, "And who approves it?", session_id=session)
    assert len(_get(asked, mine, f"/sessions/{session}")["messages"]) == 2
    theirs = _get(asked, colleague, f"/sessions/{session}")["messages"]
    assert [one["content"] for one in theirs if one["role"] == "user"] == ["And who approves it?"]


def test_after_its_duration_a_conversation_is_no_context_and_is_summed_up(asked: Town) -> None:
    mine = asked.as_role("acme", "admin")
    session = _ask(asked, mine, "What is the daily allowance?")["session_id"]
    _ask(asked, mine, "Who is the king of Spain?", session_id=session)
    _age(asked, asked.rt.settings.context_seconds + 1)
    assert not _ask(asked, mine, "And why is it?", session_id=session)["answered"]
    _age(asked, asked.rt.settings.context_seconds + 1)
    tidy(asked.rt)
    summary = _get(asked, mine, f"/memory/summaries/me/{session}")
    assert summary["path"] == f"/summaries/{_actor(asked, mine)}/{session}"
    first, second, _ = summary["turns"]
    assert "48 EUR" in first["citations"][0]["quote"]
    assert first["sentences"][0]["citations"] == [1]
    assert (second["answered"], second["sentences"]) == (False, [])
    assert "the sources did not say" in summary["text"]
    assert _get(asked, mine, f"/sessions/{session}")["messages"]
    _age(asked, asked.rt.settings.forget_seconds)
    assert asked.http.get(f"/sessions/{session}", headers=mine).status_code == 404
    tidy(asked.rt)
    left = _rows(asked, "acme", _actor(asked, mine))
    assert left["chat_messages"] == left["chat_sessions"] == 0
    assert _get(asked, mine, f"/memory/summaries/me/{session}")["text"] == summary["text"]


def test_a_tenant_chooses_how_long_it_is_remembered(asked: Town) -> None:
    mine = asked.as_role("beyond", "admin")
    tenant = asked.ctx("beyond").tenant
    session = _ask(asked, mine, "Who approves trips?")["session_id"]
    body = {"config": {"context_seconds": 60, "forget_seconds": 120}}
    changed = asked.http.patch(f"/tenants/{tenant}", json=body, headers=mine)
    assert changed.status_code == 200, changed.text
    _age(asked, 121)
    assert asked.http.get(f"/sessions/{session}", headers=mine).status_code == 404
    tidy(asked.rt)
    assert _rows(asked, "beyond", _actor(asked, mine))["chat_sessions"] == 0


# Long-term memory


def test_what_a_person_says_of_themselves_is_remembered_shown_and_used(asked: Town) -> None:
    mine = asked.as_role("acme", "viewer")
    told = _ask(asked, mine, "Remember that our fiscal year starts in April. Keep it short.")
    actor = _actor(asked, mine)
    assert (told["route"], told["answered"], told["citations"]) == ("noted", False, [])
    assert told["remembered"] == [f"/preferences/{actor}", f"/facts/{actor}"]
    again = _ask(asked, mine, "When does our fiscal year start?")
    assert (again["answered"], again["citations"], again["sentences"]) == (False, [], [])
    assert again["told"][0]["text"] == "our fiscal year starts in April."
    assert again["answer"].endswith("You told me: our fiscal year starts in April.")
    german = _ask(asked, mine, "Wer ist der König von Spanien? Antworte auf Deutsch.")
    assert german["answer"] == "Die Quellen sagen dazu nichts."
    known = _get(asked, mine, "/memory")
    assert known["actor"] == actor
    assert (known["preferences"]["language"], known["preferences"]["length"]) == ("de", "short")
    assert [one["text"] for one in known["facts"]["facts"]] == ["our fiscal year starts in April."]
    colleague = asked.as_role("acme", "operator")
    assert _get(asked, colleague, "/memory")["facts"]["facts"] == []
    assert _ask(asked, colleague, "When does our fiscal year start?")["told"] == []


def test_memory_is_changed_and_erased_by_its_person(asked: Town) -> None:
    mine = asked.as_role("acme", "operator")
    actor = _actor(asked, mine)
    wishes = {"language": "fr", "format": "list"}
    put = asked.http.put("/memory/preferences/me", json=wishes, headers=mine)
    assert (put.status_code, put.json()["path"]) == (200, f"/preferences/{actor}")
    facts = {"facts": [{"text": "The warehouse is in Kassel."}, {"text": "Mia is on leave."}]}
    kept = asked.http.put(f"/memory/facts/{actor}", json=facts, headers=mine).json()["facts"]
    assert "Kassel" in _ask(asked, mine, "Where is the warehouse?")["answer"]
    one = f"/memory/facts/me/{kept[0]['id']}"
    assert asked.http.delete(one, headers=mine).status_code == 204
    assert asked.http.delete(one, headers=mine).status_code == 404
    assert "Kassel" not in _ask(asked, mine, "Where is the warehouse?")["answer"]
    bad = asked.http.put("/memory/preferences/me", json={"language": "xx"}, headers=mine)
    assert bad.status_code == 422
    for path in ("facts", "preferences"):
        assert asked.http.delete(f"/memory/{path}/me", headers=mine).status_code == 204
    assert _get(asked, mine, "/memory/facts/me")["facts"] == []
    assert asked.http.delete("/memory/me", headers=mine).status_code == 204
    assert set(_rows(asked, "acme", actor).values()) == {0}


def test_an_admin_may_erase_but_not_read_and_a_colleague_neither(asked: Town) -> None:
    mine, admin = asked.as_role("acme", "viewer"), asked.as_role("acme", "admin")
    colleague, stranger = asked.as_role("acme", "operator"), asked.as_role("beyond")
    _ask(asked, mine, "Remember that my desk is the red one.")
    actor = _actor(asked, mine)
    paths = [f"/memory/{kind}/{actor}" for kind in ("facts", "preferences")]
    for other in (admin, colleague, stranger):
        for path in paths:
            assert asked.http.get(path, headers=other).status_code == 404
        answer = asked.http.put(paths[0], json={"facts": []}, headers=other)
        assert answer.status_code == 404
    for other in (colleague, stranger):
        assert asked.http.delete(f"/memory/{actor}", headers=other).status_code == 404
    assert _get(asked, mine, "/memory/facts/me")["facts"]
    assert asked.http.delete(paths[0], headers=admin).status_code == 204
    assert _get(asked, mine, "/memory/facts/me")["facts"] == []
    assert asked.http.delete(f"/memory/{actor}", headers=admin).status_code == 204
    assert set(_rows(asked, "acme", actor).values()) == {0}


def test_a_deleted_user_is_forgotten(asked: Town) -> None:
    admin = asked.as_role("acme", "admin")
    asked.user("acme", "viewer", "leaver@acme.example")
    body = {"email": "leaver@acme.example", "password": "correct horse battery", "tenant": "acme"}
    token = asked.http.post("/auth/login", json=body).json()["access_token"]
    leaver = {"Authorization": f"Bearer {token}"}
    _ask(asked, leaver, "Remember that I leave in May. What is the daily allowance?")
    actor = _actor(asked, leaver)
    assert _rows(asked, "acme", actor)["memories"] == 1
    gone = asked.http.delete(f"/users/{actor.removeprefix('user:')}", headers=admin)
    assert gone.status_code == 204
    assert set(_rows(asked, "acme", actor).values()) == {0}


def test_nothing_of_it_stands_in_the_clear(asked: Town) -> None:
    mine = asked.as_role("acme", "viewer")
    _ask(asked, mine, "Remember that the canary is purple. What is the daily allowance?")
    ctx = asked.ctx("acme")
    with asked.rt.db.read(Ctx(ctx.tenant, "system")) as tx:
        for name in MEMORY:
            table = metadata.tables[name]
            rows = tx.execute(select(table).where(table.c.tenant_id == ctx.tenant)).fetchall()
            told = repr([[bytes(v) if isinstance(v, memoryview) else v for v in r] for r in rows])
            assert not any(word in told for word in ("canary", "allowance", "48 EUR")), name


def _actor(town: Town, who: dict[str, str]) -> str:
    return f"user:{_get(town, who, '/auth/verify')['user_id']}"
