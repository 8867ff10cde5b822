"""A model words what the quotes say; each of its sentences is checked, or the quote is given."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Sequence
from typing import Any

from agents.answers.enough import Evidence
from agents.answers.support import bare, is_supported, supporting
from agents.answers.values import Answer, Sentence, Usage
from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel, ChatPiece, ChatRequest
from models.gates import gate

# `remember(key, think)` of a run's journal, or a plain call outside a run.
Remember = Callable[[str, Callable[[], Any]], Any]
WORDING_SECONDS = 30.0
_SENTENCES_MAX = 4
WORDS_MIN = 3
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"'])")


def quoted(evidence: Sequence[Evidence]) -> Answer:
    """The quotes themselves, as sentences."""
    sentences = tuple(Sentence(one.words, (n,)) for n, one in enumerate(evidence, 1))
    return Answer(True, "quotes", sentences, tuple(one.passage.source() for one in evidence))


def worded(
    question: str, evidence: Sequence[Evidence], chat: ChatModel | None, remember: Remember
) -> Answer:
    """The answer in the model's words where the quotes support them, else the quotes."""
    plain = quoted(evidence)
    if chat is None:
        return plain
    reply = remember("wording", lambda: _think(chat, question, evidence))
    if reply is None:
        return plain
    sentences = checked(str(reply["text"]), evidence)
    saved = int(reply.get("saved_tokens", 0))
    usage = Usage(
        int(reply["prompt_tokens"]), int(reply["completion_tokens"]),
        cached=saved > 0, saved_tokens=saved,
    )  # fmt: skip
    if not sentences:
        return _with(plain, route="quotes", model=None, usage=usage)
    return Answer(True, "model", sentences, plain.citations, str(reply["model"]), usage)


def spoken(
    question: str, evidence: Sequence[Evidence], chat: ChatModel | None
) -> Generator[Sentence, None, Answer]:
    """`worded`, each sentence as soon as the model has ended it and its quotes support it; when
    none is, the quotes. Closing it stops the model."""
    kept: list[Sentence] = []
    pieces: list[ChatPiece] = []
    if chat is not None:
        with contextlib.closing(_sentences(chat, question, evidence, pieces)) as said:
            for sentence in said:
                if (one := proven(sentence, evidence)) is not None:
                    kept.append(one)
                    yield one
    answer = quoted(evidence)
    rest: Sequence[Sentence] = _rest(kept, evidence) if kept else answer.sentences
    yield from rest
    usage = _used(pieces)
    if not kept or chat is None:
        return _with(answer, route="quotes", model=None, usage=usage)
    return Answer(True, "model", (*kept, *rest), answer.citations, chat.name, usage)


def _sentences(
    chat: ChatModel, question: str, evidence: Sequence[Evidence], heard: list[ChatPiece]
) -> Generator[str, None, None]:
    """What the model writes, cut at the ends of sentences while it writes; ends when it fails.
    `heard` is told the pieces."""
    text, given = "", 0
    try:
        pieces = chat.stream(_asked(question, evidence))
        with contextlib.ExitStack() as stack:
            if isinstance(pieces, Generator):
                stack.enter_context(contextlib.closing(pieces))  # so that the model stops at once
            for piece in pieces:
                heard.append(piece)
                text += piece.text
                *whole, text = _END.split(text)
                for sentence in whole:
                    yield " ".join(sentence.split())
                    given += 1
                    if given == _SENTENCES_MAX:
                        return
    except (Unavailable, InvalidInput):
        return  # half a sentence is none
    if text.strip():
        yield " ".join(text.split())


def _used(pieces: Sequence[ChatPiece]) -> Usage:
    """What the model counted; of one that was stopped, its pieces."""
    saved = sum(piece.saved_tokens for piece in pieces)
    written = 0 if saved else sum(bool(piece.text) for piece in pieces)
    return Usage(
        max((piece.prompt_tokens for piece in pieces), default=0),
        max((piece.completion_tokens for piece in pieces), default=0) or written,
        cached=saved > 0, saved_tokens=saved,
    )  # fmt: skip


def _rest(kept: Sequence[Sentence], evidence: Sequence[Evidence]) -> list[Sentence]:
    """The quotes that no sentence rests on: each was picked because it adds something."""
    cited = {n for sentence in kept for n in sentence.citations}
    return [
        Sentence(one.words, (n,))
        for n, one in enumerate(evidence, 1)
        if n not in cited and not _is_told(one, kept)
    ]


def _is_told(one: Evidence, kept: Sequence[Sentence]) -> bool:
    """Some sentence says as much: two quotes may say the same."""
    return any(is_supported(one.passage.plain, [sentence.text]) for sentence in kept)


def _with(answer: Answer, *, route: str, model: str | None, usage: Usage) -> Answer:
    return Answer(True, route, answer.sentences, answer.citations, model, usage)


def _think(chat: ChatModel, question: str, evidence: Sequence[Evidence]) -> dict[str, Any] | None:
    """None when the model fails: the quotes stand for themselves."""
    try:
        reply = chat.chat(_asked(question, evidence))
    except (Unavailable, InvalidInput):
        return None
    return {
        "text": reply.text,
        "model": reply.model,
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.completion_tokens,
        "saved_tokens": reply.saved_tokens,
    }


def _asked(question: str, evidence: Sequence[Evidence]) -> ChatRequest:
    order = gate("answer")
    quotes = "\n".join(f"{n}. {one.passage.plain}" for n, one in enumerate(evidence, 1))
    ask = f"Question: {question}\nQuotes:\n{quotes}"
    messages = (ChatMessage("system", order.order), ChatMessage("user", ask))
    return ChatRequest(messages, None, 2 * order.max_tokens, 0.0, WORDING_SECONDS)


def _is_statement(sentence: str) -> bool:
    """A bare word is no answer, even where a quote holds it."""
    return len(sentence.split()) >= WORDS_MIN and not sentence.endswith("?")


def proven(sentence: str, evidence: Sequence[Evidence]) -> Sentence | None:
    """The sentence with the quotes that it rests on; None for what they do not say."""
    sentence = bare(sentence)
    if not _is_statement(sentence):
        return None
    quotes = [f"{one.passage.plain}\n{one.passage.scope}" for one in evidence]
    found = supporting(sentence, quotes)
    return Sentence(sentence, tuple(i + 1 for i in found)) if found else None


def checked(text: str, evidence: Sequence[Evidence]) -> tuple[Sentence, ...]:
    """The supported sentences of a model's reply; a quote stays in when none rests on it."""
    parts = _END.split(" ".join(text.split()))[:_SENTENCES_MAX]
    kept = [said for part in parts if (said := proven(part, evidence)) is not None]
    return (*kept, *_rest(kept, evidence)) if kept else ()
