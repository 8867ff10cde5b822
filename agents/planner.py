"""A goal in words becomes a definition: by a model that passed the gate of planning, else by rules
over verbs and kinds of documents. Either way the engine validates it like any other."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from core.errors import Rejected, WeftError
from core.ports import ChatMessage, ChatModel
from database import documents
from workflows import definitions
from workflows.tasks import Catalog, Done, Work

_PAPERS = frozenset({"invoice", "receipt", "purchase_order", "ledger"})
_CHECK = re.compile(
    r"\b(invoices?|bills?|ledger|overdue|overpaid|unpaid|paid|payments?|duplicates?"
    r"|purchase orders?|reconcil\w*|mismatch\w*|exceptions?|totals?|vendors?|receipts?)\b",
    re.IGNORECASE,
)
_ASK = re.compile(
    r"\b(answer|answers|summari[sz]e|summary|explain|questions?|what|why|who|when|how)\b|\?",
    re.IGNORECASE,
)
_TELL = re.compile(r"\b(e-?mail|mail|send|notify|alert|webhook)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_URL = re.compile(r"https?://[^\s,;)>\"']+")
_FORMATS = {
    "pdf": re.compile(r"\bpdf\b", re.IGNORECASE),
    "xlsx": re.compile(r"\b(xlsx|excel|spreadsheet)\b", re.IGNORECASE),
    "csv": re.compile(r"\bcsv\b", re.IGNORECASE),
}
_QUESTIONS_MAX = 20
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
    """Output: `{definition, by}`, `by` being `rules` or the model's name."""
    goal = str(work.message.payload.get("goal") or "")
    given = [str(one) for one in work.message.payload.get("documents") or ()]
    made = work.remember("plan", lambda: _plan(work, goal, given))
    work.log("planned", by=made["by"], steps=[step["id"] for step in made["definition"]["steps"]])
    return Done(dict(made))


def _plan(work: Work, goal: str, given: Sequence[str]) -> dict[str, Any]:
    with work.rt.db.read() as tx:
        kinds = [row.document_type for row in documents.many(tx, work.ctx, list(given))]
    model = work.rt.models.chat("planning")
    if model is not None:
        made = by_model(model, _catalog(), goal, kinds)
        if made is not None:
            return {"definition": made, "by": model.name}
    return {"definition": by_rules(goal, kinds, some=bool(given)), "by": "rules"}


def _catalog() -> Catalog:
    from agents.registry import AGENTS  # the registry lists this module's task

    return AGENTS.catalog


def by_rules(goal: str, kinds: Sequence[str] = (), *, some: bool = True) -> dict[str, Any]:
    """`kinds`: the document types that are known by now; `some`: documents came with the goal."""
    checks = bool(_CHECK.search(goal)) or bool(_PAPERS.intersection(kinds))
    asks = bool(_ASK.search(goal)) and not (checks and _PAPERS.intersection(kinds))
    if checks and not (asks and "?" in goal):
        return _checking(goal)
    return _answering(goal, some)


def _checking(goal: str) -> dict[str, Any]:
    steps = [
        _reading(extract=True),
        {
            "id": "check", "agent": "analysis", "task": "check_invoices", "needs": ["read"],
            "with": {"documents": "${documents}", "failed": "${steps.read.failed}"},
        },
        _report("invoice-review", "check", goal),
    ]  # fmt: skip
    address, url = _ADDRESS.search(goal), _URL.search(goal)
    if _TELL.search(goal) and (address or url):
        told: dict[str, Any] = {"exceptions": "${steps.check.output.exceptions}"}
        if address:
            told["email"] = address[0].rstrip(".")
        if url:
            told["webhook_url"] = url[0].rstrip(".")
        steps.append({
            "id": "notify", "agent": "action", "task": "notify", "needs": ["check", "report"],
            "when": "steps.check.output.exception_count > 0",
            "with": {**told, "report_id": "${steps.report.output.report_id}"},
        })  # fmt: skip
    outputs = {
        "exception_count": "${steps.check.output.exception_count}",
        "report_id": "${steps.report.output.report_id}",
    }
    return _definition(goal, steps, outputs)


def _answering(goal: str, some: bool) -> dict[str, Any]:
    given: dict[str, Any] = {"questions": questions_in(goal)}
    if some:
        given["filters"] = {"document_id": {"in": "${documents}"}}
    steps = [
        *([_reading(extract=False)] if some else []),
        {
            "id": "answer", "agent": "analysis", "task": "answer",
            "needs": ["read"] if some else [], "with": given,
        },
        _report("support-digest", "answer", goal),
    ]  # fmt: skip
    outputs = {
        "answers": "${steps.answer.output.answers}",
        "report_id": "${steps.report.output.report_id}",
    }
    return _definition(goal, steps, outputs)


def questions_in(goal: str) -> list[str]:
    """The questions that the goal spells out, else the goal itself."""
    asked = [part.strip() for part in re.findall(r"[^?.:;\n]*\?", goal) if len(part.strip()) > 3]
    return [_literal(one) for one in asked[:_QUESTIONS_MAX]] or [_literal(goal)]


def _reading(*, extract: bool) -> dict[str, Any]:
    given = {"document_id": "${document}"}
    steps: list[dict[str, Any]] = [
        {"id": "ingest", "agent": "ingestion", "task": "ingest", "with": given}
    ]
    if extract:
        steps.append({
            "id": "extract", "agent": "analysis", "task": "extract", "needs": ["ingest"],
            "with": given,
        })  # fmt: skip
    return {
        "id": "read", "for_each": "${documents}", "as": "document", "on_error": "continue",
        "steps": steps,
    }  # fmt: skip


def _report(template: str, of: str, goal: str) -> dict[str, Any]:
    formats = [name for name, word in _FORMATS.items() if word.search(goal)]
    return {
        "id": "report", "agent": "report", "task": "compose", "needs": [of],
        "with": {
            "template": template, "facts": f"${{steps.{of}.output.facts}}",
            "formats": formats or list(_FORMATS),
        },
    }  # fmt: skip


def _definition(goal: str, steps: list[dict[str, Any]], outputs: dict[str, str]) -> dict[str, Any]:
    return {"name": "goal", "summary": _literal(goal)[:300], "steps": steps, "outputs": outputs}


def _literal(text: str) -> str:
    """Words of a person are never read as expressions."""
    return re.sub(r"\s+", " ", text.replace("${", "$ {")).strip()


# --- by a model ----------------------------------------------------------------------------------


def by_model(
    model: ChatModel, catalog: Catalog, goal: str, kinds: Sequence[str]
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
    messages = [ChatMessage("system", system), ChatMessage("user", ask)]
    try:
        reply = model.chat(messages, schema=_SCHEMA, max_tokens=1200)
        body = json.loads(reply.text)
        return dict(definitions.parse({**body, "name": "goal"}, catalog).body)
    except (WeftError, Rejected, ValueError, TypeError):
        return None
