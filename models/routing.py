"""Which model does a piece of work, and why: by its wording, its features, what each model has
passed, and what it would cost. Deterministic: the same text gives the same choice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from models.classify import classify
from models.features import Features, complexity

CHAT = "chat"  # a reply that nothing is built on: it needs no gate
# What the words of `/route` mean in the gates' own.
ALIASES = {
    "answering": "answer", "question": "answer", "extract": "extraction", "plan": "planning",
    "summary": "summarising", "summarize": "summarising", "summarise": "summarising",
    "summarizing": "summarising", "classification": "json", "classify": "json",
    "conversation": CHAT, "general": CHAT,
}  # fmt: skip
_REPLY_TOKENS = {
    "answer": 120, "refusing": 40, "extraction": 200, "json": 60, "planning": 300,
    "summarising": 160, CHAT: 256,
}  # fmt: skip
_TOKENS_PER_SECOND = 20.0  # where no card tells
_NEAR = 0.05  # of the best share: good enough for what is neither simple nor complex


@dataclass(frozen=True, slots=True)
class Contender:
    """A model as the router sees it. `missing`: the gates of this task that it has not passed."""

    name: str
    engine: str
    bytes: int
    missing: tuple[str, ...] = ()
    share: float | None = None  # of the task's cases
    tokens_per_second: float | None = None
    resting: bool = False  # its breaker is open
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Considered:
    model: str
    engine: str
    bytes: int
    taken: bool
    why: str
    share: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Decision:
    """`model` None: none may be used, and the model-free path does the work."""

    model: str | None
    task: str
    complexity: str  # simple | moderate | complex
    features: Features
    prompt_tokens: int
    completion_tokens: int
    cpu_seconds: float
    candidates: tuple[Considered, ...]
    reasons: tuple[str, ...]
    too_long: bool = False  # a shorter text would have found a model

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def task_of(text: str, named: str | None, seen: Features) -> tuple[str, str]:
    """The task and the reason in words; a named one counts."""
    if named:
        return ALIASES.get(named, named), f"the caller named the task {named}"
    return classify(text, seen)


def estimate(text: str, task: str, reply_tokens: int | None = None) -> tuple[int, int]:
    """Tokens of the prompt and of the reply. Four bytes a token is what English has; languages
    with longer or rarer words have fewer bytes a token, and three are counted for them."""
    plain = len(text.encode())
    prompt = math.ceil(plain / (4 if text.isascii() else 3)) + 8
    return prompt, reply_tokens or _REPLY_TOKENS.get(task, 256)


def decide(
    text: str,
    contenders: Sequence[Contender],
    *,
    task: str,
    why_task: str,
    seen: Features,
    reply_tokens: int | None = None,
    threads: int = 1,
) -> Decision:
    """`contenders`: cheapest first. Simple work goes to the cheapest that passed the gate, complex
    work to the strongest (the largest) that did, and what lies between to the cheapest that is
    nearly as good as the best."""
    prompt, reply = estimate(text, task, reply_tokens)
    level, why_level = complexity(text, seen)
    out = {one.name: _ruled_out(one, task, prompt + reply) for one in contenders}
    able = [one for one in contenders if not out[one.name]]
    chosen, why = _chosen(able, level)
    candidates = tuple(
        Considered(
            one.name, one.engine, one.bytes, one is chosen,
            out[one.name] or (why if one is chosen else _passed_over(one, chosen, level)),
            one.share, _seconds(one, prompt, reply),
        )
        for one in contenders
    )  # fmt: skip
    cpu = _seconds(chosen, prompt, reply) * threads if chosen else 0.0
    reasons = (f"task {task}: {why_task}", f"{level}: {why_level}", why)
    name = chosen.name if chosen else None
    return Decision(
        name, task, level, seen, prompt, reply, round(cpu, 2), candidates, reasons,
        too_long=not able and any(_only_too_small(one, prompt + reply) for one in contenders),
    )  # fmt: skip


def _only_too_small(one: Contender, tokens: int) -> bool:
    small = one.context_tokens is not None and tokens > one.context_tokens
    return small and not one.missing and not one.resting


def _ruled_out(one: Contender, task: str, tokens: int) -> str:
    """Why it cannot be taken, or nothing."""
    if one.missing:
        return f"has not passed the gate of {' and '.join(one.missing)}: weft models eval"
    if one.resting:
        return "rests after five failures in a row"
    if one.context_tokens is not None and tokens > one.context_tokens:
        return f"about {tokens} tokens are more than its {one.context_tokens}"
    return ""


def _chosen(able: Sequence[Contender], level: str) -> tuple[Contender | None, str]:
    if not able:
        return None, "no model here may do it: rules and quotes do the work"
    if level == "complex":
        strongest = max(able, key=lambda one: one.bytes)
        return strongest, "the strongest model that passed the gate"
    if level == "simple":
        return able[0], "the cheapest model that passed the gate"
    best = max(one.share or 0.0 for one in able)
    near = next(one for one in able if (one.share or 0.0) >= best - _NEAR)
    return near, "the cheapest of those that are nearly as good as the best"


def _passed_over(one: Contender, chosen: Contender | None, level: str) -> str:
    if chosen is None:
        return "not needed"
    if level == "complex":
        return f"{chosen.name} is larger, and this is complex"
    if one.bytes >= chosen.bytes:
        return f"{chosen.name} is cheaper and good enough"
    return f"{chosen.name} did better on the task's cases"


def _seconds(one: Contender, prompt: int, reply: int) -> float:
    """Reading a prompt is about eight times as fast as writing."""
    speed = one.tokens_per_second or _TOKENS_PER_SECOND
    return round((prompt / 8 + reply) / speed, 2)
