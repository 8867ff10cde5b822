"""Chat models for tests: one that follows a script, and one that obeys every order it reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.ports import ChatMessage, ChatPiece, ChatReply, ChatRequest


@dataclass
class ScriptedChat:
    """Gives its replies one after another; an exception among them is raised. `asked` holds what
    it was told."""

    replies: list[str | BaseException]
    name: str = "scripted"
    asked: list[tuple[ChatMessage, ...]] = field(default_factory=list)

    def chat(self, request: ChatRequest) -> ChatReply:
        self.asked.append(request.messages)
        reply = self.replies.pop(0)
        if isinstance(reply, BaseException):
            raise reply
        return ChatReply(reply, self.name, prompt_tokens=10, completion_tokens=len(reply.split()))

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        """A word at a time; what must fit a schema at once."""
        reply = self.chat(request)
        words = [reply.text] if request.schema is not None else reply.text.split(" ")
        for place, word in enumerate(words):
            yield ChatPiece(f" {word}" if place else word)
        cut = request.schema is None and len(words) >= request.max_tokens
        finish = "length" if cut else "stop"
        yield ChatPiece("", reply.prompt_tokens, reply.completion_tokens, finish)


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

    def chat(self, request: ChatRequest) -> ChatReply:
        orders = _ORDER.findall("\n".join(message.content for message in request.messages))
        if orders:
            self.obeyed.append(orders[-1].strip())
            return ChatReply(orders[-1].strip(), self.name)
        return ChatReply(request.messages[-1].content, self.name)

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield ChatPiece(self.chat(request).text, finish="stop")
