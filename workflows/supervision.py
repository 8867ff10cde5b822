"""What the engine asks of a supervisor: given the verdicts so far, what starts, what ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Event
from typing import Any, Protocol

from core.context import Ctx
from database import Tx
from database.dispatch import Claim
from runtime import Runtime
from workflows.definitions import Definition
from workflows.tasks import Catalog


@dataclass(frozen=True, slots=True)
class RunView:
    """A run at a decision point. `verdicts`: step id → status; `holds`: the truth of a `when`."""

    run_id: str
    first: bool
    definition: Definition
    verdicts: Mapping[str, str]
    holds: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Decision:
    """`end`: completed | failed | needs_review, with `error` where something went wrong."""

    start: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    end: str | None = None
    error: Mapping[str, Any] | None = None


class Supervisor(Protocol):
    def decide(self, tx: Tx, ctx: Ctx, claim: Claim, view: RunView) -> Decision:
        """Pure but for its own memory, which it keeps in `tx` under the fence of `claim`."""
        ...

    def warm(self) -> None:
        """Loads now what the first decision would."""
        ...


@dataclass(frozen=True, slots=True)
class Agents:
    """All that works for a run: the tasks by name, and who decides. `chores` are what time brings
    about in their own rooms; any number of workers may do them at once. `beside` run in threads of
    their own in each worker, until the event."""

    catalog: Catalog
    supervisor: Supervisor
    chores: tuple[Callable[[Runtime], object], ...] = ()
    beside: tuple[Callable[[Runtime, Event], None], ...] = ()
