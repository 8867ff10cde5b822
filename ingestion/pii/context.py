"""What stands before a number on its line, and says what it is."""

from __future__ import annotations

import re
from collections.abc import Iterator

_BACK = 48  # characters: a label stands near its value
_NUMBERED = re.compile(
    r"(?<![^\W_])(?:invoice|inv|order|ord|bestell\w*|rechnung\w*|auftrag\w*|kunden\w*|customer|article|artikel\w*"
    r"|product|produkt\w*|item|part|sku|ean|gtin|isbn|issn|serial|serien\w*|batch|charge\w*|lot"
    r"|lieferschein\w*|vertrag\w*|contract|contrat|policy|police|ticket|case|vorgang\w*|tracking"
    r"|sendung\w*|shipment|parcel|pedido|factura|albar[aá]n|commande|facture|bon de|factuur\w*"
    r"|order\w*|klant\w*|fattura|ordine|cliente|client|article|art[ií]culo|articolo|référence"
    r"|referen\w*|ref|po|hrb|hra|kvk|siret|siren|rcs|blz|konto\w*|account|transaction|transaktion\w*"
    r"|trace|meter|zähler\w*|imei|version|firmware|release|build|doc(?:ument)?|dossier|protocol\w*"
    r"|matricule|model|modell?o?|typ|code|id|uid|numéro de (?:série|commande)|zendnummer|iccid)"
    r"[\s.:#°º-]*(?:(?:no|nr|num|number|nummer|numero|número|numéro|n|id|code|reference|key)\b"
    r"[\s.:#°º-]*)?(?:is|ist|est|es|è|was|lautet)?\s*[A-Z]{0,4}[-/]?\s*$",
    re.IGNORECASE,
)


def before(text: str, start: int, back: int = _BACK) -> str:
    """The end of the line up to `start`."""
    piece = text[max(0, start - back) : start]
    return piece[piece.rfind("\n") + 1 :]


def is_numbered(text: str, start: int) -> bool:
    """Whether the words right before call what follows an invoice number, an order, a part…"""
    return _NUMBERED.search(before(text, start)) is not None


def labelled(text: str, start: int, label: re.Pattern[str], back: int = _BACK) -> bool:
    return label.search(before(text, start, back)) is not None


def bounded(pattern: re.Pattern[str], text: str, edge: str = r"\w") -> Iterator[re.Match[str]]:
    """Matches that are no part of a longer word."""
    side = re.compile(edge)
    for found in pattern.finditer(text):
        left, right = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if not (left and side.match(left)) and not (right and side.match(right)):
            yield found
