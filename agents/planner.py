"""A goal in words becomes a definition: by a model that passed the gate of planning, else by rules
over verbs and kinds of documents. Either way the engine validates it like any other."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents import episodes
from agents.metering import chat_for
from agents.plan_rules import by_rules, recipients, wants_telling
from core.context import Ctx
from core.errors import NotFound, Rejected, WeftError
from core.ports import ChatMessage, ChatModel, ChatRequest
from database import Tx, documents, runs, tenants, users
from workflows import definitions
from workflows.tasks import Catalog, Done, Work

_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["name", "steps"],
    "properties": {
        "name": {"type": "string"},
        "summary": {"type": "string"},
        "steps": {"type": "array", "items": {"type": "object", "required": ["id"]}},
        "outputs": {"type": "object"},
    },
}


def plan_task(work: Work) -> Done:
    """Output: `{definition, by, plan, notes}`: `by` is `rules` or the model's name, `plan` the
    steps in words, `notes` what the plan leaves undone and why."""
    goal = str(work.message.payload.get("goal") or "")
    given = [str(one) for one in work.message.payload.get("documents") or ()]
    made = episodes.remember(work, "plan", lambda: _plan(work, goal, given))
    work.log("planned", by=made["by"], plan=made["plan"], notes=made["notes"])
    for note in made["notes"]:
        work.log(note, level="warning")
    return Done(dict(made))


def _plan(work: Work, goal: str, given: Sequence[str]) -> dict[str, Any]:
    with work.rt.db.read(work.ctx) as tx:
        kinds = [row.document_type for row in documents.many(tx, work.ctx, list(given))]
        run = runs.get(tx, work.ctx, work.run_id)
        told = recipients(goal, run.inputs, _own_address(tx, work.ctx, run.actor))
    catalog = _catalog()
    made, by = None, "rules"
    model = chat_for(work.rt, work.ctx, "planning", goal)
    if model is not None:
        made, by = by_model(model, catalog, goal, kinds, told), model.name
    if made is None:
        made, by = by_rules(goal, kinds, some=bool(given), told=told), "rules"
    notes = list(notes_on(made, goal, told))
    return {"definition": made, "by": by, "plan": in_words(made, catalog), "notes": notes}


def _own_address(tx: Tx, ctx: Ctx, actor: str) -> str | None:
    """The person's who asks; for a key, the one in the tenant's config."""
    kind, _, user_id = actor.partition(":")
    if kind == "user":
        with contextlib.suppress(NotFound):
            return users.get(tx, ctx, user_id).email
    return tenants.own(tx, ctx).config.get("notify_email")


def notes_on(definition: Mapping[str, Any], goal: str, told: Mapping[str, str]) -> Iterator[str]:
    """What the goal seems to ask for and the plan does not do."""
    tells = any(step.get("agent") == "action" for step in definition["steps"])
    if tells or not wants_telling(goal):
        return
    if told:
        yield "Nothing of this plan is sent to anybody: its result is the report."
    else:
        yield (
            "Nobody is told: no address is known for 'me'. Give inputs.notify_email or "
            "inputs.webhook_url, name an address in the goal, or set the tenant's notify_email."
        )


def in_words(definition: Mapping[str, Any], catalog: Catalog) -> list[str]:
    """A sentence for each step, in order."""
    return [_sentence(step, catalog) for step in definition["steps"]]


def _sentence(step: Mapping[str, Any], catalog: Catalog) -> str:
    inner = step.get("steps") or [step]
    specs = [catalog.find(str(one.get("agent")), str(one.get("task"))) for one in inner]
    does = ", then ".join(s.summary[:1].lower() + s.summary[1:] for s in specs if s is not None)
    each = "for each document: " if step.get("for_each") else ""
    only = f", if {step['when']}" if step.get("when") else ""
    return f"{step['id']}: {each}{does}{only}"


def _catalog() -> Catalog:
    from agents.registry import AGENTS  # the registry lists this module's task

    return AGENTS.catalog


def by_model(
    model: ChatModel,
    catalog: Catalog,
    goal: str,
    kinds: Sequence[str],
    told: Mapping[str, str] | None = None,
) -> dict[str, Any] | None:
    """None when the model does not answer or its plan is not valid: then the rules plan."""
    tasks = "\n".join(
        f"- {one.agent}.{one.task}({', '.join(one.params)}): {one.summary}"
        for one in catalog
        if one.agent != "supervisor"
    )
    system = (
        "You plan workflows. Answer with one JSON object: name, summary, steps, outputs. A step "
        "has id, agent, task, needs, with; `${documents}`, `${steps.ID.output.FIELD}` are filled "
        'in later. `{"id": "read", "for_each": "${documents}", "as": "document", "steps": […]}` '
        f"runs its steps for each document. Only these tasks exist:\n{tasks}"
    )
    ask = f"Documents: {json.dumps(sorted(set(kinds)))}\nGoal: {json.dumps(goal)}"
    if told:
        ask += f"\nWho is told: {json.dumps(dict(told))}"
    messages = (ChatMessage("system", system), ChatMessage("user", ask))
    try:
        reply = model.chat(ChatRequest(messages, _SCHEMA, max_tokens=1200))
        body = json.loads(reply.text)
        return dict(definitions.parse({**body, "name": "goal"}, catalog).body)
    except (WeftError, Rejected, ValueError, TypeError):
        return None
