"""Which models there are, and which one does a task: the cheapest that passed the task's gate."""

from __future__ import annotations

import functools
import importlib.util
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import telemetry
from core.errors import InvalidInput, Unavailable
from core.ports import ChatModel, Embedder
from core.settings import Settings
from models import gates, weights
from models.engine import ChatEngine, EngineChat

OLLAMA_DEFAULT = "http://127.0.0.1:11434"
_EMBEDDINGS = {"fp32": "minilm-fp32", "int8": "minilm-int8"}
_BY_OLLAMA = "ollama:"
_LOOK_AGAIN_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chat model that could be used here."""

    name: str
    engine: str  # embedded | ollama | huggingface
    bytes: int
    digest: str
    make: Callable[[], ChatEngine]


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

    def chat(self, task: str) -> ChatModel | None:
        """The cheapest model whose card passed `task` (answer, extraction, planning, json)."""
        for candidate in self.candidates():
            if gates.passed(self._settings, candidate.name, candidate.digest, task):
                return self._chat(candidate)
        return None

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
                self._found = _candidates(self._settings)
                self._found_at = time.monotonic()
            return self._found

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
                self._chats[candidate.name] = EngineChat(candidate.name, candidate.make())
            return self._chats[candidate.name]


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
        return OllamaEmbedder(_ollama_host(settings.models_url), named)
    if (model := _EMBEDDINGS.get(settings.embedding)) is None:
        raise InvalidInput(
            f"WEFT_EMBEDDING is {settings.embedding!r}; it may be fp32, int8, "
            "sentence-transformers or ollama:MODEL."
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


def _candidates(settings: Settings) -> list[Candidate]:
    scheme, _, rest = settings.models_url.partition(":")
    match scheme:
        case "none":
            return []
        case "embedded":
            return _embedded(settings)
        case "ollama":
            return _ollama(settings, _ollama_host(settings.models_url))
        case "huggingface":
            return [_huggingface(rest, settings.model_threads)]
        case "auto":
            return _ollama(settings, OLLAMA_DEFAULT, probe=True) or _embedded(settings)
    raise InvalidInput(
        f"WEFT_MODELS_URL is {settings.models_url!r}; it may be auto:, embedded:, none:, "
        "ollama://host:port or huggingface:MODEL."
    )


def _ollama_host(models_url: str) -> str:
    scheme, _, rest = models_url.partition(":")
    return f"http:{rest}" if scheme == "ollama" and rest else OLLAMA_DEFAULT


def _ollama(settings: Settings, host: str, *, probe: bool = False) -> list[Candidate]:
    from models import chat_ollama

    seconds = chat_ollama.PROBE_SECONDS if probe else chat_ollama.LIST_SECONDS
    try:
        models = chat_ollama.installed(host, seconds)
    except Unavailable:
        return []
    name = settings.chat_model
    wanted = [m for m in models if name in ("", m.name, m.name.partition(":")[0])]
    if not wanted and name:
        _say_missing(chat_ollama.missing(host, name))
    return [
        Candidate(m.name, "ollama", m.bytes, m.digest, _ollama_engine(host, m.name)) for m in wanted
    ]


@functools.lru_cache(maxsize=8)
def _say_missing(words: str) -> None:
    """Once in a process, at its first look: the gateway's is its first `/readyz`."""
    telemetry.log("models").warning(words)


def _ollama_engine(host: str, name: str) -> Callable[[], ChatEngine]:
    from models.chat_ollama import OllamaEngine

    return lambda: OllamaEngine(host, name)


def _embedded(settings: Settings) -> list[Candidate]:
    """The chat weights of the manifest, or the GGUF file that WEFT_CHAT_MODEL names."""
    if settings.chat_model.endswith(".gguf"):
        path = Path(settings.chat_model)
        if not path.is_file():
            raise InvalidInput(f"WEFT_CHAT_MODEL names {path}, which is not there.")
        return [
            _llama(path.stem, path.stat().st_size, weights.digest(path), lambda: path, settings)
        ]
    found = [
        _llama(name, file.bytes, file.sha256, _checked(settings, name), settings)
        for file in weights.manifest()
        for name in file.models
        if file.kind == "chat" and weights.present(settings, name)
    ]
    return [c for c in found if settings.chat_model in ("", c.name)]


def _checked(settings: Settings, name: str) -> Callable[[], Path]:
    return lambda: weights.path_of(settings, name)


def _llama(
    name: str, size: int, digest: str, path: Callable[[], Path], settings: Settings
) -> Candidate:
    def make() -> ChatEngine:
        from models.chat_embedded import LlamaEngine

        return LlamaEngine(path(), settings.model_threads)

    return Candidate(name, "embedded", size, digest, make)


def _huggingface(model: str, threads: int) -> Candidate:
    def make() -> ChatEngine:
        from models.huggingface import TransformersEngine

        return TransformersEngine(model, threads)

    return Candidate(model, "huggingface", 0, model, make)
