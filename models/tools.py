"""Tools of OpenAI's API: a model names one and writes its arguments; the caller decides and does.

Models that were made for tools get them as they are; others are asked for JSON by schema.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.ids import new_id
from core.ports import ChatMessage, ChatRequest, Tool, ToolCall
from models.shapes import parse

AUTO, NONE, REQUIRED = "auto", "none", "required"


def wanted(request: ChatRequest) -> bool:
    return bool(request.tools) and request.choice != NONE


def concern(request: ChatRequest) -> bool:
    """Also a conversation in which some were called before."""
    return bool(request.tools) or any(m.calls or m.call_id for m in request.messages)


def native(request: ChatRequest, known: bool) -> bool:
    """A call that must be made is made by schema: no model's own way of calling promises one."""
    return known and (request.choice == AUTO or not request.tools)


def in_words(request: ChatRequest, known: bool) -> ChatRequest:
    """The same as a request for JSON, for a model without tools of its own."""
    messages = request.messages if known else tuple(_plain(request.messages))
    if not wanted(request):  # said once, not called now
        return replace(request, messages=messages, tools=())
    offered = _offered(request)
    order = _order(offered, request.choice)
    schema: Mapping[str, Any] = offered[0].parameters
    if request.choice in (AUTO, REQUIRED):
        more = [_answer_shape(request)] if request.choice == AUTO else []
        schema = {"anyOf": [*map(_call_shape, offered), *more]}
    return replace(
        request, messages=(ChatMessage("system", order), *_plain(messages)), schema=schema,
        tools=(), stop=(),  # where it ends is looked for in the text that the JSON holds
    )  # fmt: skip


def called(text: str, request: ChatRequest) -> tuple[str, tuple[ToolCall, ...]]:
    """What the JSON that `in_words` asked for means: a text, or a call. Raises `ValueError`."""
    value = json.loads(text)
    offered = _offered(request)
    if request.choice not in (AUTO, REQUIRED):
        return "", (_call(offered[0].name, value),)
    if "tool" not in value:
        answer = value["answer"]
        return _until(request.stop, answer) if isinstance(answer, str) else json.dumps(answer), ()
    return "", checked((_call(value["tool"], value["arguments"]),), offered)


def _until(stops: Sequence[str], text: str) -> str:
    return text[: min((text.index(stop) for stop in stops if stop in text), default=len(text))]


def checked(calls: Sequence[ToolCall], offered: Sequence[Tool]) -> tuple[ToolCall, ...]:
    """Raises `ValueError` for a tool that was not offered and for arguments of another shape."""
    shapes = {tool.name: tool.parameters for tool in offered}
    for call in calls:
        if call.name not in shapes:
            raise ValueError(f"there is no tool {call.name[:64]!r}")
        parse(call.arguments, shapes[call.name])
    return tuple(calls)


def _call(name: str, arguments: Any) -> ToolCall:
    return ToolCall(f"call_{new_id()}", name, json.dumps(arguments, ensure_ascii=False))


def _offered(request: ChatRequest) -> list[Tool]:
    """One name only, where the caller chose."""
    if request.choice in (AUTO, REQUIRED):
        return list(request.tools)
    return [tool for tool in request.tools if tool.name == request.choice]


def _call_shape(tool: Tool) -> dict[str, Any]:
    return {
        "type": "object", "additionalProperties": False, "required": ["tool", "arguments"],
        "properties": {"tool": {"const": tool.name}, "arguments": tool.parameters},
    }  # fmt: skip


def _answer_shape(request: ChatRequest) -> dict[str, Any]:
    answer = request.schema if request.schema is not None else {"type": "string"}
    return {
        "type": "object", "additionalProperties": False, "required": ["answer"],
        "properties": {"answer": answer},
    }  # fmt: skip


def _order(offered: Sequence[Tool], choice: str) -> str:
    listed = "\n".join(
        f"- {tool.name}: {tool.description} Arguments: {json.dumps(tool.parameters)}"
        for tool in offered
    )
    if choice not in (AUTO, REQUIRED):
        return f"Answer with the arguments of this function, as JSON:\n{listed}"
    how = 'Answer with JSON: {"tool": NAME, "arguments": {…}} calls a function'
    other = ', {"answer": TEXT} answers without one' if choice == AUTO else ""
    return f"{how}{other}. Functions:\n{listed}"


def _plain(messages: Sequence[ChatMessage]) -> Iterator[ChatMessage]:
    """Calls and what came of them, for a model whose template has no place for them."""
    names = {call.id: call.name for message in messages for call in message.calls}
    for message in messages:
        if message.role == "tool" and message.call_id:
            name = names.get(message.call_id, "the function")
            yield ChatMessage("user", f"Result of {name}: {message.content}")
        elif message.calls:
            made = [{"tool": call.name, "arguments": _read(call)} for call in message.calls]
            text = "\n".join([message.content, *(json.dumps(one) for one in made)]).strip()
            yield ChatMessage("assistant", text)
        else:
            yield message


def _read(call: ToolCall) -> Any:
    try:
        return json.loads(call.arguments)
    except ValueError:
        return call.arguments
