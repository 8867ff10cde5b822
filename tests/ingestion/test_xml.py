"""XML: invoices state their fields, records are tables, and no DTD gets in."""

from __future__ import annotations

import base64

import pytest

from core.documents import Document
from core.errors import Unfinishable
from ingestion import Limits, xml_
from ingestion.fields import extract

_CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
_CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
UBL = f"""<?xml version="1.0" encoding="UTF-8"?>
<KIND xmlns="urn:oasis:names:specification:ubl:schema:xsd:KIND-2" xmlns:a="{_CAC}" xmlns:b="{_CBC}">
<b:CustomizationID>urn:cen.eu:en16931:2017</b:CustomizationID><b:ID>R-17</b:ID>
<b:IssueDate>2026-03-01</b:IssueDate><b:DueDate>2026-03-31</b:DueDate>
<b:Note>Thank you.</b:Note><b:DocumentCurrencyCode>EUR</b:DocumentCurrencyCode>
<a:OrderReference><b:ID>PO-9</b:ID></a:OrderReference>
<a:AdditionalDocumentReference><b:ID>1</b:ID><a:Attachment>
<b:EmbeddedDocumentBinaryObject mimeCode="text/csv" filename="../times.csv">{
    base64.b64encode(b"a,b").decode()
}</b:EmbeddedDocumentBinaryObject></a:Attachment></a:AdditionalDocumentReference>
<a:AccountingSupplierParty><a:Party><a:PartyName><b:Name>Shop</b:Name></a:PartyName>
<a:PartyTaxScheme><b:CompanyID>DE123456789</b:CompanyID></a:PartyTaxScheme>
<a:PartyLegalEntity><b:RegistrationName>Muster GmbH</b:RegistrationName></a:PartyLegalEntity>
</a:Party></a:AccountingSupplierParty>
<a:AccountingCustomerParty><a:Party><a:PartyLegalEntity><b:RegistrationName>Käufer | Co
</b:RegistrationName></a:PartyLegalEntity></a:Party></a:AccountingCustomerParty>
<a:PaymentMeans><a:PayeeFinancialAccount><b:ID>DE89 3704 0044 0532 0130 00</b:ID>
</a:PayeeFinancialAccount></a:PaymentMeans>
<a:TaxTotal><b:TaxAmount currencyID="EUR">19</b:TaxAmount><a:TaxSubtotal><a:TaxCategory>
<b:Percent>19.00</b:Percent></a:TaxCategory></a:TaxSubtotal></a:TaxTotal>
<a:LegalMonetaryTotal><b:TaxExclusiveAmount>100.0000</b:TaxExclusiveAmount>
<b:TaxInclusiveAmount>119</b:TaxInclusiveAmount><b:PayableAmount>119.00</b:PayableAmount>
</a:LegalMonetaryTotal>
<a:KINDLine><b:ID>1</b:ID><b:InvoicedQuantity unitCode="HUR">4</b:InvoicedQuantity>
<b:LineExtensionAmount>100</b:LineExtensionAmount><a:Item><b:Name>Hours of work</b:Name></a:Item>
<a:Price><b:PriceAmount>25.00</b:PriceAmount></a:Price></a:KINDLine></KIND>"""
CII = """<r:CrossIndustryInvoice xmlns:r="urn:un:unece:uncefact:data:standard:x:100"
 xmlns:a="urn:a" xmlns:u="urn:u"><r:ExchangedDocument><a:ID>471102</a:ID>
<a:TypeCode>380</a:TypeCode><a:IssueDateTime><u:DateTimeString format="102">20260305
</u:DateTimeString></a:IssueDateTime></r:ExchangedDocument><r:SupplyChainTradeTransaction>
<a:ApplicableHeaderTradeAgreement><a:SellerTradeParty><a:Name>Lieferant GmbH</a:Name>
<a:SpecifiedTaxRegistration><a:ID schemeID="FC">201/113</a:ID></a:SpecifiedTaxRegistration>
<a:SpecifiedTaxRegistration><a:ID schemeID="VA">DE999</a:ID></a:SpecifiedTaxRegistration>
</a:SellerTradeParty></a:ApplicableHeaderTradeAgreement><a:ApplicableHeaderTradeSettlement>
<a:InvoiceCurrencyCode>EUR</a:InvoiceCurrencyCode>
<a:ApplicableTradeTax><a:RateApplicablePercent>7</a:RateApplicablePercent></a:ApplicableTradeTax>
<a:ApplicableTradeTax><a:RateApplicablePercent>19</a:RateApplicablePercent></a:ApplicableTradeTax>
<a:SpecifiedTradeSettlementHeaderMonetarySummation><a:TaxBasisTotalAmount>473.00
</a:TaxBasisTotalAmount><a:GrandTotalAmount>529.87</a:GrandTotalAmount>
</a:SpecifiedTradeSettlementHeaderMonetarySummation></a:ApplicableHeaderTradeSettlement>
</r:SupplyChainTradeTransaction></r:CrossIndustryInvoice>"""


def _read(text: str) -> Document:
    return xml_.read(text.encode(), Limits())


def _fields(document: Document) -> dict[str, str | None]:
    found = extract(document, "d", "x.xml")
    for value in found.fields.values():
        if value.source is not None:
            page = document.pages[0].text
            assert page[value.source.start : value.source.end] == value.source.quote
    return {name: value.value for name, value in found.fields.items()}


