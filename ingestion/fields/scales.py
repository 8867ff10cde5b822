"""Words that multiply a number: `1,2 Mio. €`, `12 k€`, `TEUR 12`, `$3m`, `Rs. 2 lakh`."""

from __future__ import annotations

import re
from decimal import Decimal

_TABLE = {
    3: "thousand tausend tsd mille duizend mil mila",
    5: "lakh lakhs lac",
    6: "million millions millionen mio mill mn mln miljoen millón millones milione milioni",
    7: "crore crores",
    9: "milliard milliards milliarde milliarden mrd mia md mds miljard mld miliardo miliardi bn",
}
_POWERS = {word: power for power, words in _TABLE.items() for word in words.split()}
_POWERS |= {"mil millones": 9}
# A short letter multiplies money only: `5 m` is a length.
_LETTERS = {"k": 3, "K": 3, "m": 6, "M": 6, "MM": 6, "B": 9}
# 10^9 in English, 10^12 elsewhere.
_ENGLISH = frozenset(("billion", "billions", "B"))
_ENGLISH_MONEY = ("$", "£", "USD", "GBP", "dollars")
# Known to change the value, by how much depends on the language or the coin.
_DOUBTFUL = (
    "billionen billones billón biljoen bio trillion trillions hundred hundert honderd dozen cent "
    "cents centimes centime pence rappen céntimos dutzend"
)
_FORMS = sorted({*_POWERS, *_ENGLISH, *_DOUBTFUL.split()} - {"B"}, key=len, reverse=True)
_SPELLED = "|".join(_FORMS).replace(" ", r"\s")
# A blank stands before a word alone: `5 m` is a length.
WORDS = rf"(?:\s?(?i:{_SPELLED})|{'|'.join(sorted(_LETTERS, key=len, reverse=True))})"
APART = re.compile(r"\s(?:[kKmMB]|MM)\b")
_PREFIXES = {"T": 3, "k": 3, "K": 3, "M": 6, "m": 6, "Mio": 6, "Md": 9, "Mrd": 9}
PREFIX = r"(?:Mio\.?|Mrd\.?|Md|[TkKMm](?=[€$£]|[A-Z]{3}))"


def scale(word: str | None, prefix: str | None, money: str) -> int | None:
    """The power of ten by which a number is multiplied; None where that cannot be told."""
    told = (word or "").strip().rstrip(".")
    ahead = (prefix or "").strip().rstrip(".")
    if told and ahead:
        return None
    if ahead:
        return None if ahead == "T" and "$" in money else _PREFIXES[ahead]
    if not told:
        return 0
    low = " ".join(told.lower().split())
    if told in _ENGLISH or low in _ENGLISH:
        return 9 if any(sign in money for sign in _ENGLISH_MONEY) else None
    if told in _LETTERS:
        return _LETTERS[told] if money else None
    return _POWERS.get(low)


def times(value: Decimal, power: int) -> Decimal:
    """Exactly, without the zeros that the multiplication adds behind the mark."""
    if not power:
        return value
    whole = value.scaleb(power)
    return whole.quantize(Decimal(1)) if whole == whole.to_integral_value() else whole.normalize()
