"""`/v1`: the local models, as OpenAI's clients speak to them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from core.errors import InvalidInput, NotFound, Unavailable, WeftError
from core.ids import new_id
from core.ports import ChatMessage as Message
from core.ports import ChatModel, ChatReply, Embedder
from gateway.house import Caller, permit
from gateway.schemas.search import (
    ChatAnswer,
    ChatMessage,
    ChatRequest,
    EmbeddingsRequest,
    OpenAiAnswer,
    Usage,
)
from gateway.streams import EVENTS, stream

router = APIRouter(prefix="/v1", tags=["models"])
User = Annotated[Caller, permit("models:use")]
Reader = Annotated[Caller, permit("models:use", "search:read")]
_TOKENS = 512
_SECONDS = 120.0


@router.get("/models", response_model=OpenAiAnswer)
def listing(who: Reader) -> dict[str, Any]:
    """Those that can be used now, chat models first."""
    return {"object": "list", "data": _usable(who)}


@router.get("/models/{name:path}", response_model=OpenAiAnswer)
def show(who: Reader, name: str) -> dict[str, Any]:
    found = [model for model in _usable(who) if model["id"] == name]
    if not found:
        raise NotFound(f"There is no model {name[:64]!r} here.", code="model_not_found")
    return found[0]


@router.post("/chat")
def chat(who: User, body: ChatRequest) -> ChatAnswer:
    """One reply, without retrieval: for facts from documents use `/ask`."""
    reply = _reply(_model(who, body.model), body)
    return ChatAnswer(
        text=reply.text, model=reply.model, finish_reason=reply.finish_reason,
        usage=Usage(
            prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens
        ),
    )  # fmt: skip


@router.post("/chat/completions", response_model=OpenAiAnswer, responses=EVENTS)
def completions(who: User, body: ChatRequest) -> Response:
    """As OpenAI's API has it; with `stream` as server-sent events."""
    model = _model(who, body.model)
    _schema(body)
    if body.stream:
        return stream(_pieces(who, model, body))
    reply = _reply(model, body)
    message = {"role": "assistant", "content": reply.text}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    usage = {
        "prompt_tokens": reply.prompt_tokens, "completion_tokens": reply.completion_tokens,
        "total_tokens": reply.prompt_tokens + reply.completion_tokens,
    }  # fmt: skip
    answer = {**_head(who, "chat.completion", reply.model), "choices": [choice], "usage": usage}
    return Response(json.dumps(answer), media_type="application/json")


@router.post("/embeddings", response_model=OpenAiAnswer)
def embeddings(who: Annotated[Caller, permit("models:use")], body: EmbeddingsRequest) -> Response:
    """Unit vectors, in the order of `input`."""
    embedder = _embedder(who, body.model)
    if body.dimensions not in (None, embedder.dimension):
        raise InvalidInput(f"This model's vectors have {embedder.dimension} dimensions.")
    texts = [body.input] if isinstance(body.input, str) else body.input
    vectors = embedder.embed(texts)
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(row, body.encoding_format)}
        for n, row in enumerate(vectors)
    ]
    tokens = sum(len(text.split()) for text in texts)
    answer = {
        "object": "list", "data": data, "model": body.model or "default",
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }  # fmt: skip
    return Response(json.dumps(answer), media_type="application/json")


def _usable(who: Caller) -> list[dict[str, Any]]:
    known = [model for model in who.rt.models.describe() if model.get("available")]
    known.sort(key=lambda model: (model["kind"] != "chat", not model.get("active")))
    return [{**m, "object": "model", "created": 0, "owned_by": "local"} for m in known]


def _model(who: Caller, name: str) -> ChatModel:
    model = who.rt.models.any_chat(name or None)
    if model is not None:
        return model
    if name:
        raise NotFound(f"There is no chat model {name[:64]!r} here.", code="model_not_found")
    known = who.rt.models.describe()
    todo = next((one["todo"] for one in known if "todo" in one), "weft models pull")
    raise Unavailable(
        f"No chat model is installed. The operator types: {todo}", code="no_model", retry_after=60
    )


def _embedder(who: Caller, name: str) -> Embedder:
    known = {m["id"] for m in who.rt.models.describe() if m["kind"] == "embedding"}
    if name and name not in known:
        raise NotFound(f"There is no embedding model {name[:64]!r} here.", code="model_not_found")
    embedder = who.rt.models.embedder()
    if embedder is None:
        raise Unavailable(
            "No embedding model is installed. The operator types: weft models pull",
            code="no_model", retry_after=60,
        )  # fmt: skip
    return embedder


def _reply(model: ChatModel, body: ChatRequest) -> ChatReply:
    return model.chat(
        _messages(body.messages), schema=_schema(body), max_tokens=_tokens(body),
        temperature=body.temperature or 0.0, deadline_seconds=_SECONDS,
    )  # fmt: skip


def _pieces(who: Caller, model: ChatModel, body: ChatRequest) -> Iterator[bytes]:
    """The answer has begun, so a failure becomes an event of the stream. One that must fit a schema
    comes in one piece: only the whole can be checked."""
    head = _head(who, "chat.completion.chunk", model.name)
    reason = "stop"

    def chunk(delta: dict[str, str], reason: str | None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": reason}
        return f"data: {json.dumps({**head, 'choices': [choice]})}\n\n".encode()

    yield chunk({"role": "assistant", "content": ""}, None)
    try:
        if _schema(body) is not None:
            reply = _reply(model, body)
            reason = reply.finish_reason
            yield chunk({"content": reply.text}, None)
        else:
            for count, piece in enumerate(model.stream(
                _messages(body.messages), max_tokens=_tokens(body),
                temperature=body.temperature or 0.0, deadline_seconds=_SECONDS,
            ), 1):  # fmt: skip
                yield chunk({"content": piece}, None)
                reason = "length" if count >= _tokens(body) else "stop"
    except WeftError as error:
        yield f"data: {json.dumps({'error': error.to_json()})}\n\n".encode()
        return
    yield chunk({}, reason)
    yield b"data: [DONE]\n\n"


def _head(who: Caller, kind: str, model: str) -> dict[str, Any]:
    created = who.rt.clock.now_ms() // 1000
    return {"id": f"chatcmpl-{new_id()}", "object": kind, "created": created, "model": model}


def _messages(given: list[ChatMessage]) -> list[Message]:
    return [
        Message(
            "system" if one.role == "developer" else one.role,
            one.content
            if isinstance(one.content, str)
            else "".join(part.text for part in one.content or ()),
        )
        for one in given
    ]


def _tokens(body: ChatRequest) -> int:
    return body.max_completion_tokens or body.max_tokens or _TOKENS


def _schema(body: ChatRequest) -> dict[str, Any] | None:
    wanted = body.response_format or {}
    if wanted.get("type") == "json_object":
        return {"type": "object"}
    if wanted.get("type") != "json_schema":
        return None
    inner = wanted.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    if not isinstance(schema, dict):
        raise InvalidInput("`response_format.json_schema.schema` must be an object.")
    return schema


def _vector(row: Any, encoding: str) -> Any:
    if encoding == "base64":
        return base64.b64encode(np.asarray(row, "<f4").tobytes()).decode()
    return [float(value) for value in row]
