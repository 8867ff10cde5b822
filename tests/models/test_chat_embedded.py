"""The embedded llama.cpp with the default weights: short replies, one thread."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel, ChatRequest, Tool
from core.settings import Settings
from models import Models
from models.engine import EngineChat

pytestmark = [pytest.mark.model, pytest.mark.xdist_group("chat")]
HELLO = ChatRequest((ChatMessage("user", "Say hello."),))
STORY = ChatRequest((ChatMessage("user", "Write a very long story."),), max_tokens=1500)


@pytest.fixture(scope="module")
def chat() -> EngineChat:
    found = Models(Settings(models_url="embedded:")).any_chat()
    assert found is not None
    return found


def test_it_answers_and_counts_tokens(chat: ChatModel) -> None:
    reply = chat.chat(replace(HELLO, max_tokens=12))
    assert reply.text
    assert reply.prompt_tokens > 0
    assert 0 < reply.completion_tokens <= 12


def test_it_streams_in_pieces(chat: ChatModel) -> None:
    assert len(list(chat.stream(replace(HELLO, max_tokens=8)))) >= 2


def test_json_has_the_wanted_shape(chat: ChatModel) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
        "required": ["name", "age"],
    }
    value = json.loads(chat.chat(ChatRequest((ChatMessage("user", "Ann is 42."),), schema)).text)
    assert set(value) == {"name", "age"}


def test_a_long_reply_is_cut_at_the_deadline(chat: ChatModel) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not finish"):
        chat.chat(replace(STORY, temperature=1.0, deadline_seconds=0.5))
    assert time.monotonic() - started < 15, "the story takes far longer"
    assert chat.chat(replace(HELLO, max_tokens=4, deadline_seconds=30)).text


def test_a_prompt_beyond_the_context_is_refused(chat: ChatModel) -> None:
    with pytest.raises(InvalidInput, match="context"):
        chat.chat(ChatRequest((ChatMessage("user", "word " * 4000),), max_tokens=4))


def test_a_forced_tool_gets_its_arguments_and_a_stop_word_ends_the_reply(chat: EngineChat) -> None:
    shape = {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"], "additionalProperties": False,
    }  # fmt: skip
    asked = (ChatMessage("user", "What is the weather in Bonn?"),)
    tool = Tool("weather", "The weather of a city.", shape)
    reply = chat.chat(ChatRequest(asked, max_tokens=30, tools=(tool,), choice="weather"))
    (call,) = reply.calls
    assert (call.name, list(json.loads(call.arguments)), reply.finish_reason) == (
        "weather", ["city"], "tool_calls"
    )  # fmt: skip
    assert reply.busy_ms > 0
    count = (ChatMessage("user", "Count: one, two, three, four, five, six."),)
    plain = chat.chat(ChatRequest(count, max_tokens=20))
    word = plain.text.split()[2]
    cut = chat.chat(ChatRequest(count, max_tokens=20, stop=(word,)))
    assert plain.text.startswith(cut.text)
    assert word not in cut.text
