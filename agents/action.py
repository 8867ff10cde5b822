"""The action agent: turns findings into outside actions that wait for approval.

It calls nobody. Each finding becomes one intent per target, frozen as the approver reads it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.clock import rfc3339
from core.documents import Source
from core.errors import InvalidInput
from workflows.tasks import Done, EffectIntent, TaskSpec, Work

QUOTE_MAX = 400
_FACTS = (("vendor", "Vendor"), ("invoice_number", "Invoice"), ("filename", "Document"))


def notify(work: Work) -> Done:
    """An e-mail and a webhook for each exception, to whichever targets `with:` names."""
    given = work.message.payload
    exceptions = given.get("exceptions") or []
    if not isinstance(exceptions, list) or not all(isinstance(one, dict) for one in exceptions):
        raise InvalidInput("`exceptions` is the list that check_invoices gives.")
    # A retry must ask for the very same bytes.
    asked_at = work.remember("asked_at", lambda: rfc3339(work.message.timestamp))
    intents = tuple(
        intent
        for exception in exceptions
        for intent in _intents(exception, given, work.run_id, asked_at)
    )
    if exceptions and not intents:
        work.log("Nobody is told: neither email nor webhook_url is given.", level="warning")
    return Done({"sent": len(intents)}, effects=intents)


def _intents(
    exception: Mapping[str, Any], given: Mapping[str, Any], run_id: str, asked_at: str
) -> Iterator[EffectIntent]:
    subject, sources = subject_of(exception), tuple(exception.get("sources") or ())
    report_id = given.get("report_id") or None
    if email := given.get("email"):
        to = email.replace(";", ",").split(",") if isinstance(email, str) else list(email)
        to = [str(address).strip() for address in to]
        people = ", ".join(to)
        mail = {"to": to, "subject": subject, "body": body_of(exception, report_id)}
        yield EffectIntent("email", people, f"E-mail to {people}: {subject}", mail, sources)
    if url := given.get("webhook_url"):
        data = {"run_id": run_id, "report_id": report_id, "exception": dict(exception)}
        payload = {"type": "invoice.exception", "timestamp": asked_at, "data": data}
        hook = {"url": url, "payload": payload}
        yield EffectIntent("webhook", str(url), f"Webhook to {url}: {subject}", hook, sources)


def subject_of(exception: Mapping[str, Any]) -> str:
    """`Purchase order missing: invoice BW-118, Brightwater, USD 11992.40`, always one line."""
    kind = str(exception.get("kind") or "exception").replace("_", " ")
    kind = kind.replace("po ", "purchase order ").capitalize()
    amount = f"{exception.get('currency') or ''} {exception.get('amount') or ''}"
    number = exception.get("invoice_number")
    parts = (
        f"invoice {number}" if number else exception.get("filename"),
        exception.get("vendor"),
        amount if exception.get("amount") else None,
    )
    told = ", ".join(plain(str(part)) for part in parts if part)
    return f"{kind}: {told}"[:200] if told else kind


def body_of(exception: Mapping[str, Any], report_id: str | None) -> str:
    """The finding in words, what it is about, and the proof: each quote with where it stands."""
    lines = [plain(str(exception.get("message") or subject_of(exception))), ""]
    lines += [f"{name}: {plain(str(exception[key]))}" for key, name in _FACTS if exception.get(key)]
    if exception.get("amount"):
        lines.append(f"Amount: {plain(str(exception.get('currency') or ''))} {exception['amount']}")
    lines += ["", "Where it stands:"]
    lines += [line for source in exception.get("sources") or () for line in _proof(source)]
    if report_id:
        lines += ["", f"Report: /reports/{report_id}/download?format=pdf"]
    return "\n".join([*lines, "", "Sent by Weft.", ""])


def _proof(source: Mapping[str, Any]) -> Sequence[str]:
    known = {name: source.get(name) for name in ("sheet", "cells")}
    label = Source(
        document_id="", filename=plain(str(source.get("filename") or "?")),
        page=int(source.get("page") or 1), start=0, end=0, quote="",
        sheet=known["sheet"], cells=known["cells"],
    ).label()  # fmt: skip
    # The mark before the quote keeps a document's words from passing for ours.
    quote = plain(str(source.get("quote") or ""))
    cut = quote if len(quote) <= QUOTE_MAX else quote[: QUOTE_MAX - 1] + "…"
    return f"- {plain(label)}", f"  > {cut}"


def plain(text: str) -> str:
    """One line of printable characters: no breaks, no control or direction marks."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


TASKS = (
    TaskSpec(
        agent="action",
        task="notify",
        handler=notify,
        summary="Tell people and systems of exceptions, by e-mail and webhook, after approval",
        params={
            "exceptions": "what check_invoices found",
            "email?": "an address, or a list of them",
            "webhook_url?": "an https address that takes signed webhooks",
            "report_id?": "the report that the message names",
        },
        effects=True,
    ),
)
