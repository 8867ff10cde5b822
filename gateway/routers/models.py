"""`/v1`: the local models, as OpenAI's clients speak to them."""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterator
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from agents import metering, replies
from core.errors import InvalidInput, NotFound, Unavailable, WeftError
from core.ports import ChatModel, ChatPiece, ChatRequest, Embedder
from gateway import openai
from gateway.house import Caller, Fresh, permit, wants_fresh
from gateway.schemas.chat import ChatAnswer, EmbeddingsRequest, OpenAiAnswer
from gateway.schemas.chat import ChatRequest as Body
from gateway.schemas.search import Usage
from gateway.streams import EVENTS, stream
from models.engine import EngineChat

router = APIRouter(prefix="/v1", tags=["models"])
AUTO = "auto"
CHAT, EMBEDDING = "chat", "embedding"  # tasks of the tenant's account
EMBED_SECONDS = 60.0
User = Annotated[Caller, permit("models:use")]
Reader = Annotated[Caller, permit("models:use", "search:read")]


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
def chat(who: User, body: Body, cache_control: Fresh = None) -> ChatAnswer:
    """One reply, without retrieval: for facts from documents use `/ask`."""
    request = openai.request_of(body)
    reply = _asked(who, body, request, cache_control).chat(request)
    return ChatAnswer(
        text=reply.text, model=reply.model, finish_reason=reply.finish_reason,
        usage=Usage(
            prompt_tokens=reply.prompt_tokens, completion_tokens=reply.completion_tokens,
            cached=reply.saved_tokens > 0, saved_tokens=reply.saved_tokens,
        ),
    )  # fmt: skip


def _asked(who: Caller, body: Body, request: ChatRequest, cache_control: str | None) -> ChatModel:
    """On the tenant's account. The very same is asked once where temperature 0 was asked for: who
    leaves it out may want another reply each time."""
    engine = _model(who, body.model, request)
    model = metering.MeteredChat(who.rt, who.ctx, engine, CHAT, soft=False)
    if body.temperature != 0:
        return model
    return replies.Kept(who.rt, who.ctx, model, fresh=wants_fresh(cache_control), task=CHAT)


@router.post("/chat/completions", response_model=OpenAiAnswer, responses=EVENTS)
def completions(who: User, body: Body, cache_control: Fresh = None) -> Response:
    """As OpenAI's API has it; with `stream` as server-sent events."""
    request = openai.request_of(body)
    model = _asked(who, body, request, cache_control)
    created = who.rt.clock.now_ms() // 1000
    if not body.stream:
        return _json(openai.completion(model.chat(request), created))
    about = openai.head("chat.completion.chunk", model.name, created)
    pieces = _begun(model.stream(request))
    counted = bool(body.stream_options and body.stream_options.include_usage)
    return stream(_written(openai.events(pieces, about, counted)))


@router.post("/embeddings", response_model=OpenAiAnswer)
def embeddings(who: Annotated[Caller, permit("models:use")], body: EmbeddingsRequest) -> Response:
    """Unit vectors, in the order of `input`."""
    embedder = _embedder(who, body.model)
    if body.dimensions not in (None, embedder.dimension):
        raise InvalidInput(
            f"This model's vectors have {embedder.dimension} dimensions.", param="dimensions"
        )
    texts = [body.input] if isinstance(body.input, str) else body.input
    tokens = metering.tokens_at_most(texts)
    with metering.metered(
        who.rt, who.ctx, EMBEDDING, tokens=tokens, deadline_seconds=EMBED_SECONDS
    ) as meter:
        vectors, meter.prompt = embedder.counted(texts)
    kind = body.encoding_format or "float"
    data = [
        {"object": "embedding", "index": n, "embedding": _vector(row, kind)}
        for n, row in enumerate(vectors)
    ]
    answer = {
        "object": "list", "data": data, "model": body.model or _active(who),
        "usage": {"prompt_tokens": meter.prompt, "total_tokens": meter.prompt},
    }  # fmt: skip
    return _json(answer)


def _usable(who: Caller) -> list[dict[str, Any]]:
    known = [model for model in who.rt.models.describe() if model.get("available")]
    known.sort(key=lambda model: (model["kind"] != "chat", not model.get("active")))
    return [{**m, "object": "model", "created": 0, "owned_by": "local"} for m in known]


def _active(who: Caller) -> str:
    known = who.rt.models.describe()
    return next((m["id"] for m in known if m["kind"] == "embedding" and m.get("active")), "default")


def _model(who: Caller, name: str, request: ChatRequest) -> EngineChat:
    if name == AUTO:
        name = _chosen(who, request)
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


def _chosen(who: Caller, request: ChatRequest) -> str:
    """The router's choice for what the person said, and for a task only what passed its gate."""
    said = [one.content for one in request.messages if one.role in ("system", "user")]
    found = who.rt.models.route(
        "\n".join(said), json=request.schema is not None, tools=len(request.tools),
        turns=len(request.messages), reply_tokens=request.max_tokens,
    )  # fmt: skip
    if found.too_long:
        raise InvalidInput(
            f"The text has about {found.prompt_tokens} tokens, more than any model here takes. "
            "Send less.",
            code="prompt_too_long",
        )
    if found.model is None:
        raise Unavailable(
            f"No model here passed the gate for the task {found.task}: {found.reasons[-1]}. Name "
            "a model to use it all the same; the operator types: weft models eval",
            code="no_model_passed", retry_after=60, task=found.task,
            candidates=[{"model": one.model, "why": one.why} for one in found.candidates],
        )  # fmt: skip
    return found.model


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


def _begun(pieces: Iterator[ChatPiece]) -> Iterator[ChatPiece]:
    """With its first piece there: what fails before it is a problem like any other."""
    first = next(pieces, ChatPiece())
    return itertools.chain([first], pieces)


def _written(events: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """The answer has begun, so a failure becomes an event of the stream."""
    try:
        for event in events:
            yield openai.line(event)
    except WeftError as error:
        told = openai.error(error.status, error.slug, error.detail)
        yield openai.line({"error": {**error.to_json(), **told}})
        return
    yield b"data: [DONE]\n\n"


def _json(value: dict[str, Any]) -> Response:
    return Response(json.dumps(value), media_type="application/json")


def _vector(row: Any, encoding: str) -> Any:
    if encoding == "base64":
        return base64.b64encode(np.asarray(row, "<f4").tobytes()).decode()
    return [float(value) for value in row]
