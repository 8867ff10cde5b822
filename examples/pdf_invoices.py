"""PDF invoices in six layouts, as six different offices would print them."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from examples.paper import GREY, HEIGHT, INK, WIDTH, Paper, cells, sums
from examples.purchases import BUYER, BUYER_VAT, Invoice


def band(invoice: Invoice, accent: str = "#14508C", disc: str = "#F2A541") -> bytes:
    """A coloured band across the top, striped rows, totals at the right."""
    paper, vendor = Paper(f"Invoice {invoice.number}", invoice.vendor.name), invoice.vendor
    paper.rect(0, 0, WIDTH, 112, accent)
    paper.circle(66, 56, 22, disc)
    paper.polygon(((56, 66), (66, 42), (76, 66)), "#FFFFFF")
    paper.text(100, 52, vendor.name, 15, bold=True, color="#FFFFFF")
    paper.text(100, 70, " · ".join(vendor.address), 8.5, color="#DCE6F0")
    paper.text(WIDTH - 48, 62, "INVOICE", 24, bold=True, color="#FFFFFF", align="r")
    paper.text(48, 146, "BILL TO", 8, bold=True, color=accent)
    paper.stack(48, 162, (*BUYER, f"VAT {BUYER_VAT}"))
    facts = (
        ("Invoice number", invoice.number), ("Invoice date", invoice.day(invoice.issued)),
        ("Due date", invoice.day(invoice.due)), ("Purchase order", invoice.po or "-"),
        ("Currency", invoice.currency), ("Tax ID", vendor.tax_id),
    )  # fmt: skip
    for n, (name, value) in enumerate(facts):
        paper.text(350, 150 + 15 * n, name, color=GREY)
        paper.text(WIDTH - 48, 150 + 15 * n, value, bold=True, align="r")
    columns = (
        (56.0, "Item", "l"), (118.0, "Description", "l"), (378.0, "Qty", "r"),
        (462.0, "Unit price", "r"), (WIDTH - 56, "Amount", "r"),
    )  # fmt: skip
    paper.rect(48, 262, WIDTH - 96, 22, accent)
    paper.heads(277, columns, "#FFFFFF")
    y = 301.0
    for n, line in enumerate(invoice.lines):
        if n % 2:
            paper.rect(48, y - 14, WIDTH - 96, 21, "#F1F5F9")
        paper.row(y, columns, cells(invoice, line))
        y += 21
    y = sums(paper, invoice, 350, WIDTH - 56, y + 20,
              ("Subtotal", invoice.tax_name, "Total due"), accent)  # fmt: skip
    paper.rule(48, HEIGHT - 96, WIDTH - 48, "#C9D3DC")
    paper.stack(48, HEIGHT - 78, (
        f"Payment by bank transfer: {vendor.bank}, {vendor.iban}",
        f"Please quote {invoice.number}. Questions: {vendor.mail}, {vendor.phone}",
    ), 8.5, color=GREY)  # fmt: skip
    return paper.bytes()


def din(invoice: Invoice) -> bytes:
    """A German business letter after DIN 5008: address window, block of facts, three footers."""
    paper, vendor = Paper(f"Rechnung {invoice.number}", invoice.vendor.name), invoice.vendor
    paper.rect(WIDTH - 128, 40, 34, 34, "#B3261E")
    paper.rect(WIDTH - 90, 40, 34, 16, "#2B2B2B")
    paper.rect(WIDTH - 90, 60, 34, 14, "#C9C9C9")
    paper.text(WIDTH - 140, 58, vendor.name, 13, bold=True, align="r")
    paper.text(WIDTH - 140, 72, "Netzwerke · Server · Service", 8.5, color=GREY, align="r")
    sender = f"{vendor.name} · {' · '.join(vendor.address)}"
    paper.text(70, 132, sender, 7, color=GREY)
    paper.rule(70, 135, 300, GREY, 0.4)
    paper.stack(70, 150, BUYER, 10, 13.5)
    facts = (
        ("Rechnungsnummer:", invoice.number), ("Bestellnummer:", invoice.po),
        ("Rechnungsdatum:", invoice.day(invoice.issued)),
        ("Fällig am:", invoice.day(invoice.due)), ("Ihre USt-IdNr.:", BUYER_VAT),
    )  # fmt: skip
    for n, (name, value) in enumerate(facts):
        paper.text(360, 150 + 14 * n, name, color=GREY)
        paper.text(WIDTH - 56, 150 + 14 * n, value, align="r")
    paper.text(70, 272, f"Rechnung Nr. {invoice.number}", 14, bold=True)
    paper.text(70, 300, "Sehr geehrte Damen und Herren,", 9.5)
    paper.text(70, 316, "für unsere Lieferungen und Leistungen berechnen wir Ihnen:", 9.5)
    y = _din_table(paper, invoice, 346)
    y = sums(paper, invoice, 360, WIDTH - 56, y + 18,
              ("Zwischensumme netto", "zzgl. MwSt.", "Rechnungsbetrag"), "#B3261E")  # fmt: skip
    paper.text(70, y + 20, f"Bitte überweisen Sie den Betrag bis zum {invoice.day(invoice.due)} "
               "ohne Abzug auf unser Konto.", 9.5)  # fmt: skip
    paper.text(70, y + 48, "Mit freundlichen Grüßen", 9.5)
    paper.text(70, y + 66, f"{vendor.name}, Buchhaltung", 9.5)
    paper.rule(70, HEIGHT - 92, WIDTH - 56, GREY, 0.4)
    paper.stack(70, HEIGHT - 78, (vendor.name, *vendor.address), 7.5, 10, GREY)
    paper.stack(220, HEIGHT - 78, (vendor.bank, f"IBAN {vendor.iban}", "BIC SPECDEMM"), 7.5, 10,
                GREY)  # fmt: skip
    paper.stack(390, HEIGHT - 78, (f"USt-IdNr. {vendor.tax_id}", f"Tel. {vendor.phone}",
                                   vendor.mail), 7.5, 10, GREY)  # fmt: skip
    return paper.bytes()


def _din_table(paper: Paper, invoice: Invoice, y: float) -> float:
    columns = (
        (70.0, "Pos.", "l"), (98.0, "Bezeichnung", "l"), (366.0, "Menge", "r"),
        (374.0, "Einheit", "l"), (468.0, "Einzelpreis", "r"), (WIDTH - 56, "Gesamt", "r"),
    )  # fmt: skip
    paper.heads(y, columns, INK)
    paper.rule(70, y + 5, WIDTH - 56, INK, 1)
    for n, line in enumerate(invoice.lines, 1):
        y += 19
        code, text, quantity, price, amount = cells(invoice, line)
        del code
        paper.row(y, columns, (str(n), text, quantity, line.unit, price, amount))
        paper.rule(70, y + 6, WIDTH - 56, "#D5D5D5", 0.4)
    return y + 12


def grid(invoice: Invoice) -> bytes:
    """An Austrian trader's form: serif type, every cell in a box, a mountain for a logo."""
    paper, vendor = Paper(f"Rechnung {invoice.number}", invoice.vendor.name), invoice.vendor
    green = "#2E6B4F"
    paper.polygon(((56, 96), (92, 44), (112, 74), (124, 58), (152, 96)), green)
    paper.polygon(((84, 56), (92, 44), (100, 56)), "#FFFFFF")
    paper.text(168, 66, vendor.name, 20, bold=True, color=green, font="Times")
    paper.text(168, 84, f"{', '.join(vendor.address)} · {vendor.phone}", 9, color=GREY,
               font="Times")  # fmt: skip
    paper.text(56, 140, "RECHNUNG", 18, bold=True, font="Times")
    paper.box(56, 158, 230, 92, green)
    paper.text(64, 172, "Rechnungsempfänger", 7.5, color=green)
    paper.stack(64, 188, BUYER, 9.5, 13)
    facts = (
        ("Rechnungs-Nr.", invoice.number), ("Datum", invoice.day(invoice.issued)),
        ("Zahlbar bis", invoice.day(invoice.due)), ("Ihre Bestellung", invoice.po),
    )  # fmt: skip
    for n, (name, value) in enumerate(facts):
        paper.box(306, 158 + 23 * n, 100, 23, green)
        paper.box(406, 158 + 23 * n, WIDTH - 462, 23, green)
        paper.text(312, 173 + 23 * n, name, 9, color=green)
        paper.text(412, 173 + 23 * n, value, 9.5, bold=True)
    edges = (56.0, 110.0, 334.0, 384.0, 460.0, WIDTH - 56)
    heads = ("Artikel", "Beschreibung", "Menge", "Preis €", "Betrag €")
    rows = (heads, *(cells(invoice, line) for line in invoice.lines))
    for n, texts in enumerate(rows):
        y = 280.0 + 24 * n
        if not n:
            paper.rect(56, y, WIDTH - 112, 24, "#E4EFE9")
        for column, cell in enumerate(texts):
            left, right = edges[column], edges[column + 1]
            paper.box(left, y, right - left, 24, green)
            x, align = (left + 5, "l") if column < 2 else (right - 5, "r")
            paper.text(x, y + 15.5, cell, 9, bold=not n, align=align)
    y = sums(paper, invoice, 350, WIDTH - 61, 280 + 24 * len(rows) + 30,
              ("Nettosumme", "USt.", "Gesamtbetrag"), green)  # fmt: skip
    paper.stack(56, y + 30, (
        f"Bankverbindung: {vendor.bank}, IBAN {vendor.iban}",
        f"UID-Nr. {vendor.tax_id} · {vendor.mail}",
        "Die Ware bleibt bis zur vollständigen Bezahlung unser Eigentum.",
    ), 8.5, color=GREY)  # fmt: skip
    return paper.bytes()


