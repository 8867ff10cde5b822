"""Decides from a history alone whether the promises held; every breach has a name.

lost: accepted, but never ended well-defined. twice: one request made two runs. unasked: a run that
nobody asked for. duplicate: one intended effect reached the outside under two ids, or a blind one
twice. missing: a completed run whose effect never arrived. changed: one id, two bodies. stale: a
step or a run was finished twice, or something was written after the end. reordered: facts out of
order, or a step before what it needs. rude: 5xx other than 503, or a refusal without Retry-After.
undecided: needs_review without a blind effect in doubt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.torture.history import Line, by

TERMINAL = frozenset({"completed", "failed", "cancelled", "needs_review"})
WELL = frozenset({"completed", "needs_review"})
ENDS = frozenset(f"workflow.{status}" for status in TERMINAL)
# After the end only its telling goes on.
LATE = ("effect.", "job.dead", "callback.")


@dataclass(frozen=True)
class Expected:
    """What a good run looks like. `effects`: what → class, each exactly once a run; `needs`: step →
    the steps before it."""

    effects: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ends: frozenset[str] = WELL


@dataclass(frozen=True)
class Breach:
    kind: str
    what: str


def check(lines: Iterable[Line], expected: Expected) -> list[Breach]:
    kinds = by(lines, "kind")
    ended = {line["run"]: line for line in kinds.get("ended", ())}
    return [
        *_asked(kinds, ended, expected),
        *_rude(kinds.get("answered", ())),
        *_outside(kinds.get("delivered", ()), ended, expected),
        *_facts(by(kinds.get("fact", ()), "run"), expected),
    ]


def count(breaches: Iterable[Breach], *kinds: str) -> int:
    return sum(one.kind in kinds for one in breaches)


def _asked(
    kinds: Mapping[str, list[Line]], ended: Mapping[str, Line], expected: Expected
) -> Iterator[Breach]:
    accepted = [one for one in kinds.get("answered", ()) if one["status"] in (201, 202)]
    for op, answers in by(accepted, "op").items():
        if len({one["run"] for one in answers}) > 1:
            yield Breach("twice", f"{op} was answered with {len(answers)} runs")
        for run in {one["run"] for one in answers}:
            status = ended.get(run, {}).get("status")
            if status not in TERMINAL:
                yield Breach("lost", f"{op}: run {run} is {status or 'gone'}")
            elif status not in expected.ends:
                yield Breach("lost", f"{op}: run {run} ended {status}")
    ops = {one["op"] for one in kinds.get("asked", ())}
    for op, runs in by(kinds.get("listed", ()), "op").items():
        if op not in ops:
            yield Breach("unasked", f"run {runs[0]['run']} of {op}")
        elif len({one["run"] for one in runs}) > 1:
            yield Breach("twice", f"{op} has {len(runs)} runs")


def _rude(answers: Iterable[Line]) -> Iterator[Breach]:
    for one in answers:
        status = one["status"]
        if status >= 500 and status != 503:
            yield Breach("rude", f"{one['op']} was answered {status}: {one.get('text', '')}")
        elif status in (429, 503) and not str(one.get("retry_after") or "").isdigit():
            yield Breach("rude", f"{one['op']} was refused with {status} without Retry-After")


def _outside(
    deliveries: Iterable[Line], ended: Mapping[str, Line], expected: Expected
) -> Iterator[Breach]:
    groups = by(deliveries, "run")
    for run, all_of_it in groups.items():
        kinds = by(all_of_it, "what")
        for what, ones in kinds.items():
            bodies = Counter({(one["id"], one["body"]): 1 for one in ones})
            ids = Counter(key for key, _ in bodies)
            if len(ids) > 1:
                yield Breach("duplicate", f"{what} of run {run} went out under {len(ids)} ids")
            if any(n > 1 for n in ids.values()):
                yield Breach("changed", f"{what} of run {run}: one id, two bodies")
            if ones[0]["effect"] == "blind" and len(ones) > 1:
                yield Breach("duplicate", f"blind {what} of run {run} went out {len(ones)} times")
    for run, end in ended.items():
        blind = [what for what, kind in expected.effects.items() if kind == "blind"]
        wanted = set(end.get("effects", expected.effects))
        seen = set(by(groups.get(run, ()), "what"))
        if end["status"] == "completed" and wanted - seen:
            yield Breach("missing", f"run {run} completed without {sorted(wanted - seen)}")
        if end["status"] == "needs_review" and not wanted & set(blind):
            yield Breach("undecided", f"run {run} needs review, but nothing of it is blind")


def _facts(runs: Mapping[str, list[Line]], expected: Expected) -> Iterator[Breach]:
    for run, facts in runs.items():
        if [one["seq"] for one in facts] != sorted({one["seq"] for one in facts}):
            yield Breach("reordered", f"the events of run {run} are not in order")
        types = [one["type"] for one in facts]
        over = next((i for i, kind in enumerate(types) if kind in ENDS), len(types))
        if sum(kind in ENDS for kind in types) > 1:
            yield Breach("stale", f"run {run} ended more than once")
        for kind in types[over + 1 :]:
            if kind not in ENDS and not kind.startswith(LATE):
                yield Breach("stale", f"{kind} after the end of run {run}")
        done: set[str] = set()
        for one in facts:
            step = one.get("step")
            if one["type"] == "step.started" and step is not None:
                early = set(expected.needs.get(step, ())) - done
                if early:
                    yield Breach("reordered", f"{step} of run {run} began before {sorted(early)}")
                if step in done:
                    yield Breach("stale", f"{step} of run {run} began again after its end")
            if one["type"] == "step.completed" and step is not None:
                if step in done:
                    yield Breach("stale", f"{step} of run {run} was finished twice")
                done.add(step)
