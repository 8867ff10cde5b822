"""Packed words are the words: as a sequence, as JSON, and refused when they were spoilt."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.codec import decode, encode
from core.documents import Document, Page, Word
from core.errors import Unfinishable
from core.words import Packed

WORDS = (Word("Total", 0, 1, 2, 30.5, 12), Word("€12.50", 6, 40, 2, 60, 12))


def packed() -> Packed[Word]:
    columns = [[getattr(word, side) for word in WORDS] for side in ("x0", "y0", "x1", "y1")]
    return Packed.of([w.text for w in WORDS], [w.start for w in WORDS], columns, Word)


def document(words: Any) -> Document:
    return Document("pdf", (Page(1, "Total €12.50", words=words),))


def test_packed_words_equal_the_words() -> None:
    assert packed() == WORDS
    assert (packed()[1], packed()[:1], len(packed())) == (WORDS[1], WORDS[:1], 2)
    assert packed() != WORDS[:1]


def test_they_survive_json_packed_and_as_a_tuple() -> None:
    for words in (packed(), WORDS, ()):
        back = decode(Document, encode(Document, document(words)))
        assert tuple(back.pages[0].words) == tuple(words)
        assert back == document(words)


def test_a_confidence_is_kept() -> None:
    seen = (Word("blurred", 0, 1, 2, 3, 4, 0.4),)
    assert decode(Document, encode(Document, document(seen))).pages[0].words == seen


@pytest.mark.parametrize(
    "spoilt", [{"texts": "one", "places": "AAAA"}, {"texts": "one"}, {"texts": 1, "places": ""}, 7]
)
def test_spoilt_words_are_no_document(spoilt: Any) -> None:
    told = json.loads(encode(Document, document(packed())))
    told["pages"][0]["words"] = spoilt
    with pytest.raises(Unfinishable):
        decode(Document, json.dumps(told).encode())
