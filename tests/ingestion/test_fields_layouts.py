from __future__ import annotations

import time

import pytest

from core.documents import Document, Fields, Page, Word
from ingestion.fields import extract
from ingestion.fields.layout import ROWS_MAX, sheet
from ingestion.kinds import document_type


def of(text: str, *, kind: str = "other") -> Fields:
    return extract(Document("txt", (Page(1, text),), document_type=kind), "d", "d.txt")


def values(fields: Fields) -> dict[str, str | None]:
    return {name: value.value for name, value in fields.fields.items()}


def words(*placed: tuple[float, float, str]) -> Document:
    text, made = "", []
    for x, y, phrase in placed:
        at = x
        for word in phrase.split():
            made.append(Word(word, len(text), at, y, at + 5.0 * len(word), y + 10))
            text += word + " "
            at += 5.0 * len(word) + 3
        text = text.rstrip() + "\n"
    return Document("pdf", (Page(1, text, words=tuple(made), width=595, height=842),))


RATES = """\
Rechnung Nr. 77

MwSt-Satz      Netto       MwSt      Brutto
7 %            60,00       4,20       64,20
19 %           40,00       7,60       47,60
Summe         100,00      11,80      111,80
"""


def test_the_row_of_sums_is_read_and_not_the_first_rate() -> None:
    found = values(of(RATES))
    assert (found["subtotal"], found["tax"], found["total"]) == ("100.00", "11.80", "111.80")
    assert found["tax_rate"] is None


def test_rates_without_a_row_of_sums_are_added_where_the_total_proves_it() -> None:
    text = RATES.replace("Summe         100,00      11,80      111,80", "Gesamtbetrag 111,80 €")
    fields = of(text)
    assert (values(fields)["tax"], values(fields)["total"]) == ("11.80", "111.80")
    source = fields.fields["tax"].source
    assert source is not None
    assert "4,20" in source.quote
    assert "7,60" in source.quote


def test_a_tax_that_no_label_names_is_the_difference_beside_a_rate() -> None:
    found = values(of("Invoice No: 9\nSubtotal  100.00\nLevy 12 %  12.00\nTotal  112.00\n"))
    assert found["tax"] == "12.00"


def test_sums_that_disagree_are_doubtful() -> None:
    text = "Invoice No: 9\nSubtotal 100.00\nVAT 20% 20.00\nTotal GBP 150.00\n"
    fields = of(text).fields
    assert all(fields[name].confidence <= 0.75 for name in ("subtotal", "tax", "total"))


INSURANCE = """\
Nordstern Versicherung AG
Hafenweg 9
20457 Hamburg

Beitragsrechnung        12. Januar 2026
Gesamtbeitrag                 150,00 €
Versicherungsteuer 19 %        28,50 €
Rechnungsbeitrag              178,50 €
"""


def test_a_bill_of_an_insurance_is_an_invoice() -> None:
    fields = of(INSURANCE)
    found = values(fields)
    assert fields.document_type == "invoice"
    assert (found["subtotal"], found["tax"], found["total"]) == ("150.00", "28.50", "178.50")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Purchase order: PO-9\nInvoice B-2207\nTotal 5.00", "invoice"),
        ("PURCHASE ORDER\nPO-9\nSupplier: Acme", "purchase_order"),
        ("Nordstern AG\nBeitragsrechnung", "invoice"),
        ('{"invoiceNumber": "J-1"}', "invoice"),
    ],
)
def test_an_order_that_is_quoted_makes_no_order(text: str, kind: str) -> None:
    assert document_type(Document("txt", (Page(1, text),)), "scan.pdf", text) == kind


def test_a_number_beside_a_bare_title_is_the_invoices() -> None:
    found = values(of("Acme SARL\nFACTURE\nN° FA-2026-0001\nDate : 15/08/2026\nTotal TTC 5,00 €\n"))
    assert found["invoice_number"] == "FA-2026-0001"


def test_a_number_of_a_day_is_read_without_its_label() -> None:
    found = values(of("Acme AG\nHandelsrechnung (380) Nr. 4711 vom 31.10.2018\nSumme 5,00 €\n"))
    assert (found["invoice_number"], found["invoice_date"]) == ("4711", "2018-10-31")


