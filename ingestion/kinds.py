"""A first guess of kind and language, by words; a tenant's own classification comes later."""

from __future__ import annotations

import re
from collections import Counter

from core.documents import Document
from ingestion.kind_marks import marks
from ingestion.needles import sought
from ingestion.text_marks import looks_logged

# Small words, and those of papers that have hardly any other: an invoice is a list of names.
_STOPS = {
    "en": "the and of to is for with this that from are on be or by as not you we our your "
          "invoice date due amount total tax address payment order quantity price",
    "de": "der die das und ist für mit von nicht den dem ein eine zu auf wird sie wir ihre im "
          "rechnung datum betrag summe gesamt menge preis mwst ust fällig zahlbar straße",
    "fr": "le la les des et est pour avec une dans vous sur par que ce du au de en un nous votre "
          "facture montant échéance prix quantité tva adresse paiement commande",
    "nl": "de het een en van is voor met niet op zijn aan bij te dat wordt wij uw "
          "factuur bedrag totaal datum btw aantal prijs betaling vervaldatum straat",
    "es": "el la los las de del y es para con una un por que se en su al como nos le "
          "factura importe fecha total iva cantidad precio vencimiento pago calle",
}  # fmt: skip
_SETS = {name: frozenset(words.split()) for name, words in _STOPS.items()}
# A word of two languages tells half as much of each.
_WEIGHTS = {
    word: 1 / sum(word in words for words in _SETS.values())
    for word in frozenset[str]().union(*_SETS.values())
}

# kind -> (words in the file's name, words in the text); the text's first lines weigh more.
_WORDS: dict[str, tuple[str, str]] = {
    "payslip": (
        (
            r"pay ?slip|pay ?stub|gehaltsabrechnung|lohnabrechnung|entgeltabrechnung"
            r"|verdienstabrechnung"
            r"|bulletin de (?:paie|salaire)|fiche de paie|loonstrook|salarisspecificatie|n[oó]mina"
        ),
        (
            r"^\W*(?:pay ?slip|pay ?stub|(?:gehalts|lohn|entgelt|verdienst)abrechnung"
            r"|bulletin de (?:paie|salaire)|fiche de paie|loonstrook|salaris(?:strook|specificatie)"
            r"|nómina|recibo de salarios?)\b"
        ),
    ),
    "bank_statement": (
        (
            r"bank.?statement|account.?statement|kontoauszug|relev[eé] de compte|relev[eé] bancaire"
            r"|(?:bank|rekening)afschrift|extracto"
        ),
        (
            r"^\W*(?:bank statement|account statement|statement of account|kontoauszug"
            r"|relevé (?:de compte|bancaire)|(?:bank|rekening)afschrift"
            r"|extracto (?:bancario|de cuenta))\b"
            r"|^:60[FM]:[CD]\d{6}[A-Z]{3}|^(?:buchungstag|buchungsdatum)\W.*\bbetrag\b"
        ),
    ),
    "delivery_note": (
        (
            r"delivery.?note|packing.?(?:list|slip)|lieferschein|bon de livraison|pakbon|leverbon"
            r"|albar[aá]n"
        ),
        (
            r"^\W*(?:delivery note|packing (?:list|slip)|lieferschein|bon de livraison|pakbon"
            r"|leverbon|albarán)\b(?!\W{0,3}(?:no|nr|n[°º]|:))"
        ),
    ),
    "offer": (
        r"quotation|\bquote\b|angebot|kostenvoranschlag|\bdevis\b|offerte|presupuesto|\boferta\b",
        (
            r"^\W*(?:quotation|quote|angebot|kostenvoranschlag|devis|offerte|presupuesto|oferta)\b"
            r"(?!\W{0,3}(?:date|valid))"
        ),
    ),
    "purchase_order": (
        r"purchase.?order|bestellung|^po[-_ ]?\d",
        r"purchase order\b|bestellung\b|bon de commande|orden de compra",
    ),
    "receipt": (r"receipt|quittung|kassenbon", r"\breceipt\b|quittung|kassenbon|reçu\b"),
    "invoice": (
        r"invoice|rechnung|facture|factura|factuur|\binv[-_ ]?\d",
        (
            r"\binvoice(?:\b|_?(?:no|number|id|date|total))|\b[a-zäöü]{0,20}rechnung\b|\bfacture\b"
            r"|\bfactura\b|\bfactuur\b|rechnungsnummer"
        ),
    ),
    "meeting_notes": (
        r"meeting|minutes|protokoll|notes",
        r"meeting (?:notes|minutes)|minutes of|attendees|action items|protokoll|teilnehmer",
    ),
    "error_codes": (r"error.?codes?|fehlercodes?|errors", r"error codes?\b|fehlercodes?\b"),
    "resolution": (
        r"resolutions?\b|postmortem|\brca\b|fix(?:es)?\b|^(?:res|inc)[- ]?\d",
        r"\bresolution\b|root cause|postmortem|steps to resolve|lösung|^cause$",
    ),
    "sop": (
        r"\bsops?\b|procedure|runbook|playbook",
        r"standard operating procedure|\bsop\b|\brunbook\b|\bprocedure\b|verfahrensanweisung",
    ),
    "contract": (
        r"contract|agreement|vertrag|\bnda\b|contrat|\bbail\b|overeenkomst|convenio",
        (
            r"\bagreement\b|\bcontract\b|hereinafter|\b[a-zäöüß]{0,20}vertrag\b|the parties"
            r"|^\W*(?:contrat|bail|convention|contrato|acuerdo|convenio)\b"
            r"|\b[a-z]{0,20}overeenkomst\b"
        ),
    ),
    "ticket": (
        r"tickets?\b|issues?\b|incident|case",
        r"ticket (?:id|number|no)|\breporter\b|\bassignee\b|\bpriority:",
    ),
    "kb": (
        r"\bkb|faq|how.?to|knowledge|guide|article",
        r"knowledge base|\bfaq\b|frequently asked|how to\b",
    ),
}
_COMPILED = {
    kind: (re.compile(name, re.IGNORECASE), sought(text)) for kind, (name, text) in _WORDS.items()
}
# An order's own title: elsewhere the words stand before the number of an order that is quoted.
_ORDER = re.compile(
    r"(?:purchase order|bestellung|bon de commande|orden de compra)\b"
    r"(?![^\w\n]{0,3}(?:no|number|nr|n°|ref|date|vom|du|[\w-]{0,5}\d))",
    re.IGNORECASE,
)
_LOG_LINE = re.compile(
    r"^\W{0,2}(?:\d{4}-\d\d-\d\d[T ]\d\d:\d\d|\w{3} +\d+ \d\d:\d\d:\d\d|\d\d:\d\d:\d\d).{0,80}?"
    r"\b(?:DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL|TRACE)\b",
    re.MULTILINE | re.IGNORECASE,
)
_LEDGER = re.compile(
    r"\b(?:ledger|payments?|paid|debit|credit|balance|purchase orders?|po.?(?:number|no|#)|"
    r"konto|soll|haben|zahlung|amount|betrag|invoice)\b", re.IGNORECASE,
)  # fmt: skip


