"""The embedded llama.cpp with the default weights: short replies, one thread."""

from __future__ import annotations

import json
import time

import pytest

from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel
from core.settings import Settings
from models import Models

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("chat")]
HELLO = [ChatMessage("user", "Say hello.")]


@pytest.fixture(scope="module")
def chat() -> ChatModel:
    found = Models(Settings(models_url="embedded:")).any_chat()
    assert found is not None
    return found


def test_it_answers_and_counts_tokens(chat: ChatModel) -> None:
    reply = chat.chat(HELLO, max_tokens=12)
    assert reply.text
    assert reply.prompt_tokens > 0
    assert 0 < reply.completion_tokens <= 12


def test_it_streams_in_pieces(chat: ChatModel) -> None:
    assert len(list(chat.stream(HELLO, max_tokens=8))) >= 2


def test_json_has_the_wanted_shape(chat: ChatModel) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    value = json.loads(chat.chat([ChatMessage("user", "Ann is 42.")], schema=schema).text)
    assert set(value) == {"name", "age"}


def test_a_long_reply_is_cut_at_the_deadline(chat: ChatModel) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not finish"):
        chat.chat([ChatMessage("user", "Write a very long story.")], max_tokens=1500,
                  temperature=1.0, deadline_seconds=0.5)  # fmt: skip
    assert time.monotonic() - started < 3
    assert chat.chat(HELLO, max_tokens=4, deadline_seconds=30).text


def test_a_prompt_beyond_the_context_is_refused(chat: ChatModel) -> None:
    with pytest.raises(InvalidInput, match="context"):
        chat.chat([ChatMessage("user", "word " * 4000)], max_tokens=4)
