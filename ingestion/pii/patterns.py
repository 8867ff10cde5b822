"""E-mail, IBAN (ISO 13616), payment cards (ISO/IEC 7812, Luhn), addresses of the Internet."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from ingestion.pii.context import before, is_numbered
from ingestion.pii.values import Finding

_MAIL = re.compile(
    r"(?<![\w.+%-])[\w.+%'-]{1,64}(?:@|\s?[\[(](?:at|ät)[\])]\s?)"
    r"(?:[\w-]{1,63}(?:\.|\s?[\[(](?:dot|punkt)[\])]\s?)){1,5}[A-Za-z]{2,24}(?![\w@])"
)
_FILES = frozenset((
    "png", "jpg", "jpeg", "gif", "svg", "webp", "js", "css", "ts", "json", "md", "txt", "pdf",
    "lan",
))  # fmt: skip
_IBAN = re.compile(r"(?<![^\W_])[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]){11,31}", re.I)
_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22,
    "BR": 29, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20,
    "EG": 29, "ES": 24, "FI": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18,
    "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IS": 26, "IT": 27, "JO": 30,
    "KW": 30, "KZ": 20, "LB": 28, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MD": 24,
    "ME": 22, "MK": 19, "MT": 31, "NL": 18, "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25,
    "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "TN": 24,
    "TR": 26, "UA": 29, "VA": 22, "XK": 20,
}  # fmt: skip
_CARD = re.compile(r"(?<![\w.,+-])\d(?:[ \u00a0-]?\d){12,18}(?![\w-]|[.,]\d)")
_ISSUERS = (
    (re.compile(r"4"), (13, 16, 19)), (re.compile(r"3[47]"), (15,)),
    (re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"), (16,)),
    (re.compile(r"6011|64[4-9]|65|622"), (16, 19)), (re.compile(r"35(?:2[89]|[3-8])"), (16, 19)),
    (re.compile(r"30[0-5]|36|3[89]"), (14, 16)), (re.compile(r"50|5[6-8]|6[37]"), (16, 18, 19)),
)  # fmt: skip
_IP4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d|\w)")
_IP6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:])")
_VERSION = re.compile(r"(?:\bv|version|release|firmware|build|driver|oid|section|§)[\s.:]*$", re.I)


def mails(text: str) -> Iterator[Finding]:
    if "@" not in text and "at" not in text:
        return
    for found in _MAIL.finditer(text):
        whole = found.group()
        name = re.split(r"@|\s?[\[(]", whole)[0]
        ssh = name == "git" and text[found.end() : found.end() + 1] == ":"
        if whole.rsplit(".", 1)[-1].lower() not in _FILES and name.strip(".'-") and not ssh:
            start = found.start() + len(whole) - len(whole.lstrip(".'-"))
            yield Finding("email", start, found.end(), 0.99 if "@" in whole else 0.9)


def ibans(text: str) -> Iterator[Finding]:
    for found in _IBAN.finditer(text):
        end = _iban_end(text, found)
        if end:
            yield Finding("iban", found.start(), end, 1.0)


def _iban_end(text: str, found: re.Match[str]) -> int | None:
    """Where so many characters as the country's IBANs have end, if their check digits fit."""
    length = _LENGTHS.get(found.group()[:2].upper(), 99)
    digits = ""
    for at in range(found.start(), found.end()):
        if text[at].isalnum():
            digits += text[at].upper()
        if len(digits) == length:
            after = text[at + 1 : at + 2]
            fits = mod_97_10.is_valid(digits[4:] + digits[:4])
            return at + 1 if fits and not (after and after.isalnum()) else None
    return None


def cards(text: str) -> Iterator[Finding]:
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found.group())
        if not luhn.is_valid(digits) or len(set(digits)) < 2 or is_numbered(text, found.start()):
            continue
        if any(sign.match(digits) and len(digits) in sizes for sign, sizes in _ISSUERS):
            yield Finding("card", found.start(), found.end(), 0.98)


def hosts(text: str) -> Iterator[Finding]:
    for found in _IP4.finditer(text):
        parts = found.group().split(".")
        plain = all(int(part) < 256 and (part == "0" or part[0] != "0") for part in parts)
        if plain and not _VERSION.search(before(text, found.start())):
            yield Finding("ip", found.start(), found.end(), 0.9)
    for found in _IP6.finditer(text) if text.count(":") > 1 else ():
        if _is_ip6(found.group()):
            yield Finding("ip", found.start(), found.end(), 0.95)


def _is_ip6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return len(text) > 4
