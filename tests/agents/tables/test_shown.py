"""What a workbook shows beside its values, dates told from today, and conditions of two columns:
each sum is compared with one of plain Python."""

from __future__ import annotations

import io
import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from openpyxl import Workbook

from agents.answers.tables.asked import asked
from agents.answers.tables.choosing import answered
from agents.answers.tables.relative import relative
from agents.answers.tables.vocabulary import Vocabulary
from agents.answers.values import Answer
from tests.agents.tables.sheets import tables_of

D = Decimal
TODAY = date(2026, 11, 21)
Row = tuple[str, str, date, Decimal, str, Decimal, str, bool]  # the last: whether it is hidden


def _rows() -> list[Row]:
    rng = random.Random(29)
    return [
        (
            f"B-{500 + n}", rng.choice(("Alder", "Birch", "Cedar")),
            date(2026, 6, 1) + timedelta(days=n * 8), D(rng.randint(1_000, 90_000)) / 100,
            rng.choice(("open", "closed", "disputed")), D(rng.choice((0, 3, 5))),
            rng.choice(("Lyon", "Graz")), n in (3, 4, 11),
        )
        for n in range(30)
    ]  # fmt: skip


ROWS = _rows()
SEEN = [row for row in ROWS if not row[7]]
HEAD = ["Bill no", "Client", "Due date", "Net amount", "Status", "Discount", "Site"]


@cache
def bills() -> tuple[Vocabulary, ...]:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Bills"
    sheet.append(HEAD)
    for row in ROWS:
        sheet.append([*row[:3], float(row[3]), row[4], float(row[5]) / 100, row[6]])
        sheet.row_dimensions[sheet.max_row].hidden = row[7]
    for number in range(2, len(ROWS) + 2):
        sheet[f"D{number}"].number_format = "#,##0.00 [$€-2]"
        sheet[f"F{number}"].number_format = "0%"
    return tuple(tables_of("bills.xlsx", _saved(book)))


def _saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def told(question: str, tables: Sequence[Vocabulary] = ()) -> Answer:
    found = answered(question, tables or bills(), TODAY)
    assert found is not None, question
    return found


def test_hidden_rows_are_left_out_and_said() -> None:
    found = told("What is the total net amount?")
    assert f"{sum(row[3] for row in SEEN):,.2f} EUR" in found.text
    assert "Hidden rows that are left out: 5, 6, 13" in found.text
    assert answered("What is the net amount of bill B-503?", bills(), TODAY) is None


def test_a_percentage_is_compared_as_it_is_shown_and_not_added_up() -> None:
    assert not told("What is the total discount?").answered
    five = sum(row[5] == 5 for row in SEEN)
    assert f"{five} of {len(SEEN)} rows" in told("How many bills have a 5% discount?").text


def test_amounts_shown_in_two_currencies_are_not_added_up() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Item", "Cost"], ["Rent", 10], ["Fees", 20], ["Fuel", 5]):
        sheet.append(row)
    for place, code in (("B2", '"$"0'), ("B3", "0 [$€-2]"), ("B4", '"$"0')):
        sheet[place].number_format = code
    found = told("What is the total cost?", tables_of("costs.xlsx", _saved(book)))
    assert "15 USD" in found.text
    assert "20 EUR" in found.text


def test_durations_are_hours() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["Task", "Time"], ["Plan", timedelta(hours=1.5)], ["Build", timedelta(hours=30)]):
        sheet.append(row)
    found = told("What is the total time?", tables_of("times.xlsx", _saved(book)))
    assert "31.5" in found.text


@pytest.mark.parametrize(
    ("question", "first", "last"),
    [
        ("How many bills are due this month?", date(2026, 11, 1), date(2026, 11, 30)),
        ("How many bills were due last month?", date(2026, 10, 1), date(2026, 10, 31)),
        ("How many bills were due last quarter?", date(2026, 7, 1), date(2026, 9, 30)),
        ("How many bills are due in the next 30 days?", TODAY, TODAY + timedelta(days=30)),
        ("How many bills were due in the past 2 weeks?", TODAY - timedelta(days=14), TODAY),
        ("How many bills are due this week?", date(2026, 11, 16), date(2026, 11, 22)),
        ("How many bills are due this year?", date(2026, 1, 1), date(2026, 12, 31)),
    ],
)
def test_dates_are_told_from_today_and_it_is_said(question: str, first: date, last: date) -> None:
    found = told(question)
    fitting = sum(first <= row[2] <= last for row in SEEN)
    assert f"{fitting} of {len(SEEN)} rows" in found.text
    assert "Counted from today, 2026-11-21" in found.text
    assert found.as_of == "2026-11-21"


