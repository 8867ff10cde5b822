"""What ClearPay bought, and the faults hidden in the papers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from examples.vendors import (
    ALPEN,
    ATLAS,
    BRIGHTWATER,
    GLOBEX,
    HARBOR,
    JUNIPER,
    KESSLER,
    LUMEN,
    MERIDIAN,
    NORTHWIND,
    ORBIT,
    PACIFIC,
    SENTINEL,
    TRANSIT,
    Vendor,
)

CENT = Decimal("0.01")
BUYER = ("ClearPay Ltd", "Accounts Payable", "18 Foundry Quay", "Dublin D02 XH91", "Ireland")
BUYER_VAT = "IE3456789TH"


@dataclass(frozen=True)
class Line:
    """`price` is a decimal text in the invoice's currency, `code` the vendor's article number."""

    code: str
    text: str
    quantity: int
    price: str
    unit: str = "pcs"

    @property
    def amount(self) -> Decimal:
        return (Decimal(self.price) * self.quantity).quantize(CENT)


@dataclass(frozen=True)
class Invoice:
    """`stated_*` are what the paper says where that differs from the sums: a planted fault."""

    filename: str
    number: str
    vendor: Vendor
    issued: date
    due: date
    currency: str
    tax_percent: str
    lines: tuple[Line, ...]
    po: str = ""
    stated_subtotal: str = ""
    stated_total: str = ""
    german: bool = False
    tax_name: str = "VAT"

    @property
    def subtotal(self) -> Decimal:
        if self.stated_subtotal:
            return Decimal(self.stated_subtotal)
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        return (self.subtotal * Decimal(self.tax_percent) / 100).quantize(CENT, ROUND_HALF_UP)

    @property
    def total(self) -> Decimal:
        return Decimal(self.stated_total) if self.stated_total else self.subtotal + self.tax

    def money(self, amount: Decimal) -> str:
        """`1,234.50`, or `1.234,50` on German paper."""
        text = f"{amount:,.2f}"
        return text.translate(str.maketrans(",.", ".,")) if self.german else text

    def day(self, when: date) -> str:
        return f"{when:%d.%m.%Y}" if self.german else f"{when:%d %B %Y}"


_SITES = (
    "Seattle", "Denver", "Chicago", "Boston", "Austin", "Dublin", "Frankfurt", "London", "Lyon",
    "Milan", "Rotterdam", "Glasgow", "Innsbruck", "Cork",
)  # fmt: skip


def _circuits() -> tuple[Line, ...]:
    lines = []
    for n, site in enumerate(_SITES):
        lines += [
            Line(f"AT-{4100 + 3 * n}", f"Ethernet circuit 1 Gbit/s {site}", 1, f"{310 + 5 * n}.00"),
            Line(f"AT-{4101 + 3 * n}", f"Static IPv4 addresses {site}", 4 + n % 5, "2.50"),
            Line(f"AT-{4102 + 3 * n}", f"Voice channels {site}", 10 + 2 * (n % 4), "6.75"),
        ]
    return tuple(lines)


INVOICES = (
    Invoice(
        "INV-2026-0412 Northwind Cloud.pdf", "INV-2026-0412", NORTHWIND,
        date(2026, 9, 3), date(2026, 10, 3), "USD", "8.25",
        (
            Line("NW-CMP-16", "Compute nodes, 16 vCPU, September", 6, "412.00", "months"),
            Line("NW-STO-50", "Block storage, per TB", 50, "21.40", "TB"),
            Line("NW-EGR-01", "Data transfer out, per TB", 12, "38.75", "TB"),
            Line("NW-SUP-GD", "Gold support plan", 1, "950.00", "month"),
        ),
        po="PO-10231", tax_name="Sales tax",
    ),
    Invoice(
        "Rechnung RE-88217 Kessler.pdf", "RE-88217", KESSLER,
        date(2026, 9, 14), date(2026, 10, 14), "EUR", "19",
        (
            Line("KD-2210", "Netzwerk-Switch 48 Port, verwaltet", 4, "1289.00", "Stk"),
            Line("KD-7741", "Glasfaser-Transceiver 10G SFP+", 24, "67.90", "Stk"),
            Line("KD-9001", "Installation vor Ort, Technikerstunde", 14, "118.00", "Std"),
            Line("KD-9100", "Anfahrtspauschale", 2, "85.00", "Stk"),
        ),
        po="PO-10234", german=True, tax_name="MwSt.",
    ),
    Invoice(
        "Atlas Telecom invoice 77103.pdf", "AT-77103", ATLAS,
        date(2026, 10, 1), date(2026, 10, 31), "USD", "0",
        _circuits(), po="PO-10240", stated_subtotal="6291.50", tax_name="Tax",
    ),
    Invoice(
        "Rechnung 2026-3391 Alpen Papier.pdf", "2026-3391", ALPEN,
        date(2026, 9, 22), date(2026, 10, 22), "EUR", "20",
        (
            Line("A4-80", "Kopierpapier A4 80 g, Karton zu 2.500 Blatt", 40, "24.90", "Krt"),
            Line("HO-12", "Hängeordner, Packung zu 25", 18, "19.50", "Pkg"),
            Line("TN-88X", "Toner schwarz, hohe Reichweite", 9, "139.00", "Stk"),
        ),
        po="PO-10999", german=True, tax_name="USt.",
    ),
    Invoice(
        "Lumen Design Studio LU-2093.pdf", "LU-2093", LUMEN,
        date(2026, 8, 31), date(2026, 9, 30), "EUR", "23",
        (
            Line("D-01", "Brand refresh, phase two", 1, "4800.00", "job"),
            Line("D-07", "Icon set, 60 pictograms", 60, "22.50", "icons"),
            Line("D-11", "Workshop with the product team", 2, "780.00", "days"),
        ),
        po="PO-10228",
    ),
    Invoice(
        "sentinel_SB-10045.pdf", "SB-10045", SENTINEL,
        date(2026, 10, 5), date(2026, 11, 4), "USD", "6.25",
        (
            Line("SB-VLT", "Off-site vault, per protected TB", 85, "14.20", "TB"),
            Line("SB-RST", "Restore drill with report", 2, "640.00", "drills"),
            Line("SB-AGT", "Backup agents", 120, "3.15", "agents"),
        ),
        po="PO-10236", stated_total="3201.53", tax_name="Sales tax",
    ),
    Invoice(
        "Brightwater invoice 2026-118.docx", "BW-2026-118", BRIGHTWATER,
        date(2026, 9, 30), date(2026, 10, 30), "USD", "0",
        (
            Line("ADV", "Regulatory advice, senior consultant", 38, "210.00", "hours"),
            Line("RPT", "Gap analysis report on settlement rules", 1, "3400.00", "report"),
            Line("TRV", "Travel at cost", 1, "612.40", "sum"),
        ),
        tax_name="Tax",
    ),
    Invoice(
        "Globex GL-5567.xlsx", "GL-5567", GLOBEX,
        date(2026, 9, 18), date(2026, 10, 18), "EUR", "20",
        (
            Line("GX-ENT", "Enterprise licence, per seat and year", 35, "98.00", "seats"),
            Line("GX-TRN", "Administrator training", 2, "425.00", "days"),
            Line("GX-MNT", "Maintenance and updates", 1, "579.00", "year"),
        ),
        po="PO-10233", tax_name="TVA",
    ),
    Invoice(
        "transit-freight-TR-8841.csv", "TR-8841", TRANSIT,
        date(2026, 10, 8), date(2026, 11, 7), "EUR", "21",
        (
            Line("TF-20", "Container haulage Rotterdam to Dublin", 3, "1180.00", "trips"),
            Line("TF-CU", "Customs clearance", 3, "145.00", "files"),
            Line("TF-IN", "Cargo insurance", 1, "212.50", "policy"),
        ),
        po="PO-10241",
    ),
    Invoice(
        "MH-30217.pdf", "MH-30217", MERIDIAN,
        date(2026, 10, 12), date(2026, 11, 11), "USD", "0",
        (
            Line("MH-RCK", "Colocation, half rack, October", 2, "640.00", "racks"),
            Line("MH-PWR", "Metered power", 1840, "0.21", "kWh"),
            Line("MH-RHD", "Remote hands", 5, "75.00", "hours"),
        ),
        po="PO-10242", tax_name="VAT",
    ),
    Invoice(
        "pacific-couriers-PC-6620.txt", "PC-6620", PACIFIC,
        date(2026, 10, 15), date(2026, 11, 14), "USD", "8.5",
        (
            Line("OVN", "Overnight envelopes", 64, "18.50", "pcs"),
            Line("INT", "International parcels", 11, "57.20", "pcs"),
            Line("PCK", "Secure pick-up, card terminals", 4, "92.00", "trips"),
        ),
        po="PO-10243", tax_name="Sales tax",
    ),
    Invoice(
        "juniper-translations-0077.md", "JT-2026-0077", JUNIPER,
        date(2026, 10, 20), date(2026, 11, 19), "EUR", "22",
        (
            Line("EN-DE", "Translation of the merchant handbook, per 1,000 words", 42, "96.00"),
            Line("EN-FR", "Translation of the terms of service, per 1,000 words", 9, "104.00"),
            Line("REV", "Review by a second translator, hours", 12, "55.00"),
        ),
        po="PO-10244",
    ),
    Invoice(
        "orbit-compute-OC-900331.json", "OC-900331", ORBIT,
        date(2026, 10, 25), date(2026, 11, 24), "USD", "8.25",
        (
            Line("GPU-H", "Accelerator hours", 310, "2.85", "hours"),
            Line("SNP", "Snapshot storage, TB months", 18, "11.00", "TB"),
        ),
        po="PO-10245", tax_name="Sales tax",
    ),
)  # fmt: skip

BY_NUMBER = {invoice.number: invoice for invoice in INVOICES}
RECEIPT = Invoice(
    "receipt-5521-harbor-bistro.pdf", "5521", HARBOR, date(2026, 10, 16), date(2026, 10, 16),
    "USD", "7",
    (
        Line("", "Team lunch menu", 8, "24.50"),
        Line("", "Sparkling water", 5, "4.20"),
        Line("", "Espresso", 7, "3.10"),
    ),
    tax_name="Meals tax",
)  # fmt: skip


@dataclass(frozen=True)
class Fault:
    """A planted fault: its kind as the review calls it; `also` is the other file of two."""

    kind: str
    filename: str
    detail: str
    also: str = ""


FAULTS = (
    Fault("lines_do_not_add_up", "Atlas Telecom invoice 77103.pdf",
          "the lines add up to 6201.50, the subtotal says 6291.50"),
    Fault("lines_do_not_add_up", "sentinel_SB-10045.pdf",
          "subtotal 2865.00 and tax 179.06 make 3044.06, the total says 3201.53"),
    Fault("po_missing", "Brightwater invoice 2026-118.docx", "no purchase order is named"),
    Fault("po_not_in_ledger", "Rechnung 2026-3391 Alpen Papier.pdf",
          "PO-10999 is not in the ledger"),
    Fault("not_paid_overdue", "Lumen Design Studio LU-2093.pdf", "due 2026-09-30, no payment"),
    Fault("duplicate_invoice", "northwind-portal-copy.html", "INV-2026-0412 comes twice",
          also="INV-2026-0412 Northwind Cloud.pdf"),
    Fault("payment_amount_differs", "Globex GL-5567.xlsx",
          "the invoice says 5830.80, the ledger paid 5380.80"),
    Fault("unreadable_document", "scan-0007.pdf", "the file is damaged"),
)  # fmt: skip
