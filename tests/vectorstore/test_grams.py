from __future__ import annotations

from vectorstore.grams import parts, shared
from vectorstore.languages import LITTLE

GERMAN = LITTLE["german"]


def test_parts_are_of_words_that_say_something() -> None:
    assert parts("Wie ist das Datum?", GERMAN) == {"datu": 1, "atum": 1}
    assert parts("USt 19", frozenset()) == {"ust": 1, "19": 1}


def test_a_compound_shares_parts_with_its_members() -> None:
    passages = ["Rechnungsdatum: 3. Mai", "Lieferort: Halle 4", "Datum"]
    scores = shared(parts("Datum der Rechnung", GERMAN), passages)
    assert scores.argmax() == 0
    assert scores[1] == 0


def test_nothing_asked_and_nothing_to_compare() -> None:
    assert shared({}, ["a passage"]).tolist() == [0.0]
    assert shared(parts("Rechnung", GERMAN), [""]).tolist() == [0.0]


def test_a_long_question_is_cut() -> None:
    assert len(parts(" ".join(f"wort{n}lang" for n in range(500)), frozenset())) == 100