@pytest.mark.parametrize(
    "question",
    [
        "How many bills were due in the last 3 months?",  # calendar months, or from the 21st?
        "How many bills were due in 2024?",  # of which the table says nothing
        "How many open bills of Alder or in Graz are there?",  # what does the `or` take in?
    ],
)
def test_what_may_be_meant_in_two_ways_is_not_computed(question: str) -> None:
    found = answered(question, bills(), TODAY)
    assert found is None or not found.answered


@pytest.mark.parametrize(
    ("spoken", "text", "first"),
    [
        ("de", "letzten Monat", date(2026, 10, 1)), ("de", "nächsten 10 Tage", TODAY),
        ("fr", "le trimestre dernier", date(2026, 7, 1)), ("nl", "vorige week", date(2026, 11, 9)),
        ("nl", "komende 30 dagen", TODAY), ("es", "el mes pasado", date(2026, 10, 1)),
        ("es", "próximo año", date(2027, 1, 1)), ("en", "next quarter", date(2027, 1, 1)),
    ],
)  # fmt: skip
def test_the_same_in_five_languages(spoken: str, text: str, first: date) -> None:
    question = asked(text)
    assert question is not None
    found = relative(question.tokens, 0, spoken, TODAY)
    assert found is not None
    assert (found[0].first, found[1]) == (first, len(question.tokens))


def test_either_of_two_columns_counts_a_row_once() -> None:
    fitting = [row for row in SEEN if row[1] == "Alder" or row[6] == "Graz"]
    found = told("How many bills are from Alder or in Graz?")
    assert f"{len(fitting)} of {len(SEEN)} rows" in found.text


def test_random_conditions_give_what_plain_python_gives() -> None:
    rng = random.Random(4)
    for _ in range(25):
        client, status = rng.choice(("Alder", "Birch", "Cedar")), rng.choice(("open", "closed"))
        bound = rng.randrange(100, 800, 50)
        fitting = [r for r in SEEN if r[1] == client and r[4] != status and r[3] >= bound]
        found = told(
            f"How many bills of {client} that are not {status} have a net amount "
            f"of at least {bound} EUR?"
        )
        assert f"{len(fitting)} of {len(SEEN)} rows" in found.text, found.text


_STOCK = """productName,unitsInStock,unitsOnOrder,discontinued
Tea,39,0,0
Jam,0,40,1
Oil,12,5,0
Rye,0,0,1
"""
_BILLS = """Factuurnummer;Leverancier;Bedrag;Betaald
F1;Bakker;1.250,50;ja
F2;Van Dam;80,00;nee
F3;Bakker;310,25;nee
"""
_PAY = """Empleado;Ciudad;Salario bruto
Ana Ruiz;Madrid;38.450,50
Luis Ortega;Valencia;31.200,00
Marta Gil;Madrid;35.900,75
"""


@pytest.mark.parametrize(
    ("name", "data", "question", "says"),
    [
        ("stock.csv", _STOCK, "How many products are discontinued?", "There are 2 "),
        ("stock.csv", _STOCK, "How many products have no units in stock?", "There are 2 "),
        ("stock.csv", _STOCK, "What is the total of the units in stock?", "51"),
        ("facturen.csv", _BILLS, "Wat is het totaalbedrag van alle facturen?", "De som van Bedrag"),
        ("facturen.csv", _BILLS, "Wat is het totaalbedrag van alle facturen?", "1.640,75"),
        ("facturen.csv", _BILLS, "Hoeveel facturen zijn nog niet betaald?", "2 van 3"),
        ("facturen.csv", _BILLS, "Hoeveel onbetaalde facturen heeft Bakker?", "1 van 3"),
        ("facturen.csv", _BILLS, "Wat is het gemiddelde factuurbedrag?", "546,917"),
        ("nomina.csv", _PAY, "¿Cuál es el salario bruto total?", "La suma de Salario bruto"),
        ("nomina.csv", _PAY, "¿Cuántos empleados no son de Madrid?", "Hay 1 "),
        ("nomina.csv", _PAY, "¿Quién tiene el salario más alto?", "Ana Ruiz"),
        ("nomina.csv", _PAY, "¿Cuántos empleados ganan más de 32.000 €?", "Hay 2 "),
    ],
)
def test_headers_and_words_of_other_people(name: str, data: str, question: str, says: str) -> None:
    found = told(question, tables_of(name, data.encode()))
    assert says in found.text, found.text


def test_rows_that_are_wider_than_the_header_are_not_computed_over() -> None:
    data = b"Order,Street,City,Freight\n1,Rua 5,Rio,10\n2,Rua 7, 67,Rio,20\n3,Rua 9,Lyon,30\n"
    found = told("What is the total freight in Rio?", tables_of("orders.csv", data))
    assert not found.answered
    assert "orders.csv have more cells" in found.text