def test_dates_of_a_period_or_of_a_form_are_not_the_invoices() -> None:
    text = "Rechnung Nr. 5\nVom 17. Dezember 2018 bis 6. Januar 2019 geschlossen.\nSumme 5,00 €\n"
    assert values(of(text))["invoice_date"] is None
    assert values(of("Rechnung Nr. 5\nVersion: 2.1 vom 10.11.2025\n"))["invoice_date"] is None


def test_an_iban_with_wrong_check_digits_is_doubtful() -> None:
    text = "Invoice No: 5\nTotal: EUR 5.00\nIBAN: {}\n"
    right = of(text.format("DE89 3704 0044 0532 0130 00")).fields["iban"]
    wrong = of(text.format("DE12 3704 0044 0532 0130 00")).fields["iban"]
    assert wrong.value == "DE12370400440532013000"
    assert wrong.confidence <= 0.6 < right.confidence


TWO_ADDRESSES = """\
Bright Tools Ltd
Unit 4, Mill Road 2
Leeds LS1 4AB

Invoice BT-2207

For the attention of: Accounts Payable
Harrow Council
Station Road 12
Harrow HA1 2XF

Total: GBP 192.00
Questions: Bright Tools Support Desk
"""


def test_the_buyer_is_found_by_the_other_address() -> None:
    found = values(of(TWO_ADDRESSES))
    assert (found["vendor"], found["customer"]) == ("Bright Tools Ltd", "Harrow Council")


def test_a_name_under_its_label_wins_over_one_far_to_the_right() -> None:
    document = words(
        (50, 50, "Factuur"),
        (50, 80, "Klant"), (350, 80, "Studio Kaap VOF"),
        (50, 92, "De Vries Transport B.V."), (350, 92, "Lijnbaan 21"),
        (50, 104, "Havenstraat 8"), (350, 104, "1012 LG Amsterdam"),
        (50, 116, "BTW-nr. NL001234567B01"), (350, 116, "BTW-nr. NL858585858B02"),
        (50, 150, "Factuurnummer: 31"), (50, 170, "Totaal te betalen € 10,00"),
    )  # fmt: skip
    found = values(extract(document, "d", "d.pdf"))
    assert found["vendor"] == "Studio Kaap VOF"
    assert found["customer"] == "De Vries Transport B.V."
    assert found["vendor_tax_id"] == "NL858585858B02"


def test_a_header_over_two_lines_and_descriptions_over_several_are_read() -> None:
    document = words(
        (50, 40, "Invoice No: 7"),
        (250, 80, "Unit"), (350, 80, "Line"),
        (50, 91, "Description"), (200, 91, "Qty"), (250, 91, "Price"), (350, 91, "Total"),
        (50, 105, "Torque wrench"), (200, 105, "4"), (250, 105, "25.00"), (350, 105, "100.00"),
        (50, 117, "with calibration certificate"),
        (50, 131, "Socket set"), (200, 131, "1"), (250, 131, "60.00"), (350, 131, "60.00"),
        (250, 160, "Total"), (350, 160, "160.00"),
    )  # fmt: skip
    fields = extract(document, "d", "d.pdf")
    assert [{k: v.value for k, v in item.items()} for item in fields.line_items] == [
        {"description": "Torque wrench with calibration certificate", "quantity": "4",
         "unit_price": "25.00", "amount": "100.00"},
        {"description": "Socket set", "quantity": "1", "unit_price": "60.00", "amount": "60.00"},
    ]  # fmt: skip
    assert values(fields)["total"] == "160.00"


def test_what_is_due_is_the_total_unless_some_is_paid() -> None:
    text = "Invoice No: 9\nSubtotal 100.00\nVAT 20% 20.00\nTotal GBP 120.00\n"
    due = of(text).fields["amount_due"]
    assert due.value == "120.00"
    assert due.confidence <= 0.7
    assert values(of(text + "Deposit paid 20.00\n"))["amount_due"] is None


@pytest.mark.parametrize("line", ["19 % 1,00 ", "Nr. vom ", "Unit Price ", "1 000 ", "Rue 1 "])
def test_hostile_tables_are_read_in_bounded_time(line: str) -> None:
    started = time.process_time()
    of("Invoice\n" + "\n".join([line * 190] * 20) + "\n" + "\n".join([line] * 3000))
    assert time.process_time() - started < 8