def telecom(invoice: Invoice) -> bytes:
    """Many lines over several pages, with an amount carried forward."""
    paper, vendor = Paper(f"Invoice {invoice.number}", invoice.vendor.name), invoice.vendor
    columns = (
        (48.0, "Service ID", "l"), (118.0, "Description", "l"), (392.0, "Qty", "r"),
        (466.0, "Unit price", "r"), (WIDTH - 48, "Amount", "r"),
    )  # fmt: skip
    per_page = 28
    pages = [invoice.lines[n : n + per_page] for n in range(0, len(invoice.lines), per_page)]
    carried = Decimal(0)
    for number, lines in enumerate(pages, 1):
        y = _telecom_head(paper, invoice, number, len(pages))
        paper.heads(y, columns, "#5B2A86")
        paper.rule(48, y + 6, WIDTH - 48, "#5B2A86", 1.2)
        y += 22
        if carried:
            paper.text(118, y, "Carried forward", color=GREY)
            paper.text(WIDTH - 48, y, invoice.money(carried), color=GREY, align="r")
            y += 17
        for line in lines:
            paper.row(y, columns, cells(invoice, line), 8.5)
            y += 17
        carried += sum((line.amount for line in lines), Decimal(0))
        if number < len(pages):
            paper.text(WIDTH - 48, y + 10, "continued on the next page", 8, color=GREY, align="r")
            paper.canvas.showPage()
    y = sums(paper, invoice, 350, WIDTH - 48, y + 18,
              ("Subtotal", invoice.tax_name, "Amount due"), "#5B2A86")  # fmt: skip
    paper.stack(48, y + 24, (
        f"Remit to {vendor.bank}, {vendor.iban}.",
        "Late payments bear interest at 1.5 % a month.",
        f"Billing: {vendor.mail}, {vendor.phone}",
    ), 8.5, color=GREY)  # fmt: skip
    return paper.bytes()


