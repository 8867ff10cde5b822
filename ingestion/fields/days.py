"""The days of an invoice: when it was issued and when it is due."""

from __future__ import annotations

import re
from dataclasses import replace

from ingestion.fields import codes
from ingestion.fields.candidates import Found, best
from ingestion.fields.context import Context
from ingestion.fields.dates import find_dates
from ingestion.fields.layout import Sheet
from ingestion.fields.reading import Candidate

Chosen = dict[str, Candidate]
_DISCOUNT = re.compile(r"skonto|discount|escompte|korting|descuento", re.IGNORECASE)
_EDITION = re.compile(r"\b(?:[\w-]*version|stand|edition|rev\.)\b", re.IGNORECASE)  # of a form


def _value(chosen: Chosen, name: str) -> str | None:
    return chosen[name].value if name in chosen else None


def add(chosen: Chosen, sheet: Sheet, ctx: Context, found: Found) -> None:
    for name in ("invoice_date", "due_date"):
        surest = best(found.get(name, []))
        if surest:
            chosen[name] = surest
    if "due_date" not in chosen and (due := _due(chosen, sheet, ctx, found)):
        chosen["due_date"] = due
    if "invoice_date" not in chosen:
        alone = only(sheet, ctx, _value(chosen, "due_date"))
        if alone:
            chosen["invoice_date"] = alone
    issued, due = chosen.get("invoice_date"), chosen.get("due_date")
    if issued and due and due.value < issued.value:
        worse = issued if issued.confidence < due.confidence else due
        name = "invoice_date" if worse is issued else "due_date"
        chosen[name] = replace(worse, confidence=min(worse.confidence, 0.5))


def _due(chosen: Chosen, sheet: Sheet, ctx: Context, found: Found) -> Candidate | None:
    """The day in the terms of payment, `Payable by: 1 February`, or in a sentence that asks."""
    for terms in found.get("payment_terms", []):
        hits = find_dates(terms.segment.text[terms.start : terms.end])
        if len(hits) == 1 and (hits[0].start == 0 or not _DISCOUNT.search(terms.value)):
            at, value = terms.start, hits[0].read(ctx.order).isoformat()
            if value >= (_value(chosen, "invoice_date") or ""):
                return replace(
                    terms, value=value, confidence=0.75, start=at + hits[0].start,
                    end=at + hits[0].end,
                )  # fmt: skip
    return codes.due_sentence(sheet, ctx)


def only(sheet: Sheet, ctx: Context, due: str | None) -> Candidate | None:
    """The date of a paper that names no date: the first one, if it is the only one near the top."""
    seen: list[Candidate] = []
    for number, row in enumerate(sheet.rows):
        for segment in row:
            if any(label.name in ("!other_date", "due_date") for s in row for label in s.labels):
                continue
            if any(_EDITION.search(s.text) for s in row):
                continue
            hits = find_dates(segment.text)
            for hit in hits if len(hits) == 1 else ():  # two are a period
                value = hit.read(ctx.order).isoformat()
                if value != due:
                    sure = 0.6 if not hit.other or ctx.order else 0.4
                    seen.append(Candidate(value, sure, segment, hit.start, hit.end, number))
    values = {c.value for c in seen}
    if not seen or len(values) > 3:
        return None
    return replace(seen[0], confidence=seen[0].confidence - 0.1 * (len(values) - 1))
