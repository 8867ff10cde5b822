"""What kind of paper it is, by its own words: invoice, credit note, receipt, purchase order."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ingestion.fields.candidates import Found
from ingestion.fields.layout import Sheet

PRICED = ("invoice", "credit_note", "receipt", "purchase_order")

_TITLES: dict[str, str] = {
    "credit_note": r"credit\s?note|credit memo|gutschrift|rechnungskorrektur|stornorechnung"
            r"|avoir|facture d['’]avoir"
    r"|creditnota|creditfactuur|nota de crédito|factura rectificativa|nota de abono|credit invoice",
    "purchase_order": r"purchase order|bestellung|bon de commande|bestelbon|inkooporder|orden"
            r" de compra|pedido de compra",
    "invoice": r"(?:tax |sales |commercial |simplified |final |vat )?invoice"
            r"|[a-zäöü]{0,14}rechnung|facture"
            r"|factuur|factura|honorarnote|abrechnung",
    "receipt": r"(?:sales |cash |payment |official |till )?receipt|quittung|kassenbon"
            r"|kassenbeleg|reçu|ticket de caisse"
    r"|kassabon|bon|recibo|ticket|cash bill",
}  # fmt: skip
_COMPILED = {
    kind: re.compile(rf"^\W*(?:{words})\b(?P<rest>.*)$", re.IGNORECASE | re.DOTALL)
    for kind, words in _TITLES.items()
}
_OTHER = re.compile(
    r"^\W*(?:quotation|quote|offer|estimate|delivery note|packing (?:list|slip)|order"
    r" confirmation|reminder"
    r"|angebot|lieferschein|auftragsbestätigung|mahnung|kostenvoranschlag|devis|bon de"
    r" livraison|offerte"
    r"|pakbon|orderbevestiging|presupuesto|albarán|pro-?\s?forma)\b(?!\s*(?:no|nr|number|n°|:"
    r"|date))",
    re.IGNORECASE,
)


def kind_of(sheet: Sheet, found: Found, guess: str) -> str:
    """`guess` is the parser's; the paper's own title wins, then its labels."""
    votes: dict[str, float] = (
        {guess: 0.8 if guess == "purchase_order" else 1.5} if guess in PRICED else {}
    )
    titles = list(_titles(sheet))
    if guess == "ledger" and _one_bill(sheet, found):
        guess = "invoice"
    if guess not in (*PRICED, "other", "email") and max((w for _, w in titles), default=0) < 3:
        return guess
    for kind, weight in titles:
        votes[kind] = votes.get(kind, 0.0) + weight
    if "invoice_number" in found:
        label = found["invoice_number"][0].label.lower()
        named = next((k for k, p in _COMPILED.items() if p.match(label)), "invoice")
        votes[named] = votes.get(named, 0.0) + 1.5
    if found.get("po_number") and "purchase_order" in votes and "invoice" in votes:
        votes["purchase_order"] -= 1.5
    best = max(votes, key=lambda kind: votes[kind], default="other")
    if votes.get(best, 0) >= 1.5 and best != "other":
        return best if _priced(found) or guess == best else guess
    return "invoice" if _evident(found) and guess in ("other", "email") else guess


def _titles(sheet: Sheet) -> Iterator[tuple[str, float]]:
    """Titles among the first rows; the tallest or earliest weigh most."""
    seen = 0
    for number, row in enumerate(sheet.rows[:40]):
        for segment in row:
            if len(segment.text) > 60:
                continue
            if _OTHER.match(segment.text) and number < 15:
                yield "other", 2.0
            for kind, pattern in _COMPILED.items():
                match = pattern.match(segment.text)
                if match:
                    alone = not re.search(r"[^\W\d_]{3}", match["rest"])
                    yield kind, (3.0 if alone and not seen else 1.0 if alone else 0.3)
                    seen += 1
                    break


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


def tags_of(kind: str, language: str | None, currency: str | None, found: Found) -> tuple[str, ...]:
    """Words to filter by: kind, language and currency; `paid` and `reverse-charge` where it"
    " says so."""
    tags = [kind.replace("_", "-")] if kind != "other" else []
    tags += [f"lang:{language}"] if language else []
    tags += [f"currency:{currency}"] if currency else []
    return tuple(tags + (["has-po"] if found.get("po_number") else []))