def _telecom_head(paper: Paper, invoice: Invoice, page: int, pages: int) -> float:
    vendor = invoice.vendor
    for n, color in enumerate(("#5B2A86", "#8E5BB8", "#C7A9E0")):
        paper.rect(48 + 11 * n, 66 - 10 * (n + 1), 8, 10 * (n + 1), color)
    paper.text(90, 52, vendor.name, 14, bold=True)
    paper.text(90, 66, ", ".join(vendor.address), 8.5, color=GREY)
    paper.text(WIDTH - 48, 52, f"Invoice {invoice.number}", 12, bold=True, align="r")
    paper.text(WIDTH - 48, 66, f"Page {page} of {pages}", 8.5, color=GREY, align="r")
    if page > 1:
        return 110
    paper.stack(48, 108, ("Customer", *BUYER), 9)
    facts = (
        f"Invoice date: {invoice.day(invoice.issued)}", f"Due date: {invoice.day(invoice.due)}",
        f"PO number: {invoice.po}", f"Currency: {invoice.currency}",
        "Billing period: October 2026",
    )  # fmt: skip
    paper.stack(360, 108, facts, 9)
    return 204


def sidebar(invoice: Invoice, accent: str = "#0F766E") -> bytes:
    """A studio's paper: facts in a coloured side column, the amount due in large type."""
    paper, vendor = Paper(f"Invoice {invoice.number}", invoice.vendor.name), invoice.vendor
    paper.rect(0, 0, 172, HEIGHT, accent)
    paper.circle(60, 76, 26, "#FFFFFF")
    paper.circle(70, 76, 26, accent)
    paper.circle(88, 76, 8, "#FFD166")
    paper.text(30, 136, vendor.name, 11.5, bold=True, color="#FFFFFF")
    paper.stack(30, 154, (*vendor.address, vendor.phone), 8, 12, "#E6F4F1")
    facts = (
        ("Invoice no.", invoice.number), ("Issued", invoice.day(invoice.issued)),
        ("Payment due", invoice.day(invoice.due)), ("Your order", invoice.po),
        ("VAT no.", vendor.tax_id),
    )  # fmt: skip
    for n, (name, value) in enumerate(facts):
        paper.text(30, 236 + 38 * n, name, 8, color="#BFE3DC")
        paper.text(30, 250 + 38 * n, value, 10, bold=True, color="#FFFFFF")
    paper.text(200, 82, "Invoice", 26, bold=True)
    paper.text(200, 112, "Billed to", 8, color=GREY)
    paper.stack(200, 127, BUYER, 9)
    columns = (
        (200.0, "Description", "l"), (408.0, "Qty", "r"), (476.0, "Rate", "r"),
        (WIDTH - 40, "Amount", "r"),
    )  # fmt: skip
    paper.heads(232, columns, accent)
    y = 240.0
    for line in invoice.lines:
        paper.rule(200, y, WIDTH - 40, "#DDE5E4")
        paper.row(y + 17, columns, cells(invoice, line)[1:])
        y += 26
    paper.rule(200, y, WIDTH - 40, "#DDE5E4")
    y = sums(paper, invoice, 360, WIDTH - 40, y + 26,
              ("Subtotal", invoice.tax_name, "Total"), accent)  # fmt: skip
    paper.text(200, y + 40, "Amount due", 9, color=GREY)
    paper.text(200, y + 66, f"{invoice.currency} {invoice.money(invoice.total)}", 22, bold=True,
               color=accent)  # fmt: skip
    paper.stack(200, HEIGHT - 90, (
        f"Please pay by {invoice.day(invoice.due)} to {vendor.bank},", vendor.iban,
        f"Questions: {vendor.mail}",
    ), 8.5, color=GREY)  # fmt: skip
    return paper.bytes()