def language(text: str) -> str | None:
    """ISO 639-1 of the language whose small words are most frequent; None when unclear."""
    words = re.findall(r"[a-zäöüßàâçéèêëîïôûùñáíóú]+", text.lower())
    known = Counter(word for word in words if word in _WEIGHTS)
    scores = {
        name: sum(_WEIGHTS[word] * count for word, count in known.items() if word in stops)
        for name, stops in _SETS.items()
    }
    best = max(scores, key=lambda name: scores[name])
    second = max(score for name, score in scores.items() if name != best)
    seen = sum(count for word, count in known.items() if word in _SETS[best])
    return best if seen >= 3 and scores[best] > second else None


def document_type(document: Document, filename: str, sample: str) -> str:
    """One of `DOCUMENT_TYPES`."""
    if document.format == "eml":
        return "email"
    lines = [line for line in sample.splitlines() if line.strip()][:20]
    if len(_LOG_LINE.findall(sample)) >= 3 or looks_logged(lines):
        return "log"
    name = re.sub(r"[_\-.]+", " ", filename.replace("\\", "/").rsplit("/", 1)[-1])
    folder = re.sub(r"[_\-.]+", " ", filename.replace("\\", "/").rpartition("/")[0])
    if document.format in ("xlsx", "csv", "tsv") and _is_ledger(sample, name):
        return "ledger"
    head = f"{document.title or ''}\n{sample[:400]}"
    borne = marks(sample[:400], sample)
    small, small_head = sample.lower(), head.lower()
    scores = {
        kind: borne.get(kind, 0) + 3 * bool(by_name.search(name)) + 2 * bool(by_name.search(folder))
        + 2 * by_text.fits(head, small_head) + by_text.fits(sample, small)
        for kind, (by_name, by_text) in _COMPILED.items()
    }  # fmt: skip
    if scores["invoice"] >= 2 and not _ORDER.search(sample):
        scores["purchase_order"] = min(scores["purchase_order"], scores["invoice"] - 1)
    # Of two that fit alike, the one named first: an invoice's title stands above its order number.
    most = max(scores.values())
    alike = [kind for kind in scores if scores[kind] == most]
    if most >= 2:
        return min(alike, key=lambda kind: _place(_COMPILED[kind][1].pattern, head))
    return "kb" if _is_article(document) else "other"


def _place(words: re.Pattern[str], text: str) -> int:
    found = words.search(text)
    return found.start() if found else len(text)


def _is_article(document: Document) -> bool:
    """A titled text in sections, as help pages are."""
    heads = [block.level for block in document.pages[0].blocks if block.kind == "heading"]
    return document.format in ("md", "html") and heads[:1] == [1] and heads.count(2) >= 2


def _is_ledger(sample: str, name: str) -> bool:
    if re.search(
        r"ledger|payments|journal|hauptbuch|konto|bank|transactions|buchungen", name, re.I
    ):
        return True
    head = sample[:600]
    if re.search(
        r"\bbill to\b|^\W*(?:tax )?invoice (?:no|number|date)\b[^|\n]*\|[^|\n]*$", head, re.I | re.M
    ):
        return False
    if _COMPILED["error_codes"][0].search(name) or _COMPILED["ticket"][0].search(name):
        return False
    return len({word.lower() for word in _LEDGER.findall(head)}) >= 3
