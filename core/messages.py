"""A message from outside, what became of it, and the marks it carries to its next topic."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

ATTEMPTS_MAX = 5
_BASE_SECONDS, _SECONDS_MAX = 2.0, 60.0
_DETAIL_MAX = 500

# Marks of Weft's own. What a sender writes there is not believed: they are read on topics only
# that Weft itself writes.
ATTEMPT, NOT_BEFORE, ORIGIN = "weft-attempt", "weft-not-before", "weft-origin"
CODE, DETAIL, DEAD_AT, KEY, CUT, EMPTY = (
    "weft-reason", "weft-reason-detail", "weft-dead-at", "weft-key", "weft-cut", "weft-empty"
)  # fmt: skip
MARKS = frozenset({ATTEMPT, NOT_BEFORE, ORIGIN, CODE, DETAIL, DEAD_AT, KEY, CUT, EMPTY})


@dataclass(frozen=True, slots=True)
class Message:
    """`headers` by small-letter name; of several with one name the last counts."""

    key: bytes | None
    value: bytes | None
    headers: Mapping[str, bytes] = field(default_factory=dict)

    def text(self, header: str) -> str:
        """Empty when it is not there or no text."""
        return self.headers.get(header, b"").decode("utf-8", "replace")

    def number(self, header: str, default: int) -> int:
        text = self.text(header)
        return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else default

    def marked(self, **marks: str) -> Message:
        return replace(self, headers={**self.headers, **{k: v.encode() for k, v in marks.items()}})

    def bare(self) -> Message:
        """As its sender wrote it."""
        kept = {name: data for name, data in self.headers.items() if name not in MARKS}
        return replace(self, headers=kept)


@dataclass(frozen=True, slots=True)
class Taken:
    """There is a run or a document for it; `again` when there was before."""

    run_id: str
    again: bool = False
    document_id: str = ""


@dataclass(frozen=True, slots=True)
class Later:
    """Passing trouble: the same message may do in some seconds."""

    code: str
    detail: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Refused:
    """It will never do as it is."""

    code: str
    detail: str


Verdict = Taken | Later | Refused


def origin(partition: int, offset: int, message: Message) -> str:
    """The same for every delivery of one record, and another after a broker was wiped."""
    seed = (message.value or b"") + b"\0" + message.headers.get("webhook-id", b"")
    return f"{partition}-{offset}-{hashlib.sha256(seed).hexdigest()[:12]}"


def for_retry(message: Message, why: Later, now_ms: int) -> Message | None:
    """With its next attempt and when; None when it has had its attempts."""
    attempt = message.number(ATTEMPT, 1)
    if attempt >= ATTEMPTS_MAX:
        return None
    seconds = min(max(_BASE_SECONDS * 4 ** (attempt - 1), why.seconds), _SECONDS_MAX)
    marks = {ATTEMPT: str(attempt + 1), NOT_BEFORE: str(now_ms + int(seconds * 1000))}
    return message.marked(**marks, **{CODE: why.code, DETAIL: why.detail[:_DETAIL_MAX]})


def for_dead_letters(message: Message, why: Later | Refused, now_ms: int) -> Message:
    """With the reason. Its key becomes its origin, so that a repeated burial is one letter."""
    more = {KEY: message.key} if message.key is not None else {}
    if message.value is None:  # which in a compacted topic would mean: forget it
        more[EMPTY] = b"1"
    marked = message.marked(
        **{CODE: why.code, DETAIL: why.detail[:_DETAIL_MAX], DEAD_AT: str(now_ms),
           ATTEMPT: str(message.number(ATTEMPT, 1))}
    )  # fmt: skip
    return Message(message.text(ORIGIN).encode(), message.value or b"", {**marked.headers, **more})


def raised(letter: Message) -> Message:
    """A dead letter as it was when it came in."""
    value = None if EMPTY in letter.headers else letter.value
    return Message(letter.headers.get(KEY), value, letter.bare().headers)
