"""The report agent: facts and a template become files in the vault and a row that lists them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import reports
from agents import privacy
from core.clock import rfc3339
from core.context import Ctx
from core.errors import Forbidden, InvalidInput, NotFound, Unfinishable
from database import reports as report_rows
from database import templates as template_rows
from database import tenants
from runtime import Runtime
from workflows.submission import Submission
from workflows.tasks import Done, TaskSpec, Work

_KIND = "report"
_FACTS_KIND = "facts"
_ID = re.compile(r"[0-9a-f-]{16,64}")


def compose(work: Work) -> Done:
    """`report.compose`: `{template, facts, formats, title?, params?}`; `facts` inline, or
    `{"ref": name}` for an object in the vault's kind `facts`. A retry makes the same report."""
    given = work.message.payload
    formats = _formats(given.get("formats") or list(reports.FORMATS))
    params = dict(given.get("params") or {})
    template = find_template(work.rt, work.ctx, str(given.get("template") or ""))
    hidden = privacy.hides(work.rt, work.ctx)
    facts = _facts(work, given.get("facts"))
    if hidden is not None:
        facts = privacy.plain(work.rt, work.ctx, facts, hidden.kinds)
    created_ms = int(work.remember("created_ms", work.rt.clock.now_ms))
    report = reports.compose(template, facts, _branding(work.rt, work.ctx), created_ms,
                             params=params, title=str(given.get("title") or ""))  # fmt: skip
    report_id = _report_id(work, given.get("report_id"))
    files = {}
    for done, format in enumerate(formats, 1):
        files[format] = _stored(work, format, reports.render(report, format))
        if hidden is not None:
            files[format]["hidden"] = hidden.name
        work.progress(done, len(formats))
    with work.rt.db.transaction(work.ctx) as tx:
        report_rows.create(
            tx, work.ctx, report_id=report_id, run_id=work.run_id, step_id=work.step_id,
            template=template.name, title=report.title, files=files,
            params={name: value for name, value in params.items() if name != "rows"},
            sources=[asdict(source) for source in report.sources], created_ms=created_ms,
        )  # fmt: skip
    if report.withheld:
        work.log(f"{report.withheld} values had no source and were left out", level="warning")
    return Done({"report_id": report_id, "formats": formats, "title": report.title})


def _formats(wanted: Any) -> list[str]:
    listed = [wanted] if isinstance(wanted, str) else list(wanted)
    for format in listed:
        if format not in reports.FORMATS:
            known = ", ".join(reports.FORMATS)
            raise InvalidInput(f"No report format {format!r}; choose from {known}.")
    return list(dict.fromkeys(listed))


def _facts(work: Work, given: Any) -> Mapping[str, Any]:
    if isinstance(given, Mapping) and set(given) <= {"ref", "kind"} and "ref" in given:
        kind = str(given.get("kind") or _FACTS_KIND)
        try:
            given = json.loads(work.rt.vault.get(work.ctx, kind, str(given["ref"])))
        except (ValueError, RecursionError) as error:  # no name of an object, or no JSON in it
            raise Unfinishable("`facts.ref` names no facts.", code="no_facts") from error
    if not isinstance(given, Mapping):
        raise Unfinishable("A report needs facts: an object of values.", code="no_facts")
    return given


def _branding(rt: Runtime, ctx: Ctx) -> reports.Branding:
    """`config.branding`: `{name, color: "#rrggbb", logo?: base64 of a PNG or JPEG}`."""
    with rt.db.read(ctx) as tx:
        tenant = tenants.own(tx, ctx)
    chosen = tenant.config.get("branding") or {}
    return reports.Branding(
        name=str(chosen.get("name") or tenant.name),
        accent=str(chosen.get("color") or reports.Branding().accent),
        logo=_logo(chosen.get("logo")),
    )


def _logo(given: Any) -> bytes | None:
    try:
        return base64.b64decode(given, validate=True) if isinstance(given, str) else None
    except (binascii.Error, ValueError):
        return None


def _report_id(work: Work, given: Any) -> str:
    """`request` promises an id before the run begins; else it follows from the step."""
    if given and _ID.fullmatch(str(given)):
        return str(given)
    return str(uuid5(NAMESPACE_URL, f"weft:report:{work.ctx.tenant}:{work.step_id}"))


