"""The papers made of text: CSV, HTML, TXT, MD, JSON and the mail with an attachment."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from email.message import EmailMessage
from html import escape

from examples.purchases import BUYER, BUYER_VAT, Invoice


def _rows(invoice: Invoice) -> list[tuple[str, str, str, str, str]]:
    return [
        (line.code, line.text, str(line.quantity), invoice.money(Decimal(line.price)),
         invoice.money(line.amount))
        for line in invoice.lines
    ]  # fmt: skip


def _facts(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    return (
        ("Vendor", invoice.vendor.name), ("Invoice number", invoice.number),
        ("Invoice date", invoice.issued.isoformat()), ("Due date", invoice.due.isoformat()),
        ("PO number", invoice.po), ("Currency", invoice.currency),
    )  # fmt: skip


def _sums(invoice: Invoice) -> tuple[tuple[str, str], ...]:
    return (
        ("Subtotal", invoice.money(invoice.subtotal)),
        (f"{invoice.tax_name} {invoice.tax_percent} %", invoice.money(invoice.tax)),
        ("Total due", invoice.money(invoice.total)),
    )


def as_csv(invoice: Invoice) -> bytes:
    """An export from a forwarder's system: facts, lines, totals."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(("INVOICE", "", "", "", ""))
    write.writerows((name, value, "", "", "") for name, value in _facts(invoice))
    write.writerow(("Bill to", BUYER[0], "", "", ""))
    write.writerow(("", "", "", "", ""))
    write.writerow(("Code", "Description", "Quantity", "Unit price", "Amount"))
    write.writerows(
        (line.code, line.text, line.quantity, line.price, line.amount) for line in invoice.lines
    )
    write.writerow(("", "", "", "", ""))
    sums = zip(_sums(invoice), (invoice.subtotal, invoice.tax, invoice.total), strict=True)
    write.writerows((name, "", "", "", amount) for (name, _), amount in sums)
    return out.getvalue().encode()


def as_html(invoice: Invoice) -> bytes:
    """The page that a vendor's customer portal saves."""
    facts = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in _facts(invoice)
    )
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in _rows(invoice)
    )
    sums = "".join(
        f'<tr><td colspan="4">{escape(name)}</td><td>{value}</td></tr>'
        for name, value in _sums(invoice)
    )
    return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Invoice {invoice.number}</title>
<style>
body {{ font-family: Georgia, serif; max-width: 46rem; margin: 2rem auto; color: #1f2933 }}
header {{ border-bottom: 4px solid #14508c; display: flex; justify-content: space-between }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 }}
td, th {{ padding: .4rem .6rem; border-bottom: 1px solid #d5dde5; text-align: left }}
tfoot td {{ font-weight: bold }}
</style></head><body>
<header><h1>{escape(invoice.vendor.name)}</h1><p>Customer portal</p></header>
<h2>Invoice {invoice.number}</h2>
<p>Billed to {escape(", ".join(BUYER))} (VAT {BUYER_VAT})</p>
<table class="facts">{facts}</table>
<table class="lines"><thead><tr><th>Code</th><th>Description</th><th>Quantity</th>\
<th>Unit price</th><th>Amount</th></tr></thead><tbody>{rows}</tbody><tfoot>{sums}</tfoot></table>
<footer>Pay to {escape(invoice.vendor.bank)}, {escape(invoice.vendor.iban)}.
Questions: {invoice.vendor.mail}</footer>
</body></html>
""".encode()


def as_txt(invoice: Invoice) -> bytes:
    """A line printer's invoice in columns."""
    vendor, bar = invoice.vendor, "-" * 78
    lines = [
        vendor.name.upper(), *vendor.address, vendor.tax_id, "",
        "INVOICE", bar,
        *(f"{name + ':':<18}{value}" for name, value in _facts(invoice)[1:]),
        f"{'Bill to:':<18}{', '.join(BUYER)}", bar,
        f"{'Code':<8}{'Description':<36}{'Quantity':>9}{'Unit price':>12}{'Amount':>13}", bar,
        *(f"{code:<8}{text:<36}{quantity:>9}{price:>12}{amount:>13}"
          for code, text, quantity, price, amount in _rows(invoice)),
        bar,
        *(f"{'':<44}{name:<18}{value:>16}" for name, value in _sums(invoice)),
        bar, f"Remit to {vendor.bank}, {vendor.iban}", f"Questions: {vendor.mail}, {vendor.phone}",
    ]  # fmt: skip
    return ("\n".join(lines) + "\n").encode()


def as_markdown(invoice: Invoice) -> bytes:
    """A freelancer's invoice kept as a note."""
    facts = "\n".join(f"- **{name}:** {value}" for name, value in _facts(invoice))
    rows = "\n".join("| " + " | ".join(row) + " |" for row in _rows(invoice))
    sums = "\n".join(f"| | | | {name} | {value} |" for name, value in _sums(invoice))
    return f"""# Invoice {invoice.number}

{invoice.vendor.name}, {", ".join(invoice.vendor.address)} ({invoice.vendor.tax_id})

{facts}
- **Bill to:** {", ".join(BUYER)}

| Code | Description | Quantity | Unit price | Amount |
| --- | --- | ---: | ---: | ---: |
{rows}
{sums}

Please transfer the total to IBAN {invoice.vendor.iban} ({invoice.vendor.bank}).
""".encode()


def as_json(invoice: Invoice) -> bytes:
    """What a vendor's billing system posts."""
    return json.dumps(
        {
            "document_type": "invoice",
            "vendor": {"name": invoice.vendor.name, "tax_id": invoice.vendor.tax_id,
                       "address": list(invoice.vendor.address)},
            "customer": {"name": BUYER[0], "vat_id": BUYER_VAT},
            "invoice_number": invoice.number,
            "purchase_order": invoice.po,
            "invoice_date": invoice.issued.isoformat(),
            "due_date": invoice.due.isoformat(),
            "currency": invoice.currency,
            "line_items": [
                {"code": line.code, "description": line.text, "quantity": line.quantity,
                 "unit_price": float(line.price), "amount": float(line.amount)}
                for line in invoice.lines
            ],
            "subtotal": float(invoice.subtotal),
            "tax_rate": float(invoice.tax_percent),
            "tax": float(invoice.tax),
            "total": float(invoice.total),
        },
        indent=2,
    ).encode() + b"\n"  # fmt: skip


def as_mail(invoice: Invoice, attachment: bytes) -> bytes:
    """A vendor's mail with the invoice as a PDF attachment."""
    mail = EmailMessage()
    mail["From"] = f"{invoice.vendor.name} <{invoice.vendor.mail}>"
    mail["To"] = "ClearPay Accounts Payable <ap@clearpay.example>"
    mail["Subject"] = f"Your invoice {invoice.number} from {invoice.vendor.name}"
    mail["Date"] = invoice.issued.strftime("%a, %d %b %Y 08:15:00 +0000")
    mail["Message-ID"] = f"<{invoice.number.lower()}@meridian-hosting.example>"
    mail.set_content(
        "Dear Accounts Payable,\n\nplease find attached our invoice "
        f"{invoice.number} for colocation in October.\n"
        f"It is due on {invoice.day(invoice.due)}; please quote {invoice.po}.\n\n"
        f"Kind regards\nBilling, {invoice.vendor.name}\n{invoice.vendor.phone}\n"
    )
    mail.add_attachment(
        attachment, maintype="application", subtype="pdf", filename=invoice.filename
    )
    mail.set_boundary("=_meridian_0412_7781")
    return mail.as_bytes()
