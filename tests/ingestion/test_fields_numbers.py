from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.fields.marks import decimal_mark
from ingestion.fields.numbers import Mark, find_amounts, parse_number, plain

# thousands mark, decimal mark
LOCALES: dict[str, tuple[str, Mark]] = {
    "en": (",", "."), "de": (".", ","), "fr": ("\u202f", ","), "nl": (".", ","), "es": (".", ","),
    "ch": ("'", "."), "spaced": (" ", ","),
}  # fmt: skip


def written(value: Decimal, thousands: str, decimal: str) -> str:
    whole, _, tail = f"{value:,.2f}".partition(".")
    return whole.replace(",", thousands) + decimal + tail


@given(cents=st.integers(min_value=0, max_value=10**11), locale=st.sampled_from(sorted(LOCALES)))
def test_an_amount_written_in_any_locale_is_read_back(cents: int, locale: str) -> None:
    value = Decimal(cents) / 100
    thousands, decimal = LOCALES[locale]
    text = f"Total {written(value, thousands, decimal)} EUR"
    found = find_amounts(text, decimal)
    assert [a.value for a in found] == [value]
    assert found[0].currency == "EUR"


@given(text=st.text(alphabet="0123456789.,' ()-€$% abkr/:", max_size=40))
def test_whatever_the_text_every_amount_lies_within_it(text: str) -> None:
    for amount in find_amounts(text):
        assert 0 <= amount.start < amount.end <= len(text)
        assert any(c.isdigit() for c in text[amount.start : amount.end])


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("1.234,50", "1234.50", None),
        ("1 234,50 €", "1234.50", "EUR"),
        ("1'234.50", "1234.50", None),
        ("(123.45)", "-123.45", None),
        ("€ 1.234,-", "1234", "EUR"),
        ("12,50-", "-12.50", None),
        ("- $5.00", "-5.00", "USD"),
        ("CHF 1'200.00", "1200.00", "CHF"),
        ("Total:12.50", "12.50", None),
        ("RM12.00", "12.00", "MYR"),
    ],
)
def test_signs_and_currencies_of_business_paper(
    text: str, value: str, currency: str | None
) -> None:
    (amount,) = find_amounts(text)
    assert (amount.value, amount.currency) == (Decimal(value), currency)


@pytest.mark.parametrize("text", ["10:30", "INV-2024-001", "01/02/2026", "12.50A", "v1.2.3"])
def test_times_codes_and_dates_are_no_amounts(text: str) -> None:
    assert find_amounts(text) == []


def test_percentages_are_marked_and_never_negative() -> None:
    rate, tax = find_amounts("VAT (20%) 12.40")
    assert (rate.percent, rate.value, tax.percent) == (True, Decimal(20), False)


def test_a_lone_mark_before_three_digits_follows_the_document() -> None:
    assert parse_number("1.234", ",") == Decimal(1234)
    assert parse_number("1.234", ".") == Decimal("1.234")
    assert decimal_mark(["12,50", "1.234,00"]) == ","
    assert decimal_mark(["no numbers"]) is None


def test_plain_text_has_two_decimals_and_no_exponent() -> None:
    assert plain(Decimal("1E+3")) == "1000.00"
    assert plain(Decimal("0.0035")) == "0.0035"
    assert plain(Decimal("3.00"), 0) == "3"
