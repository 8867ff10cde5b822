"""Named crash boundaries. `fp("effect.sent")` does nothing unless the environment names it.

`WEFT_FAILPOINTS="<name>:<before|after>:<n>=<kill|error|sleep:SECONDS>[,...]"`: at the n-th pass
(from 1) before or after the boundary the process is killed with SIGKILL, raises, or sleeps.
The list of names is the list of crash boundaries; a test fails if one is never hit.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

# name -> what is about to be, or has just been, made durable there
NAMES: dict[str, str] = {
    "submit.commit": "a run, its first job and its event",
    "trigger.commit": "a run that a time, a call or a document starts",
    "upload.commit": "an uploaded document's row and bytes",
    "claim.commit": "a job's lease",
    "advance.commit": "a decision of the supervisor and the jobs it starts",
    "step.start": "the hand-over to an agent",
    "step.commit": "a step's result and its successor",
    "journal.commit": "a model's or a parser's output, before it is used",
    "index.commit": "the tenant's index head",
    "effect.reserve": "an outside action's key, before it is sent",
    "effect.sent": "the mark that an outside action is being sent",
    "effect.call": "the outside action itself",
    "effect.commit": "the outside action's answer",
    "run.commit": "a run's end",
    "intake.commit": "the place up to which messages were taken in",
    "relay.publish": "the mark that events were published",
}


class FailpointError(Exception):
    """Raised where the environment asks for `error`."""


@dataclass(frozen=True, slots=True)
class _Rule:
    name: str
    side: str
    nth: int
    action: str


def _parse(text: str) -> tuple[_Rule, ...]:
    rules = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        place, _, action = item.partition("=")
        name, side, nth = [*place.split(":"), "before", "1"][:3]
        if name not in NAMES:
            raise ValueError(f"WEFT_FAILPOINTS names {name!r}; `weft failpoints` lists the names")
        rules.append(_Rule(name, side, int(nth), action))
    return tuple(rules)


_rules = _parse(os.environ.get("WEFT_FAILPOINTS", ""))
_hits: Counter[tuple[str, str]] = Counter()
_lock = threading.Lock()


def _act(rule: _Rule) -> None:
    if rule.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif rule.action == "error":
        raise FailpointError(f"failpoint {rule.name}:{rule.side}:{rule.nth}")
    elif rule.action.startswith("sleep:"):
        time.sleep(float(rule.action.removeprefix("sleep:")))


def _pass(name: str, side: str) -> None:
    with _lock:
        _hits[name, side] += 1
        nth = _hits[name, side]
    for rule in _rules:
        if (rule.name, rule.side, rule.nth) == (name, side, nth):
            _act(rule)


@contextmanager
def fp(name: str) -> Iterator[None]:
    """Marks one boundary: `with fp("step.commit"): commit()`."""
    if not _rules:
        yield
        return
    _pass(name, "before")
    yield
    _pass(name, "after")


def reset(text: str) -> None:
    """Installs the rules in `text` and forgets all passes; for tests that stay in one process."""
    global _rules
    with _lock:
        _rules = _parse(text)
        _hits.clear()
