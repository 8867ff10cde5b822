from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest

from agents.checks import InvoiceFacts, Ledger, Paper, read_ledger, review
from agents.checks.papers import same_code, same_vendor
from core.documents import Cell, Document, Fields, FieldValue, Page, Source, Table

AS_OF = date(2026, 11, 21)
USUAL = {
    "vendor": "Acme GmbH", "invoice_number": "A-100", "po_number": "PO-1001",
    "invoice_date": "2026-09-01", "due_date": "2026-10-01", "currency": "EUR",
    "subtotal": "100.00", "tax": "19.00", "total": "119.00",
}  # fmt: skip


def value(text: str | None, name: str = "a.pdf") -> FieldValue:
    if text is None:
        return FieldValue(None)
    return FieldValue(text, 0.9, Source(name, name, 1, 0, len(text), text))


def paper(
    name: str = "a.pdf",
    lines: Sequence[tuple[str, str, str]] = (),
    kind: str = "invoice",
    **changes: str | None,
) -> Paper:
    """`lines`: quantity, unit price, amount."""
    fields = {key: value(text, name) for key, text in {**USUAL, **changes}.items()}
    columns = ("quantity", "unit_price", "amount")
    items = tuple({c: value(v, name) for c, v in zip(columns, line, strict=True)} for line in lines)
    return Paper(name, name, kind, Fields(kind, fields, items))


def sheet(title: str, *rows: Sequence[str | float], number: int = 1) -> Page:
    text = "\n".join("\t".join(str(v) for v in row) for row in rows)
    cells = tuple(
        tuple(
            Cell(
                str(v),
                r,
                c,
                v,
                "number" if isinstance(v, float) else "text",
                f"{'ABCDEFG'[c]}{r + 1}",
            )
            for c, v in enumerate(row)
        )
        for r, row in enumerate(rows)
    )
    return Page(number, text, tables=(Table(number, cells, 0, len(text), title),), sheet=title)


def ledger(*pages: Page) -> Ledger:
    return read_ledger(Document("xlsx", pages, document_type="ledger"), "l", "ledger.xlsx")


ORDERS = sheet(
    "Purchase Orders",
    ("PO Number", "Vendor", "Net", "Gross", "Currency"),
    ("PO-1001", "Acme GmbH", 100.0, 119.0, "EUR"),
    ("PO-1002", "Other Ltd", 50.0, 60.0, "EUR"),
)


def payments(*rows: Sequence[str | float]) -> Page:
    head = ("Paid on", "Invoice no.", "Supplier", "Amount", "Currency")
    return sheet("Payments", head, *rows, number=2)


PAID = ("2026-09-20", "A-100", "Acme GmbH", 119.0, "EUR")


def found(*papers: Paper, with_ledger: Ledger | None = None) -> InvoiceFacts:
    ledgers = [ledger(ORDERS, payments(PAID)) if with_ledger is None else with_ledger]
    return review(papers, ledgers, [], AS_OF)


def kinds(facts: InvoiceFacts) -> list[str]:
    return sorted(exception["kind"] for exception in facts["exceptions"])


def test_an_invoice_that_is_in_order_has_no_exception() -> None:
    facts = found(paper(lines=[("2", "50.00", "100.00")]))
    assert facts["exceptions"] == []
    assert facts["documents"][0]["status"] == "ok"
    assert facts["documents"][0]["paid"]["value"] == "yes"


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (paper(total="129.00"), "lines_do_not_add_up"),
        (paper(lines=[("1", "60.00", "60.00"), ("1", "30.00", "30.00")]), "lines_do_not_add_up"),
        (paper(lines=[("3", "50.00", "100.00")]), "lines_do_not_add_up"),
        (paper(po_number=None), "po_missing"),
        (paper(po_number="PO-9999"), "po_not_in_ledger"),
        (paper(po_number="PO-1002"), "po_vendor_mismatch"),
        (paper(invoice_number=None), "missing_field"),
    ],
)
def test_a_fault_of_one_invoice_is_found(wrong: Paper, kind: str) -> None:
    assert kind in kinds(found(wrong))


def test_an_invoice_above_its_order_is_found_with_both_figures() -> None:
    dear = paper(subtotal="150.00", tax="28.50", total="178.50")
    facts = found(dear, with_ledger=ledger(ORDERS))
    (exception,) = facts["exceptions"]
    assert (exception["kind"], exception["amount"]) == ("po_amount_exceeded", "50.00")
    assert {s["filename"] for s in exception["sources"]} == {"a.pdf", "ledger.xlsx"}
    assert "C2" in {s["cells"] for s in exception["sources"]}


def test_overdue_needs_a_ledger_and_no_payment() -> None:
    unpaid = ledger(ORDERS, payments(("2026-09-20", "B-7", "Other Ltd", 60.0, "EUR")))
    assert kinds(found(paper(), with_ledger=unpaid)) == ["not_paid_overdue"]
    assert kinds(found(paper(due_date="2026-12-01"), with_ledger=unpaid)) == []
    assert kinds(review([paper()], [], [], AS_OF)) == []


