from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.fields.dates import MONTHS, find_dates, order_of

MONTH_NAMES = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
}
SHAPES = {
    "en": "{month} {d}, {y}", "de": "{d}. {month} {y}", "fr": "{d} {month} {y}",
    "nl": "{d} {month} {y}", "es": "{d} de {month} de {y}",
}  # fmt: skip
days = st.dates(min_value=date(1990, 1, 1), max_value=date(2089, 12, 31))


@given(day=days, language=st.sampled_from(sorted(SHAPES)))
def test_a_date_with_a_named_month_is_read_back(day: date, language: str) -> None:
    month = MONTH_NAMES[language].split()[day.month - 1]
    text = "Date: " + SHAPES[language].format(d=day.day, month=month, y=day.year)
    (hit,) = find_dates(text)
    assert (hit.value, hit.other) == (day, None)


@given(day=days, shape=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%Y/%m/%d", "%Y-%m-%dT10:30:00Z"]))
def test_a_date_that_can_be_read_in_one_way_is_read_back(day: date, shape: str) -> None:
    assert [hit.value for hit in find_dates(day.strftime(shape))] == [day]


@given(day=days)
def test_slashes_keep_both_readings_apart(day: date) -> None:
    (hit,) = find_dates(day.strftime("%d/%m/%Y"))
    assert hit.read("dmy") == day
    (hit,) = find_dates(day.strftime("%m/%d/%Y"))
    assert hit.read("mdy") == day


@given(text=st.text(alphabet="0123456789./- abcjanmrzt,", max_size=40))
def test_whatever_the_text_dates_do_not_overlap(text: str) -> None:
    hits = find_dates(text, compact=True)
    assert all(a.end <= b.start for a, b in pairwise(hits))


@pytest.mark.parametrize("text", ["1.2.3.4", "2014-01-32", "10:30", "31/31/2020", "Mai"])
def test_what_is_no_date_is_not_read(text: str) -> None:
    assert find_dates(text) == []


def test_the_order_is_told_by_the_documents_own_dates_first() -> None:
    assert order_of(find_dates("03/20/2023 04/04/2023"), "de", "EUR") == "mdy"
    assert order_of(find_dates("04/04/2023 03/05/2023"), "fr", None) == "dmy"
    assert order_of(find_dates("04/03/2023"), "en", "USD") == "mdy"
    assert order_of(find_dates("04/03/2023"), "en", None) is None


def test_every_month_name_of_five_languages_is_known() -> None:
    for names in MONTH_NAMES.values():
        assert [MONTHS[name.lower()] for name in names.split()] == list(range(1, 13))
