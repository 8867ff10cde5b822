"""ClearPay's ledger: what was ordered and what was paid, with formulas and their values."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from examples.office_invoices import Cached, finish, put_formula, put_heads
from examples.purchases import INVOICES, RECEIPT, Invoice

_OTHER_ORDERS = (  # number, vendor, ordered, what, net, tax %, currency, status
    ("PO-10229", "Harrow Furniture Ltd", date(2026, 8, 12), "Standing desks", "7450.00", "23",
     "EUR", "delivered"),
    ("PO-10235", "Alpen Papier & Büro KG", date(2026, 9, 7), "Office supplies, third quarter",
     "2598.00", "20", "EUR", "delivered"),
    ("PO-10238", "Brightwater Consulting Partners", date(2026, 9, 9), "Regulatory advice",
     "12000.00", "0", "USD", "delivered"),
    ("PO-10246", "Kessler Datentechnik GmbH", date(2026, 10, 27), "Spare power supplies",
     "1180.00", "19", "EUR", "open"),
    ("PO-10247", "Northwind Cloud Services Inc.", date(2026, 11, 2), "Compute, November",
     "5100.00", "8.25", "USD", "open"),
)  # fmt: skip
UNKNOWN_ORDER = "PO-10999"
_ORDERED = {"AT-77103": Decimal("6300.00"), "SB-10045": Decimal("3100.00")}  # room to spare
_UNPAID = {"LU-2093"}
_PAID_OTHERWISE = {"GL-5567": Decimal("5380.80")}
_RATES = {"USD": Decimal("0.92"), "EUR": Decimal("1.00")}


def _orders() -> list[tuple[str, str, date, str, Decimal, Decimal, str, str]]:
    ours = [
        (i.po, i.vendor.name, date(2026, i.issued.month, 1), i.lines[0].text,
         _ORDERED.get(i.number, sum((line.amount for line in i.lines), Decimal(0))),
         Decimal(i.tax_percent), i.currency, "delivered")
        for i in INVOICES if i.po and i.po != UNKNOWN_ORDER
    ]  # fmt: skip
    others = [(*o[:4], Decimal(o[4]), Decimal(o[5]), *o[6:]) for o in _OTHER_ORDERS]
    return sorted([*ours, *others])


def _payments() -> list[tuple[date, Invoice, Decimal, str]]:
    paid = [
        (i.due - timedelta(days=5), i, _PAID_OTHERWISE.get(i.number, i.total), "bank transfer")
        for i in INVOICES if i.number not in _UNPAID
    ]  # fmt: skip
    paid.append((RECEIPT.issued, RECEIPT, RECEIPT.total, "card"))
    return sorted(paid, key=lambda p: (p[0], p[1].number))


def ledger() -> bytes:
    """`Purchase Orders` and `Payments`, with formulas and their computed values."""
    from openpyxl import Workbook

    book = Workbook()
    orders: Any = book.active
    payments: Any = book.create_sheet("Payments")
    orders.title = "Purchase Orders"
    cached: Cached = {
        "xl/worksheets/sheet1.xml": _write_orders(orders),
        "xl/worksheets/sheet2.xml": _write_payments(payments),
    }
    for sheet in (orders, payments):
        sheet.freeze_panes = "A2"
        sheet.auto_filter.ref = f"A1:{sheet.cell(sheet.max_row - 1, sheet.max_column).coordinate}"
    return finish(book, cached)


def _write_orders(sheet: Any) -> dict[str, Decimal]:
    put_heads(sheet, 1, ("PO Number", "Vendor", "Ordered", "Description", "Net", "Tax rate",
                         "Gross", "Currency", "Status"),
              (12, 34, 12, 46, 13, 10, 13, 10, 12))  # fmt: skip
    cached: dict[str, Decimal] = {}
    row, total = 1, Decimal(0)
    for row, (number, vendor, ordered, what, net, percent, currency, status) in enumerate(
        _orders(), 2
    ):
        gross = (net * (100 + percent) / 100).quantize(Decimal("0.01"))
        total += net * _RATES[currency]
        for column, value in enumerate((number, vendor, ordered, what, float(net),
                                        float(percent / 100)), 1):  # fmt: skip
            sheet.cell(row, column, value)
        sheet.cell(row, 3).number_format = "yyyy-mm-dd"
        sheet.cell(row, 5).number_format = "#,##0.00"
        sheet.cell(row, 6).number_format = "0.00%"
        put_formula(sheet, f"G{row}", f"=ROUND(E{row}*(1+F{row}),2)", gross, cached)
        sheet.cell(row, 8, currency)
        sheet.cell(row, 9, status)
    sheet.cell(row + 1, 1, "Net in EUR, USD at 0.92")
    put_formula(sheet, f"E{row + 1}",
             f'=SUMIF(H2:H{row},"EUR",E2:E{row})+0.92*SUMIF(H2:H{row},"USD",E2:E{row})',
             total.quantize(Decimal("0.01")), cached)  # fmt: skip
    return cached


def _order_paid(invoice: Invoice) -> str | None:
    return invoice.po if invoice.po and invoice.po != UNKNOWN_ORDER else None


def _write_payments(sheet: Any) -> dict[str, Decimal]:
    put_heads(sheet, 1, ("Paid on", "Invoice Number", "Vendor", "PO Number", "Amount", "Currency",
                      "Rate to EUR", "Amount EUR", "Method"),
           (12, 18, 34, 12, 13, 10, 12, 13, 15))  # fmt: skip
    cached: dict[str, Decimal] = {}
    row, total = 1, Decimal(0)
    for row, (paid_on, invoice, amount, method) in enumerate(_payments(), 2):
        rate = _RATES[invoice.currency]
        in_eur = (amount * rate).quantize(Decimal("0.01"))
        total += in_eur
        for column, value in enumerate((paid_on, invoice.number, invoice.vendor.name,
                                        _order_paid(invoice), float(amount), invoice.currency,
                                        float(rate)), 1):  # fmt: skip
            sheet.cell(row, column, value)
        sheet.cell(row, 1).number_format = "yyyy-mm-dd"
        sheet.cell(row, 5).number_format = "#,##0.00"
        put_formula(sheet, f"H{row}", f"=ROUND(E{row}*G{row},2)", in_eur, cached)
        sheet.cell(row, 9, method)
    sheet.cell(row + 1, 1, "Total in EUR")
    put_formula(sheet, f"H{row + 1}", f"=SUM(H2:H{row})", total, cached)
    return cached
