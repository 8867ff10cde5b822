"""How people write amounts: each is read right, or not at all."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.documents import Document, Page
from ingestion.fields import extract
from ingestion.fields.marks import blank_groups, decimal_mark
from ingestion.fields.numbers import Mark, find_amounts

N, NN, THIN = "\u00a0", "\u202f", "\u2009"
MARKS: dict[str, Mark] = {"en": ".", "de": ",", "fr": ",", "nl": ",", "it": ","}
# language: text → the values read, with their currency; nothing where it may be read in two ways.
TABLE = {
    "fr": """
        4 800 euros | 4800 EUR
        le loyer est de 4 800 euros par mois | 4800 EUR
        4 800,50 € | 4800.50 EUR
        4~800,50 € | 4800.50 EUR
        4_800,50 € | 4800.50 EUR
        EUR 4 800 | 4800 EUR
        € 4 800,5 | 4800.5 EUR
        1 234 567,89 € | 1234567.89 EUR
        12 500 EUR TTC | 12500 EUR
        12.500,00 € | 12500.00 EUR
        4800 € | 4800 EUR
        4800,- € | 4800 EUR
        1,2 million d'euros | 1200000 EUR
        3 millions de dollars | 3000000 USD
        2,5 milliards d’euros | 2500000000 EUR
        12 k€ | 12000 EUR
        12,5 k€ | 12500 EUR
        3,5 M€ | 3500000 EUR
        3,5M€ | 3500000 EUR
        1,1 Md€ | 1100000000 EUR
        150 mille euros | 150000 EUR
        50 centimes |
        – 1 200,00 € | 1200.00 EUR
        -1 200,00 € | -1200.00 EUR
        (1 200,00) € | -1200.00
        (1 200,00) | -1200.00
        article 4 800 euros |
        20 % de 4 800 euros | 20% 4800 EUR
        5 pour cent | 5%
        2 billions d'euros |
        01 234 567 |
        1 234.567,00 € |
        de 1 000 à 2 000 euros | 1000; 2000 EUR
        entre 900 et 1 100 euros | 900; 1100 EUR
        1 250 € HT, 1 500 € TTC | 1250 EUR; 1500 EUR
        5 ‰ |
    """,
    "de": """
        4.800 Euro | 4800 EUR
        4.800,50 € | 4800.50 EUR
        EUR 4.800,50 | 4800.50 EUR
        € 4.800,- | 4800 EUR
        4.800,-- € | 4800 EUR
        4.800,= € | 4800 EUR
        4 800 Euro | 4800 EUR
        4~800,50 EUR | 4800.50 EUR
        3 100,00 |
        3 100,00 € |
        1.200,00- | -1200.00
        1.200,00– | -1200.00
        1.200,00 - | -1200.00
        -1.200,00 € | -1200.00 EUR
        −1.200,00 € | -1200.00 EUR
        1.200,00 S |
        1.200,00 H |
        1.234 | 1234
        1,234 |
        1.859 €/l | 1859 EUR
        1,2 Mio. € | 1200000 EUR
        1,2 Mio € | 1200000 EUR
        Mio. € 1,2 | 1200000 EUR
        Mio. EUR 1,2 | 1200000 EUR
        3 Millionen Euro | 3000000 EUR
        5 Mrd. EUR | 5000000000 EUR
        1 Milliarde Euro | 1000000000 EUR
        2 Billionen Euro |
        20 Tsd. € | 20000 EUR
        TEUR 12 | 12000 EUR
        T€ 12,5 | 12500 EUR
        12 TEUR | 12000 EUR
        12 T€ | 12000 EUR
        CHF 1'200.50 | 1200.50 CHF
        CHF 1’200.50 | 1200.50 CHF
        CHF 1`200.50 | 1200.50 CHF
        CHF 1´200.50 | 1200.50 CHF
        1'200.50 CHF | 1200.50 CHF
        Fr. 1'200.-- | 1200 CHF
        12’500.– CHF | 12500 CHF
        SFr. 1'200'000 | 1200000 CHF
        20 Franken | 20 CHF
        50 Rappen |
        5'10 |
        1'20.50 |
        5 m | 5
        12 m² | 12
        1.2.3 |
        1.20.000 |
        1.234.567 | 1234567
        19 Prozent | 19%
        19 % | 19%
        10:30 Uhr |
        § 12 345 |
        Rabatt -5,00 | -5.00
        Zahlung – 800 € | 800 EUR
        1½ |
        1 1/2 |
        1·234,50 € |
        v1.200 |
    """,
    "en": """
        4,800 euros | 4800 EUR
        4 800 euros | 4800 EUR
        EUR 4 800.50 | 4800.50 EUR
        £4,800.50 | 4800.50 GBP
        $ 4,800 | 4800 USD
        US$4,800 | 4800 USD
        USD 4,800.00 | 4800.00 USD
        4,800.00 USD | 4800.00 USD
        3 100.00 |
        3 100 items |
        1 234 567 | 1234567
        100 200 300 |
        1,234 | 1234
        1.234 |
        1,234,567 | 1234567
        1,20,000 | 120000
        1,20,000.50 | 120000.50
        Rs. 1,20,000.50 | 120000.50 INR
        ₹ 12,34,567 | 1234567 INR
        Rs. 1.5 lakh | 150000 INR
        Rs 5 crore | 50000000 INR
        Rs 5 Cr |
        (1,200.00) | -1200.00
        ($1,200.00) | -1200.00 USD
        1,200.00 CR |
        1,200.00 DR |
        1,200.00CR |
        -$5.00 | -5.00 USD
        $-5.00 | -5.00 USD
        $1.2 million | 1200000 USD
        $1.2m | 1200000 USD
        £3m | 3000000 GBP
        EUR 1.2m | 1200000 EUR
        $2bn | 2000000000 USD
        $2 billion | 2000000000 USD
        EUR 2 billion |
        EUR 5 m |
        £12k | 12000 GBP
        12k |
        $5 hundred |
        5 cents |
        3 x $150.00 | 3; 150.00 USD
        12,000,00 |
        1,23,45 |
        2.5% | 2.5%
        5 percent | 5%
        10 000 EUR, of which 2 000 EUR |
        1,234.50 and 2,000.00 | 1234.50; 2000.00
        INV-2024-001 |
        △1,200 | -1200
    """,
    "nl": """
        € 4.800,- | 4800 EUR
        4.800,50 euro | 4800.50 EUR
        4 800 euro | 4800 EUR
        2,5 miljoen euro | 2500000 EUR
        3 mln. euro | 3000000 EUR
        1 miljard euro | 1000000000 EUR
        € 1.250 | 1250 EUR
        1.250 | 1250
        1,250 |
        1,250 kg |
        21 procent | 21%
    """,
    "es": """
        4.800 euros | 4800 EUR
        4 800 euros | 4800 EUR
        4.800,50 € | 4800.50 EUR
        $4,800.50 | 4800.50 USD
        1.234 |
        1,234 |
        3 millones de euros | 3000000 EUR
        2 mil millones de euros | 2000000000 EUR
        5 mil euros | 5000 EUR
        2 billones de euros |
        21 por ciento | 21%
        50 céntimos |
    """,
}
CASES = [
    (language, *(part.strip() for part in line.split("|")))
    for language, lines in TABLE.items()
    for line in lines.replace("~", N).replace("_", NN).strip().split("\n")
]


def test_the_table_is_large() -> None:
    assert len(CASES) >= 120


@pytest.mark.parametrize(("language", "text", "wanted"), CASES)
def test_an_amount_is_read_right_or_not_at_all(language: str, text: str, wanted: str) -> None:
    spaced = True if language == "fr" else None
    found = find_amounts(text, spaced=spaced, likely=MARKS.get(language))
    told = [f"{a.value}{'%' if a.percent else ''} {a.currency or ''}".strip() for a in found]
    assert "; ".join(told).replace("%; ", "% ") == wanted


def extracted(text: str, name: str) -> str | None:
    found = extract(Document("txt", (Page(1, text),), document_type="invoice"), "d", "d.txt")
    value = found.fields.get(name)
    return value.value if value else None


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("Facture n° 12\nMerci de votre paiement.\nTotal à payer : 4 800 euros", "4800.00"),
        ("Facture n° 12\nTotal à payer : 4 800 €", "4800.00"),
        ("Facture n° 12\nNet à payer : EUR 4 800", "4800.00"),
        ("Rechnung Nr. 12\nUhrzeit 12.30 Uhr\nRechnungsbetrag: 4.800 Euro", "4800.00"),
        ("Rechnung Nr. 12\nBetrag und Datum der Rechnung\nGesamt: TEUR 12", "12000.00"),
        ("Rechnung Nr. 12\nGesamtbetrag: CHF 1'200.50", "1200.50"),
        ("Invoice 12\nPlease pay the amount due.\nTotal: $1.2 million", "1200000.00"),
    ],
)
def test_a_paper_without_other_numbers_gives_its_total(text: str, total: str) -> None:
    assert extracted(text, "total") == total


@pytest.mark.parametrize(
    "text",
    [
        "Invoice 12\nPlease pay the amount due.\nTotal 4 800.50",  # 4, or a number of thousands
        "Invoice 12\nPlease pay the amount due.\nTotal: 4 800 items",
        "Rechnung Nr. 12\nGesamtbetrag: 1.200,00 S",
        "Relevé et facture\nTotal :\u00a0§ 4 800 euros",
    ],
)
def test_what_may_be_two_things_is_not_told(text: str) -> None:
    assert extracted(text, "total") in (None, "4800.50")


def test_a_number_that_a_line_parts_is_not_read_by_its_end() -> None:
    text = (
        "Facture n° 12 du 3 mars, avec nos conditions de paiement : le montant total s'élève à 4\n"
        "800 euros pour votre commande."
    )
    assert extracted(text, "total") in (None, "4800.00")
    assert extracted("Facture n° 12\nTotal : 4\n800 euros", "total") in (None, "4800.00")


def test_a_document_tells_its_marks_by_what_is_read_in_one_way() -> None:
    assert decimal_mark(["um 12.30 Uhr", "am 01.02."], ",") is None
    assert decimal_mark(["12.30 Uhr", "1.234,50 €"], ",") == ","
    assert decimal_mark(["1.234.567"]) == ","
    assert blank_groups(["4 800 euros"]) is True
    assert blank_groups(["1 234 567"]) is True
    assert blank_groups(["1,234.50", "3 100.00"]) is False
    assert blank_groups(["3 100.00"]) is None


@pytest.mark.parametrize("blank", [N, NN, THIN, "\u2007", "\u200a"])
def test_blanks_that_do_not_break_part_thousands_in_any_paper(blank: str) -> None:
    (found,) = find_amounts(f"4{blank}800,50 €", spaced=False)
    assert (found.value, found.currency) == (Decimal("4800.50"), "EUR")
