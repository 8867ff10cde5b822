"""Plans by rules: verbs of the goal and kinds of documents say which of two jobs is meant."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_PAPERS = frozenset({"invoice", "credit_note", "receipt", "purchase_order", "ledger"})
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


def by_rules(
    goal: str,
    kinds: Sequence[str] = (),
    *,
    some: bool = True,
    told: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """`kinds`: the document types that are known by now; `some`: documents came with the goal;
    `told`: who hears of exceptions (default: whom the goal names)."""
    checks = bool(_CHECK.search(goal)) or bool(_PAPERS.intersection(kinds))
    asks = bool(_ASK.search(goal)) and not (checks and _PAPERS.intersection(kinds))
    if checks and not (asks and "?" in goal):
        return _checking(goal, recipients(goal) if told is None else told)
    return _answering(goal, some)


def wants_telling(goal: str) -> bool:
    return bool(_TELL.search(goal))


def recipients(
    goal: str, inputs: Mapping[str, Any] | None = None, own: str | None = None
) -> dict[str, str]:
    """`email` and `webhook_url` as the task `notify` takes them: those in the goal's own words,
    else the run's inputs, else `own`, the caller's or the tenant's. Empty: nobody is told."""
    if not wants_telling(goal):
        return {}
    address, url = _ADDRESS.search(goal), _URL.search(goal)
    if address or url:
        found = {"email": address and address[0], "webhook_url": url and url[0]}
        return {name: text.rstrip(".") for name, text in found.items() if text}
    given = inputs or {}
    named = {"email": given.get("notify_email"), "webhook_url": given.get("webhook_url")}
    known = {name: _literal(text) for name, text in named.items() if text and isinstance(text, str)}
    return known or ({"email": own} if own else {})


def _checking(goal: str, told: Mapping[str, str]) -> dict[str, Any]:
    steps = [
        _reading(extract=True),
        {
            "id": "check", "agent": "analysis", "task": "check_invoices", "needs": ["read"],
            "with": {"documents": "${documents}", "failed": "${steps.read.failed}"},
        },
        _report("invoice-review", "check", goal),
    ]  # fmt: skip
    if told:
        steps.append({
            "id": "notify", "agent": "action", "task": "notify", "needs": ["check", "report"],
            "when": "steps.check.output.exception_count > 0",
            "with": {
                "exceptions": "${steps.check.output.exceptions}", **told,
                "report_id": "${steps.report.output.report_id}",
            },
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
