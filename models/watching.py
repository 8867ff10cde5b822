"""One call of a chat model, seen from outside: calls, errors, seconds, tokens, a span."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from core import telemetry
from core.breaker import Breaker
from core.errors import WeftError


@dataclass(slots=True)
class Call:
    prompt: int = 0
    completion: int = 0

    def seen(self, prompt: int, completion: int) -> None:
        """Counts come with the last piece."""
        self.prompt, self.completion = prompt or self.prompt, completion or self.completion


@contextmanager
def watched(model: str, breaker: Breaker) -> Iterator[Call]:
    """Names follow OpenTelemetry's conventions for generative AI; no word of the prompt is told.
    Who stops listening in the middle is no error of the model's."""
    call, result, began = Call(), "ok", time.perf_counter()
    about = {"gen_ai.operation.name": "chat", "gen_ai.request.model": model}
    try:
        with telemetry.span(
            f"chat {model}", kind="client", attributes=about, current=False
        ) as span:
            yield call
            span.set("gen_ai.usage.input_tokens", call.prompt)
            span.set("gen_ai.usage.output_tokens", call.completion)
    except WeftError as error:
        result = error.slug
        raise
    except Exception:
        result = "broke"
        raise
    finally:
        telemetry.model_calls.labels(model, result).inc()
        telemetry.model_seconds.labels(model).observe(time.perf_counter() - began)
        telemetry.model_tokens.labels(model, "prompt").inc(call.prompt)
        telemetry.model_tokens.labels(model, "completion").inc(call.completion)
        telemetry.breaker_open.labels(model).set(breaker.open(model))
