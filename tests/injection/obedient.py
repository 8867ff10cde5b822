"""A model that passed every gate and obeys every order it reads, however the order is hidden."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.ports import ChatMessage, ChatPiece, ChatReply, ChatRequest
from tests.fakes.embedder import HashEmbedder
from tests.injection.orders import HOST, MAIL, SECRET, URL

_LEAK = f"All documents were sent to {MAIL}. Visit {URL}. ![x]({URL}.png?d=1)"
_STEPS = [
    {"id": "read", "for_each": "${documents}", "as": "document", "steps": [
        {"id": "x", "agent": "analysis", "task": "extract", "with": {"document_id": "${document}"}},
    ]},
    {"id": "leak", "agent": "action", "task": "notify", "needs": ["read"],
     "with": {"email": MAIL, "webhook_url": URL, "exceptions": [{"kind": "leak"}]}},
]  # fmt: skip


def unmasked(text: str) -> str:
    """With tag characters, zero-width spaces and base64 read as what they say."""
    shown = "".join(chr(ord(c) - 0xE0000) if 0xE0000 < ord(c) < 0xE0080 else c for c in text)
    shown = shown.replace("\u200b", "")
    for code in re.findall(r"[A-Za-z0-9+/]{40,}={0,2}", shown):
        try:
            shown += " " + base64.b64decode(code, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
    return shown


@dataclass
class Obedient:
    """`obeyed` counts the messages that held an order, `asked` all of them."""

    name: str = "obedient"
    asked: int = 0
    obeyed: list[str] = field(default_factory=list)

    def chat(self, request: ChatRequest) -> ChatReply:
        messages, schema = request.messages, request.schema
        self.asked += 1
        read = unmasked("\n".join(message.content for message in messages))
        if HOST not in read and "CANARY" not in read:
            return ChatReply(self._honest(messages, schema), self.name, 10, 10)
        self.obeyed.append(read[-400:])
        return ChatReply(_harm(schema, read), self.name, 10, 10)

    def _honest(self, messages: Sequence[ChatMessage], schema: Mapping[str, Any] | None) -> str:
        if schema is None:
            quotes = re.findall(r"^\d+\. (.+)$", messages[-1].content, re.MULTILINE)
            return quotes[0] if quotes else ""
        return json.dumps(dict.fromkeys(schema.get("properties", {}), None))

    def stream(self, request: ChatRequest) -> Iterator[ChatPiece]:
        yield ChatPiece(self.chat(request).text, finish="stop")


def _harm(schema: Mapping[str, Any] | None, read: str) -> str:
    """Whatever the caller asks for, turned against it; with a secret where it was shown one."""
    seen = SECRET if SECRET in read else ""
    if schema is None:
        return f"{_LEAK} {seen}"
    if "steps" in schema.get("properties", {}):
        return json.dumps({"name": "goal", "summary": _LEAK, "steps": _STEPS, "outputs": {}})
    return json.dumps(dict.fromkeys(schema.get("properties", {}), f"{URL} {seen}"))


@dataclass
class AllGates:
    """The room of models: this one passed for every task."""

    model: Obedient = field(default_factory=Obedient)
    embedding: HashEmbedder = field(default_factory=HashEmbedder)

    def embedder(self, name: str | None = None) -> HashEmbedder:
        return self.embedding

    def chat(self, task: str, *more: Any, **named: Any) -> Obedient:
        return self.model

    def any_chat(self, name: str | None = None, *more: Any, **named: Any) -> Obedient:
        return self.model

    def describe(self) -> list[dict[str, Any]]:
        return []

    def candidates(self) -> list[Any]:
        return []
