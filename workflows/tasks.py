"""What an agent's task gets and gives: `Work` in, `Done` or `Defer` out; and the catalog of tasks.

An agent's module ends with `TASKS: tuple[TaskSpec, ...]`; `agents.registry` collects them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from core.context import Ctx
from core.events import AgentMessage
from core.ports import EffectClass
from runtime import Runtime

Json = Any


@dataclass(frozen=True, slots=True)
class EffectIntent:
    """An outside action that a task asks for; the engine reserves, gets approved, sends, records.

    `request` is frozen as it is and handed to the connector; `target` and `summary` are what the
    approver reads; `sources` are `core.documents.Source` values as mappings.
    """

    connector: str
    target: str
    summary: str
    request: Mapping[str, Json]
    sources: tuple[Mapping[str, Json], ...] = ()
    cost_micro: int = 0
    # Where the request decides how it may be repeated, and not the connector alone.
    effect_class: EffectClass | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The step's result: small JSON (ids and verdicts), never document text."""

    output: dict[str, Json] = field(default_factory=dict)
    effects: tuple[EffectIntent, ...] = ()
    usage: Mapping[str, int] = field(default_factory=dict)  # prompt_tokens, completion_tokens, …


@dataclass(frozen=True, slots=True)
class Defer:
    """Ask again after `seconds`; not counted as an attempt. `waiting_for` is shown to people."""

    seconds: float
    waiting_for: str


class Desk(Protocol):
    """Where a step's side records go: the database in a run, memory in a test."""

    def recall(self, key: str) -> tuple[bool, Json]:
        """Whether `key` was recorded before, and its value."""
        ...

    def record(self, key: str, value: Json) -> Json:
        """Keeps `value` and gives what is kept from now on (the first one, if there was one)."""
        ...

    def log(self, message: str, level: str, data: Mapping[str, Json]) -> None: ...
    def progress(self, done: int, total: int) -> None: ...
    def cancelled(self) -> bool: ...


class ScratchDesk:
    """Keeps everything in memory: for tests and for calling a task outside a run."""

    def __init__(self) -> None:
        self.journal: dict[str, Json] = {}
        self.lines: list[tuple[str, str, Mapping[str, Json]]] = []
        self.at: tuple[int, int] = (0, 0)
        self.stop = False

    def recall(self, key: str) -> tuple[bool, Json]:
        return key in self.journal, self.journal.get(key)

    def record(self, key: str, value: Json) -> Json:
        return self.journal.setdefault(key, value)

    def log(self, message: str, level: str, data: Mapping[str, Json]) -> None:
        self.lines.append((level, message, data))

    def progress(self, done: int, total: int) -> None:
        self.at = (done, total)

    def cancelled(self) -> bool:
        return self.stop


@dataclass(frozen=True, slots=True)
class Work:
    """One attempt of one step. `message.payload` is the step's `with:`, filled in."""

    rt: Runtime
    ctx: Ctx
    message: AgentMessage
    run_id: str
    step_id: str  # the step's row id, unique over all runs
    attempt: int = 1
    desk: Desk = field(default_factory=ScratchDesk)

    def remember(self, key: str, think: Callable[[], Json]) -> Json:
        """The journal: `think()` runs once per step and key; its JSON is durable before it is
        used, and given back on every later attempt."""
        known, value = self.desk.recall(key)
        return value if known else self.desk.record(key, think())

    def log(self, message: str, *, level: str = "info", **data: Json) -> None:
        self.desk.log(message, level, data)

    def progress(self, done: int, total: int) -> None:
        self.desk.progress(done, total)

    def cancelled(self) -> bool:
        """True once the run is cancelled, past its deadline, or no longer this worker's."""
        return self.desk.cancelled()


Task = Callable[[Work], Done | Defer]


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task by name. `params`: name → what it is; a name that ends in `?` may be left out, and no
    params at all means that anything goes. `effects`: the task may ask for outside actions."""

    agent: str
    task: str
    handler: Task
    summary: str
    params: Mapping[str, str] = field(default_factory=dict)
    effects: bool = False


class Catalog:
    """The registered tasks, by agent and name."""

    def __init__(self, specs: Iterable[TaskSpec]) -> None:
        self._specs: dict[tuple[str, str], TaskSpec] = {}
        for spec in specs:
            if (spec.agent, spec.task) in self._specs:
                raise ValueError(f"two tasks are called {spec.agent}.{spec.task}")
            self._specs[spec.agent, spec.task] = spec

    def find(self, agent: str, task: str) -> TaskSpec | None:
        return self._specs.get((agent, task))

    def tasks_of(self, agent: str) -> tuple[str, ...]:
        return tuple(sorted(task for owner, task in self._specs if owner == agent))

    @property
    def agents(self) -> tuple[str, ...]:
        return tuple(sorted({agent for agent, _ in self._specs}))

    def __iter__(self) -> Iterator[TaskSpec]:
        return iter(self._specs.values())
