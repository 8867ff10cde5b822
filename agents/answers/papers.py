"""Questions that name a business paper by its number: `What is the total of invoice 4711?` is a
field of that paper. The answer is the line in which extraction read the value, word for word."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.analysis_fields import fields_of
from agents.answers.style import Style
from agents.answers.values import Answer, Sentence
from agents.documents import text_of
from agents.search import search
from core.context import Ctx
from core.documents import FieldValue, Source
from core.errors import Conflict, NotFound, Unfinishable
from database import documents
from runtime import Runtime
from vectorstore.words import fold

_SURE = 0.6
_HITS, _PAPERS = 40, 6
_LINE_CHARS_MAX = 300
_KINDS = frozenset({"invoice", "credit_note", "receipt"})
_NUMBERED = re.compile(
    r"\b(?:invoice|bill|credit note|receipt|rechnung|gutschrift|quittung|beleg|facture|avoir|"
    r"factuur|creditnota|bon|factura|recibo)s?\b"
    r"(?: (?:number|no|nr|nummer|numero|nro|n))?[.:°º#]* *"
    r"(?:#|n[°º.] ?)?(?P<number>(?=[\w./-]*\d)[\w./-]*\w)"
)
# What is asked for, over the folded question; the first that fits counts.
_ASKED = {
    name: re.compile(sign)
    for name, sign in {
        "due_date": r"\bdue\b|\bfallig|\bzahlungsziel\b|\bzahlbar\b|\becheance\b|\bpayable\b|"
        r"\bvervaldatum\b|\bbetaald (?:worden|zijn)\b|\bvence\b|\bvencimiento\b|"
        r"\bbezahlt (?:werden|sein)\b|\bpayee? (?:avant|au plus tard)\b|\bpaid by\b",
        "invoice_date": r"\b(?:invoice|issue) date\b|\bdated\b|\bissued\b|\brechnungsdatum\b|"
        r"\bdatum der rechnung\b|\bausgestellt\b|\bdate de (?:la )?facture\b|\bemise?\b|"
        r"\bfactuurdatum\b|\bfecha de (?:la )?factura\b|\bemitida\b",
        "iban": r"\biban\b|\bkonto\b|\bbank account\b|\bbankverbindung\b|\brekeningnummer\b",
        "tax": r"\b(?:vat|tax|mwst|ust|mehrwertsteuer|umsatzsteuer|tva|btw|iva)\b(?! ?(?:id|number|"
        r"nummer|numero))(?!.*\b(?:total|gesamt|brutto)\w*\b)",
        "subtotal": r"\bsubtotal\b|\bnet (?:amount|total)\b|\bnetto\w*\b|\bzwischensumme\b|"
        r"\b(?:total|montant) (?:ht|hors taxes?)\b|\bsous-total\b|\bsubtotaal\b|\bbase imponible\b",
        "total": r"\btotal\b|\bhow much\b|\bamount\b|\bgesamt\w*\b|\brechnungsbetrag\b|"
        r"\bbrutto\w*\b|\bwie hoch\b|\bmontant\b|\bcombien\b|\btotaal\w*\b|\bhoeveel\b|"
        r"\bbedrag\b|\bimporte\b|\bcuanto\b|\bttc\b",
        "vendor": r"\bwho (?:sent|issued|billed)\b|\b(?:vendor|supplier|seller)\b|\blieferant\w*\b|"
        r"\brechnungssteller\b|\bvon wem\b|\bfournisseur\b|\bvendeur\b|\bleverancier\b|"
        r"\bproveedor\b",
        "customer": r"\bbilled to\b|\bcustomer\b|\bbill to\b|\bkunde\b|\ban wen\b|\bclient\b|"
        r"\bklant\b|\bcliente\b",
    }.items()
}  # fmt: skip
# More is asked than one field of one paper: left to tables and quotes.
_MORE = re.compile(
    r"\b(?:why|warum|pourquoi|waarom|por que|items?|positions?|position(?:en)?|lignes?|regels?|"
    r"lineas?|difference|differenz|compare|vergleich\w*|between|zwischen|entre|tussen|average|"
    r"all|alle|toutes|todas|and|und|et|en|y)\b"
)


def field_asked(text: str) -> tuple[str, str] | None:
    """`(field, number)`; None where the question is another."""
    low = " ".join(fold(text).split())
    found = list(_NUMBERED.finditer(low))
    if len(found) != 1:
        return None
    rest = f"{low[: found[0].start()]} {low[found[0].end() :]}"
    if _MORE.search(rest):
        return None
    name = next((name for name, sign in _ASKED.items() if sign.search(rest)), None)
    return (name, _bare(found[0]["number"])) if name else None


def answered(
    rt: Runtime, ctx: Ctx, text: str, filters: Mapping[str, Any] | None, style: Style | None = None
) -> Answer | None:
    """None where no paper, or more than one, has that number, or its field is not sure."""
    asked = field_asked(text)
    if asked is None:
        return None
    name, number = asked
    found = _values(rt, ctx, number, name, filters)
    if len({value.value for value, _ in found}) != 1:
        return None
    value, line = found[0]
    if value.source is None or value.confidence < _SURE:
        return None
    return Answer(True, "quotes", (Sentence(line.quote, (1,)),), (line,), style=style or Style())


def _values(
    rt: Runtime, ctx: Ctx, number: str, name: str, filters: Mapping[str, Any] | None
) -> list[tuple[FieldValue, Source]]:
    """The field of every paper with that number, and the line that it stands in."""
    hits = search(rt, ctx, number, k=_HITS, mode="keyword", filters=filters).hits
    ids = list(dict.fromkeys(hit.chunk.document_id for hit in hits))[:_PAPERS]
    with rt.db.read(ctx) as tx:
        rows = [row for row in documents.many(tx, ctx, ids) if row.document_type in _KINDS]
    found = []
    for row in rows:
        try:
            fields = fields_of(rt, ctx, row.id).fields
            own = fields.get("invoice_number")
            value = fields.get(name)
            if (
                own is None
                or _bare(fold(own.value or "")) != number
                or not value
                or not value.source
            ):
                continue
            found.append((value, _line(rt, ctx, value.source)))
        except (Conflict, NotFound, Unfinishable):
            continue  # not read yet, or removed meanwhile
    return found


def _line(rt: Runtime, ctx: Ctx, source: Source) -> Source:
    """The whole line of the value, so that its label stands beside it."""
    page = text_of(rt, ctx, source.document_id).pages[source.page - 1]
    start = page.text.rfind("\n", 0, source.start) + 1
    end = page.text.find("\n", source.end)
    line = page.text[start : end if end >= 0 else len(page.text)]
    if len(line) > _LINE_CHARS_MAX:
        return source
    quote = line.strip()
    at = start + line.index(quote)
    return replace(source, start=at, end=at + len(quote), quote=quote)


def _bare(number: str) -> str:
    return re.sub(r"[^a-z0-9]", "", number)
