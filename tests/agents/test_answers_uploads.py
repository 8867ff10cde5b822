"""Papers of a business: the row that is named and the column that is asked for, what a paper says
of itself at its head, what a unit tells without the word, and near misses of all that."""

from __future__ import annotations

import pytest

from agents.answers.asking import answer_from
from agents.answers.evidence import rank
from agents.answers.question import asked
from agents.answers.values import Answer
from tests.agents.corpus import hits_in

INVOICE = """# Rechnung

Bezeichnung | Menge | Einzelpreis | Betrag
Scheinwerfer | 12 | 38,90 | 466,80
Kabel | 2 | 35,00 | 70,00
"""
NOTE = """Lieferschein
Lieferscheinnummer: LS-512
Bestellnummer: B-77

Pos | Artikel | Menge | Einheit
1 | Leim | 8 | Eimer

Gesamtgewicht: 640 kg
"""
AGREEMENT = """SUPPLY AGREEMENT

This Supply Agreement is made on 5 June 2026 between Alder Mills Oy (the "Supplier")
and Larkspur Ltd (the "Buyer").

The Supplier delivers birch plywood to the Buyer.

2. Prices

The price is 412 EUR per cubic metre until June 2027.

4. Payment

Invoices are payable within 45 days of receipt.

6. Term

This Agreement runs until 31 May 2029.
"""
TICKETS = """Ticket | Opened | Status | Summary
HD-51 | 2026-10-02 | Closed | Password of the wiki
HD-52 | 2026-10-05 | Open | No network in the hall
"""
PUMP = """# Pump Q7

The pump Q7 is made for water of up to 90 °C. It has 86 kg.

## Change of the blade

Put in the new blade and tighten its nut with 25 Nm.
"""
SERVICES = """Service | Name | Phone
Spares | Marc Vidal | 04 72 11 20 44
Repairs | Sophie Arnaud | 04 72 11 20 30
"""
MAIL = """From: Ingrid Solberg <ingrid@lumen.example>
Subject: Lamps

Payment is due within 14 days.

Ingrid Solberg
Phone +47 22 55 01 90
"""
SOP = """# SOP 12: Charging the carts

Version 4, approved by Denise Albright on 3 February 2026

## Absence

A certificate is required from the fourth day of absence.

## Settings

From Settings, tap Security for the following options:
Clear credentials: Erase all credentials and reset the password.
"""
PRICES = """Service | Duration | Price | Warranty
Oil change | 45 min | 79.00 | 6 months
Full inspection | 3 h | 189.00 | 12 months
"""
PLAN = """Anlage | Intervall | Zuständig | Letzte Wartung
Kühlturm | 12 Monate | Fa. Aquatec | 02.03.2026
"""
CLAIM = """My bicycle was stolen on 4 October 2026. It was bought for 1,180 GBP in 2024.
The police report number is CR/5512/26. The post of secretary is vacant.

Priya Shah
Tel. 01603 555 210
"""
LOG = "03:15:09 ERROR backup: job mail-archive failed: target volume full\n"


def told(question: str, text: str) -> Answer:
    return answer_from(asked(question), list(hits_in("a.md", text)), None)


@pytest.mark.parametrize(("text", "question", "said"), [
    (INVOICE, "Was kostet ein Scheinwerfer?", "38,90"),
    (NOTE, "Wie viele Eimer Leim wurden geliefert?", "menge 8"),
    (NOTE, "Wie hoch ist das Gesamtgewicht der Lieferung LS-512?", "640 kg"),
    (NOTE, "Wie lautet die Bestellnummer zum Lieferschein LS-512?", "B-77"),
    (AGREEMENT, "Within how many days are invoices of Alder Mills payable?", "45 days"),
    (AGREEMENT, "When does the supply agreement with Alder Mills end?", "31 May 2029"),
    (PUMP, "What torque must the nut of the blade have?", "25 Nm"),
    (SERVICES, "Who is responsible for spares?", "Marc Vidal"),
    (MAIL, "What is the phone number of Ingrid Solberg?", "22 55 01 90"),
    (SOP, "Who approved SOP 12?", "Denise Albright"),
    (SOP, "From which day of absence is a certificate required?", "fourth"),
    (SOP, "How do I clear the credentials?", "From Settings, tap Security"),
    (PLAN, "Wann war die letzte Wartung des Kühlturms?", "02.03.2026"),
    (CLAIM, "What is the telephone number of Priya Shah?", "01603 555 210"),
    (LOG, "Why did the job mail-archive fail?", "target volume full"),
])  # fmt: skip
def test_what_is_asked_is_told(text: str, question: str, said: str) -> None:
    assert said in told(question, text).text


@pytest.mark.parametrize(("text", "question"), [
    (INVOICE, "Was kostet ein Schalter?"),
    (NOTE, "Wie hoch ist das Gesamtgewicht der Lieferung LS-513?"),
    (AGREEMENT, "What is the price of oak plywood per cubic metre?"),
    (TICKETS, "When was HD-51 closed?"),
    (PUMP, "How loud is the pump Q7?"),
    (PRICES, "How long is the period for warranty claims?"),
    (SERVICES, "Who is responsible for cleaning?"),
    (CLAIM, "Who is the secretary?"),
    (CLAIM, "What did the helmet cost?"),
])  # fmt: skip
def test_a_neighbour_of_what_is_asked_is_no_answer(text: str, question: str) -> None:
    assert not told(question, text).answered


def test_a_contract_of_another_kind_is_not_meant() -> None:
    text = "# Rahmenliefervertrag\n\nmit der Alpenglas AG\n\nDer Vertrag endet am 31. Mai 2029.\n"
    assert "31. Mai" in told("Wann endet der Liefervertrag mit der Alpenglas AG?", text).text
    assert not told("Wann endet der Mietvertrag mit der Alpenglas AG?", text).answered


def test_the_head_of_a_paper_is_of_all_of_it_and_a_row_is_not() -> None:
    openings = {
        one.passage.opening.strip()
        for one in rank(asked("What is in row 2?"), list(hits_in("a.md", INVOICE)), None)
    }
    assert openings == {"# Rechnung"}
