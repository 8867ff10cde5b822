"""The chat models that could be used here: a running Ollama's, embedded ones, Hugging Face's."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core import telemetry
from core.errors import InvalidInput, Unavailable
from core.settings import Settings
from models import weights
from models.engine import ChatEngine

OLLAMA_DEFAULT = "http://127.0.0.1:11434"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chat model that could be used here."""

    name: str
    engine: str  # embedded | ollama | huggingface
    bytes: int
    digest: str
    make: Callable[[], ChatEngine]


def candidates(settings: Settings) -> list[Candidate]:
    scheme, _, rest = settings.models_url.partition(":")
    match scheme:
        case "none":
            return []
        case "embedded":
            return _embedded(settings)
        case "ollama":
            return _ollama(settings, ollama_host(settings.models_url))
        case "huggingface":
            return [_huggingface(rest, settings.model_threads)]
        case "auto":
            return _ollama(settings, OLLAMA_DEFAULT, probe=True) or _embedded(settings)
    raise InvalidInput(
        f"WEFT_MODELS_URL is {settings.models_url!r}; it may be auto:, embedded:, none:, "
        "ollama://host:port or huggingface:MODEL."
    )


def ollama_host(models_url: str) -> str:
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
            _llama(
                path.stem, path.stat().st_size, weights.digest_once(path), lambda: path, settings
            )
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
