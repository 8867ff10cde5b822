"""What a worker holds while it carries a run on: the claim, and what it knows of the run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.context import Ctx
from database.dispatch import Claim
from database.runs import Run
from workflows.definitions import Definition, Step


@dataclass(frozen=True, slots=True)
class Shift:
    """The worker's side of a claim. `queues` it serves; the same claim may go on with the run's
    next steps until `until_ms`, then others have their turn."""

    owner: str
    queues: frozenset[str]
    lease_ms: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Held:
    """A step in this worker's hands. `ids`: step id in the definition → row id."""

    claim: Claim
    ctx: Ctx
    run: Run
    definition: Definition
    step: Step
    ids: Mapping[str, str]
    payload: Any

    @property
    def step_id(self) -> str:
        return self.ids[self.step.id]
