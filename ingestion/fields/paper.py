"""What kind of paper it is, by its own words: invoice, credit note, offer, payslip and the like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ingestion.fields.candidates import Found
from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.reading import Candidate

PRICED = ("invoice", "credit_note", "receipt", "purchase_order")
# Papers of business that ask for no payment; their title alone tells them.
PLAIN = ("offer", "delivery_note", "bank_statement", "payslip", "contract")

# Of two that fit, the one named first.
_TITLES: dict[str, str] = {
    "payslip": r"pay ?slip|pay ?stub|pay statement|salary (?:slip|statement)|wage slip"
    r"|(?:gehalts|lohn|entgelt|verdienst|bezüge)(?:-? ?und [^\W\d_]+)?-?abrechnung"
    r"|lohn-? ?(?:und|/) ?gehaltsabrechnung|abrechnung der (?:brutto|bezüge)"
    r"|brutto[-/ ]*netto[- ]*(?:bezüge|abrechnung)|entgeltnachweis|verdienstbescheinigung"
    r"|bulletin de (?:paie|salaire)|fiche de (?:paie|salaire)"
    r"|loonstrook(?:je)?|salarisstrook|salarisspecificatie|loonspecificatie|loonafrekening"
    r"|nómina|recibo (?:individual )?(?:justificativo )?(?:del? )?(?:pago de )?salarios?"
    r"|recibo de (?:la )?nómina|hoja de salario",
    "bank_statement": r"(?:bank |account |monthly )?statement of account|(?:bank|account) statement"
    r"|kontoauszug|bankauszug|umsatzübersicht|finanzstatus"
    r"|relevé (?:de |d['’])(?:compte|identité)|relevé bancaire|extrait de compte"
    r"|(?:bank|rekening)-?afschrift|rekeninguittreksel|rekeningoverzicht"
    r"|extracto (?:bancario|de (?:la )?cuenta|mensual)|estado de cuenta"
    r"|movimientos de (?:la )?cuenta",
    "delivery_note": r"delivery note|delivery docket|packing (?:list|slip)|dispatch note|goods note"
    r"|despatch (?:note|advice)|(?:sammel)?lieferschein|warenbegleitschein|packzettel"
    r"|bon de livraison|bordereau de livraison|bordereau d['’]expédition"
    r"|pakbon|leverbon|afleverbon|leveringsbon|vrachtbrief|paklijst"
    r"|albarán(?: de entrega)?|nota de entrega|remito|guía de remisión",
    "offer": r"quotation|(?:price )?quote|(?:our )?offer|(?:cost )?estimate"
    r"|(?:price |business )?proposal"
    r"|(?:preis)?angebot|kostenvoranschlag|devis|offre(?: de prix| commerciale)?"
    r"|proposition commerciale|(?:prijs)?offerte|prijsopgave|presupuesto|oferta|cotización",
    "credit_note": r"credit\s?note|credit memo|gutschrift|rechnungskorrektur|stornorechnung"
    r"|avoir|facture d['’]avoir|note de crédit|creditnota|creditfactuur|nota de crédito"
    r"|factura rectificativa|factura de abono|nota de abono|abono|credit invoice",
    "purchase_order": r"purchase order|(?:einkaufs)?bestellung|bon de commande|bestelbon"
    r"|inkoop-?order|orden de compra|pedido(?: de compra)?|commande fournisseur"
    r"|bestelformulier|bestelorder",
    "invoice": r"(?:tax |sales |commercial |simplified |final |vat )?invoice"
    r"|[a-zäöü]{0,14}rechnung|facture|factuur|verkoopfactuur|factura|honorarnote|abrechnung"
    r"|note d['’]honoraires|minuta",
    "receipt": r"(?:sales |cash |payment |official |till )?receipt|quittung|kassenbon|kassenzettel"
    r"|kassenbeleg|reçu|ticket de caisse|kassabon|kassaticket|bon|recibo|ticket"
    r"|factura simplificada|justificatif de paiement|cash bill|betaalbewijs",
    "contract": r"(?:[^\W\d_]+ ){0,4}(?:agreement|contract)|lease|[^\W\d_]{0,20}vertrag"
    r"|vereinbarung"
    r"|contrat|bail|convention|[^\W\d_]{0,20}(?:overeenkomst|contract)"
    r"|contrato|acuerdo|convenio",
}  # fmt: skip
_COMPILED = {
    kind: re.compile(rf"^\W*(?:{words})\b(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)
    for kind, words in _TITLES.items()
}
_OTHER = re.compile(
    r"^\W*(?:order confirmation|(?:payment )?reminder|auftragsbestätigung|mahnung"
    r"|zahlungserinnerung|confirmation de commande|rappel|orderbevestiging|aanmaning"
    r"|confirmación de pedido|recordatorio|pro-?\s?forma)\b(?!\s*(?:no|nr|number|n°|:|date))",
    re.IGNORECASE,
)
# Behind a title that stands for its number: `Quotation no. 7` is a title too, `Quote date` none.
_NUMBERED = re.compile(
    r"\W*(?:(?:no|nr|number|n[°ºo]|num|ref|nummer|numéro|número)\b\W*|#\W*)?[\w\-/.]*\d[\w\-/.]*\W*$",
    re.IGNORECASE,
)
_FIRST = 15  # rows in which other papers say what they are


def kind_of(sheet: Sheet, found: Found, guess: str) -> str:
    """`guess` is the parser's; the paper's own title wins, then its labels."""
    votes: dict[str, float] = (
        {guess: 0.8 if guess == "purchase_order" else 1.5} if guess in (*PRICED, *PLAIN) else {}
    )
    titles = list(_titles(sheet))
    if guess == "ledger" and _one_bill(sheet, found):
        guess = "invoice"
    known = (*PRICED, *PLAIN, "other", "email")
    if guess not in known and max((w for _, w in titles), default=0) < 3:
        return guess
    for kind, weight in titles:
        votes[kind] = votes.get(kind, 0.0) + weight
    if "invoice_number" in found:
        label = found["invoice_number"][0].label.lower()
        named = next((k for k, p in _COMPILED.items() if k in PRICED and p.match(label)), "invoice")
        votes[named] = votes.get(named, 0.0) + 1.5
    if ("credit_note", 3.0) in titles:  # the parser takes it for an invoice, and so do its labels
        votes["credit_note"] += 3.0
    if found.get("po_number") and "purchase_order" in votes and "invoice" in votes:
        votes["purchase_order"] -= 1.5
    best = max(votes, key=lambda kind: votes[kind], default="other")
    if best in PLAIN and votes[best] >= 1.5:
        return best if guess in known or votes[best] >= 3 else guess
    if votes.get(best, 0) >= 1.5 and best != "other":
        return (
            best if _priced(found) or guess == best else guess if guess in PRICED else _told(best)
        )
    return "invoice" if _evident(found) and guess in ("other", "email") else guess


def _told(kind: str) -> str:
    """A title without any sum: an order may have none, a bill never."""
    return kind if kind == "purchase_order" else "other"


def _titles(sheet: Sheet) -> Iterator[tuple[str, float]]:
    """Titles among the first rows; the tallest or earliest weigh most."""
    seen = 0
    for number, row in enumerate(sheet.rows[:40]):
        for segment in row:
            if len(segment.text) > 60:
                continue
            if _OTHER.match(segment.text) and number < _FIRST:
                yield "other", 2.0
            for kind, match in _matches(segment, number):
                alone = not re.search(r"[^\W\d_]{3}", match["rest"])
                yield kind, (3.0 if alone and not seen else 1.0 if alone else 0.3)
                seen += 1
                break


def _matches(segment: Segment, number: int) -> Iterator[tuple[str, re.Match[str]]]:
    for kind, pattern in _COMPILED.items():
        match = pattern.match(segment.text)
        if match is None:
            continue
        if kind in PLAIN and not _is_title(kind, match, number):
            continue
        yield kind, match


def _is_title(kind: str, match: re.Match[str], number: int) -> bool:
    """Papers that are quoted on others, `Delivery note: 17` on an invoice, are no titles."""
    rest = match["rest"]
    if number >= _FIRST:
        return False
    if not re.search(r"\w", rest):
        return ":" not in rest
    if kind in ("contract", "payslip", "bank_statement"):
        return ":" not in rest
    return bool(_NUMBERED.match(rest)) and ":" not in rest and number < 8


def title_of(sheet: Sheet, kind: str) -> Candidate | None:
    """The words that say what kind of paper it is, with the kind as their value."""
    pattern = _COMPILED.get(kind)
    for number, row in enumerate(sheet.rows[:40] if pattern else ()):
        for segment in row:
            match = pattern.match(segment.text) if pattern and len(segment.text) <= 60 else None
            if match:
                return Candidate(kind, 0.85, segment, 0, match.start("rest"), number)
    return None


def _one_bill(sheet: Sheet, found: Found) -> bool:
    """A sheet of one invoice: its number stands beside a label, not under a column's name."""
    numbers = found.get("invoice_number", [])
    named = [c for c in numbers if c.origin and len(sheet.rows[c.row]) <= 3 and c.label]
    sums = found.get("total") or found.get("amount_due")
    return bool(named and sums and len({c.value for c in numbers}) == 1)


