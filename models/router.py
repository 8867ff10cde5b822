"""Which models there are, and which one does a task: the cheapest that passed the task's gate."""

from __future__ import annotations

import importlib.util
import threading
import time
from pathlib import Path
from typing import Any

from core import telemetry
from core.errors import InvalidInput, Unavailable
from core.ports import ChatModel, Embedder
from core.settings import Settings
from models import gates, weights
from models.candidates import Candidate, candidates, ollama_host
from models.chat_embedded import CONTEXT_TOKENS
from models.engine import EngineChat
from models.features import features
from models.routing import CHAT, Contender, Decision, decide, task_of

_EMBEDDINGS = {"fp32": "minilm-fp32", "int8": "minilm-int8"}
_BY_OLLAMA = "ollama:"
_LOOK_AGAIN_SECONDS = 30.0


class Models:
    """Loads nothing until asked. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._embedders: dict[str, Embedder] = {}
        self._chats: dict[str, EngineChat] = {}
        self._found: list[Candidate] = []
        self._found_at = float("-inf")

    def embedder(self, name: str | None = None) -> Embedder | None:
        """The one of WEFT_EMBEDDING, or another by a name that it may have (an index that was made
        by it still asks for it). None while the weights are not there: search goes by keywords.
        Raises `InvalidInput` for a name that WEFT_EMBEDDING may not have."""
        chosen = name or self._settings.embedding
        with self._lock:
            if chosen not in self._embedders:
                if chosen != self._settings.embedding and not _installed(chosen):
                    return None
                made = _embedder(self._settings.model_copy(update={"embedding": chosen}))
                if made is None:
                    return None
                self._embedders[chosen] = made
            return self._embedders[chosen]

    def chat(self, task: str, text: str = "") -> ChatModel | None:
        """The model for `task` (a gate's name); `text` is what it will be told."""
        name = self.route(text, task=task).model
        return None if name is None else self.any_chat(name)

    def route(
        self,
        text: str,
        *,
        task: str | None = None,
        json: bool = False,
        tools: int = 0,
        turns: int = 1,
        reply_tokens: int | None = None,
    ) -> Decision:
        """Which model, and why; counted and logged without a word of the text. Raises
        `InvalidInput` for a task that there is not."""
        seen = features(text, json=json, tools=tools, turns=turns)
        named, why = task_of(text, task, seen)
        if named != CHAT:
            gates.gate(named)
        made = decide(
            text, self._contenders(named), task=named, why_task=why, seen=seen,
            reply_tokens=reply_tokens, threads=self._settings.model_threads,
        )  # fmt: skip
        if text:  # else somebody only looks which model there is
            _told(made)
        return made

    def _contenders(self, task: str) -> list[Contender]:
        return [self._contender(found, task) for found in self.candidates()]

    def _contender(self, found: Candidate, task: str) -> Contender:
        card = gates.results(self._settings, found.name, found.digest)
        needs = () if task == CHAT else gates.NEEDS.get(task, (task,))
        mine = card.get(task) or next(iter(card.values()), {})
        with self._lock:
            chat = self._chats.get(found.name)
        return Contender(
            found.name, found.engine, found.bytes,
            tuple(one for one in needs if card.get(one, {}).get("gate") != "open"),
            card.get(task, {}).get("share"), mine.get("tokens_per_second"),
            chat is not None and chat.breaker.open(found.name),
            CONTEXT_TOKENS if found.engine == "embedded" else None,
        )  # fmt: skip

    def any_chat(self, name: str | None = None) -> EngineChat | None:
        """The named model, or the first there is; no gate, since the caller asked for it."""
        for candidate in self.candidates():
            if name in (None, "", candidate.name):
                return self._chat(candidate)
        return None

    def candidates(self) -> list[Candidate]:
        """Chat models that answer here now, cheapest first; looked up at most every 30 s."""
        with self._lock:
            if time.monotonic() - self._found_at > _LOOK_AGAIN_SECONDS:
                self._found = self._look()
                self._found_at = time.monotonic()
            return self._found

    def _look(self) -> list[Candidate]:
        """A wrong setting is refused at the first look; a file that goes away later is a model less
        until it is back."""
        try:
            return candidates(self._settings)
        except InvalidInput as error:
            if self._found_at == float("-inf"):
                raise
            telemetry.log("models").warning(error.detail)
            return []

    def describe(self) -> list[dict[str, Any]]:
        """For `/v1/models`, `/health` and `weft models`: id, kind, engine, available, tasks, …"""
        return [*self._describe_weights(), *self._describe_embedder(), *self._describe_chats()]

    def _describe_weights(self) -> list[dict[str, Any]]:
        """Embedding models, and the chat weights that are not there yet."""
        chosen = _EMBEDDINGS.get(self._settings.embedding, self._settings.embedding)
        rows = []
        for file in weights.manifest():
            name = file.models[0]
            there = weights.present(self._settings, name)
            if file.role == "weights" and (file.kind == "embedding" or not there):
                rows.append(
                    {
                        "id": name,
                        "kind": file.kind,
                        "engine": "onnx" if file.kind == "embedding" else "embedded",
                        "available": there,
                        "default": file.default,
                        "active": there and name == chosen,
                        "bytes": file.bytes,
                        "licence": file.licence,
                        "tasks": ["embedding"] if file.kind == "embedding" else [],
                    }
                )
        return rows

    def _describe_embedder(self) -> list[dict[str, Any]]:
        """The embedding model that lives in Ollama, if one is chosen."""
        chosen = self._settings.embedding
        if not chosen.startswith(_BY_OLLAMA) or (embedder := self.embedder()) is None:
            return []
        try:
            there = bool(embedder.digest)
        except Unavailable:
            there = False
        return [
            {
                "id": chosen.removeprefix(_BY_OLLAMA),
                "kind": "embedding",
                "engine": "ollama",
                "available": there,
                "default": True,
                "active": there,
                "tasks": ["embedding"],
            }
        ]

    def _describe_chats(self) -> list[dict[str, Any]]:
        return [
            {
                "id": found.name,
                "kind": "chat",
                "engine": found.engine,
                "available": True,
                "default": found.engine == "embedded",
                "active": True,
                "bytes": found.bytes,
                "tasks": gates.tasks_passed(self._settings, found.name, found.digest),
            }
            for found in self.candidates()
        ] + self._describe_wanted()

    def _describe_wanted(self) -> list[dict[str, Any]]:
        """The model that WEFT_CHAT_MODEL names, where no Ollama has it."""
        name, candidates = self._settings.chat_model, self.candidates()
        if name.endswith(".gguf") and not candidates:
            return [_gone(name)]
        if not name or any(found.engine == "ollama" for found in candidates):
            return []
        if not self._settings.models_url.startswith(_BY_OLLAMA):
            return []
        return [
            {
                "id": name,
                "kind": "chat",
                "engine": "ollama",
                "available": False,
                "default": False,
                "active": False,
                "tasks": [],
                "todo": f"ollama pull {name}",
            }
        ]

    def _chat(self, candidate: Candidate) -> EngineChat:
        with self._lock:
            if candidate.name not in self._chats:
                self._chats[candidate.name] = EngineChat(
                    candidate.name, candidate.make(), digest=candidate.digest
                )
            return self._chats[candidate.name]


def _gone(path: str) -> dict[str, Any]:
    """The file of WEFT_CHAT_MODEL that was there when this process began."""
    return {
        "id": Path(path).stem, "kind": "chat", "engine": "embedded", "available": False,
        "default": False, "active": False, "tasks": [],
        "todo": f"ls {path} (that file is gone: put it back, or change WEFT_CHAT_MODEL)",
    }  # fmt: skip


def _told(made: Decision) -> None:
    """Without a word of the text."""
    telemetry.model_routes.labels(made.task, made.model or "none", made.complexity).inc()
    telemetry.log("models").info(
        "routed", task=made.task, model=made.model, complexity=made.complexity,
        tokens=made.prompt_tokens + made.completion_tokens, candidates=len(made.candidates),
    )  # fmt: skip


def _installed(embedding: str) -> bool:
    """Whether its library is here, where it is one that not everybody installs."""
    torch = embedding == "sentence-transformers"
    return not torch or importlib.util.find_spec("sentence_transformers") is not None


def _embedder(settings: Settings) -> Embedder | None:
    if settings.embedding == "sentence-transformers":
        from models.embedding_torch import SentenceTransformersEmbedder

        return SentenceTransformersEmbedder(settings.models_path, settings.model_threads)
    if settings.embedding.startswith(_BY_OLLAMA):
        from models.embedding_ollama import OllamaEmbedder

        named = settings.embedding.removeprefix(_BY_OLLAMA)
        return OllamaEmbedder(ollama_host(settings.models_url), named)
    if (model := _EMBEDDINGS.get(settings.embedding)) is None:
        raise InvalidInput(
            f"{settings.embedding!r} is no embedding model; WEFT_EMBEDDING and --model may be "
            "fp32, int8, sentence-transformers or ollama:MODEL."
        )
    if not weights.present(settings, model):
        return None
    from models.embedding import OnnxEmbedder

    file = weights.files_of(model)[0]
    return OnnxEmbedder(
        lambda: weights.path_of(settings, model),
        lambda: weights.path_of(settings, model, "tokenizer"),
        file.sha256,
        settings.model_threads,
    )
