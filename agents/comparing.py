"""Two generations of an index are asked the same questions: how much they differ, which one finds
again what it was asked for, how long each takes, what is missing."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from agents import generations, own_questions, shelf
from agents.own_questions import Known
from agents.swapping import named
from core.context import Ctx
from core.documents import Hit
from core.errors import Conflict
from core.ports import Embedder
from runtime import Runtime
from vectorstore import Generation, Head, Query
from vectorstore.values import Mode

K = 10
_MODES: tuple[Mode, ...] = ("vector", "hybrid")
_SEED = 7  # the same passages are drawn every time


@dataclass
class _Side:
    """One generation under test; milliseconds of every question."""

    rt: Runtime
    ctx: Ctx
    head: Head
    generation: Generation
    embedder: Embedder

    def __post_init__(self) -> None:
        self.embed_ms: list[float] = []
        self.search_ms: list[float] = []
        self.embedder.embed(["warm"])  # loading the weights is nobody's latency

    def found(self, text: str) -> dict[str, list[Hit]]:
        """By mode."""
        started = time.perf_counter()
        vector = self.embedder.embed([text])[0]
        self.embed_ms.append((time.perf_counter() - started) * 1000)
        return {mode: self._searched(text, vector, mode) for mode in _MODES}

    def _searched(self, text: str, vector: Any, mode: Mode) -> list[Hit]:
        query = Query(text, vector, self.generation.digest, K, mode)
        started = time.perf_counter()
        hits = self.rt.shelves.searched(self.ctx, self.head, query).hits
        self.search_ms.append((time.perf_counter() - started) * 1000)
        return hits

    def told(self) -> dict[str, Any]:
        missing = self.head.missing(self.generation.digest)
        return {
            "model": named(self.generation), "state": self.generation.state,
            "dimension": self.embedder.dimension, "missing": missing,
            "embed_ms_p50": _median(self.embed_ms), "search_ms_p50": _median(self.search_ms),
        }  # fmt: skip


def compare(rt: Runtime, ctx: Ctx, limit: int = 100) -> dict[str, Any]:
    """→ `{passages, serving, other, own, known}`; `other` is the generation beside, else the one
    that is kept. `own`: questions that people asked, and headings where those are few, with the
    share of the ten best passages that both find. `known`: questions cut out of passages, with
    recall@10 and MRR of each. Raises `Conflict` when there is nothing to compare."""
    head = shelf.head_of(rt, ctx)
    one, other = _sides(rt, ctx, head)
    chance = random.Random(_SEED)  # noqa: S311
    sample = own_questions.sampled(rt, ctx, head, limit * 3, chance)
    chance.shuffle(sample)
    asked = own_questions.asked(rt, ctx, limit)
    headings = own_questions.headings(sample, limit - len(asked))
    known = own_questions.known_items(sample, limit, chance)
    own = {"asked": len(asked), "headings": len(headings)}
    return {
        "passages": head.readable,
        "own": {**own, "overlap_at_10": _overlaps(one, other, [*asked, *headings])},
        "known": {"questions": len(known), **_found_again((one, other), known)},
        "serving": one.told(), "other": other.told(),
    }  # fmt: skip


def _sides(rt: Runtime, ctx: Ctx, head: Head) -> tuple[_Side, _Side]:
    serving = head.serving
    other = head.generation("beside") or head.generation("kept")
    if serving is None or other is None:
        raise Conflict(
            "There is nothing to compare. Type: weft index rebuild --model NAME",
            code="nothing_to_compare",
        )
    return _side(rt, ctx, head, serving), _side(rt, ctx, head, other)


def _side(rt: Runtime, ctx: Ctx, head: Head, generation: Generation) -> _Side:
    embedder = generations.loaded(rt.models, generation)
    if embedder is None:
        raise Conflict(
            f"The model {named(generation)} is not here: nothing can be asked of its generation. "
            "Type: weft models list",
            code="model_missing",
        )
    return _Side(rt, ctx, head.by(generation.digest), generation, embedder)


def _overlaps(one: _Side, other: _Side, texts: Sequence[str]) -> dict[str, float | None]:
    shares: dict[str, list[float]] = {mode: [] for mode in _MODES}
    for text in texts:
        first, second = one.found(text), other.found(text)
        for mode in _MODES:
            mine, theirs = _ids(first[mode]), _ids(second[mode])
            if mine or theirs:
                shares[mode].append(len(mine & theirs) / max(len(mine), len(theirs)))
    return {mode: _mean(found) for mode, found in shares.items()}


def _found_again(sides: tuple[_Side, _Side], known: Sequence[Known]) -> dict[str, Any]:
    told: dict[str, Any] = {mode: {} for mode in _MODES}
    for name, side in zip(("serving", "other"), sides, strict=True):
        ranks: dict[str, list[int]] = {mode: [] for mode in _MODES}
        for one in known:
            for mode, hits in side.found(one.text).items():
                ranks[mode].append(_rank(hits, one.passage))
        for mode in _MODES:
            told[mode][name] = {
                "recall_at_10": _mean([float(rank > 0) for rank in ranks[mode]]),
                "mrr": _mean([1 / rank if rank else 0.0 for rank in ranks[mode]]),
            }
    return told


def _rank(hits: Sequence[Hit], passage: str) -> int:
    """From 1; 0 when it is not among them. The same words elsewhere are as good."""
    return next((n for n, hit in enumerate(hits, 1) if hit.chunk.text == passage), 0)


def _ids(hits: Iterable[Hit]) -> set[str]:
    return {hit.chunk.id for hit in hits}


def _mean(values: Sequence[float]) -> float | None:
    return round(float(np.mean(values)), 4) if values else None


def _median(values: Sequence[float]) -> float | None:
    return round(float(np.median(values)), 2) if values else None


def rows(told: dict[str, Any]) -> list[tuple[object, ...]]:
    """`(measure, serving, other)` for people."""
    own, known = told["own"], told["known"]
    serving, other = told["serving"], told["other"]
    found: list[tuple[object, ...]] = [("model", serving["model"], other["model"])]
    asked = f"{own['asked']} asked + {own['headings']} headings"
    for mode, share in own["overlap_at_10"].items():
        found.append((f"overlap@10, {mode} ({asked})", "", _shown(share)))
    for mode in _MODES:
        for name, words in (("recall_at_10", "recall@10"), ("mrr", "MRR")):
            both = (_shown(known[mode][side][name]) for side in ("serving", "other"))
            found.append((f"{words}, {mode} ({known['questions']} known passages)", *both))
    for name, words in (("embed_ms_p50", "question's vector, ms"), ("search_ms_p50", "search, ms")):
        found.append((words, _shown(serving[name]), _shown(other[name])))
    found.append(("passages without vectors", serving["missing"], other["missing"]))
    return found


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"
