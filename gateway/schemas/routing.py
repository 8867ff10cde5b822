"""`/route`: what is asked, and which model would do it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from gateway.schemas.base import Answer
from gateway.schemas.chat import TOOLS_MAX, ChatMessage, FunctionTool, Lenient, Words

TaskName = Annotated[str, Field(min_length=1, max_length=32)]


class RouteRequest(Lenient):
    """`text` or `messages`. `task`: a gate's name where the caller knows it."""

    text: Words | None = None
    messages: Annotated[list[ChatMessage] | None, Field(min_length=1, max_length=200)] = None
    task: TaskName | None = None
    tools: Annotated[list[FunctionTool] | None, Field(max_length=TOOLS_MAX)] = None
    response_format: dict[str, Any] | None = None
    max_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None

    @model_validator(mode="after")
    def _something(self) -> RouteRequest:
        if (self.text is None) == (self.messages is None):
            raise ValueError("give either text or messages")
        if self.text is not None and not self.text.strip():
            raise ValueError("text says nothing")
        return self


class RouteTokens(Answer):
    prompt: int
    completion: int


class RouteCost(Answer):
    """Of local models: the CPU seconds that they would work; money is what the operator makes of
    them, so `cost_micro` is 0."""

    cpu_seconds: float
    cost_micro: int = 0


class RouteCandidate(Answer):
    """In order of cost. `share`: of the task's cases; `seconds`: for this request."""

    model: str
    engine: str
    bytes: int
    taken: bool
    why: str
    share: float | None
    seconds: float


class RouteAnswer(Answer):
    """`model` null: none passed the task's gate, and rules and quotes do the work."""

    model: str | None
    task: str
    complexity: str
    features: dict[str, Any]
    tokens: RouteTokens
    cost: RouteCost
    candidates: list[RouteCandidate]
    reasons: list[str]
