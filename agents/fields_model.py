"""What rules did not find, asked of a model that passed the gate; kept where the text holds it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.documents import Document
from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel, ChatRequest
from models.gates import gate

# Name → the value as the model read it.
Told = Mapping[str, str]
ASK_SECONDS = 30.0
_CHARACTERS = 6000  # of the document; a model's window is small
_NAMES_MAX = 20


def ask(chat: ChatModel | None, document: Document, names: Sequence[str]) -> Told:
    """The model's reading of `names`; {} without a model, when it fails, or for no names."""
    wanted = list(names)[:_NAMES_MAX]
    if chat is None or not wanted:
        return {}
    order = ChatMessage("system", gate("extraction").order)
    messages = (order, ChatMessage("user", _text(document)))
    tokens = 40 * len(wanted) + 60
    try:
        reply = chat.chat(ChatRequest(messages, _schema(wanted), tokens, 0.0, ASK_SECONDS))
        told = json.loads(reply.text)
    except (Unavailable, InvalidInput, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {n: told[n] for n in wanted if isinstance(told.get(n), str) and told[n].strip()}


def _text(document: Document) -> str:
    text = document.text
    half = _CHARACTERS // 2
    return text if len(text) <= _CHARACTERS else f"{text[:half]}\n…\n{text[-half:]}"


def _schema(names: Sequence[str]) -> dict[str, Any]:
    kinds = {"type": ["string", "null"], "maxLength": 200}
    return {
        "type": "object",
        "properties": dict.fromkeys(names, kinds),
        "required": list(names),
        "additionalProperties": False,
    }


Ask = Callable[[Document, Sequence[str]], Told]
