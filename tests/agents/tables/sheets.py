"""Sheets of many layouts, made here, with their rows as plain Python to compute from."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import ingestion
from agents.answers.tables.reading import grids
from agents.answers.tables.vocabulary import Vocabulary, vocabulary

D = Decimal


@dataclass(frozen=True)
class Order:
    number: str
    day: date
    customer: str
    region: str
    product: str
    quantity: int
    price: Decimal
    status: str
    paid: str

    @property
    def amount(self) -> Decimal:
        return self.quantity * self.price


def _orders() -> list[Order]:
    customers = ("Acme Ltd", "Borealis AG", "Cobalt Foods", "Delta Marine", "Everest Tools")
    regions = ("North", "South", "East", "North", "West")
    products = (("Desk lamp", "49.90"), ("Office chair", "189.00"), ("Standing desk", "620.50"))
    states = ("shipped", "open", "cancelled", "shipped")
    return [
        Order(
            f"SO-{1001 + n}", date(2025 + n // 20, 1 + (n * 5) % 12, 1 + (n * 7) % 28),
            customers[n % 5], regions[n % 5], products[n % 3][0], 1 + (n * 3) % 8,
            D(products[n % 3][1]), states[n % 4], "no" if n % 4 in (1, 2) else "yes",
        )
        for n in range(30)
    ]  # fmt: skip


ORDERS = _orders()
STAFF = [  # number, name, department, city, salary, since, hours
    (101, "Anna Vogel", "Vertrieb", "Berlin", D("52000.00"), date(2019, 3, 1), D("38.5")),
    (102, "Bernd Kraus", "Vertrieb", "Hamburg", D("48500.50"), date(2021, 7, 15), D("40")),
    (103, "Carla Weiss", "Technik", "Berlin", D("61250.00"), date(2018, 11, 1), D("40")),
    (104, "Dirk Sommer", "Technik", "München", D("58900.75"), date(2022, 1, 10), D("32")),
    (105, "Eva Lang", "Technik", "Berlin", D("67300.00"), date(2016, 5, 2), D("40")),
    (106, "Felix Braun", "Einkauf", "Hamburg", D("45100.00"), date(2023, 9, 1), D("20")),
    (107, "Greta Horn", "Einkauf", "München", D("47000.00"), date(2020, 2, 3), D("38.5")),
    (108, "Hans Otto", "Vertrieb", "Berlin", D("55400.00"), date(2017, 8, 21), D("40")),
]
BILLS = [  # day, supplier, category, amount, currency
    (date(2026, 1, 5), "Papeterie Laurent", "Fournitures", D("1234.50"), "EUR"),
    (date(2026, 1, 18), "Hôtel du Lac", "Voyage", D("642.00"), "EUR"),
    (date(2026, 2, 2), "Swiss Rail", "Voyage", D("310.40"), "CHF"),
    (date(2026, 2, 11), "Papeterie Laurent", "Fournitures", D("98.75"), "EUR"),
    (date(2026, 3, 7), "Brasserie Nord", "Repas", D("187.20"), "EUR"),
    (date(2026, 3, 9), "Swiss Rail", "Voyage", D("155.00"), "CHF"),
    (date(2026, 3, 28), "Hôtel du Lac", "Voyage", D("1021.35"), "EUR"),
]
SPENT = [  # team, item, cost as written, number
    ("Marketing", "Trade fair", "$12,400.00", D("12400")),
    ("Marketing", "Flyers", "$850.25", D("850.25")),
    ("Marketing", "Video", "n/a", None),
    ("Research", "Microscope", "$23,999.99", D("23999.99")),
    ("Research", "Reagents", "$1,410.10", D("1410.10")),
    ("Research", "Travel", "", None),
    ("Support", "Headsets", "$640.00", D("640")),
    ("Support", "Licences", "($120.00)", D("-120")),
]
VISITS = [("January", 2025, 1200), ("February", 2025, 1310), ("March", 2025, 990),
          ("January", 2026, 1425), ("February", 2026, 1502), ("March", 2026, 1777)]  # fmt: skip
STOCK = [  # warehouse, article, stock, weight kg
    ("Lyon", "Valve A", 120, D("1.250")), ("Lyon", "Valve B", 75, D("2.100")),
    ("Lyon", "Pump", 12, D("14.800")), ("Nantes", "Valve A", 40, D("1.250")),
    ("Nantes", "Pump", 7, D("14.800")),
]  # fmt: skip
HALVES = [("North", 10, 12, 15, 11), ("South", 7, 9, 14, 20), ("East", 5, 6, 4, 8)]


def orders_xlsx() -> bytes:
    """Two lines above the header, a total below an empty row; a sheet of years; a hidden copy."""
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Orders"
    sheet.append(["Order book"])
    sheet.append(["Printed", "2026-11-02"])
    heads = ["Order ID", "Order date", "Customer", "Region", "Product", "Quantity",
             "Unit price (EUR)", "Amount (EUR)", "Status", "Paid"]  # fmt: skip
    sheet.append(heads)
    for o in ORDERS:
        sheet.append([o.number, o.day, o.customer, o.region, o.product, o.quantity,
                      float(o.price), float(o.amount), o.status, o.paid])  # fmt: skip
    sheet.append([])
    total = [None] * 10
    total[0], total[7] = "Total", float(sum(o.amount for o in ORDERS))  # type: ignore[call-overload]
    sheet.append(total)
    targets: Any = book.create_sheet("Targets")
    targets.append(["Branch", "Plan 2025", "Plan 2026"])
    for row in (("Lisbon", 40000, 45000), ("Porto", 30000, 28500), ("Faro", 12000, 15250)):
        targets.append(list(row))
    old: Any = book.create_sheet("Old orders")
    old.sheet_state = "hidden"
    old.append(heads)
    old.append(
        ["SO-1", date(2020, 1, 1), "Acme Ltd", "North", "Desk lamp", 1, 1.0, 1.0, "open", "no"]
    )
    return _saved(book)


def halves_xlsx() -> bytes:
    """Names in two rows, merged over the columns below."""
    from openpyxl import Workbook

    book = Workbook()
    sheet: Any = book.active
    sheet.title = "Output"
    sheet.append(["Plant", "2025", None, "2026", None])
    sheet.append([None, "H1", "H2", "H1", "H2"])
    for row in HALVES:
        sheet.append(list(row))
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("D1:E1")
    sheet.append(["Total", *(sum(row[i] for row in HALVES) for i in range(1, 5))])  # type: ignore[misc]
    return _saved(book)


def _saved(book: Any) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _german(number: Decimal, places: int = 2) -> str:
    return f"{number:,.{places}f}".replace(",", "\0").replace(".", ",").replace("\0", ".")


def staff_csv() -> bytes:
    lines = ["Personalnummer;Name;Abteilung;Standort;Gehalt;Eintritt;Stunden"]
    lines += [
        f"{no};{name};{team};{city};{_german(pay)} €;{since:%d.%m.%Y};{_german(hours, 1)}"
        for no, name, team, city, pay, since, hours in STAFF
    ]
    return "\n".join(lines).encode("utf-8-sig")


def bills_csv() -> bytes:
    lines = ["Date\tFournisseur\tCatégorie\tMontant\tDevise"]
    lines += [
        f"{day:%d/%m/%Y}\t{who}\t{what}\t{f'{n:,.2f}'.replace(',', ' ').replace('.', ',')}\t{unit}"
        for day, who, what, n, unit in BILLS
    ]
    return "\n".join(lines).encode()


def spent_csv() -> bytes:
    """A subtotal after each team, a grand total, a cell of words, an empty one, a refund."""
    lines = ["Team,Item,Cost"]
    for team in ("Marketing", "Research", "Support"):
        rows = [row for row in SPENT if row[0] == team]
        lines += [f'{t},{item},"{told}"' for t, item, told, _ in rows]
        lines.append(f'Subtotal {team},,"${sum(n for *_, n in rows if n):,.2f}"')
    lines.append(f'Grand total,,"${sum(n for *_, n in SPENT if n):,.2f}"')
    return "\n".join(lines).encode()


def visits_csv() -> bytes:
    return "\n".join(["Month,Year,Visitors", *(f"{m},{y},{n}" for m, y, n in VISITS)]).encode()


def stock_html() -> bytes:
    """The warehouse is one cell over all of its rows."""
    rows = ["<tr><th>Entrepôt</th><th>Article</th><th>Stock</th><th>Poids (kg)</th></tr>"]
    for house in ("Lyon", "Nantes"):
        own = [row for row in STOCK if row[0] == house]
        for place, (_, article, count, weight) in enumerate(own):
            lead = f'<td rowspan="{len(own)}">{house}</td>' if place == 0 else ""
            rows.append(f"<tr>{lead}<td>{article}</td><td>{count}</td><td>{weight}</td></tr>")
    return f"<html><body><h1>Inventaire</h1><table>{''.join(rows)}</table></body></html>".encode()


def plans_md() -> bytes:
    return b"""# Hosting plans

| Plan | Price per month | Storage (GB) | Support |
| --- | --- | --- | --- |
| Starter | 9 EUR | 20 | e-mail |
| Team | 29 EUR | 100 | e-mail |
| Business | 79 EUR | 500 | phone |
| Enterprise | 249 EUR | 2000 | phone |
"""


_FILES = {
    "orders.xlsx": orders_xlsx, "mitarbeiter.csv": staff_csv, "depenses.tsv": bills_csv,
    "spending.csv": spent_csv, "visitors.csv": visits_csv, "inventaire.html": stock_html,
    "plans.md": plans_md, "output.xlsx": halves_xlsx,
}  # fmt: skip


def files() -> dict[str, bytes]:
    return {name: make() for name, make in _FILES.items()}


def tables_of(name: str, data: bytes) -> list[Vocabulary]:
    """As a tenant's document would be read."""
    document = ingestion.parse(data, name, ingestion.sniff(data, name))
    return [vocabulary(grid) for grid in grids(document, f"id-of-{name}", name)]


@cache
def tables() -> tuple[Vocabulary, ...]:
    """All of them, as one tenant's."""
    return tuple(table for name, data in files().items() for table in tables_of(name, data))
