"""llama.cpp in this process (xllamacpp): a GGUF file, 2,048 tokens of context, no server to run."""

from __future__ import annotations

import json
import secrets
import threading
from pathlib import Path
from typing import Any

from core.errors import InvalidInput, Unavailable
from core.ports import ChatPiece, ChatRequest
from models.bounded import Outlet

CONTEXT_TOKENS = 2048


class LlamaEngine:
    """Loads at the first request, which takes part of a second. One request at a time."""

    def __init__(self, weights: Path, threads: int = 1) -> None:
        self._weights = weights
        self._threads = threads
        self._loading = threading.Lock()
        self._turn = threading.Lock()
        self._server: Any = None

    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        server = self._loaded()
        if not self._turn.acquire(timeout=request.deadline_seconds):
            raise Unavailable("The embedded model is busy.", code="model_busy", retry_after=10)
        try:
            if not outlet.abandoned.is_set():
                server.handle_chat_completions(
                    json.dumps(_body(request)), lambda line: _emit(line, outlet)
                )
        finally:
            self._turn.release()

    def knows_tools(self) -> bool:
        """Small models answer better to JSON by schema than to their template's own tools."""
        return False

    def _loaded(self) -> Any:
        with self._loading:
            if self._server is None:
                self._server = _start(self._weights, self._threads)
            return self._server


def _start(weights: Path, threads: int) -> Any:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights)
    params.n_ctx = CONTEXT_TOKENS
    params.n_ubatch = 128  # smaller steps: less memory, and the deadline is looked at more often
    params.n_parallel = 1
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.verbosity = 0
    params.warmup = False
    params.cache_ram_mib = 0
    params.fit_params = False
    params.ui = False
    # The library also listens on a loopback port; nobody holds this key.
    params.api_keys = [secrets.token_hex(32)]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        raise Unavailable(f"{weights} cannot be loaded: {error}", code="model_load") from error


def _body(request: ChatRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,  # chunks while the prompt is read, so that it can be stopped
    }
    given = {"stop": list(request.stop) or None, "top_p": request.top_p, "seed": request.seed}
    body |= {name: value for name, value in given.items() if value is not None}
    if request.schema is not None:
        shape = {"name": "reply", "schema": dict(request.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": shape}
    return body


def _emit(line: str | dict[str, Any], outlet: Outlet[ChatPiece]) -> bool:
    """Gives True to stop the generation."""
    data: dict[str, Any] = json.loads(line) if isinstance(line, str) else line
    if error := data.get("error") or (data if data.get("code") else None):
        outlet.queue.put(_refusal(error))
        return True
    choices = data.get("choices") or [{}]
    usage, took = data.get("usage") or {}, data.get("timings") or {}
    piece = ChatPiece(
        (choices[0].get("delta") or {}).get("content") or "",
        usage.get("prompt_tokens", 0),
        usage.get("completion_tokens", 0),
        choices[0].get("finish_reason"),
        busy_ms=took.get("prompt_ms", 0.0) + took.get("predicted_ms", 0.0),
    )
    return not outlet.put(piece)


def _refusal(error: dict[str, Any]) -> Exception:
    message = str(error.get("message", error))
    if error.get("type") in ("exceed_context_size_error", "invalid_request_error"):
        return InvalidInput(f"The model cannot take this: {message}", code="prompt_too_long")
    return Unavailable(f"The embedded model failed: {message}")
