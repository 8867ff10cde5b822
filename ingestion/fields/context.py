"""What the whole document tells before any field is read: language, decimal mark, date order."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from ingestion.fields.dates import Order, find_dates, order_of
from ingestion.fields.layout import Sheet
from ingestion.fields.marks import blank_groups, decimal_mark
from ingestion.fields.numbers import CODES, Amount, Mark, find_amounts

_WORDS = {
    "en": "invoice the and of for to your please payment amount date due thank you with from"
    " tax bill",
    "de": "rechnung und der die das für mit wir ihre bitte betrag datum zahlbar vielen dank steuer "
    "mwst ust netto brutto menge einzelpreis gesamt summe kundennummer rechnungsnummer",
    "fr": "facture et le la les pour avec votre vous montant tva merci paiement échéance quantité "
    "prix ht ttc désignation adresse client total",
    "nl": "factuur en het een voor met uw wij bedrag datum btw betaling totaal aantal omschrijving "
    "gelieve prijs klantnummer factuurnummer",
    "es": "factura y el los para con su importe fecha iva pago gracias cantidad precio descripción "
    "cliente total vencimiento base imponible",
}
_LISTS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
# Spanish is written with either.
_MARKS: dict[str, Mark] = {"en": ".", "de": ",", "fr": ",", "nl": ",", "it": ","}
_DOLLARS = (
    ("CAD", r"\bCAD\b|\bCanada\b|\bGST/HST\b|\bHST\b"),
    ("AUD", r"\bAUD\b|\bABN\b|\bAustralia\b"),
    ("NZD", r"\bNZD\b|\bNew Zealand\b"),
    ("SGD", r"\bSGD\b|\bSingapore\b"),
    ("HKD", r"\bHKD\b|\bHong Kong\b"),
    ("MXN", r"\bMXN\b|\bMéxico\b|\bRFC\b"),
    ("USD", r"\bUSD\b|\bUSA?\b|\bUnited States\b|\b[A-Z]{2} \d{5}(?:-\d{4})?\b|\bEIN\b"),
)
_CODE = re.compile(rf"(?<![A-Za-z])(?:{'|'.join(CODES)})(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Context:
    """`currency` is the one written most often beside amounts; `dollar` is what a bare $ means."""

    language: str | None
    decimal: Mark | None
    order: Order | None
    currency: str | None
    dollar: str
    dollar_sure: bool
    likely: Mark | None = None  # the usual decimal mark of the language
    spaced: bool | None = None  # whether plain spaces part thousands; None where nothing tells

    def amounts(self, text: str, *, parted: bool = False) -> list[Amount]:
        """With `parted` the arithmetic of the caller proves what the spaces mean."""
        spaced = bool(self.spaced) if parted else self.spaced
        return find_amounts(text, self.decimal, spaced=spaced, likely=self.likely)


def context(sheet: Sheet, language: str | None) -> Context:
    """`language` is the parser's finding, used when the words do not tell."""
    texts = [segment.text for row in sheet.rows for segment in row]
    whole = "\n".join(texts)
    guessed = guess_language(whole) or (language or "")[:2].lower() or None
    likely = _MARKS.get(guessed or "")
    mark = decimal_mark(texts, likely)
    dollar, sure = _dollar(whole)
    currency = _currency(texts, dollar)
    order = order_of(find_dates(whole), guessed, currency)
    spaced = blank_groups(texts)
    if spaced is None and (guessed == "fr" or (guessed is None and mark == ",")):
        spaced = True
    return Context(guessed, mark, order, currency, dollar, sure, likely, spaced)


def guess_language(text: str) -> str | None:
    """ISO 639-1 of one of five languages, None when fewer than three of their words occur."""
    words = Counter(re.findall(r"[a-zà-ÿß]+", text.lower()))
    scores = {lang: sum(min(words[w], 5) for w in known) for lang, known in _LISTS.items()}
    best = max(scores, key=lambda lang: scores[lang])
    return best if scores[best] >= 3 else None


def _dollar(text: str) -> tuple[str, bool]:
    for code, pattern in _DOLLARS:
        if re.search(pattern, text):
            return code, True
    return "USD", False


def _currency(texts: list[str], dollar: str) -> str | None:
    votes: Counter[str] = Counter()
    for text in texts:
        votes.update(a.currency for a in find_amounts(text) if a.currency)
        votes.update(_CODE.findall(text))
    if not votes:
        return None
    best = votes.most_common(1)[0][0]
    return dollar if best == "USD" else best