def test_a_title_without_its_word_is_no_seller() -> None:
    found = values(of("TAX INVOICE\nAcme Trading Ltd\nInvoice No: 9\nTotal: EUR 5.00\n"))
    assert found["vendor"] == "Acme Trading Ltd"


def test_a_colon_in_a_column_of_its_own_is_passed_over() -> None:
    text = "Acme Ltd\nInvoice No.    :    GST-001\nDate    :    12-09-2023\nTotal  EUR 5.00\n"
    found = values(of(text))
    assert (found["invoice_number"], found["invoice_date"]) == ("GST-001", "2023-09-12")


def test_a_subtotal_with_the_tax_in_it_is_doubtful() -> None:
    fields = of("Invoice No: 9\nSubtotal 120.00\nVAT 20% 20.00\nTotal GBP 120.00\n").fields
    assert fields["subtotal"].confidence <= 0.75


def test_a_part_of_a_number_is_no_iban() -> None:
    text = "Invoice No: 5\nTotal: EUR 5.00\nIBAN: US12 3456 7890 1234 5678 9012\n"
    value = of(text).fields["iban"]
    assert (value.value, value.confidence) == ("US1234567890123456789012", 0.45)


def test_a_name_that_is_centred_under_its_label_is_whole() -> None:
    document = words(
        (50, 40, "Invoice No: 7"),
        (60, 80, "INVOICE FROM"), (350, 80, "INVOICE TO"),
        (50, 95, "Aperture Science, Inc."), (340, 95, "Umbrella Corp."),
        (50, 107, "Brevort Lake Rd 12"), (340, 107, "Victoria St 3"),
        (50, 140, "Total USD 5.00"),
    )  # fmt: skip
    found = values(extract(document, "d", "d.pdf"))
    assert (found["vendor"], found["customer"]) == ("Aperture Science, Inc.", "Umbrella Corp.")


def test_a_row_of_net_tax_and_gross_is_told_by_its_total() -> None:
    text = "Factuur nr. 5\nTotaal  EUR 49,99\nGrondslag  BTW  Bruto\n41,31    8,68    49,99\n"
    found = values(of(text))
    assert (found["subtotal"], found["tax"], found["total"]) == ("41.31", "8.68", "49.99")


def test_an_orders_number_may_stand_as_the_buyers_reference() -> None:
    text = "Acme SARL\nFACTURE\nN° FA-1\nVotre référence    PO445\nTotal TTC 5,00 €\n"
    assert values(of(text))["po_number"] == "PO445"
    assert values(of(text.replace("PO445", "Mme Durand")))["po_number"] is None


def test_a_buyer_under_keyed_lines_is_found_behind_them() -> None:
    text = (
        "Rechnung Nr. 7 vom 1.3.2026\nKäufer/Leistungsempfänger:\nNummer     : GE2020211\n"
        "Kunden AG Mitte\nKundenstraße 15\nSumme 5,00 €\n"
    )
    assert values(of(text))["customer"] == "Kunden AG Mitte"


def test_rows_without_a_known_header_prove_themselves_by_their_product() -> None:
    text = (
        "Acme SARL\nFACTURE\nN° FA-1\n"
        "Nougat 250g        20 Unit(s)    4,55 €    10%    81,90 €\n"
        "Huile d'olive      25 Liter(s)   19,80 €          495,00 €\n"
        "Total HT   576,90 €\n"
    )
    rows = [{k: v.value for k, v in item.items()} for item in of(text).line_items]
    assert [row["amount"] for row in rows] == ["81.90", "495.00"]
    assert rows[0]["quantity"] == "20"


def test_labels_are_looked_for_in_no_more_rows_than_are_read() -> None:
    def seconds(lines: int) -> float:
        long = Document("txt", (Page(1, "net: 4\n" * lines),))
        begun = time.process_time()
        assert len(sheet(long).rows) == ROWS_MAX
        return time.process_time() - begun

    once = min(seconds(ROWS_MAX) for _ in range(2))
    assert seconds(16 * ROWS_MAX) < 6 * once
