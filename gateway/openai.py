"""OpenAI's wire shapes: their request as ours, our reply as theirs.

Source: platform.openai.com/docs/api-reference/chat (2026-10). What cannot be done here is refused
by name, so that nobody takes one thing for another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.errors import InvalidInput
from core.ids import new_id
from core.ports import ChatMessage, ChatPiece, ChatReply, ChatRequest, Tool, ToolCall
from gateway.schemas import chat as schemas
from models.shapes import check
from models.tools import AUTO, NONE

TOKENS = 512
_ABOUT = {
    "n": "one choice for a request is all there is: send the request again for another",
    "logprobs": "local engines give no log-probabilities",
    "top_logprobs": "local engines give no log-probabilities",
    "presence_penalty": "it may only be 0",
    "frequency_penalty": "it may only be 0",
    "logit_bias": "it may only be empty",
    "functions": "it was replaced by `tools`",
    "function_call": "it was replaced by `tool_choice`",
    "best_of": "one choice for a request is all there is",
    "audio": "there is text only",
}


def request_of(body: schemas.ChatRequest) -> ChatRequest:
    """Raises `InvalidInput` with `param` for what would be answered otherwise than asked."""
    _refuse(body)
    _refuse_cut_json(body)
    tools = tuple(_tool(n, one) for n, one in enumerate(body.tools or ()))
    stop = (body.stop,) if isinstance(body.stop, str) else tuple(body.stop or ())
    return ChatRequest(
        tuple(_message(one) for one in body.messages),
        _schema(body.response_format),
        body.max_completion_tokens or body.max_tokens or TOKENS,
        body.temperature or 0.0,
        body.deadline_seconds,
        stop, body.top_p, body.seed, tools, _choice(body, tools), body.parallel_tool_calls is False,
    )  # fmt: skip


def _refuse(body: schemas.ChatRequest) -> None:
    harmless: dict[str, Any] = {"n": 1, "best_of": 1, "function_call": "none"}
    for name, reason in _ABOUT.items():
        value = getattr(body, name)
        if value and value != harmless.get(name):
            raise _unsupported(name, f"`{name}` is not supported: {reason}.")


def _refuse_cut_json(body: schemas.ChatRequest) -> None:
    kind = (body.response_format or {}).get("type", "text")
    if body.stop and kind != "text":
        raise _unsupported("stop", f"`stop` is not supported with {kind}: it would cut the JSON.")


def _unsupported(param: str, words: str) -> InvalidInput:
    return InvalidInput(words, code="unsupported_parameter", param=param)


def _message(one: schemas.ChatMessage) -> ChatMessage:
    calls = tuple(
        ToolCall(call.id, call.function.name, call.function.arguments)
        for call in one.tool_calls or ()
    )
    role = "system" if one.role == "developer" else one.role
    return ChatMessage(role, one.text, calls, one.tool_call_id or "")


def _tool(place: int, given: schemas.FunctionTool) -> Tool:
    function = given.function
    shape = function.parameters or {"type": "object"}
    _checked(shape, f"tools[{place}].function.parameters")
    return Tool(function.name, function.description or "", shape)


def _choice(body: schemas.ChatRequest, tools: tuple[Tool, ...]) -> str:
    choice = body.tool_choice
    if choice is None:
        return AUTO
    if not tools and choice != NONE:
        raise InvalidInput("`tool_choice` needs `tools`.", param="tool_choice")
    if isinstance(choice, str):
        return choice
    if choice.function.name not in {tool.name for tool in tools}:
        raise InvalidInput(
            f"`tool_choice` names {choice.function.name}, which is not in `tools`.",
            param="tool_choice",
        )
    return choice.function.name


def _schema(wanted: dict[str, Any] | None) -> dict[str, Any] | None:
    kind = (wanted or {}).get("type", "text")
    if wanted is None or kind == "text":
        return None
    if kind == "json_object":
        return {"type": "object"}
    if kind != "json_schema":
        raise InvalidInput(
            "`response_format.type` is text, json_object or json_schema.", param="response_format"
        )
    inner = wanted.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if not isinstance(schema, dict):
        raise InvalidInput(
            "`response_format.json_schema.schema` must be an object.", param="response_format"
        )
    _checked(schema, "response_format.json_schema.schema")
    return schema


def _checked(schema: Any, param: str) -> None:
    try:
        check(schema)
    except ValueError as error:
        raise InvalidInput(f"`{param}`: {error}.", param=param) from error


def head(kind: str, model: str, created: int) -> dict[str, Any]:
    return {"id": f"chatcmpl-{new_id()}", "object": kind, "created": created, "model": model}


def completion(reply: ChatReply, created: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text}
    if reply.calls:
        message = {"role": "assistant", "content": reply.text or None,
                   "tool_calls": [_called(call) for call in reply.calls]}  # fmt: skip
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    tokens = usage(reply.prompt_tokens, reply.completion_tokens, reply.saved_tokens)
    return {
        **head("chat.completion", reply.model, created), "choices": [choice], "usage": tokens,
    }  # fmt: skip


def usage(prompt: int, completion: int, saved: int = 0) -> dict[str, int]:
    about = {
        "prompt_tokens": prompt, "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }  # fmt: skip
    return {**about, "cached": True, "saved_tokens": saved} if saved else about


def events(
    pieces: Iterator[ChatPiece], about: dict[str, Any], counted: bool = False
) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed completion; with `counted` the last one is `usage`."""
    spare = {"usage": None} if counted else {}
    prompt = completion = saved = 0
    finish = "stop"

    def chunk(delta: dict[str, Any], reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return {**about, "choices": [choice], **spare}

    yield chunk({"role": "assistant", "content": ""})
    for piece in pieces:
        if piece.text:
            yield chunk({"content": piece.text})
        if piece.calls:
            listed = enumerate(piece.calls)
            yield chunk({"tool_calls": [{"index": n, **_called(call)} for n, call in listed]})
        finish = "tool_calls" if piece.calls else piece.finish or finish
        prompt = piece.prompt_tokens or prompt
        completion = piece.completion_tokens or completion
        saved += piece.saved_tokens
    yield chunk({}, finish)
    if counted:
        yield {**about, "choices": [], "usage": usage(prompt, completion, saved)}


def _called(call: ToolCall) -> dict[str, Any]:
    about = {"name": call.name, "arguments": call.arguments}
    return {"id": call.id, "type": "function", "function": about}


def line(data: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(data)}\n\n".encode()


def error(status: int, code: str, detail: str, param: object = None) -> dict[str, Any]:
    """The object that their clients read; it stands beside the members of the problem."""
    kind = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}.get(
        status, "server_error" if status >= 500 else "invalid_request_error"
    )
    return {"message": detail, "type": kind, "param": param, "code": code}
