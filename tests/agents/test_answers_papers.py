"""What is asked of a paper by its number is its field, in the words that stand there."""

from __future__ import annotations

import pytest

from agents.answers.papers import field_asked


@pytest.mark.parametrize(("question", "asked"), [
    ("What is the total of invoice 4711?", ("total", "4711")),
    ("When is invoice INV-2026/07 due?", ("due_date", "inv202607")),
    ("Wann ist die Rechnung 2025-118 fällig?", ("due_date", "2025118")),
    ("Wie hoch ist die Rechnung Nr. 2025-118?", ("total", "2025118")),
    ("Quel est le total TTC de la facture F2025-09 ?", ("total", "f202509")),
    ("Quelle est l'échéance de la facture n° F2025-09 ?", ("due_date", "f202509")),
    ("Hoeveel bedraagt factuur 2025-77?", ("total", "202577")),
    ("¿Cuál es el importe de la factura A-332?", ("total", "a332")),
    ("Who is the supplier of invoice 4711?", ("vendor", "4711")),
    ("What is the VAT on invoice 4711?", ("tax", "4711")),
    ("What is the net amount of invoice 4711?", ("subtotal", "4711")),
    ("Wie lautet die IBAN auf Rechnung 2025-118?", ("iban", "2025118")),
])  # fmt: skip
def test_the_field_and_the_paper_are_known_by_their_words(
    question: str, asked: tuple[str, str]
) -> None:
    assert field_asked(question) == asked


@pytest.mark.parametrize("question", [
    "Why is invoice 4711 so high?", "What is the total of invoice 4711 and invoice 4712?",
    "How many items are on invoice 4711?", "What is the total of all invoices in 2026?",
    "Compare invoice 4711 with the offer.", "What does ERR-4711 mean?",
    "What is the difference between invoice 4711 and its order?", "Who approved the travel policy?",
])  # fmt: skip
def test_other_questions_are_left_to_others(question: str) -> None:
    assert field_asked(question) is None
