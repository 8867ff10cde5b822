"""Chat models for tests: one that follows a script, and one that obeys every order it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.ports import ChatMessage, ChatReply
from models.engine import ChatRequest, Chunk


@dataclass
class ScriptedChat:
    """Gives its replies one after another; an exception among them is raised. `asked` holds what
    it was told."""

    replies: list[str | BaseException]
    name: str = "scripted"
    asked: list[tuple[ChatMessage, ...]] = field(default_factory=list)

    def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> ChatReply:
        self.asked.append(tuple(messages))
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return ChatReply(reply, self.name, prompt_tokens=10, completion_tokens=len(reply.split()))

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> Iterator[str]:
        yield from self.chat(messages).text.split(" ")

    def answer(self, request: ChatRequest) -> ChatReply:
        return self.chat(request.messages, schema=request.schema)

    def talk(self, request: ChatRequest) -> Iterator[Chunk]:
        """A word at a time; what must fit a schema at once."""
        reply = self.chat(request.messages, schema=request.schema)
        words = [reply.text] if request.schema is not None else reply.text.split(" ")
        for word in words:
            yield Chunk(word)
        cut = request.schema is None and len(words) >= request.max_tokens
        finish = "length" if cut else "stop"
        yield Chunk("", reply.prompt_tokens, reply.completion_tokens, finish)


_ORDER = re.compile(
    r"(?:ignore|disregard|forget)\b[^.\n]*\b(?:say|write|answer|reply|print|output)(?: only)?[: ]+"
    r"[\"'“]?([^\"'”.\n]+)",
    re.IGNORECASE,
)


@dataclass
class ObedientChat:
    """Does what the last order in its messages says; without one, repeats the last message."""

    name: str = "obedient"
    obeyed: list[str] = field(default_factory=list)

    def chat(
        self,
        messages: Sequence[ChatMessage],
        *,
        schema: Mapping[str, Any] | None = None,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> ChatReply:
        orders = _ORDER.findall("\n".join(message.content for message in messages))
        if orders:
            self.obeyed.append(orders[-1].strip())
            return ChatReply(orders[-1].strip(), self.name)
        return ChatReply(messages[-1].content, self.name)

    def stream(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int = 512,
        temperature: float = 0.0,
        deadline_seconds: float = 60.0,
    ) -> Iterator[str]:
        yield self.chat(messages).text
