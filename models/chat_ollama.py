"""A running Ollama (github.com/ollama/ollama, MIT) as the chat engine."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.errors import InvalidInput, Unavailable
from core.ids import new_id
from core.ports import ChatMessage, ChatPiece, ChatRequest, Tool, ToolCall
from models.bounded import Outlet, bounded
from models.engine import SERVER_FAILED

CONNECT_SECONDS = 2.0
LIST_SECONDS = 3.0
PROBE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class OllamaModel:
    name: str
    bytes: int
    digest: str


class OllamaEngine:
    def __init__(self, host: str, model: str) -> None:
        self._host = host
        self._model = model
        self._tools: bool | None = None

    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        with client(self._host, request.deadline_seconds, self._model) as found:
            outlet.close = found.close
            parts = found.chat(
                model=self._model,
                messages=list(_messages(request.messages)),
                stream=True,
                format=dict(request.schema) if request.schema is not None else None,
                options=_options(request),
                tools=[_tool(one) for one in request.tools] or None,
            )
            for part in parts:
                if not outlet.put(_piece(part)):
                    return

    def knows_tools(self) -> bool:
        """Asked once; a server that does not say it counts as one that cannot."""
        if self._tools is None:
            self._tools = "tools" in _capabilities(self._host, self._model)
        return self._tools


def _options(request: ChatRequest) -> dict[str, Any]:
    given = {
        "num_predict": request.max_tokens, "temperature": request.temperature,
        "stop": list(request.stop) or None, "top_p": request.top_p, "seed": request.seed,
    }  # fmt: skip
    return {name: value for name, value in given.items() if value is not None}


def _messages(given: Sequence[ChatMessage]) -> Iterator[dict[str, Any]]:
    names = {call.id: call.name for message in given for call in message.calls}
    for one in given:
        made: dict[str, Any] = {"role": one.role, "content": one.content}
        if one.calls:
            made["tool_calls"] = [
                {"function": {"name": call.name, "arguments": _arguments(call)}}
                for call in one.calls
            ]
        if one.call_id in names:
            made["tool_name"] = names[one.call_id]
        yield made


def _arguments(call: ToolCall) -> dict[str, Any]:
    try:
        value = json.loads(call.arguments or "{}")
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {"value": call.arguments}


def _tool(tool: Tool) -> dict[str, Any]:
    about = {
        "name": tool.name,
        "description": tool.description,
        "parameters": dict(tool.parameters),
    }
    return {"type": "function", "function": about}


def _capabilities(host: str, model: str) -> list[str]:
    def ask(outlet: Outlet[list[str]]) -> None:
        with client(host, LIST_SECONDS, model) as found:
            outlet.close = found.close
            outlet.put([str(one) for one in found.show(model).capabilities or ()])

    try:
        return next(bounded(ask, LIST_SECONDS), [])
    except (Unavailable, InvalidInput):
        return []


def _piece(part: Any) -> ChatPiece:
    calls = tuple(
        ToolCall(
            f"call_{new_id()}", one.function.name,
            json.dumps(dict(one.function.arguments), ensure_ascii=False),
        )
        for one in part.message.tool_calls or ()
    )  # fmt: skip
    return ChatPiece(
        part.message.content or "",
        part.prompt_eval_count or 0,
        part.eval_count or 0,
        part.done_reason,
        calls,
        ((part.prompt_eval_duration or 0) + (part.eval_duration or 0)) / 1e6,
    )


def installed(host: str, seconds: float = LIST_SECONDS) -> list[OllamaModel]:
    """What this Ollama has for chat, smallest first. Raises `Unavailable` when it is silent."""

    def ask(outlet: Outlet[list[OllamaModel]]) -> None:
        with client(host, seconds) as found:
            outlet.close = found.close
            models = [m for m in found.list().models if not _only_embeds(m)]
            outlet.put([OllamaModel(m.model, int(m.size or 0), m.digest or "") for m in models])

    models = next(bounded(ask, seconds), [])
    return sorted(models, key=lambda model: (model.bytes, model.name))


def _only_embeds(model: Any) -> bool:
    return "bert" in ((model.details and model.details.family) or "") or "embed" in model.model


@contextmanager
def client(host: str, seconds: float, model: str = "NAME") -> Iterator[Any]:
    """Every way in which a server can fail becomes `Unavailable`."""
    import httpx
    import ollama

    timeout = httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds))
    found: Any = ollama.Client(
        host, timeout=timeout, trust_env=False, verify=host.startswith("https:")
    )
    try:
        yield found
    except ollama.ResponseError as error:
        if error.status_code == 404:
            raise Unavailable(missing(host, model), code="model_missing", retry_after=30) from error
        if 400 <= error.status_code < 500 and error.status_code not in (408, 429):
            raise InvalidInput(_reason(error), code="model_refused") from error
        raise Unavailable(_reason(error), code=SERVER_FAILED, retry_after=10) from error
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        raise Unavailable(
            f"Ollama at {host} does not answer: {error}", code=SERVER_FAILED, retry_after=10
        ) from error
    except (ValueError, TypeError, AttributeError, RuntimeError) as error:
        # RuntimeError: the client was closed under the read, at the deadline.
        raise Unavailable(f"Ollama at {host} sent garbage.", code="model_output") from error
    finally:
        found.close()


def missing(host: str, model: str) -> str:
    return f"Ollama at {host} lacks the model {model}. Type: ollama pull {model}"


def _reason(error: Any) -> str:
    return f"Ollama answered {error.status_code}: {str(error.error)[:200]}"
