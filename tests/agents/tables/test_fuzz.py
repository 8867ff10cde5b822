"""Words thrown together: whatever is asked, nothing breaks and every sentence has its quotes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.answers.tables.choosing import answered
from agents.answers.tables.words import LANGUAGES, phrases
from tests.agents.tables.sheets import tables

_GRAMMAR = [" ".join(words) for name in LANGUAGES for words in phrases(name)]
_TABLE = (
    "amount|Betrag|montant|quantity|region|North|South|customer|Acme Ltd|status|open|paid|orders|"
    "order date|1,000|5|3|2025|2026|March|in March 2025|between|and|500|1500 EUR|%|Gehalt|Berlin|"
    "Abteilung|visitors|Month|Year|cost|Team|Marketing|column H|'North'|\"Desk lamp\"|stock|Lyon|"
    "2026-03-01|Q1 2026|what is the|how many|which|the|of|?|EUR|CHF|Plan 2026|SO-1006|-5|12%"
)
_WORDS = [*_TABLE.split("|"), *_GRAMMAR]


@settings(max_examples=50)
@given(st.lists(st.sampled_from(_WORDS), max_size=9))
def test_no_question_breaks_anything(words: list[str]) -> None:
    found = answered(" ".join(words), tables())
    if found is not None and found.answered:
        assert found.route == "computed"
        assert all(s.citations for s in found.sentences)
        assert {n for s in found.sentences for n in s.citations} <= set(
            range(1, len(found.citations) + 1)
        )


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_no_text_breaks_anything(text: str) -> None:
    found = answered(f"sum of {text}", tables())
    assert found is None or found.sentences or found.note
