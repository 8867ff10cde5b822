from __future__ import annotations

from typing import Any

import pytest

from core.errors import InvalidInput
from vectorstore import About
from vectorstore.filters import Columns, check, known

DAY = 86_400_000
DOCUMENTS = [
    About("d1", "a.pdf", "invoice", ("paid", "eu"), 1 * DAY, metadata={"vendor": "Acme", "n": 3}),
    About("d2", "b.pdf", "invoice", ("open",), 2 * DAY + 5, metadata={"vendor": "Bolt", "n": 7.5}),
    About("d3", "c.txt", "sop", (), 3 * DAY, metadata={"n": "7", "draft": True, "who": ["x", "y"]}),
]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "d1 d2 d3"),
        ({"document_type": "invoice"}, "d1 d2"),
        ({"document_id": {"in": ["d1", "d3", "nobody"]}}, "d1 d3"),
        ({"tags": "eu"}, "d1"),
        ({"tags": {"in": ["open", "paid"]}}, "d1 d2"),
        ({"vendor": "Bolt"}, "d2"),
        ({"metadata.vendor": "Bolt"}, "d2"),
        ({"n": {"gte": 3, "lte": 7}}, "d1"),
        ({"n": {"gt": 3}}, "d2"),
        ({"n": {"lte": "8"}}, "d3"),
        ({"n": 7}, ""),
        ({"draft": True}, "d3"),
        ({"n": True}, ""),
        ({"who": "y"}, "d3"),
        ({"created_at": {"gte": "1970-01-03"}}, "d2 d3"),
        ({"created_at": {"gte": "1970-01-02T00:00:00Z", "lt": "1970-01-03"}}, "d1"),
        ({"created_at": 3 * DAY}, "d3"),
        ({"created_at": "1970-01-03"}, "d2"),
        ({"created_at": "19700103"}, "d2"),
        ({"created_at": {"lte": "1970-01-03"}}, "d1 d2"),
        ({"created_at": {"gt": "1970-01-03"}}, "d3"),
        ({"vendor": "Acme", "n": {"gte": 5}}, ""),
        ({"tags": {"in": []}}, ""),
        ({"unknown": "x"}, ""),
    ],
)
def test_a_filter_admits(filters: dict[str, Any], expected: str) -> None:
    mask = Columns(DOCUMENTS).admits(filters)
    assert [d.document_id for d, ok in zip(DOCUMENTS, mask, strict=True) if ok] == expected.split()


@pytest.mark.parametrize(
    "filters",
    [
        {"n": {"near": 3}},
        {"n": {}},
        {"n": {"in": "abc"}},
        {"n": None},
        {"n": {"gte": [1]}},
        {"n": {"gte": 1, "lte": "x"}},
        {"created_at": "yesterday"},
        {"n": ["a"]},
        {"n": float("nan")},
        {"n": {"gte": float("inf")}},
        {"n": {"in": [1] * 1001}},
        {"created_at": "2026-13-45"},
        {"created_at": "\x00"},
    ],
)
def test_a_filter_that_makes_no_sense_is_refused_by_name(filters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as caught:
        check(filters)
    assert caught.value.extra["field"] in filters


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({"n": True}, "'n' holds numbers and text, and the filter compares with true"),
        ({"vendor": {"gte": 5}}, "'vendor' holds text, and the filter compares with numbers"),
        ({"filename": True}, "'filename' holds text, and the filter compares with true and false"),
    ],
)
def test_a_value_of_another_kind_is_refused_and_not_silently_nowhere(
    filters: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        known(filters, [Columns(DOCUMENTS)])
    known({"n": {"in": [3, "x"]}, "tags": {"in": []}, "created_at": DAY}, [Columns(DOCUMENTS)])