def test_an_invoice_states_its_fields() -> None:
    document = _read(UBL.replace("KIND", "Invoice"))
    assert (document.document_type, document.title) == ("invoice", "Invoice R-17")
    assert _fields(document) == {
        "vendor": "Muster GmbH", "vendor_tax_id": "DE123456789", "customer": "Käufer | Co",
        "invoice_number": "R-17", "po_number": "PO-9", "invoice_date": "2026-03-01",
        "due_date": "2026-03-31", "currency": "EUR", "subtotal": "100.00", "tax": "19.00",
        "tax_rate": "19", "total": "119.00", "amount_due": "119.00",
        "iban": "DE89370400440532013000", "payment_terms": None,
    }  # fmt: skip
    paths = document.metadata["stated"]["fields"]
    assert paths["total"]["path"] == "/LegalMonetaryTotal/TaxInclusiveAmount"


def test_its_lines_are_items_with_their_place() -> None:
    document = _read(UBL.replace("KIND", "Invoice"))
    (item,) = extract(document, "d", "x.xml").line_items
    assert {name: value.value for name, value in item.items()} == {
        "description": "Hours of work", "quantity": "4", "unit": "HUR", "unit_price": "25.00",
        "amount": "100.00",
    }  # fmt: skip
    for value in item.values():
        assert value.source is not None
        assert value.source.quote == value.value


def test_files_in_an_invoice_come_out_of_it() -> None:
    (file,) = _read(UBL.replace("KIND", "Invoice")).attachments
    assert (file.filename, file.content_type, file.data) == ("times.csv", "text/csv", b"a,b")


def test_a_credit_notes_amounts_are_negative() -> None:
    document = _read(UBL.replace("KIND", "CreditNote"))
    assert document.document_type == "credit_note"
    assert _fields(document)["total"] == "-119.00"


def test_a_value_that_is_not_stated_is_not_guessed() -> None:
    found = _fields(_read(CII))
    assert found["vendor_tax_id"] == "DE999"
    assert (found["invoice_date"], found["total"]) == ("2026-03-05", "529.87")
    assert (found["tax"], found["tax_rate"], found["due_date"]) == (None, None, None)


def test_a_fattura_is_summed_over_its_rates() -> None:
    body = "".join(
        f"<DatiRiepilogo><AliquotaIVA>{rate}</AliquotaIVA><ImponibileImporto>{base}"
        f"</ImponibileImporto><Imposta>{tax}</Imposta></DatiRiepilogo>"
        for rate, base, tax in (("22.00", "100.00", "22.00"), ("10.00", "50.00", "5.00"))
    )
    found = _fields(_read(
        "<p:FatturaElettronica xmlns:p='urn:p'><FatturaElettronicaBody><DatiGenerali>"
        "<DatiGeneraliDocumento><TipoDocumento>TD01</TipoDocumento><Numero>7</Numero>"
        f"</DatiGeneraliDocumento></DatiGenerali><DatiBeniServizi>{body}</DatiBeniServizi>"
        "</FatturaElettronicaBody></p:FatturaElettronica>"
    ))  # fmt: skip
    assert (found["subtotal"], found["tax"], found["tax_rate"]) == ("150.00", "27.00", None)


def test_like_records_are_a_table() -> None:
    document = _read(
        "<orders shop='Bonn'><!-- x --><note>Weekly</note>"
        "<order id='1'><item>Pen</item><price cur='EUR'>2.50</price></order>"
        "<order id='2'><item>Ink</item><price cur='EUR'>9</price><ship><city>Ulm</city></ship>"
        "</order></orders>"
    )
    page = document.pages[0]
    assert "shop: Bonn\nnote: Weekly" in page.text
    (table,) = page.tables
    assert [cell.text for cell in table.rows[0]] == [
        "id", "item", "price", "price.cur", "ship.city",
    ]  # fmt: skip
    assert [cell.value for cell in table.rows[1]] == [1, "Pen", 2.5, "EUR", None]


def test_other_xml_is_headings_and_lines() -> None:
    document = _read(
        "<guide><title>Care</title><chapter name='One'><para>Wash <b>cold</b> only.</para>"
        "</chapter></guide>"
    )
    assert document.title == "Care"
    assert document.pages[0].text == (
        "guide Care\n\ntitle: Care\n\nchapter One\n\nname: One\n\nWash cold only."
    )


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "corrupted"),
        (b"<!DOCTYPE a [<!ENTITY x 'ha'><!ENTITY y '&x;&x;'>]><a>&y;</a>", "corrupted"),
        (b"<a><b></a>", "corrupted"),
        (b"<a>" * 200 + b"x" + b"</a>" * 200, "too_many_parts"),
        (b"<a>" * 100_000, "corrupted"),
    ],
)
def test_hostile_xml_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(Unfinishable) as caught:
        xml_.read(data, Limits())
    assert caught.value.slug == code


def test_a_broken_total_is_left_out() -> None:
    data = CII.replace("529.87", "NaN").replace("473.00", "1e999999")
    found = _fields(_read(data))
    assert (found["total"], found["subtotal"]) == (None, None)
