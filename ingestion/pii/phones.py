"""Telephone numbers: international, and national ones of the regions that speak the language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers

from ingestion.pii.context import is_numbered, labelled
from ingestion.pii.values import Finding

_REGIONS = {
    "de": ("DE", "AT", "CH"), "en": ("GB", "US", "IE"), "fr": ("FR", "BE", "CH", "LU"),
    "nl": ("NL", "BE"), "es": ("ES", "MX", "AR"), "it": ("IT", "CH"), "pt": ("PT", "BR"),
    "pl": ("PL",), "vi": ("VN",),
}  # fmt: skip
_ANY = ("DE", "GB", "US", "FR", "NL", "ES", "IT", "AT", "BE", "CH")
_CANDIDATE = re.compile(
    r"(?<![\w.,/+-])(?:(?:\+|00)\s?)?(?:\(\+?\d{1,4}\)\s?)?\d(?:[ \u00a0()./-]{0,3}\d){5,16}(?!\w)"
)
_LABEL = re.compile(
    r"\b(?:tel\w*|fon|phone\w*|mobil\w*|handy\w*|cell\w*|fax|gsm|sms|whatsapp|call\w*|ring|reach\w*"
    r"|dial|anruf\w*|anzurufen|ruf\w*|erreich\w*|durchwahl|hotline|téléphone|portable|joindre|appel\w*"
    r"|bel|bellen|bereikbaar|telefoon\w*|mobiel\w*|tfno|tlf|m[oó]vil\w*|llam\w*|celular|chiam\w*"
    r"|cellulare|recapito|text me|contact number)\b[^\n]{0,28}$",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?:[ T]\d{1,2}[.:]?\d{0,2})?"
    r"|\d{4}\s?[-/–]\s?\d{4}|(?:\d{1,3}\.){3}\d{1,3}"
)
_AMOUNT = re.compile(r"\d{1,3}(?:[.,\s]\d{3})+(?:[.,]\d{2})?")
# Unlabelled, a national number is believed by the way people write it.
_WRITTEN = re.compile(
    r"\(0\d{1,5}\)[ /-]?\d[\d -]{3,12}|0\d{1,5}[ ]?[/-][ ]?\d[\d -]{3,12}|0\d(?:[ .]\d\d){4}"
    r"|0\d{2,4} \d{3,4} ?\d{3,6}|0\d{2,4} \d{2,9}(?: \d{2,4}){1,3}"
    r"|\(?[2-9]\d\d\)?[ .-][2-9]\d\d[.-]\d{4}|\([2-9]\d\d\) ?[2-9]\d\d[ -]\d{4}"
    r"|[6789]\d\d(?: \d\d){3}|[6789]\d\d(?: \d{3}){2}|3\d\d \d{3} ?\d{4}|3\d\d \d{7}"
    r"|0\d{1,3} \d{6,8}|0[67]\d{8}|07\d{9}|01[567]\d{8,9}"
)

_AMERICAN = re.compile(r"\(?[2-9]\d\d\)?[ .-]\d{3}[.-]\d{4}")


def phones(text: str, language: str | None) -> Iterator[Finding]:
    regions = _REGIONS.get(language or "", ())
    for found in _CANDIDATE.finditer(text):
        whole = found.group()
        if _DATE.fullmatch(whole) or _joined(text, found):
            continue
        known = labelled(text, found.start(), _LABEL)
        if not known and (_AMOUNT.fullmatch(whole) or is_numbered(text, found.start())):
            continue
        if sure := _sure(whole, regions, known):
            yield Finding("phone", found.start(), found.end(), sure)


def _joined(text: str, found: re.Match[str]) -> bool:
    """A part of an amount, a code or a longer number: `1 234 567,89`, `4711-AB`, `12 34 56 %`."""
    after = text[found.end() : found.end() + 3]
    return bool(re.match(r"[,.]\d|[-/][A-Za-z\d]|\s?[%€$£]|\s?(?:EUR|USD|kg|mm|km)", after))


def _sure(whole: str, regions: tuple[str, ...], known: bool) -> float:
    """0 when it is none. What is called a telephone number need not be one that is given out:
    examples and invented ones are not."""
    plain = whole.replace("\u00a0", " ")
    if re.match(r"\+|00 ?[1-9]|\(\+", plain):
        number = re.sub(r"^00 ?|^\(\+?", "+", plain).replace("(0)", "")
        if plain.startswith("00") and not known:
            return 0.9 if _valid(number, None) else 0.0
        return 0.98 if _possible(number, None) else 0.0
    if not known and not _WRITTEN.fullmatch(plain):
        return 0.0
    usable = regions or _ANY
    if any(_valid(plain, region) for region in usable):
        return 0.95 if known else 0.75
    if _AMERICAN.fullmatch(plain) and (not regions or "US" in regions):
        return 0.7
    return 0.85 if known and any(_possible(plain, region) for region in usable) else 0.0


def _valid(number: str, region: str | None) -> bool:
    parsed = _parsed(number, region)
    return parsed is not None and phonenumbers.is_valid_number(parsed)


def _possible(number: str, region: str | None) -> bool:
    parsed = _parsed(number, region)
    return parsed is not None and phonenumbers.is_possible_number(parsed)


def _parsed(number: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None
