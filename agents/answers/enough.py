"""Whether a passage answers: it speaks of the thing, says what is asked of it, and is of the kind
that is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from agents.answers.kinds import answers_well, tells
from agents.answers.misses import misses
from agents.answers.passages import Passage
from agents.answers.question import Asked
from agents.answers.rows import is_asked_row, is_told, read
from agents.answers.scoring import (
    answers_its_question,
    gives_reason,
    is_labelled,
    own_share,
    resembling,
)
from agents.answers.words import NUMBER, alike, stems
from vectorstore.words import fold

# Calibrated on tests/agents/answers (see docs): below these the sources do not say.
COVERED_MIN = 0.6
COVERED_MIN_ALIKE = 0.45
SIMILAR_MIN = 0.50
REST_MIN = 0.35
NEAR_MIN = 0.28  # farther than that, words in common are chance
ALIKE_MIN = 0.65  # so alike that other words do not matter
SAME_MIN = 0.8  # so alike that it need not name what is asked of the thing
WHO_REST_MIN_FOREIGN = 0.55
WHO_REST_MIN = 0.7  # one word off is another person: chief executive, chief technology


@dataclass(frozen=True, slots=True)
class Evidence:
    """A passage and why it was taken; `covered` is the share of the question that its
    surroundings speak of, `similar` a cosine (0 without an embedder)."""

    passage: Passage
    score: float
    covered: float
    rest: float  # the share of what is asked beyond names and codes
    similar: float
    said: str | None = None  # a cell with its names, where the quote is a whole row

    @property
    def words(self) -> str:
        """For people."""
        return self.said or self.passage.plain


def is_enough(asked: Asked, one: Evidence, *, with_vectors: bool) -> bool:
    if not tells(asked, one.passage.plain) or not is_asked_row(asked, one.passage.cells):
        return False
    if not is_told(asked, one.passage.cells, one.passage.above):
        return False
    if misses(asked, one.passage) or _is_a_part(asked, one.passage):
        return False
    if (
        (asked.intents or asked.wants in ("text", "steps"))
        and one.passage.of_head
        and not is_labelled(asked, one.passage)
    ):
        return False  # who wrote a report is no cause of what it tells
    if (
        asked.wants == "when"
        and "next" in asked.terms
        and not answers_well(asked, one.passage.plain)
    ):
        return False  # the next one has a date
    own = (
        own_share(asked, one.passage)
        or is_labelled(asked, one.passage)
        or answers_its_question(asked, one.passage)
    )
    if not one.passage.item and not own:
        return False
    if asked.why and not gives_reason(asked, one.passage) and not is_labelled(asked, one.passage):
        return False
    if not _has_numbers(asked, one.passage) or not _has_versions(asked, one.passage):
        return False
    if one.similar < SAME_MIN and not _names_attribute(asked, one.passage):
        return False
    if sum(asked.rest.values()) >= 1 and one.rest < REST_MIN and one.similar < ALIKE_MIN:
        return False
    if asked.wants == "who" and one.rest < (
        WHO_REST_MIN if not asked.language else WHO_REST_MIN_FOREIGN
    ):
        return False
    # The default model reads English, and a number is like no question.
    near_min = 0.0 if asked.language or asked.wants in ("phone", "email") else NEAR_MIN
    if with_vectors and one.similar < near_min and one.covered < 0.8 and not asked.codes:
        return False
    if asked.counted and one.similar < SAME_MIN and not _counts(asked, one.passage):
        return False
    if one.covered >= COVERED_MIN:
        return True
    return with_vectors and one.covered >= COVERED_MIN_ALIKE and one.similar >= SIMILAR_MIN


def _counts(asked: Asked, passage: Passage) -> bool:
    """In a row the number stands beside what is counted, in a column of its own."""
    return answers_well(asked, passage.plain) or (
        asked.counted <= stems(passage.text, asked.language)
        and read(asked, passage.cells) is not None
    )


_WHOLE = re.compile(
    r"\b(?:in total|in all|altogether|overall|all together|insgesamt|zusammen|au total|en tout|"
    r"in totaal|en total)\b"
)
_SUM = re.compile(r"\b(?:total|sum|summe|gesamt\w*|insgesamt|somme|totaal|suma)\b")


def _is_a_part(asked: Asked, passage: Passage) -> bool:
    """One row is no answer to who asks for all of them together, but the row of the total is."""
    whole = asked.wants in ("number", "money") and _WHOLE.search(fold(asked.text))
    return bool(whole and passage.cells and not _SUM.search(fold(passage.text)))


def _names_attribute(asked: Asked, passage: Passage) -> bool:
    """What is asked of the thing is named by the sentence, or by what stands over it. An amount
    of money needs no word for it."""
    if asked.wants == "money" and answers_well(asked, passage.plain):
        return True
    if asked.intents and gives_reason(asked, passage):
        return True
    over = passage.heading if asked.wants == "who" else passage.scope
    here = stems(f"{passage.plain} {over}", asked.language)
    return all(
        alike(word, asked.language) & here or resembling(word, here, asked.language)
        for word in asked.attribute
    )


def _has_versions(asked: Asked, passage: Passage) -> bool:
    """`Node.js 30` is another thing than `Node.js 26`."""
    around = fold(f"{passage.text} {passage.scope} {passage.hit.chunk.text}")
    return all(
        re.search(rf"{re.escape(name)}\W{{0,3}}v?{re.escape(number)}\b", around)
        for name, number in asked.versions
    )


def _has_numbers(asked: Asked, passage: Passage) -> bool:
    """Numbers of three digits and more, or with a fraction, must occur in the passage's chunk, or
    at the head of its document."""
    strict = {n for n in asked.numbers if len(n) >= 3}
    near = f"{passage.about} {passage.scope} {passage.hit.chunk.text} {passage.hit.filename}"
    return strict <= set(NUMBER.findall(near))
