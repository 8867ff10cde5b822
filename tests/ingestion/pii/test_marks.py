"""A whole document without what is personal in it: every place, the same offsets."""

from __future__ import annotations

from typing import Any

import ingestion
from core.documents import Document, Page
from ingestion import pii
from tests.ingestion import builders


def _shown(document: Document, kinds: frozenset[str] = pii.BY_DEFAULT) -> Document:
    return pii.document_shown(document, pii.marks_of(document), kinds)


def test_a_name_found_under_its_label_is_hidden_wherever_it_stands() -> None:
    pages = (Page(1, "Name: Klara Kanari\n"), Page(2, "Signed for Klara Kanari in Ulm."))
    found = _shown(Document("txt", pages, title="Klara Kanari", metadata={"by": ["Klara Kanari"]}))
    assert "Kanari" not in found.text
    assert found.title == "••••• ••••••"
    assert found.metadata == {"by": ["••••• ••••••"]}
    assert [len(p.text) for p in found.pages] == [len(p.text) for p in pages]
    assert found.pages[1].text.endswith("in Ulm.")


def test_a_column_head_says_what_stands_under_it_and_numbers_are_hidden_too() -> None:
    def fill(book: Any) -> None:
        book.active.append(["Phone", "Card", "Amount"])
        book.active.append(["0301234567", 4111111111111111, 12.5])

    book = ingestion.parse(builders.xlsx(fill), "a.xlsx", "xlsx", limits=ingestion.Limits())
    found = _shown(book)
    phone, card, amount = found.pages[0].tables[0].rows[1]
    assert (phone.text, phone.value) == ("•" * 10, "•" * 10)
    assert isinstance(card.value, str), "a number that says it all is a value too"
    assert (amount.text, amount.value) == ("12.5", 12.5)
    assert "0301234567" not in found.text


def test_what_is_not_chosen_is_left() -> None:
    document = Document("txt", (Page(1, "Mail anna@example.com, IBAN DE89370400440532013000"),))
    assert "anna@example.com" in _shown(document, frozenset({"iban"})).text
    assert "DE89" not in _shown(document, frozenset({"iban"})).text


def test_a_document_without_any_is_the_same() -> None:
    document = Document("txt", (Page(1, "The pump is blue."),))
    assert _shown(document) is document