def test_the_due_day_follows_from_the_terms_where_none_is_written() -> None:
    unpaid = ledger(ORDERS, payments(("2026-09-20", "B-7", "Other Ltd", 60.0, "EUR")))
    by_terms = paper(due_date=None, payment_terms="30 days net")
    assert kinds(found(by_terms, with_ledger=unpaid)) == ["not_paid_overdue"]


def test_a_payment_of_another_amount_is_found_with_its_cell() -> None:
    facts = found(paper(), with_ledger=ledger(ORDERS, payments((*PAID[:3], 91.0, "EUR"))))
    (exception,) = facts["exceptions"]
    assert (exception["kind"], exception["amount"]) == ("payment_amount_differs", "28.00")
    assert "D2" in {s["cells"] for s in exception["sources"]}
    assert facts["documents"][0]["paid"]["value"] == "partly"


def test_two_payments_of_one_invoice_are_found_and_instalments_are_not() -> None:
    twice = ledger(ORDERS, payments(PAID, ("2026-10-02", *PAID[1:])))
    assert kinds(found(paper(), with_ledger=twice)) == ["paid_twice"]
    parts = [(*PAID[:3], 100.0, "EUR"), ("2026-10-02", *PAID[1:3], 19.0, "EUR")]
    assert kinds(found(paper(), with_ledger=ledger(ORDERS, payments(*parts)))) == []


def test_amounts_of_two_currencies_are_not_compared() -> None:
    facts = found(paper(), with_ledger=ledger(ORDERS, payments((*PAID[:3], 119.0, "USD"))))
    (exception,) = facts["exceptions"]
    assert (exception["kind"], exception["amount"]) == ("payment_amount_differs", None)
    two = found(paper(), paper("b.pdf", invoice_number="A-101", currency="USD"))
    assert [t["currency"] for t in two["totals"]] == ["EUR", "USD"]


@pytest.mark.parametrize(
    "again",
    ["A 100", "A-1OO", "X-9"],
)
def test_an_invoice_that_comes_twice_is_found_once_and_counted_once(again: str) -> None:
    facts = found(paper(), paper("b.pdf", invoice_number=again))
    twice = [e for e in facts["exceptions"] if e["kind"] == "duplicate_invoice"]
    assert [e["filename"] for e in twice] == ["b.pdf"]
    assert facts["totals"] == [{"currency": "EUR", "count": 1, "total": "119.00"}]


def test_monthly_invoices_of_one_amount_are_no_duplicates() -> None:
    october = paper("b.pdf", invoice_number="A-101", invoice_date="2026-10-01")
    assert "duplicate_invoice" not in kinds(found(paper(), october))


def test_credit_notes_count_negative_and_need_neither_order_nor_payment() -> None:
    credit = paper(
        "c.pdf", kind="credit_note", invoice_number="CN-1", po_number=None, subtotal="-10.00",
        tax="-1.90", total="-11.90",
    )  # fmt: skip
    facts = found(paper(), credit)
    assert facts["exceptions"] == []
    assert facts["by_month"] == [{"month": "2026-09", "currency": "EUR", "total": "107.10"}]


def test_a_document_that_cannot_be_read_is_named_with_its_error() -> None:
    lost = {"document_id": "x", "filename": "scan.pdf", "error": "The PDF is damaged."}
    facts = review([], [], [{**lost}], AS_OF)  # type: ignore[typeddict-item]
    assert kinds(facts) == ["unreadable_document"]
    assert "damaged" in facts["exceptions"][0]["message"]
    assert facts["documents"][0]["status"] == "unreadable"


def test_ids_stay_the_same_when_the_same_documents_are_checked_again() -> None:
    first, second = (found(paper(total="129.00"), paper("b.pdf")) for _ in range(2))
    assert [e["id"] for e in first["exceptions"]] == [e["id"] for e in second["exceptions"]]
    assert len({e["id"] for e in first["exceptions"]}) == len(first["exceptions"])


def test_a_ledger_is_read_by_what_its_columns_are_called() -> None:
    german = sheet(
        "Zahlungen",
        ("Zahlungen 2026",),
        ("Zahlungsdatum", "Rechnungsnummer", "Lieferant", "Betrag", "Währung"),
        ("20.09.2026", "A-100", "Acme GmbH", "1.119,50", "EUR"),
        ("", "Summe", "", "1.119,50", ""),
    )
    read = ledger(german)
    (payment,) = read.payments
    assert (payment.invoice, payment.paid_on) == ("A-100", "2026-09-20")
    assert (payment.amount, payment.proof["amount"]["cells"]) == (Decimal("1119.50"), "D3")


def test_codes_and_names_are_compared_as_people_do() -> None:
    assert same_code("PO-10231", "10231")
    assert same_code("inv 2026/0412", "INV-2026-0412")
    assert not same_code("PO-1", "1")
    assert not same_code(None, None)
    assert same_vendor("Kessler Datentechnik GmbH", "KESSLER DATENTECHNIK")
    assert same_vendor("Acme, Inc.", "Acme Incorporated Ltd") is True
    assert same_vendor("Acme", "Globex") is False
    assert same_vendor(None, "Acme") is None
