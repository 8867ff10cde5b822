"""A Hugging Face transformers model as the chat engine (extra `torch`)."""

from __future__ import annotations

import threading
from typing import Any

from core.errors import InvalidInput
from core.ports import ChatPiece, ChatRequest
from models.bounded import Outlet


class TransformersEngine:
    """`model` is a hub name or a local folder. JSON is asked for in words and checked after."""

    def __init__(self, model: str, threads: int = 1) -> None:
        self._model = model
        self._threads = threads
        self._lock = threading.Lock()
        self._pipeline: Any = None

    def produce(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        with self._lock:
            if self._pipeline is None:
                self._pipeline = self._load()
            self._generate(request, outlet)

    def _generate(self, request: ChatRequest, outlet: Outlet[ChatPiece]) -> None:
        messages = [{"role": m.role, "content": m.content} for m in request.messages]
        if request.schema is not None:
            order = f"Answer with JSON only, of this JSON Schema: {dict(request.schema)}"
            messages = [{"role": "system", "content": order}, *messages]
        if request.seed is not None:
            self._seed(request.seed)
        made = self._pipeline(
            messages,
            max_new_tokens=request.max_tokens,
            do_sample=request.temperature > 0,
            **({"top_p": request.top_p} if request.top_p is not None else {}),
            stopping_criteria=[lambda ids, scores, **_: outlet.abandoned.is_set()],
            return_full_text=False,
        )
        text = str(made[0]["generated_text"])
        ends = [text.index(mark) for mark in request.stop if mark in text]
        outlet.put(ChatPiece(text[: min(ends, default=len(text))], finish="stop"))

    def knows_tools(self) -> bool:
        return False

    def _seed(self, seed: int) -> None:
        from transformers import set_seed  # type: ignore[import-not-found,unused-ignore]

        set_seed(seed)

    def _load(self) -> Any:
        try:
            import torch  # type: ignore[import-not-found,unused-ignore]
            from transformers import pipeline  # type: ignore[import-not-found,unused-ignore]
        except ImportError as error:
            raise InvalidInput(
                "huggingface: models need the extra `torch`. "
                "Type: .venv/bin/uv pip install '.[torch]'"
            ) from error
        torch.set_num_threads(self._threads)
        return pipeline("text-generation", model=self._model, device="cpu")
