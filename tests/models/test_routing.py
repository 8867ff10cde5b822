"""Which model does what: by wording, features, gates and cost, with the reasons in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from models.classify import classify
from models.features import complexity, features
from models.routing import Contender, Decision, decide, estimate, task_of

SMALL = Contender("small", "ollama", 1_000, share=0.85, tokens_per_second=50.0)
MIDDLE = Contender("middle", "ollama", 4_000, share=0.97, tokens_per_second=20.0)
LARGE = Contender("large", "ollama", 9_000, share=1.0, tokens_per_second=5.0)

# None of these is among the examples that the classifier learns from.
OTHERS = {
    "When does the warranty of the forklift end?": "answer",
    "Who signs orders above 10,000 EUR?": "answer",
    "Wie hoch ist die Vertragsstrafe?": "answer",
    "Quel est le délai de paiement ?": "answer",
    "Summarize the minutes of Tuesday.": "summarising",
    "Fasse den Bericht in drei Sätzen zusammen.": "summarising",
    "Résume ce contrat.": "summarising",
    "Extract vendor and total from the bill below.": "extraction",
    "Classify this mail: spam or not spam.": "json",
    "Check all the bills against the ledger and mail me what is wrong.": "planning",
    "Hey you, nice to see you again": "chat",
    "Write a poem about the sea.": "chat",
}


def _decided(text: str, some: Sequence[Contender], task: str = "answer", **more: Any) -> Decision:
    seen = features(text)
    return decide(text, some, task=task, why_task="the test says so", seen=seen, **more)


@pytest.mark.parametrize(("text", "task"), OTHERS.items())
def test_the_task_is_known_by_its_wording(text: str, task: str) -> None:
    assert classify(text, features(text))[0] == task


def test_a_named_task_counts_by_any_of_its_names() -> None:
    seen = features("Hello")
    assert task_of("Hello", "answering", seen)[0] == "answer"
    assert task_of("Hello", "summarize", seen)[0] == "summarising"
    assert task_of("Hello", None, features("Hello", json=True))[0] == "json"


def test_features_are_seen_without_understanding() -> None:
    code = features("def add(a, b):\n    return a + b\nWhat is wrong?")
    assert (code.code, code.questions, code.tools) == (True, 1, 0)
    assert features("Compute 3 + 4 * 2").maths
    assert not features("The invoice of March is paid.").maths
    assert features("Bitte fasse das Dokument für mich zusammen").languages == ("de",)
    assert features("Give it as JSON").json


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("What does CP-1042 mean?", "simple"),
        ("Compare both offers and explain why one is cheaper.", "moderate"),
        ("First analyse both, then compare them step by step; calculate the price.", "complex"),
    ],
)  # fmt: skip
def test_how_complex_it_is(text: str, level: str) -> None:
    found, why = complexity(text, features(text))
    assert found == level
    assert why


COMPLEX = "First analyse, then compare, step by step, and explain why. Calculate it."


def test_simple_work_goes_to_the_cheapest_and_complex_work_to_the_strongest() -> None:
    some = [SMALL, MIDDLE, LARGE]
    assert _decided("What is it?", some).model == "small"
    assert _decided(COMPLEX, some).model == "large"
    moderate = _decided("Compare both offers and explain why.", some)
    assert (moderate.complexity, moderate.model) == ("moderate", "middle")


def test_each_candidate_says_why_it_was_or_was_not_taken() -> None:
    shut = Contender("tiny", "embedded", 10, missing=("refusing",))
    resting = Contender("tired", "ollama", 20, resting=True)
    narrow = Contender("narrow", "embedded", 30, context_tokens=20)
    found = _decided("What is it?", [shut, resting, narrow, SMALL, LARGE])
    why = {one.model: one.why for one in found.candidates}
    assert found.model == "small"
    assert "gate of refusing" in why["tiny"]
    assert "rests" in why["tired"]
    assert "more than its 20" in why["narrow"]
    assert why["small"] == "the cheapest model that passed the gate"
    assert why["large"] == "small is cheaper and good enough"
    assert [one.taken for one in found.candidates] == [False, False, False, True, False]
    assert found.reasons[0] == "task answer: the test says so"


def test_none_that_passed_means_no_model() -> None:
    found = _decided("What is it?", [Contender("tiny", "embedded", 10, missing=("answer",))])
    assert found.model is None
    assert "rules and quotes" in found.reasons[-1]
    assert found.cpu_seconds == 0


def test_cost_is_told_from_the_cards_speed() -> None:
    slow, fast = (_decided("What is it?", [one]) for one in (LARGE, SMALL))
    assert slow.cpu_seconds > 5 * fast.cpu_seconds > 0
    assert _decided("What is it?", [SMALL], threads=4).cpu_seconds == pytest.approx(
        4 * fast.cpu_seconds, abs=0.05
    )
    assert estimate("a" * 400, "answer") == (108, 120)
    assert estimate("ä" * 300, "answer", 7) == (208, 7)


def test_a_text_that_no_model_takes_is_too_long_and_no_shut_gate() -> None:
    narrow = Contender("narrow", "embedded", 30, context_tokens=600)
    shut = Contender("shut", "embedded", 30, missing=("answer",))
    assert _decided("word " * 2_000, [narrow, shut]).too_long
    assert not _decided("What is it?", [shut]).too_long
    assert not _decided("word " * 2_000, [shut]).too_long
