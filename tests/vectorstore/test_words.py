from __future__ import annotations

import pytest

from vectorstore.languages import LANGUAGES, stem
from vectorstore.words import asked, fold, language, said, split


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ERR-1042", ["err-1042", "err1042", "err", "1042"]),
        ("INV-2026-001", ["inv-2026-001", "inv2026001", "inv", "2026", "001"]),
        ("1,234.56", ["1,234.56", "123456", "1", "234", "56"]),
        ("Straße Müller ＡＢＣ", ["strasse", "muller", "abc"]),
        ("請求書", ["請求", "求書"]),
        ("e\u2011mail", ["email", "mail"]),
        ("anna@firm.example", ["anna@firm.example", "anna", "firm", "example"]),
        ("U.S. law", ["us", "law"]),
        ("author's, l'entreprise d’un", ["author", "entreprise", "un"]),
        ("Annex B, a plan", ["annex", "b", "plan"]),
        ("... !?", []),
    ],
)
def test_words_of_a_text(text: str, expected: list[str]) -> None:
    assert [word.text for word in split(text)] == expected


def test_parts_of_a_code_do_not_make_a_text_longer() -> None:
    assert said(split("ERR-1042 e-mail"), "english").length == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wie hoch ist die Rechnung?", "german"),
        ("Quel est le montant de la facture ?", "french"),
        ("Hoeveel bedraagt de factuur?", "dutch"),
        ("¿Cuánto cuesta el envío?", "spanish"),
        ("What is due?", "english"),
        ("Schrauben M8 12 4,50", None),
        ("die casting machine", None),
        ("car insurance", None),
    ],
)
def test_little_words_tell_the_language(text: str, expected: str | None) -> None:
    assert language(split(text)) == expected


@pytest.mark.parametrize(
    ("language", "word", "other"),
    [
        ("english", "invoices", "invoice"),
        ("english", "connected", "connection"),
        ("german", "rechnungen", "rechnung"),
        ("french", "livraisons", "livraison"),
        ("dutch", "facturen", "factuur"),
        ("spanish", "facturas", "factura"),
    ],
)
def test_forms_of_a_word_share_a_stem(language: str, word: str, other: str) -> None:
    assert stem(word, language) == stem(other, language)


def test_little_words_are_dropped_from_a_question_that_says_something_else() -> None:
    assert list(asked("What is the refund policy?")) == ["refund", "policy"]
    assert list(asked("Wie hoch ist die Mahngebühr?")) == ["hoch", "mahngebuhr"]


def test_a_question_of_little_words_only_is_still_asked() -> None:
    assert list(asked("to be or not to be")) == ["to", "be", "or", "not"]
    assert list(asked("who are you")) == ["who", "are", "you"]


def test_a_question_keeps_what_it_repeats_and_each_language_s_stem() -> None:
    word = asked("policies about policies")["policies"]
    assert word.times == 2
    assert word.forms[LANGUAGES.index("english")] == "polici"
    assert word.forms[LANGUAGES.index("french")] == "polic"
    assert set(asked("ERR-1042")["err-1042"].forms) == {"err-1042"}


def test_folding_is_stable() -> None:
    assert fold(fold("ÀÉÎ ﬁ ß Ǆ")) == fold("ÀÉÎ ﬁ ß Ǆ")
