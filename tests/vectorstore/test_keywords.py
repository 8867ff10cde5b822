from __future__ import annotations

import numpy as np
import pytest

from vectorstore.keywords import Postings, index, merged, opened, statistics
from vectorstore.words import RULES, asked

ENGLISH = "The police came to the meeting about the policies of the firm."
OTHER = "They wrote new policies for it and sent them to the board."
FRENCH = "La police est venue avec les factures de la société pour le conseil."
NUMBERS = "factures 2026 | 4711"


def postings(*passages: str) -> Postings:
    return opened(index(passages), list)


def found(of: Postings, question: str) -> list[int]:
    places = of.look_up(asked(question))
    scores = of.scores(places, statistics([(of, places)]))
    return np.flatnonzero(scores).tolist()


def test_a_passage_is_asked_in_its_own_language() -> None:
    """The French stem of "policies" is the English one of "police"."""
    both = postings(ENGLISH.replace("policies", "rules"), OTHER, FRENCH)
    assert found(both, "policies") == [1, 2]
    assert found(both, "facture") == [2]


def test_what_is_in_another_language_is_found_by_the_word_as_it_stands() -> None:
    assert found(postings(ENGLISH, FRENCH), "police") == [0, 1]


def test_a_passage_that_does_not_tell_is_in_the_language_of_the_others() -> None:
    assert found(postings(FRENCH, NUMBERS), "facture") == [0, 1]


def test_merging_keeps_each_passage_in_its_language() -> None:
    whole = postings(ENGLISH, OTHER, FRENCH)
    apart = [(postings(ENGLISH, OTHER), np.array([0, 1])), (postings(FRENCH), np.array([0]))]
    joined = opened(merged(apart), list)
    for question in ("policies", "facture", "police", "board"):
        assert found(joined, question) == found(whole, question)
    assert merged(apart)["languages"].tolist() == whole.languages.tolist()


@pytest.mark.parametrize("rules", [None, 1, RULES + 1])
def test_what_other_rules_counted_is_counted_anew(rules: int | None) -> None:
    arrays = {name: array for name, array in index([OTHER]).items() if name != "rules"}
    if rules is None:
        del arrays["languages"]  # as the first rules wrote it
    else:
        arrays["rules"] = np.array([rules], "u1")
    assert found(opened(arrays, lambda: [FRENCH]), "facture") == [0]


def test_what_these_rules_counted_is_not_read_again() -> None:
    def fail() -> list[str]:
        raise AssertionError

    assert found(opened(index([FRENCH]), fail), "facture") == [0]


def test_a_word_said_twice_in_the_question_counts_twice() -> None:
    of = postings("An invoice and a receipt.", "An order and an offer.")
    once, twice = asked("invoice"), asked("invoice, which invoice")
    whole = statistics([(of, of.look_up(once))])
    single = of.scores(of.look_up(once), whole)
    double = of.scores(of.look_up(twice), whole)
    assert double[0] == pytest.approx(2 * single[0])
