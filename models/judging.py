"""A local model as the judge of two replies: each pair is shown twice with the order swapped, and
only a verdict that survives the swap counts. It is itself graded before it is believed.

Source: Zheng et al., "Judging LLM-as-a-Judge" (2023), on position bias.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from core.errors import InvalidInput, Unavailable
from core.ports import ChatMessage, ChatModel, ChatRequest
from core.settings import Settings
from models import gates

TASK = "judging"
Verdict = Literal["first", "second", "same"]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two replies to a gate's case: `better` passes its own check, `worse` fails it."""

    task: str
    place: int
    better: str
    worse: str

    @property
    def case(self) -> gates.Case:
        return gates.gate(self.task).cases[self.place]


@dataclass(frozen=True, slots=True)
class Bench:
    order: str
    share: float
    max_tokens: int
    schema: dict[str, Any]
    pairs: tuple[Pair, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Judged:
    """`steady`: the same reply won in both orders."""

    verdict: Verdict
    steady: bool


@cache
def bench() -> Bench:
    text = (Path(__file__).with_name("cases") / f"{TASK}.yaml").read_text()
    data = yaml.safe_load(text)
    return Bench(
        data["order"].strip(), float(data["share"]), int(data["max_tokens"]), data["schema"],
        tuple(Pair(**row) for row in data["cases"]), gates.digest(text),
    )  # fmt: skip


def compare(judge: ChatModel, ask: str, first: str, second: str) -> Judged:
    """Raises `Unavailable` and `InvalidInput` when the judge gives no verdict."""
    forth, back = _asked(judge, ask, first, second), _asked(judge, ask, second, first)
    turned = {"A": "B", "B": "A", "same": "same"}[back]
    if forth != turned:
        return Judged("same", False)
    names: dict[str, Verdict] = {"A": "first", "B": "second", "same": "same"}
    return Judged(names[forth], True)


def _asked(judge: ChatModel, ask: str, a: str, b: str) -> str:
    about = bench()
    told = f"Request:\n{ask}\n\nReply A:\n{a}\n\nReply B:\n{b}"
    messages = (ChatMessage("system", about.order), ChatMessage("user", told))
    request = ChatRequest(messages, about.schema, about.max_tokens, 0.0, gates.CASE_SECONDS)
    reply = judge.chat(request)
    return str(json.loads(reply.text)["better"])


def grade(judge: ChatModel) -> dict[str, Any]:
    """The judge's line of a card: how often it agrees with the cases' own checks, and how often it
    stays with its verdict when the order is swapped. The better reply stands first in every second
    pair, so that always saying A agrees with none."""
    about, began = bench(), time.perf_counter()
    right, steady, faults = 0, 0, []
    for place, pair in enumerate(about.pairs):
        found = _judged(judge, pair, swapped=bool(place % 2))
        right += found == Judged("first", True)
        steady += found is not None and found.steady
        if found != Judged("first", True):
            faults.append(f"{pair.task} {pair.place}: {_words(found)}")
    seconds, count = time.perf_counter() - began, len(about.pairs)
    return {
        "passed": right, "cases": count, "share": round(right / count, 3),
        "steady": round(steady / count, 3),
        "gate": "open" if right >= about.share * count else "shut", "digest": about.digest,
        "seconds": round(seconds, 1), "tokens_per_second": None, "faults": faults,
    }  # fmt: skip


def _judged(judge: ChatModel, pair: Pair, *, swapped: bool) -> Judged | None:
    replies = (pair.worse, pair.better) if swapped else (pair.better, pair.worse)
    try:
        found = compare(judge, pair.case.ask, *replies)
    except (Unavailable, InvalidInput):
        return None
    if not swapped:
        return found
    turned: dict[Verdict, Verdict] = {"first": "second", "second": "first", "same": "same"}
    return Judged(turned[found.verdict], found.steady)


def _words(found: Judged | None) -> str:
    if found is None:
        return "no verdict"
    if not found.steady:
        return "changed its mind when the order was swapped"
    return "took the worse one" if found.verdict == "second" else "saw no difference"


def evaluate(settings: Settings, names: Sequence[str]) -> list[dict[str, Any]]:
    """Grades the named models as judges and adds that to their cards."""
    from models.router import Models

    models = Models(settings)
    cards = []
    for candidate in models.candidates():
        if candidate.name in names:
            chat = models.any_chat(candidate.name)
            assert chat is not None
            card = {"model": chat.name, "digest": candidate.digest, "tasks": {TASK: grade(chat)},
                    "at_ms": time.time_ns() // 1_000_000}  # fmt: skip
            cards.append(gates.write(settings, card))
    return cards


def believed(settings: Settings, model: str, digest: str) -> bool:
    """Whether this model passed as a judge of today's pairs."""
    line = gates.line(settings, model, digest, TASK)
    return line is not None and line["gate"] == "open" and line["digest"] == bench().digest