def _priced(found: Found) -> bool:
    return bool(found.get("total") or found.get("amount_due") or found.get("subtotal"))


def _evident(found: Found) -> bool:
    """Enough labels for an invoice without the word."""
    names = ("invoice_number", "tax", "due_date", "vendor_tax_id", "iban")
    return _priced(found) and sum(bool(found.get(name)) for name in names) >= 2


def tags_of(
    kind: str, language: str | None, chosen: Mapping[str, Candidate], found: Found
) -> tuple[str, ...]:
    """Words to filter by: kind, language, currency, party and year where they are known."""
    tags = [kind.replace("_", "-")] if kind != "other" else []
    tags += [f"lang:{language}"] if language else []
    if currency := chosen.get("currency"):
        tags.append(f"currency:{currency.value}")
    if found.get("po_number"):
        tags.append("has-po")
    party, day = chosen.get("vendor"), chosen.get("invoice_date")
    if party and party.confidence >= _SURE and (slug := _slug(party.value)):
        tags.append(f"party:{slug}")
    if day and day.confidence >= _SURE:
        tags.append(f"year:{day.value[:4]}")
    return tuple(tags)


_SURE = 0.6


def _slug(name: str) -> str:
    return re.sub(r"[^\w]+", "-", name.casefold()).strip("-_")[:48]
