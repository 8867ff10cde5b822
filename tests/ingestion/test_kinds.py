"""The kind of a text by its content alone; the file's name tells nothing here."""

from __future__ import annotations

from collections import Counter

import pytest

from core.documents import DOCUMENT_TYPES
from ingestion.kind_marks import marks
from ingestion.kinds import language
from tests.ingestion.kinds import found, table, texts


def _wrong(counts: Counter[tuple[str, str]]) -> int:
    return sum(times for (kind, told), times in counts.items() if kind != told)


@pytest.mark.parametrize(("name", "wrong"), [("dev", 1), ("held", 3)])
def test_ten_kinds_are_told_apart_in_five_languages(name: str, wrong: int) -> None:
    counts = table(name)
    assert sum(counts.values()) == 60
    assert {kind for kind, _ in counts} <= set(DOCUMENT_TYPES)
    assert _wrong(counts) <= wrong, {pair: n for pair, n in counts.items() if pair[0] != pair[1]}


def test_what_bears_no_marks_is_other() -> None:
    assert all(found(text) == "other" for kind, text in texts("dev") if kind == "other")


def test_a_numbered_list_is_no_list_of_codes() -> None:
    steps = "Errors to avoid\n1. Rushing the start\n2. Skipping lunch\n3. Losing the map\n"
    priced = "Codes\n10 M8 bolts 4.00\n20 M6 bolts 3.00\n30 Washers 1.50\n"
    assert marks(steps[:400], steps)["error_codes"] == 0
    assert marks(priced[:400], priced)["error_codes"] == 0


def test_one_mark_proves_nothing() -> None:
    assert found("The cashier smiled. We talked about the weather.") == "other"
    assert found("Nobody shall pass, said the knight.") == "other"


@pytest.mark.parametrize(("spoken", "text"), [
    ("es", "Estimados señores: les envío la factura de marzo y el plazo de entrega en un anexo."),
    ("es", "FACTURA 118\nFecha: 3/3/2026\nImporte total: 121,00\nIVA 21 %"),
    ("nl", "Factuur 118\nDatum: 3-3-2026\nTotaal bedrag: 121,00\nBTW 21 %"),
    ("fr", "Facture 118\nMontant total : 121,00\nTVA 20 %\nÉchéance : 3 mars"),
    ("de", "Rechnung 118\nDatum: 3.3.2026\nSumme: 121,00\nMwSt 19 %"),
    ("en", "Invoice 118\nDue date: 3 March 2026\nTotal amount: 121.00"),
    (None, "4711 0815\nABC-12"),
])  # fmt: skip
def test_papers_that_are_lists_have_a_language_too(spoken: str | None, text: str) -> None:
    assert language(text) == spoken


@pytest.mark.parametrize(
    "text",
    [
        (
            ":20:STARTUMS\n:25:37040044/0532013000\n:28C:00010/001\n:60F:C261001EUR10000,00\n"
            ":61:2610021002DR129,90NMSCNONREF\n:62F:C261031EUR9870,10\n"
        ),
        (
            "Kontonummer: | DE89370400440532013000\nZeitraum: | 01.10.2026 - 31.10.2026\n\n"
            "Buchungstag | Wertstellung | Buchungstext | Empfaenger | Betrag (EUR)\n"
            "01.10.2026 | 01.10.2026 | Lastschrift | Stadtwerke | -37,01\n"
        ),
    ],
)
def test_what_a_bank_exports_is_a_statement(text: str) -> None:
    assert found(text) == "bank_statement"
