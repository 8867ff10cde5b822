"""Questions in three languages over sheets of many layouts; a wrong number is the worst outcome."""

from __future__ import annotations

import pytest

from agents.answers.tables.choosing import answered
from tests.agents.tables.questions import Case
from tests.agents.tables.scoring import cases, computed, refused, score, verdict
from tests.agents.tables.sheets import tables


@pytest.mark.parametrize("case", cases(held=False), ids=lambda case: case[0])
def test_a_question_is_answered_from_the_cells(case: Case) -> None:
    told, text = verdict(case)
    assert told == "right", text


def test_of_the_questions_held_out_none_is_answered_wrongly() -> None:
    """They came out 21 right, 4 refused, 2 wrong when they were first asked."""
    found = score(cases(held=True))
    assert found["wrong"] == 0
    assert found["right"] >= 0.9 * len(cases(held=True))


@pytest.mark.parametrize("held", [False, True])
def test_what_cannot_be_known_is_not_computed(held: bool) -> None:
    assert computed(refused(held=held)) == []


@pytest.mark.parametrize(
    ("question", "says"),
    [
        ("What is the total amount in January?", "2025, 2026"),
        ("What are the three largest orders?", "Quantity, Unit price (EUR), Amount (EUR)"),
        ("Was ist der höchste Betrag?", "orders.xlsx, Orders, depenses.tsv"),
    ],
)
def test_where_it_is_not_clear_what_is_meant_it_is_said(question: str, says: str) -> None:
    found = answered(question, tables())
    assert found is not None
    assert not found.answered
    assert says in found.text


def test_hidden_sheets_are_not_counted_with_the_visible_ones() -> None:
    found = answered("How many orders are there?", tables())
    assert found is not None
    assert "30 rows" in found.text
