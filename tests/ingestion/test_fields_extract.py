from __future__ import annotations

import time

import pytest

from core.documents import Cell, Document, Fields, Page, Table, Word
from ingestion.fields import FIELDS, extract

ENGLISH = """\
Harrow Supplies Ltd
12 Mill Lane, Leeds LS1 4AB

INVOICE

Invoice No: HS-2041            Invoice date: 03/04/2026
PO Number: PO-7781             Due date: 03/05/2026

Bill to:
ClearPay Ltd
18 Foundry Quay

Description          Qty    Unit price      Amount
Paper A4              10         4.50        45.00
Toner                  2        60.00       120.00

                            Subtotal        165.00
                            VAT 20%          33.00
                            Total       GBP 198.00
"""
GERMAN = """\
Kessler GmbH · Ottostraße 27 · 80333 München

ClearPay Ltd
Kai 18
20457 Hamburg

Rechnung Nr. RE-88217 vom 14.09.2026
USt-IdNr.: DE274119853     IBAN: DE89 3704 0044 0532 0130 00

Bezeichnung              Menge   Einzelpreis     Gesamt
Server                   2       1.200,00        2.400,00

Nettobetrag                                      2.400,00 €
zzgl. MwSt. 19 %                                   456,00 €
Rechnungsbetrag                                  2.856,00 €

Zahlbar innerhalb 30 Tagen bis zum 14.10.2026.
"""
FRENCH = """\
Boulangerie Martin SARL
Facture n° F-2026-031
Date de facture : 12 mars 2026
Échéance : 11/04/2026
Facturé à : Hôtel du Lac

Total HT : 1 250,00 €
TVA 20 % : 250,00 €
Total TTC : 1 500,00 €
"""
DUTCH = """\
Van Dijk Bouw B.V.
Factuurnummer: 2026-118
Factuurdatum: 5 mei 2026
Vervaldatum: 4 juni 2026
BTW-nummer: NL004495445B01

Subtotaal          € 1.000,-
BTW 21%              € 210,-
Te betalen         € 1.210,-
"""
SPANISH = """\
Talleres Ruiz S.L.
CIF: B12345674
Factura nº: A-77
Fecha de factura: 1 de junio de 2026
Vencimiento: 1 de julio de 2026
Cliente: Hotel Sol

Base imponible:    300,00 €
IVA 21%:            63,00 €
Total factura:     363,00 €
"""
EXPECTED = {
    "en": (ENGLISH, {
        "vendor": "Harrow Supplies Ltd", "customer": "ClearPay Ltd", "invoice_number": "HS-2041",
        "po_number": "PO-7781", "invoice_date": "2026-04-03", "due_date": "2026-05-03",
        "currency": "GBP", "subtotal": "165.00", "tax": "33.00", "tax_rate": "20",
        "total": "198.00",
    }),
    "de": (GERMAN, {
        "vendor": "Kessler GmbH", "invoice_number": "RE-88217", "invoice_date": "2026-09-14",
        "due_date": "2026-10-14", "vendor_tax_id": "DE274119853", "currency": "EUR",
        "iban": "DE89370400440532013000", "subtotal": "2400.00", "tax": "456.00",
        "tax_rate": "19", "total": "2856.00",
    }),
    "fr": (FRENCH, {
        "vendor": "Boulangerie Martin SARL", "customer": "Hôtel du Lac",
        "invoice_number": "F-2026-031", "invoice_date": "2026-03-12", "due_date": "2026-04-11",
        "currency": "EUR", "subtotal": "1250.00", "tax": "250.00", "total": "1500.00",
    }),
    "nl": (DUTCH, {
        "vendor": "Van Dijk Bouw B.V.", "invoice_number": "2026-118",
        "invoice_date": "2026-05-05", "due_date": "2026-06-04", "vendor_tax_id": "NL004495445B01",
        "currency": "EUR", "subtotal": "1000.00", "tax": "210.00", "total": "1210.00",
        "amount_due": "1210.00",
    }),
    "es": (SPANISH, {
        "vendor": "Talleres Ruiz S.L.", "customer": "Hotel Sol", "invoice_number": "A-77",
        "vendor_tax_id": "B12345674", "invoice_date": "2026-06-01", "due_date": "2026-07-01",
        "currency": "EUR", "subtotal": "300.00", "tax": "63.00", "total": "363.00",
    }),
}  # fmt: skip


