"""What is left of a conversation: its questions, and the sentences that answered them with their
quotes. Taken out of what was said, never worded anew."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from agents.memory import withheld
from agents.memory.sessions import Message

TURNS_MAX = 50  # of one session, over all the times that it was taken up again


def summed_up(messages: Sequence[Message], before: Mapping[str, Any]) -> dict[str, Any]:
    """`before` is the summary of the same session from an earlier time: its turns stay, and words
    that its person has put in place of ours stay as well."""
    since = max((turn["at_ms"] for turn in before.get("turns", ())), default=0)
    since = max(since, before.get("edited_ms", 0))
    fresh = [turn for turn in _turns(messages) if turn["at_ms"] > since]
    turns = [*before.get("turns", ()), *fresh][-TURNS_MAX:]
    if before.get("edited"):
        text = "\n".join([before["text"], *map(_line, fresh)])
    else:
        text = "\n".join(map(_line, turns))
    return {**before, "text": text, "edited": bool(before.get("edited")), "turns": turns}


def _turns(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """A question with its answer. What only told us something is kept in its own place."""
    return [
        {
            "question": asked.content, "answered": bool(said.data.get("answered")),
            "sentences": said.data.get("sentences", []) if said.data.get("answered") else [],
            "citations": said.data.get("citations", []), "at_ms": said.created_ms,
        }
        for asked, said in itertools.pairwise(messages)
        if (asked.role, said.role) == ("user", "assistant") and said.data.get("route") != "noted"
    ]  # fmt: skip


def without(told: Mapping[str, Any], gone: frozenset[str]) -> dict[str, Any]:
    """A summary without what rests on documents that are gone; words that its person wrote in
    place of ours stay."""
    turns = [
        {**turn, "answered": False, "sentences": [], "citations": []}
        if withheld.rests_on(turn["citations"], gone)
        else turn
        for turn in told.get("turns", ())
    ]
    text = told["text"] if told.get("edited") else "\n".join(map(_line, turns))
    return {**told, "text": text, "turns": turns}


def _line(turn: Mapping[str, Any]) -> str:
    said = " ".join(sentence["text"] for sentence in turn["sentences"])
    return f"{turn['question']} — {said or 'the sources did not say'}"
