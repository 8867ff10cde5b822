from __future__ import annotations

import pytest

from vectorstore.words import asked, fold, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ERR-1042", ["err-1042", "err1042", "err", "1042"]),
        ("INV-2026-001", ["inv-2026-001", "inv2026001", "inv", "2026", "001"]),
        ("1,234.56", ["1,234.56", "123456", "1", "234", "56"]),
        ("invoices", ["invoice"]),
        ("policies", ["policy"]),
        ("status class", ["status", "class"]),
        ("Straße Müller ＡＢＣ", ["strasse", "muller", "abc"]),
        ("請求書", ["請求", "求書"]),
        ("e\u2011mail", ["e-mail", "email", "e", "mail"]),
        ("... !?", []),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_stop_words_are_dropped_from_a_question_that_says_something_else() -> None:
    assert asked("What is the refund policy?") == ["refund", "policy"]


def test_a_question_of_stop_words_only_is_still_asked() -> None:
    assert asked("to be or not to be") != []
    assert asked("who are you") == ["who", "are", "you"]


def test_folding_is_stable() -> None:
    assert fold(fold("ÀÉÎ ﬁ ß Ǆ")) == fold("ÀÉÎ ﬁ ß Ǆ")
