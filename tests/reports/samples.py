"""Facts of an invoice review and a support digest, as the agents hand them over."""

from __future__ import annotations

from typing import Any

from reports import Branding, Report, builtin, compose

CREATED_MS = 1_795_000_000_000  # 2026-11-18

VENDORS = (
    "Nordwind Bürobedarf GmbH",
    "Łódź Paper Sp. z o.o.",
    "Société Générale de Fournitures et d’Équipements Industriels du Grand Ouest S.A.S.",
    "Acme <b>Ltd</b> & Sons <a href='http://evil.test'>click</a>",
    "=HYPERLINK(\"http://evil.test\")",
    "Κρήτη Foods",
)  # fmt: skip


def source(
    document: str, quote: str, start: int = 0, sheet: str | None = None, cells: str | None = None
) -> dict[str, Any]:
    return {
        "document_id": document, "filename": f"{document}{'.xlsx' if sheet else '.pdf'}",
        "page": 1, "start": start, "end": start + len(quote), "quote": quote, "sheet": sheet,
        "cells": cells,
    }  # fmt: skip


def figure(document: str, value: str | None, start: int = 0) -> dict[str, Any]:
    proof = None if value is None else source(document, value, start)
    return {"value": value, "source": proof}


def document(index: int) -> dict[str, Any]:
    name = f"invoice-{index:04d}"
    return {
        "document_id": name, "filename": f"{name}.pdf", "document_type": "invoice",
        "status": ("ok", "exception")[index % 2],
        "vendor": figure(name, VENDORS[index % len(VENDORS)], 0),
        "invoice_number": figure(name, f"INV-{index:05d}", 100),
        "po_number": figure(name, f"PO-{index}" if index % 3 else None, 200),
        "invoice_date": figure(name, f"2026-{index % 12 + 1:02d}-03", 300),
        "due_date": figure(name, None), "currency": figure(name, "EUR", 400),
        "subtotal": figure(name, f"{index * 1000 + 17}.50", 500),
        "tax": figure(name, f"{index * 190}.07", 600),
        "total": figure(name, f"{index * 1190 + 17}.57", 700),
        "paid": {"value": "yes", "source": source("ledger", "paid", 0, "Paid", f"D{index + 2}")},
        "exceptions": [],
    }  # fmt: skip


def exception(index: int) -> dict[str, Any]:
    name = f"invoice-{index:04d}"
    return {
        "id": str(index), "kind": "lines_do_not_add_up", "document_id": name,
        "severity": ("low", "medium", "high")[index % 3], "filename": f"{name}.pdf",
        "message": f"The lines add up to {index}.00 EUR, but the invoice says otherwise.",
        "vendor": VENDORS[index % len(VENDORS)], "invoice_number": f"INV-{index:05d}",
        "amount": f"{index}.25", "currency": "EUR",
        "sources": [
            source(name, "Total", 900), source("ledger", "PO", 0, "Orders", f"A{index + 2}"),
        ],
    }  # fmt: skip


def invoice_facts(documents: int = 6, exceptions: int = 4) -> dict[str, Any]:
    return {
        "as_of": "2026-11-21",
        "totals": [{"currency": "EUR", "count": documents, "total": "48210.55"}],
        "documents": [document(index) for index in range(documents)],
        "exceptions": [exception(index) for index in range(exceptions)],
        "by_vendor": [
            {"vendor": vendor, "currency": "EUR", "total": f"{index * 100 - 50}.25"}
            for index, vendor in enumerate(VENDORS)
        ],
        "by_month": [{"month": f"2026-{m:02d}", "currency": "EUR", "total": f"{m}00.00"}
                     for m in range(1, 7)],
        "by_kind": [{"kind": "lines_do_not_add_up", "count": exceptions}] if exceptions else [],
        "unreadable": [{"document_id": "x", "filename": "scan.pdf", "error": "It is encrypted."}],
        "ledger": None,
    }  # fmt: skip


def digest_facts() -> dict[str, Any]:
    cited = {**source("sop", "Restart the settlement worker, then replay the batch."), "n": 1}
    return {
        "questions": [
            {"question": "What to do when settlement hangs?", "answered": True, "route": "quotes",
             "answer": "Restart the settlement worker, then replay the batch.", "model": None,
             "citations": [cited]},
            {"question": "Who won in 1954?", "answered": False, "route": "refused", "model": None,
             "answer": "The sources do not say.", "citations": []},
            {"question": "A model's guess?", "answered": True, "route": "model", "model": "m",
             "answer": "Made up without a source.", "citations": []},
        ],
        "question_count": 3, "answered_count": 2, "refused_count": 1,
        "by_document": [{"document_id": "sop", "filename": "sop.pdf", "citations": 1}],
        "model": None,
    }  # fmt: skip


def invoice_report(documents: int = 6, exceptions: int = 4) -> Report:
    brand = Branding("ClearPay", "#0f766e")
    facts = invoice_facts(documents, exceptions)
    return compose(builtin("invoice-review"), facts, brand, CREATED_MS, params={"period": "Q3"})