def _stored(work: Work, format: str, data: bytes) -> dict[str, Any]:
    # Named by the step, so that no other run can write over these bytes.
    name = str(uuid5(NAMESPACE_URL, f"weft:file:{work.ctx.tenant}:{work.step_id}:{format}"))
    work.rt.vault.put(work.ctx, _KIND, name, data)
    return {"name": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def download(rt: Runtime, ctx: Ctx, report_id: str, format: str) -> tuple[bytes, str, str]:
    """The file, a name for it, and its content type. `NotFound` for a format not made."""
    with rt.db.read(ctx) as tx:
        report = report_rows.get(tx, ctx, report_id)
    if format not in report.files:
        made = ", ".join(report.files)
        raise NotFound(f"This report has no {format!r}; it has {made}.")
    _may_see(rt, ctx, report, format)
    data = rt.vault.get(ctx, _KIND, str(report.files[format]["name"]))
    title = re.sub(r"[^\w.,()–-]+", " ", report.title).strip()[:100] or "report"
    filename = f"{title} {rfc3339(report.created_ms)[:10]}.{format}"
    return data, filename, reports.FORMATS[format]


def _may_see(rt: Runtime, ctx: Ctx, report: report_rows.Report, format: str) -> None:
    """A file cannot be masked after it was made. Raises `Forbidden` for one that was made while
    nothing was hidden, by the policy as it is now or by somebody who may see it."""
    hides = privacy.hides(rt, ctx)
    if hides is not None and report.files[format].get("hidden") != hides.name:
        raise Forbidden(
            "This report was made without hiding personal data: reading it needs the scope "
            f"{privacy.REVEAL!r}. Have it made again.", scope=privacy.REVEAL,
        )  # fmt: skip
    if hides is None and privacy.policy(rt, ctx).masks:
        privacy.revealed(rt, ctx, [report.id])


def find_template(rt: Runtime, ctx: Ctx, name: str) -> reports.Template:
    """`name` or `name@version`: the tenant's own, else the one that ships with the platform, which
    is version 0."""
    name, _, version = name.partition("@")
    if version and not version.isdecimal():
        raise InvalidInput(f"{version!r} is not a version of a template; use name@2, say.")
    if version and int(version) == 0:
        return reports.builtin(name)
    with rt.db.read(ctx) as tx:
        try:
            saved = template_rows.get(tx, ctx, name, int(version) if version else None)
        except NotFound:
            if version:
                raise
            return reports.builtin(name)
    return reports.parse(dict(saved.body))


def save_template(
    rt: Runtime, ctx: Ctx, name: str, source: str | Mapping[str, Any]
) -> template_rows.SavedTemplate:
    """YAML or an object; raises `InvalidInput` with `errors: [{line, field, detail}]`."""
    template = reports.parse(source if isinstance(source, str) else dict(source))
    if template.name != name:
        raise InvalidInput(f"The template calls itself {template.name!r}, not {name!r}.")
    body = template.model_dump(mode="json", by_alias=True)
    with rt.db.transaction(ctx) as tx:
        return template_rows.save(tx, ctx, name, body)


def submission(
    rt: Runtime, ctx: Ctx, template: str, documents: Sequence[str], params: Mapping[str, Any],
    formats: Sequence[str],
) -> Submission:  # fmt: skip
    """The run that `POST /reports` stands for. `params` also hold `questions` (for a template over
    answers) or `rows` (for a plain table). Raises `InvalidInput` when these are missing."""
    found = find_template(rt, ctx, template)
    _complete(found, documents, params)
    return Submission(
        definition=definition(found, formats, name=template, scoped=bool(documents)),
        inputs={"params": dict(params)},
        documents=tuple(documents),
    )


def _complete(
    template: reports.Template, documents: Sequence[str], params: Mapping[str, Any]
) -> None:
    needs: dict[str, tuple[str, Any]] = {
        "check_invoices": ("documents", documents),
        "rows": ("params.rows", params.get("rows")),
        "answer": ("params.questions", params.get("questions")),
    }
    name, given = needs[template.facts]
    if not isinstance(given, list | tuple) or not given:
        raise InvalidInput(f"The template {template.name!r} needs `{name}`: a list.")


def definition(
    template: reports.Template, formats: Sequence[str], *, name: str = "", scoped: bool = False
) -> dict[str, Any]:
    """The run that `POST /reports` stands for: read, make the facts, compose.

    Its inputs are `params`: for `answer` with `questions`, for `rows` with `rows`. `scoped` answers
    from the run's documents alone, else from all that the tenant has. `name` may carry `@version`.
    """
    steps: list[dict[str, Any]] = []
    needs: list[str] = []
    facts: Any = {"rows": "${inputs.params.rows}"}
    if template.facts != "rows":
        steps.append(_read(extract=template.facts == "check_invoices"))
        steps.append(_made(template.facts, scoped))
        needs, facts = ["facts"], "${steps.facts.output.facts}"
    steps.append({
        "id": "report", "agent": "report", "task": "compose", "needs": needs,
        "with": {"template": name or template.name, "facts": facts, "formats": _formats(formats),
                 "params": "${inputs.params}", "report_id": "${inputs.report_id}"},
    })  # fmt: skip
    return {
        "name": f"report-{template.name}"[:63],
        "summary": f"Makes the report {template.name}.",
        "inputs": {
            "params": {"type": "object", "default": {}},
            "report_id": {"type": "string", "default": ""},
        },
        "steps": steps,
        "outputs": {"report_id": "${steps.report.output.report_id}"},
    }


def _read(*, extract: bool) -> dict[str, Any]:
    of = {"document_id": "${document}"}
    steps = [{"id": "ingest", "agent": "ingestion", "task": "ingest", "with": of}]
    if extract:
        steps.append({"id": "extract", "agent": "analysis", "task": "extract",
                      "needs": ["ingest"], "with": of})  # fmt: skip
    return {"id": "read", "for_each": "${documents}", "as": "document", "on_error": "continue",
            "steps": steps}  # fmt: skip


def _made(task: str, scoped: bool) -> dict[str, Any]:
    given: dict[str, Any] = {"documents": "${documents}", "failed": "${steps.read.failed}"}
    if task == "answer":
        given = {"questions": "${inputs.params.questions}"}
        if scoped:
            given["filters"] = {"document_id": {"in": "${documents}"}}
    return {"id": "facts", "agent": "analysis", "task": task, "needs": ["read"], "with": given}


TASKS: tuple[TaskSpec, ...] = (
    TaskSpec(
        "report", "compose", compose, "Renders facts by a template as PDF, XLSX and CSV",
        {"template": "name or name@version", "facts": "what the template reads, or {ref}",
         "formats?": "of pdf, xlsx, csv", "title?": "instead of the template's",
         "params?": "the template's parameters", "report_id?": "an id promised beforehand"},
    ),
)  # fmt: skip
