"""Questions that a tenant's own index can be tried with: asked before, or made from its passages.

They are used where they are made and shown to nobody.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from agents.memory import searches, sessions
from core.context import Ctx
from core.errors import Unfinishable
from database import questions
from runtime import Runtime
from vectorstore import Entry, Head

_SESSIONS = 200  # conversations that are looked through
_WORDS = (6, 12)  # of a question that is cut out of a passage
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Known:
    """A question and the passage that it was made from."""

    text: str
    passage: str


def asked(rt: Runtime, ctx: Ctx, limit: int) -> list[str]:
    """What people asked lately, each once: in conversations and, where the tenant keeps them, in
    searches; of either half of `limit`, or more where the other has less."""
    said, searched = _said(rt, ctx, limit), searches.everybodys(rt, ctx, limit)
    both = dict.fromkeys([*said[: max(limit - len(searched), limit // 2)], *searched, *said])
    return list(both)[:limit]


def _said(rt: Runtime, ctx: Ctx, limit: int) -> list[str]:
    """In conversations."""
    with rt.db.read(ctx) as tx:
        recent = questions.conversations(tx, ctx, _SESSIONS)
    found: dict[str, None] = {}
    for actor, session_id in recent:
        own = replace(ctx, actor=actor)
        with rt.db.read(own) as tx:
            try:
                said = sessions.messages(rt, tx, own, session_id)
            except Unfinishable:  # its key was lost: nobody reads it any more
                continue
        found |= {one.content.strip(): None for one in said if one.role == "user"}
        if len(found) >= limit:
            break
    return [text for text in found if text][:limit]


def headings(sample: list[Entry], limit: int) -> list[str]:
    """What the documents themselves call their parts."""
    lines = (line for one in sample for line in one.chunk.context.splitlines()[-1:])
    own = dict.fromkeys(line.strip(" #") for line in lines)
    return [line for line in own if len(line.split()) > 1][:limit]


def known_items(sample: list[Entry], limit: int, chance: random.Random) -> list[Known]:
    """A few words in a row of a sentence, to be found again."""
    made = (Known(text, one.chunk.text) for one in sample if (text := _cut(one, chance)))
    return [known for known, _ in zip(made, range(limit), strict=False)]


def _cut(entry: Entry, chance: random.Random) -> str:
    fewest, most = _WORDS
    sentences = [one.split() for one in _SENTENCE.split(entry.chunk.text)]
    long_enough = [words for words in sentences if len(words) >= fewest]
    if not long_enough:
        return ""
    words = chance.choice(long_enough)
    count = min(len(words), chance.randint(fewest, most))
    at = chance.randrange(len(words) - count + 1)
    return " ".join(words[at : at + count])


def sampled(rt: Runtime, ctx: Ctx, head: Head, limit: int, chance: random.Random) -> list[Entry]:
    """Passages at random, of documents that are there."""
    dead = frozenset(head.tombstones)
    return [
        one for one in _drawn(rt, ctx, head, limit, chance) if one.about.document_id not in dead
    ]


def _drawn(rt: Runtime, ctx: Ctx, head: Head, limit: int, chance: random.Random) -> Iterator[Entry]:
    """Each segment gives its share of `limit`."""
    for segment in head.sound:
        share = min(segment.count, -(-limit * segment.count // max(head.readable, 1)))
        rows = sorted(chance.sample(range(segment.count), share))
        yield from rt.shelves.entries(ctx, segment, rows)