def of(text: str, *, wanted: list[str] | None = None, kind: str = "other") -> Fields:
    pages = tuple(Page(n, part) for n, part in enumerate(text.split("\f"), 1))
    return extract(Document("txt", pages, document_type=kind), "d", "d.txt", wanted=wanted)


def values(fields: Fields) -> dict[str, str | None]:
    return {name: value.value for name, value in fields.fields.items()}


@pytest.mark.parametrize("language", sorted(EXPECTED))
def test_an_invoice_is_read_in_each_language(language: str) -> None:
    text, expected = EXPECTED[language]
    fields = of(text)
    assert fields.document_type == "invoice"
    assert {name: values(fields)[name] for name in expected} == expected
    assert set(fields.fields) >= set(FIELDS)


@pytest.mark.parametrize("language", sorted(EXPECTED))
def test_every_value_quotes_the_page_exactly(language: str) -> None:
    text, _ = EXPECTED[language]
    fields = of(text)
    found = [*fields.fields.values(), *(v for item in fields.line_items for v in item.values())]
    for value in (v for v in found if v.value is not None):
        assert value.source is not None
        assert text[value.source.start : value.source.end] == value.source.quote
        assert 0 < value.confidence < 1


def test_amounts_that_agree_are_surer_than_one_that_stands_alone() -> None:
    agreed = of(ENGLISH).fields["total"].confidence
    alone = of("Invoice No: 77\nTotal: GBP 198.00\nVAT: 99.00\n").fields["total"].confidence
    assert agreed > 0.9 > alone


def test_line_items_are_read_by_their_columns() -> None:
    items = of(ENGLISH).line_items
    assert [{k: v.value for k, v in item.items()} for item in items] == [
        {"description": "Paper A4", "quantity": "10", "unit_price": "4.50", "amount": "45.00"},
        {"description": "Toner", "quantity": "2", "unit_price": "60.00", "amount": "120.00"},
    ]


TWO_PAGES = """\
Acme Ltd
Invoice No: 900
Description       Qty    Price    Amount
One                 1    10.00     10.00
Two                 1    20.00     20.00
Carried forward                    30.00
\fAcme Ltd
Brought forward                    30.00
Description       Qty    Price    Amount
Three               1    70.00     70.00
Subtotal                          100.00
VAT 20%                            20.00
Total                      EUR    120.00
"""


def test_items_go_on_over_pages_and_carried_sums_are_no_totals() -> None:
    fields = of(TWO_PAGES)
    assert values(fields)["total"] == "120.00"
    assert values(fields)["subtotal"] == "100.00"
    assert [item["amount"].value for item in fields.line_items] == ["10.00", "20.00", "70.00"]
    total = fields.fields["total"].source
    assert total is not None
    assert total.page == 2


def test_amounts_of_a_credit_note_are_negative() -> None:
    fields = of("Acme Ltd\nCREDIT NOTE\nCredit note no: CN-5\nTotal: EUR 120.00\n")
    assert fields.document_type == "credit_note"
    assert values(fields)["total"] == "-120.00"


def test_what_is_not_there_is_none() -> None:
    fields = of("Team meeting\n\nWe talked about the total number of tickets: 42 of them.\n")
    assert set(values(fields).values()) == {None}
    assert fields.document_type == "other"


def test_other_fields_are_looked_up_by_their_label() -> None:
    text = ENGLISH + "\nDelivery date: 1 April 2026\nContract reference: CR-9/A\n"
    fields = of(text, wanted=["total", "delivery_date", "contractReference", "nothing_like_it"])
    assert values(fields) == {
        "total": "198.00", "delivery_date": "2026-04-01", "contractReference": "CR-9/A",
        "nothing_like_it": None,
    }  # fmt: skip


def words(*placed: tuple[float, float, str]) -> Document:
    """A page of words at (x, y); the text is in the order given."""
    text, made = "", []
    for x, y, phrase in placed:
        at = x
        for word in phrase.split():
            made.append(Word(word, len(text), at, y, at + 6.0 * len(word), y + 10))
            text += word + " "
            at += 6.0 * len(word) + 3
        text = text.rstrip() + "\n"
    return Document("pdf", (Page(1, text, words=tuple(made), width=595, height=842),))


