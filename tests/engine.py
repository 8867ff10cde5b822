"""What tests need to run workflows in this process: tenants, a drain, scripted tasks."""

from __future__ import annotations

import importlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from core.context import PLATFORM, Ctx, scopes_of
from core.ids import new_id
from core.ports import EffectCall, EffectClass
from database import tenants, users
from database.keys import new_tenant_key
from runtime import Runtime
from workflows.engine import work_once
from workflows.supervision import Agents
from workflows.tasks import Catalog, Defer, Done, EffectIntent, TaskSpec, Work

QUEUES = ("supervisor", "ingestion", "analysis", "report", "action")


class Drain(Protocol):
    def __call__(self, rt: Runtime, agents: Agents | None = None) -> int: ...


def drained(rt: Runtime, agents: Agents | None = None) -> int:
    """Works everything that is ready; without `agents` the platform's own ones work."""
    crew = agents or importlib.import_module("agents.registry").AGENTS
    count = 0
    while work_once(rt, QUEUES, crew):
        count += 1
        assert count < 10_000, "the jobs never end"
    return count


def new_tenant(
    rt: Runtime, slug: str = "", *, tier: str = "unlimited", config: Mapping[str, Any] | None = None
) -> Ctx:
    """An admin of a new tenant."""
    tenant_id = new_id()
    with rt.db.transaction(PLATFORM) as tx:
        tenants.create(
            tx, PLATFORM, new_tenant_key(rt.root_key, tenant_id), tenant_id=tenant_id,
            slug=slug or f"t{tenant_id[-12:]}", name="Test", tier=tier, config=config,
        )  # fmt: skip
    with rt.db.transaction(Ctx(tenant_id, "system")) as tx:
        admin = users.create(tx, Ctx(tenant_id, "system"), email=f"admin@{tenant_id}.example",
                             password_hash="", role="admin")  # fmt: skip
    return Ctx(tenant_id, f"user:{admin.id}", frozenset({"admin"}), scopes_of(["admin"]), "req-1")


Answer = Done | Defer | BaseException | Callable[[Work], Done | Defer]


class Script:
    """Agents whose tasks answer by script, per step: the last answer repeats. Without a script a
    task gives its payload back. `calls` counts per task and payload's `name`."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.works: list[Work] = []
        self._answers: dict[str, list[Answer]] = {}

    def on(self, name: str, *answers: Answer) -> None:
        self._answers[name] = list(answers)

    def _handle(self, work: Work) -> Done | Defer:
        name = str(work.message.payload.get("name", ""))
        self.calls[name] += 1
        self.works.append(work)
        answers = self._answers.get(name, [Done(dict(work.message.payload))])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer(work) if callable(answer) else answer

    def agents(self, supervisor: Any = None) -> Agents:
        names = [("supervisor", "noop"), ("supervisor", "plan"), ("analysis", "think"),
                 ("report", "write"), ("action", "act")]  # fmt: skip
        specs = [TaskSpec(agent, task, self._handle, "by script", effects=agent == "action")
                 for agent, task in names]  # fmt: skip
        found = supervisor or importlib.import_module("agents.supervisor").Supervisor()
        return Agents(Catalog(specs), found)


class Sent:
    """A connector that remembers what it was asked and answers by script."""

    def __init__(self, effect_class: EffectClass = "keyed") -> None:
        self._class = effect_class
        self.calls: list[EffectCall] = []
        self.known: dict[str, dict[str, Any]] = {}
        self.answers: list[dict[str, Any] | BaseException] = [{"ok": True}]

    @property
    def effect_class(self) -> EffectClass:
        return self._class

    def check(self, call: EffectCall) -> None: ...

    def send(self, call: EffectCall) -> dict[str, Any]:
        self.calls.append(call)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        self.known[call.key] = answer
        return answer

    def lookup(self, call: EffectCall) -> dict[str, Any] | None:
        return self.known.get(call.key)


def step(name: str, *needs: str, task: str = "supervisor.noop", **more: Any) -> dict[str, Any]:
    """A step that calls a scripted task under its own name."""
    agent, _, verb = task.partition(".")
    given = {"name": name, **more.pop("with_", {})}
    return {"id": name, "agent": agent, "task": verb, "needs": list(needs), "with": given, **more}


def flow(*steps: Mapping[str, Any], name: str = "flow", **more: Any) -> dict[str, Any]:
    return {"name": name, "steps": list(steps), **more}


def intent(connector: str = "sent", target: str = "there", **request: Any) -> EffectIntent:
    return EffectIntent(connector, target, f"Tell {target}", request or {"text": "hello"})


def keys(values: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    return [value[name] for value in values]
