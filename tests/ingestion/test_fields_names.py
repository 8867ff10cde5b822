"""Any name may be asked for: synonyms in five languages, forms, tables of pairs and prose."""

from __future__ import annotations

import time

import pytest

from core.documents import Document, Page
from ingestion.fields import extract


def asked(text: str, *names: str, kind: str = "other") -> dict[str, str | None]:
    document = Document("txt", (Page(1, text),), document_type=kind)
    fields = extract(document, "d", "d.txt", wanted=names).fields
    for value in fields.values():
        assert (value.source is None) == (value.value is None)
        if value.source:
            assert text[value.source.start : value.source.end] == value.source.quote
    return {name: value.value for name, value in fields.items()}


FORMS = [
    ("Vertragsbeginn: 01.03.2026\n", "contract_start", "2026-03-01"),
    ("Commencement date    1 March 2026\n", "Vertragsbeginn", "2026-03-01"),
    ("Ingangsdatum | 1 maart 2026\n", "contractStart", "2026-03-01"),
    ("Date d'effet : 1er mars 2026\n", "contract start date", "2026-03-01"),
    ("Fecha de inicio:\n1 de marzo de 2026\n", "contract_start", "2026-03-01"),
    ("Kündigungsfrist: 3 Monate zum Quartalsende\n", "notice period", "3 Monate zum Quartalsende"),
    ("Préavis : trois mois\n", "Kündigungsfrist", "trois mois"),
    ("Klantnummer: K-4711\n", "customer_number", "K-4711"),
    ("Gewicht: 12,5 kg\n", "weight", "12,5 kg"),
    ("Ansprechpartner: Jana Vogt\n", "contact_person", "Jana Vogt"),
    ("Cleaning fee: EUR 40.00\n", "cleaning_fee", "40.00"),
    ("Machine type    LX-9\n", "machine_type", "LX-9"),
]


@pytest.mark.parametrize(("text", "name", "value"), FORMS)
def test_a_name_finds_its_label_in_any_language(text: str, name: str, value: str) -> None:
    assert asked(f"Form 7\n\n{text}\nEnd of form\n", name) == {name: value}


PROSE = [
    ("This agreement commences on 1 March 2026 and ends on 28 February 2028.",
     {"contract_start": "2026-03-01", "contract_end": "2028-02-28"}),
    ("Either party may terminate this agreement upon sixty (60) days' written notice.",
     {"notice_period": "sixty (60) days"}),
    ("Der Vertrag hat eine Laufzeit von zwei Jahren. Die Kündigungsfrist beträgt drei\nMonate.",
     {"term": "zwei Jahren", "notice_period": "drei Monate"}),
    ("Le contrat prend effet le 1er mars 2026 pour une durée de deux ans.",
     {"contract_start": "2026-03-01", "term": "deux ans"}),
    ("De huurovereenkomst gaat in op 1 maart 2026 met een opzegtermijn van twee maanden.",
     {"contract_start": "2026-03-01", "notice_period": "twee maanden"}),
    ("El contrato entra en vigor el 1 de marzo de 2026, con un preaviso de 30 días.",
     {"contract_start": "2026-03-01", "notice_period": "30 días"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PROSE)
def test_a_sentence_tells_what_no_label_does(text: str, expected: dict[str, str]) -> None:
    assert asked(f"{text}\n", *expected, kind="contract") == expected


def test_a_label_is_no_value_of_the_label_before_it() -> None:
    text = "Employee        Payroll number    Month\nThomas Reed     P-17              May 2026\n"
    names = ("employee", "employee_number", "period")
    assert asked(text, *names) == dict(zip(names, ["Thomas Reed", "P-17", "May 2026"], strict=True))


def test_what_nobody_says_is_null() -> None:
    text = "The notice board is open for three months. Delivery is our strength.\n"
    names = ("notice_period", "delivery_date", "contract_start", "colour", "")
    assert set(asked(text, *names).values()) == {None}


@pytest.mark.parametrize("line", ["notice period ", "3 months ", "effective on 1.1.2026 ", "a. B "])
def test_hostile_prose_is_read_in_bounded_time(line: str) -> None:
    started = time.process_time()
    asked(line * 20_000, "notice_period", "contract_start", "something else", kind="contract")
    assert time.process_time() - started < 8