def test_values_below_their_labels_are_read_by_the_boxes_of_words() -> None:
    document = words(
        (50, 40, "Northwind Inc."), (50, 60, "INVOICE"),
        (50, 100, "Invoice Number"), (200, 100, "Invoice Date"), (350, 100, "Total Due"),
        (50, 115, "NW-12"), (200, 115, "03/20/2026"), (350, 115, "$1,250.00"),
    )  # fmt: skip
    found = values(extract(document, "d", "d.pdf"))
    assert (found["invoice_number"], found["invoice_date"]) == ("NW-12", "2026-03-20")
    assert (found["total"], found["currency"]) == ("1250.00", "USD")


def test_cells_of_a_sheet_keep_their_addresses() -> None:
    rows = [("Invoice number", "GL-5567"), ("Currency", "EUR"), ("Total", "5.830,80")]
    text = "\n".join("\t".join(row) for row in rows)
    cells = tuple(
        tuple(
            Cell(t, r, c, 5830.8 if t[0] == "5" else t, address=f"{'AB'[c]}{r + 1}")
            for c, t in enumerate(row)
        )
        for r, row in enumerate(rows)
    )
    table = Table(1, cells, 0, len(text), sheet="Invoice")
    page = Page(1, text, tables=(table,), sheet="Invoice")
    total = extract(Document("xlsx", (page,), document_type="invoice"), "d", "d.xlsx").fields[
        "total"
    ]
    assert total.value == "5830.80"
    assert total.source is not None
    assert (total.source.sheet, total.source.cells) == ("Invoice", "B3")


def test_the_addressee_of_a_letter_is_the_customer_and_its_sender_the_vendor() -> None:
    found = values(of(GERMAN))
    assert (found["vendor"], found["customer"]) == ("Kessler GmbH", "ClearPay Ltd")


def test_values_that_touch_under_a_header_are_told_apart_by_their_columns() -> None:
    document = words(
        (50, 40, "Talleres Ruiz S.L."), (50, 60, "FACTURA"),
        (50, 100, "Nº de factura"), (180, 100, "Vencimiento"), (310, 100, "Nº de pedido"),
        (50, 115, "8851"), (180, 115, "10 de septiembre de 2026 PO-19688"),
        (50, 140, "Total factura"), (200, 140, "121,00 €"),
    )  # fmt: skip
    found = values(extract(document, "d", "d.pdf"))
    assert (found["invoice_number"], found["po_number"]) == ("8851", "PO-19688")
    assert found["due_date"] == "2026-09-10"


def test_shipping_that_leads_to_the_total_is_named_as_adjustment() -> None:
    text = "Invoice No: A-1\nSubtotal 100.00\nShipping 12.00\nVAT 20% 20.00\nTotal GBP 132.00\n"
    found = values(of(text))
    assert (found["total"], found["adjustment"]) == ("132.00", "12.00")


def test_a_tax_of_several_rates_is_their_sum_with_a_source_that_spans_them() -> None:
    text = (
        "Rechnung Nr. 77\nSumme netto  300,00 €\nMwSt. 7 %  7,00 €\nMwSt. 19 %  38,00 €\n"
        "Gesamtbetrag  345,00 €\n"
    )
    tax = of(text).fields["tax"]
    assert tax.value == "45.00"
    assert tax.source is not None
    assert "7,00" in tax.source.quote
    assert "38,00" in tax.source.quote


def test_a_row_that_cannot_be_read_as_an_item_is_told() -> None:
    text = ENGLISH.replace("Toner                  2", "                        ").replace(
        "60.00", "     "
    )
    assert "lines-incomplete" in of(text).tags
    assert "lines-incomplete" not in of(ENGLISH).tags


def test_a_tax_number_in_the_buyers_block_is_not_the_vendors() -> None:
    text = "Acme GmbH\nInvoice No: 5\nBill to:\nClearPay Ltd\nVAT IE3456789TH\n\nTotal: EUR 5.00\n"
    assert values(of(text))["vendor_tax_id"] is None


@pytest.mark.parametrize("line", ["1 234 ", "DE89 3704 ", "pay transfer ", "1.1.", "Total "])
def test_hostile_text_is_read_in_bounded_time(line: str) -> None:
    started = time.process_time()
    of("\n".join([line * (1900 // len(line))] * 20) + "\n" + line * 50_000)
    assert time.process_time() - started < 8


@pytest.mark.parametrize("kind", ["kb", "log", "sop", "ledger"])
def test_other_kinds_of_documents_keep_their_kind(kind: str) -> None:
    fields = of("Refunds\n\nAn invoice is refunded within 14 days. Total refunds: 12.\n", kind=kind)
    assert fields.document_type == kind
    assert set(values(fields).values()) == {None}
