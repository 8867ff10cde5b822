"""Bad questions to `/search`: each is refused with the field that is wrong, or answered rightly."""

from __future__ import annotations

from typing import Any

import pytest

from agents import shelf
from core.documents import Chunk
from tests.gateway.people import Town
from vectorstore import About, Entry

TEXT = "A kettle boils water at sea level."


@pytest.fixture(scope="module")
def searched(town: Town) -> Town:
    ctx = town.tenant("searching")
    about = About("d1", "a.txt", metadata={"team": "a"})
    segment = town.rt.shelves.write(ctx, [Entry(Chunk("d1:0", "d1", 0, TEXT, 1, 0, 34), about)])
    shelf.move(town.rt, ctx, lambda head: shelf.holding(head, segment), lambda _tx: None)
    return town


def ask(town: Town, **body: Any) -> tuple[int, dict[str, Any]]:
    headers = town.as_role("searching", "viewer")
    answer = town.http.post("/search", json={"query": "kettle", **body}, headers=headers)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(
    "body",
    [
        {"query": ""},
        {"query": "   "},
        {"query": "kettle " * 15_000},
        {"query": "kettle\x00"},
        {"k": 0},
        {"k": 1_000_000},
        {"k": -1},
        {"k": "many"},
        {"mode": "psychic"},
        {"filters": {"colour": "red"}},
        {"filters": {"team": None}},
        {"filters": {"team": {"like": "a%"}}},
        {"filters": {"team": {"in": ["a"] * 1001}}},
        {"filters": {"document_id": {"in": ["x"] * 40_000}}},
        {"filters": {f"f{n}": 1 for n in range(21)}},
        {"filters": {"f" * 65: 1}},
        {"filters": {"created_at": "yesterday"}},
        {"filters": []},
    ],
    ids=lambda body: str(body)[:40],
)
def test_what_makes_no_sense_is_refused_in_words(searched: Town, body: dict[str, Any]) -> None:
    status, problem = ask(searched, **body)
    assert status in (404, 422), problem
    assert problem["detail"]
    assert "Traceback" not in str(problem)


@pytest.mark.parametrize(
    "query",
    [
        "kettle \x07\x1b[31m\u202e",
        "kettle'; DROP TABLE documents; --",
        "kettle OR 1=1 {{7*7}}",
        "kettle " * 500,
        "\u200bkettle",
        '{"kettle": [',
    ],
)
def test_odd_questions_find_what_they_ask_for(searched: Town, query: str) -> None:
    status, found = ask(searched, query=query)
    assert (status, [hit["text"] for hit in found["hits"]]) == (200, [TEXT])


def test_the_most_hits_that_may_be_asked_for(searched: Town) -> None:
    assert ask(searched, k=1000, filters={"team": "a"})[1]["hits"][0]["text"] == TEXT