def receipt(invoice: Invoice) -> bytes:
    """A till receipt, 80 mm wide."""
    width = 226.77
    paper, vendor = (
        Paper(f"Receipt {invoice.number}", invoice.vendor.name, width, 380),
        (invoice.vendor),
    )
    mono = "Courier"
    paper.text(width / 2, 40, vendor.name.upper(), 15, bold=True, align="c", font=mono)
    for n, line in enumerate((*vendor.address, vendor.phone)):
        paper.text(width / 2, 56 + 11 * n, line, 8, align="c", font=mono)
    paper.rule(16, 96, width - 16)
    when = f"Date: {invoice.day(invoice.issued)}"
    for n, line in enumerate((f"Receipt No: {invoice.number}", when, "Time: 12:48   Table 7")):
        paper.text(16, 112 + 12 * n, line, 8.5, font=mono)
    paper.rule(16, 144, width - 16)
    y = 162.0
    for item in invoice.lines:
        paper.text(16, y, f"{item.quantity} x {item.text}", 8.5, font=mono)
        paper.text(width - 16, y, invoice.money(item.amount), 8.5, align="r", font=mono)
        y += 15
    paper.rule(16, y - 4, width - 16)
    sums = (("Subtotal", invoice.subtotal), (f"{invoice.tax_name} {invoice.tax_percent} %",
                                             invoice.tax))  # fmt: skip
    for name, amount in sums:
        paper.text(16, y + 12, name, 8.5, font=mono)
        paper.text(width - 16, y + 12, invoice.money(amount), 8.5, align="r", font=mono)
        y += 14
    paper.text(16, y + 20, "TOTAL", 12, bold=True, font=mono)
    paper.text(width - 16, y + 20, f"{invoice.currency} {invoice.money(invoice.total)}", 12,
               bold=True, align="r", font=mono)  # fmt: skip
    paper.text(16, y + 44, "PAID  VISA **** 4417", 8.5, font=mono)
    paper.text(width / 2, y + 76, "Thank you, come again!", 8.5, align="c", font=mono)
    return paper.bytes()


LAYOUTS: dict[str, Callable[[Invoice], bytes]] = {
    "INV-2026-0412": band,
    "RE-88217": din,
    "AT-77103": telecom,
    "2026-3391": grid,
    "LU-2093": sidebar,
    "SB-10045": lambda invoice: band(invoice, "#3B3F58", "#D95D39"),
    "MH-30217": lambda invoice: sidebar(invoice, "#1D3557"),
}
