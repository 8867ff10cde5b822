"""A running Ollama (github.com/ollama/ollama, MIT) as the chat engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.errors import Unavailable
from models.bounded import Outlet, bounded
from models.engine import ChatRequest, Chunk

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

    def produce(self, request: ChatRequest, outlet: Outlet[Chunk]) -> None:
        with client(self._host, request.deadline_seconds, self._model) as found:
            outlet.close = found.close
            parts = found.chat(
                model=self._model,
                messages=[{"role": m.role, "content": m.content} for m in request.messages],
                stream=True,
                format=dict(request.schema) if request.schema is not None else None,
                options={"num_predict": request.max_tokens, "temperature": request.temperature},
            )
            for part in parts:
                if not outlet.put(_chunk(part)):
                    return


def _chunk(part: Any) -> Chunk:
    return Chunk(
        part.message.content or "",
        part.prompt_eval_count or 0,
        part.eval_count or 0,
        part.done_reason,
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
        raise Unavailable(_reason(error), code="model_server", retry_after=10) from error
    except (httpx.HTTPError, httpx.StreamError, OSError) as error:
        raise Unavailable(
            f"Ollama at {host} does not answer: {error}", code="model_server", retry_after=10
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
