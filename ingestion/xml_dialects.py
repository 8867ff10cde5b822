"""Where electronic invoices state what: paths of local names, `a|b` for names of two versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dialect:
    """Paths from the root; of several the first that is filled counts. `summed` are added up."""

    name: str
    roots: frozenset[str]
    kind: str
    profile: str
    note: str
    line: str
    fields: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, tuple[str, ...]]
    summed: frozenset[str] = frozenset()


LABELS = {
    "invoice_number": "Invoice number", "invoice_date": "Invoice date", "due_date": "Due date",
    "delivery_date": "Delivery date", "po_number": "Purchase order number",
    "buyer_reference": "Buyer reference", "contract_number": "Contract number",
    "vendor": "Vendor", "vendor_tax_id": "Vendor VAT ID", "customer": "Customer",
    "customer_tax_id": "Customer VAT ID", "currency": "Currency", "subtotal": "Subtotal",
    "tax_rate": "Tax rate", "tax": "Tax", "total": "Total", "prepaid": "Prepaid",
    "amount_due": "Amount due", "iban": "IBAN", "bic": "BIC", "payment_terms": "Payment terms",
    "description": "Description", "sku": "Item number", "quantity": "Quantity", "unit": "Unit",
    "unit_price": "Unit price", "amount": "Amount",
}  # fmt: skip


def _ubl_party(side: str) -> dict[str, tuple[str, ...]]:
    party = f"Accounting{side}Party/Party"
    who = "vendor" if side == "Supplier" else "customer"
    return {
        who: (f"{party}/PartyLegalEntity/RegistrationName", f"{party}/PartyName/Name"),
        f"{who}_tax_id": (f"{party}/PartyTaxScheme/CompanyID",),
    }


_UBL = Dialect(
    name="UBL",
    roots=frozenset(("Invoice", "CreditNote")),
    kind="InvoiceTypeCode|CreditNoteTypeCode",
    profile="CustomizationID",
    note="Note",
    line="InvoiceLine|CreditNoteLine",
    fields={
        "invoice_number": ("ID",),
        "invoice_date": ("IssueDate",),
        "due_date": ("DueDate", "PaymentMeans/PaymentDueDate"),
        "delivery_date": ("Delivery/ActualDeliveryDate",),
        "po_number": ("OrderReference/ID",),
        "buyer_reference": ("BuyerReference",),
        "contract_number": ("ContractDocumentReference/ID",),
        **_ubl_party("Supplier"),
        **_ubl_party("Customer"),
        "currency": ("DocumentCurrencyCode",),
        "subtotal": ("LegalMonetaryTotal/TaxExclusiveAmount",),
        "tax_rate": ("TaxTotal/TaxSubtotal/TaxCategory/Percent",),
        "tax": ("TaxTotal/TaxAmount",),
        "total": ("LegalMonetaryTotal/TaxInclusiveAmount",),
        "prepaid": ("LegalMonetaryTotal/PrepaidAmount",),
        "amount_due": ("LegalMonetaryTotal/PayableAmount",),
        "iban": ("PaymentMeans/PayeeFinancialAccount/ID",),
        "bic": ("PaymentMeans/PayeeFinancialAccount/FinancialInstitutionBranch/ID",),
        "payment_terms": ("PaymentTerms/Note",),
    },
    columns={
        "description": ("Item/Name", "Item/Description"),
        "sku": ("Item/SellersItemIdentification/ID", "Item/StandardItemIdentification/ID"),
        "quantity": ("InvoicedQuantity|CreditedQuantity",),
        "unit": ("InvoicedQuantity|CreditedQuantity/@unitCode",),
        "unit_price": ("Price/PriceAmount",),
        "tax_rate": ("Item/ClassifiedTaxCategory/Percent",),
        "amount": ("LineExtensionAmount",),
    },
)

_DOC = "ExchangedDocument|HeaderExchangedDocument"
_DEAL = "SupplyChainTradeTransaction|SpecifiedSupplyChainTradeTransaction"
_AGREED = f"{_DEAL}/ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement"
_SENT = f"{_DEAL}/ApplicableHeaderTradeDelivery|ApplicableSupplyChainTradeDelivery"
_PAID = f"{_DEAL}/ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement"
_SUMS = (
    f"{_PAID}/SpecifiedTradeSettlementHeaderMonetarySummation"
    "|SpecifiedTradeSettlementMonetarySummation"
)
_MEANS = f"{_PAID}/SpecifiedTradeSettlementPaymentMeans"
_RATE = "RateApplicablePercent|ApplicablePercent"
_LINE_AGREED = "SpecifiedLineTradeAgreement|SpecifiedSupplyChainTradeAgreement"
_LINE_SENT = "SpecifiedLineTradeDelivery|SpecifiedSupplyChainTradeDelivery"
_LINE_PAID = "SpecifiedLineTradeSettlement|SpecifiedSupplyChainTradeSettlement"


def _cii_party(side: str) -> dict[str, tuple[str, ...]]:
    party = f"{_AGREED}/{side}TradeParty"
    who = "vendor" if side == "Seller" else "customer"
    return {
        who: (f"{party}/Name", f"{party}/SpecifiedLegalOrganization/TradingBusinessName"),
        f"{who}_tax_id": (
            f"{party}/SpecifiedTaxRegistration/ID[schemeID=VA]",
            f"{party}/SpecifiedTaxRegistration/ID",
        ),
    }


_CII = Dialect(
    name="CII",
    roots=frozenset(("CrossIndustryInvoice", "CrossIndustryDocument")),
    kind=f"{_DOC}/TypeCode",
    profile=(
        "ExchangedDocumentContext|SpecifiedExchangedDocumentContext"
        "/GuidelineSpecifiedDocumentContextParameter/ID"
    ),
    note=f"{_DOC}/IncludedNote/Content",
    line=f"{_DEAL}/IncludedSupplyChainTradeLineItem",
    fields={
        "invoice_number": (f"{_DOC}/ID",),
        "invoice_date": (f"{_DOC}/IssueDateTime/DateTimeString",),
        "due_date": (f"{_PAID}/SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString",),
        "delivery_date": (
            f"{_SENT}/ActualDeliverySupplyChainEvent/OccurrenceDateTime/DateTimeString",
        ),
        "po_number": (f"{_AGREED}/BuyerOrderReferencedDocument/IssuerAssignedID|ID",),
        "buyer_reference": (f"{_AGREED}/BuyerReference",),
        "contract_number": (f"{_AGREED}/ContractReferencedDocument/IssuerAssignedID|ID",),
        **_cii_party("Seller"),
        **_cii_party("Buyer"),
        "currency": (f"{_PAID}/InvoiceCurrencyCode",),
        "subtotal": (f"{_SUMS}/TaxBasisTotalAmount",),
        "tax_rate": (f"{_PAID}/ApplicableTradeTax/{_RATE}",),
        "tax": (f"{_SUMS}/TaxTotalAmount",),
        "total": (f"{_SUMS}/GrandTotalAmount",),
        "prepaid": (f"{_SUMS}/TotalPrepaidAmount",),
        "amount_due": (f"{_SUMS}/DuePayableAmount",),
        "iban": (f"{_MEANS}/PayeePartyCreditorFinancialAccount/IBANID",),
        "bic": (f"{_MEANS}/PayeeSpecifiedCreditorFinancialInstitution/BICID",),
        "payment_terms": (f"{_PAID}/SpecifiedTradePaymentTerms/Description",),
    },
    columns={
        "description": ("SpecifiedTradeProduct/Name",),
        "sku": ("SpecifiedTradeProduct/SellerAssignedID", "SpecifiedTradeProduct/GlobalID"),
        "quantity": (f"{_LINE_SENT}/BilledQuantity",),
        "unit": (f"{_LINE_SENT}/BilledQuantity/@unitCode",),
        "unit_price": (f"{_LINE_AGREED}/NetPriceProductTradePrice/ChargeAmount",),
        "tax_rate": (f"{_LINE_PAID}/ApplicableTradeTax/{_RATE}",),
        "amount": (
            (
                f"{_LINE_PAID}/SpecifiedTradeSettlementLineMonetarySummation"
                "|SpecifiedTradeSettlementMonetarySummation/LineTotalAmount"
            ),
        ),
    },
)

_HEAD, _BODY = "FatturaElettronicaHeader", "FatturaElettronicaBody"
_GENERAL = f"{_BODY}/DatiGenerali/DatiGeneraliDocumento"
_GOODS = f"{_BODY}/DatiBeniServizi"
_PAYMENT = f"{_BODY}/DatiPagamento/DettaglioPagamento"


def _fattura_party(side: str, who: str) -> dict[str, tuple[str, ...]]:
    party = f"{_HEAD}/{side}/DatiAnagrafici"
    return {
        who: (f"{party}/Anagrafica/Denominazione", f"{party}/Anagrafica/Cognome"),
        f"{who}_tax_id": (f"{party}/IdFiscaleIVA", f"{party}/CodiceFiscale"),
    }


_FATTURA = Dialect(
    name="FatturaPA",
    roots=frozenset(("FatturaElettronica",)),
    kind=f"{_GENERAL}/TipoDocumento",
    profile=f"{_HEAD}/DatiTrasmissione/FormatoTrasmissione",
    note=f"{_GENERAL}/Causale",
    line=f"{_GOODS}/DettaglioLinee",
    fields={
        "invoice_number": (f"{_GENERAL}/Numero",),
        "invoice_date": (f"{_GENERAL}/Data",),
        "due_date": (f"{_PAYMENT}/DataScadenzaPagamento",),
        "po_number": (f"{_BODY}/DatiGenerali/DatiOrdineAcquisto/IdDocumento",),
        **_fattura_party("CedentePrestatore", "vendor"),
        **_fattura_party("CessionarioCommittente", "customer"),
        "currency": (f"{_GENERAL}/Divisa",),
        "subtotal": (f"{_GOODS}/DatiRiepilogo/ImponibileImporto",),
        "tax_rate": (f"{_GOODS}/DatiRiepilogo/AliquotaIVA",),
        "tax": (f"{_GOODS}/DatiRiepilogo/Imposta",),
        "total": (f"{_GENERAL}/ImportoTotaleDocumento",),
        "amount_due": (f"{_PAYMENT}/ImportoPagamento",),
        "iban": (f"{_PAYMENT}/IBAN",),
    },
    columns={
        "description": ("Descrizione",),
        "sku": ("CodiceArticolo/CodiceValore",),
        "quantity": ("Quantita",),
        "unit": ("UnitaMisura",),
        "unit_price": ("PrezzoUnitario",),
        "tax_rate": ("AliquotaIVA",),
        "amount": ("PrezzoTotale",),
    },
    summed=frozenset(("subtotal", "tax", "amount_due")),
)
DIALECTS = (_UBL, _CII, _FATTURA)
