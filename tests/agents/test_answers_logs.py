from __future__ import annotations

import pytest

from agents.answers.logs import asks_for_logs, count
from core.documents import Cell, Document, Page, Table

LINES = (
    "timestamp | level | service | message",
    "2026-04-02T08:14:07Z | ERROR | payment-gateway | ERR-2003 bank timeout",
    "2026-04-02T08:20:52Z | ERROR | payment-gateway | ERR-2003 bank timeout",
    "2026-04-02T09:15:03Z | WARN | ledger-service | queue depth 4810",
    "2026-04-03T10:00:00Z | ERROR | ledger-service | ERR-1042 checksum mismatch",
)


def _table() -> Document:
    text = "Log of April\n\n" + "\n".join(LINES)
    rows = tuple(
        tuple(Cell(cell, row, col) for col, cell in enumerate(line.split(" | ")))
        for row, line in enumerate(LINES)
    )
    table = Table(1, rows, 14, len(text))
    return Document("json", (Page(1, text, tables=(table,)),), document_type="log")


def _plain() -> Document:
    text = "\n".join(line.replace(" | ", " ") for line in LINES[1:])
    return Document("txt", (Page(1, text),), document_type="log")


@pytest.mark.parametrize("document", [_table(), _plain()], ids=["table", "text"])
@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("How many ERROR entries are there?", 3),
        ("How many errors did payment-gateway log?", 2),
        ("How many errors were logged on 2026-04-02?", 2),
        ("How many ERROR entries of ledger-service are there since 2026-04-03?", 1),
        ("How many errors between 2026-04-02T08:00 and 2026-04-02T08:15?", 1),
        ("How many log entries have the error code ERR-2003?", 2),
        ("How many warnings did ledger-service log?", 1),
    ],
)
def test_entries_are_counted_not_guessed(question: str, number: int, document: Document) -> None:
    answer = count(question, [("d1", "app.log", document)])
    assert answer is not None
    assert f" {number} " in answer.text
    assert answer.route == "log_count"
    for source in answer.citations:
        page = document.pages[0]
        assert page.text[source.start : source.end] == source.quote


def test_kinds_of_error_in_a_period_are_listed_with_proof() -> None:
    question = "Which errors occurred between 2026-04-02 and 2026-04-03T23:59?"
    answer = count(question, [("d1", "app.log", _table())])
    assert answer is not None
    assert "ERR-2003 bank timeout (2 times)" in answer.text
    assert "ERR-1042 checksum mismatch (once)" in answer.text
    assert len(answer.citations) == 2


@pytest.mark.parametrize(
    "question",
    ["How many errors did search-service log on 2020-01-01?", "What does ERR-2003 mean?"],
)
def test_other_questions_go_the_usual_way(question: str) -> None:
    assert count(question, [("d1", "app.log", _table())]) is None


def test_what_is_not_about_logs_does_not_open_them() -> None:
    assert not asks_for_logs("Who approves refunds?")
    assert not asks_for_logs("How many users may sign in?")
