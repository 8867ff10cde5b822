"""What a follow-up question means, worded so that it stands alone."""

from __future__ import annotations

import pytest

from agents.answers.context import in_context


@pytest.mark.parametrize(
    ("earlier", "text", "meant"),
    [
        (["How high is the meal allowance in 2025?"], "and in 2024?",
         "How high is the meal allowance in 2024?"),
        (["How high is the meal allowance in 2025?", "and in 2024?"],
         "And the hotel limit in Germany?", "How high is the hotel limit in Germany in 2024?"),
        (["Where is the Hamburg office?"], "what about Berlin?", "Where is the Berlin office?"),
        (["Where is the Hamburg office?", "what about Berlin?"], "How many desks does it have?",
         "How many desks does the Berlin office have?"),
        (["Where is the Lyon office?"], "Who is the manager there?",
         "Who is the manager in the Lyon office?"),
        (["Where is the Lyon office?"], "And who is the manager?",
         "who is the manager of the Lyon office?"),
        (["How many employees did Hamburg have in 2025?", "and in 2024?"], "And Berlin?",
         "How many employees did Berlin have in 2024?"),
        (["What does ERR-1042 mean?"], "and ERR-1043?", "What does ERR-1043 mean?"),
        (["What does ERR-1042 mean?"], "ERR-1043?", "What does ERR-1043 mean?"),
        (["What does ERR-1042 mean?"], "And how do I fix it?", "how do I fix ERR-1042?"),
        (["What is the reaction time for priority 1?"], "and priority 2?",
         "What is the reaction time for priority 2?"),
        (["What is the probation period for engineers?"], "for interns?",
         "What is the probation period for interns?"),
        (["What is the notice period for engineers?"], "And how many in 2024?",
         "What is the notice period for engineers in 2024?"),
        (["Sum of amounts in March per supplier"], "and in April?",
         "Sum of amounts in April per supplier"),
        (["How long does charging the AeroVac 300 take?"], "What is its warranty?",
         "What is the AeroVac 300's warranty?"),
        (["Wie hoch ist die Kaltmiete?"], "und die Kaution?", "Wie hoch ist die Kaution?"),
        (["Wer leitet das Büro in Hamburg?"], "Wie sieht es mit Berlin aus?",
         "Wer leitet das Büro in Berlin?"),
        (["Wie hoch war der Umsatz im März?"], "und im April?",
         "Wie hoch war der Umsatz im April?"),
        (["Combien de jours puis-je télétravailler en 2025 ?"], "Et en 2024 ?",
         "Combien de jours puis-je télétravailler en 2024 ?"),
        (["Hoeveel dagen mag ik thuiswerken?"], "en in 2024?",
         "Hoeveel dagen mag ik thuiswerken in 2024?"),
        (["¿Cuál es el límite diario para comidas?"], "¿y para hoteles?",
         "¿Cuál es el límite diario para hoteles?"),
    ],
)  # fmt: skip
def test_only_what_is_new_takes_the_place_of_its_like(
    earlier: list[str], text: str, meant: str
) -> None:
    assert in_context(text, earlier) == meant


@pytest.mark.parametrize(
    "text",
    [
        "When do the new engineers start?",
        "How many desks are there in Hamburg?",
        "How long does it take to charge the AeroVac 300?",
        "Why is shipment SH-88213 delayed?",
        "And what does ERR-2001 mean?",
        "Berlin?",
        "vacation days",
    ],
)
def test_a_question_of_its_own_takes_nothing_from_the_last_one(text: str) -> None:
    said = in_context(text, ["What is the wifi password?"])
    assert said == text.removeprefix("And ")


@pytest.mark.parametrize("text", ["Why?", "When did he start?", "Who reported that?", "und warum?"])
def test_where_no_rule_fits_both_are_asked(text: str) -> None:
    earlier = ["Who takes over the supplier audit?"]
    assert in_context(text, earlier) == f"{earlier[0]} {text}"


def test_nothing_came_before() -> None:
    assert in_context("And how do I fix it?", []) == "And how do I fix it?"


@pytest.mark.parametrize("text", ["and", "and ?", "¿y?", "?", "et l'", "and the", "and in", "it"])
def test_odd_ends_break_nothing(text: str) -> None:
    for before in ("?", "the", "What is the", "in 2024", "A"):
        assert in_context(text, [before])
