"""Tax and national numbers of persons, by their check digits and, where these are weak, a label."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from ingestion.pii.context import bounded, is_numbered, labelled
from ingestion.pii.values import Finding

_TAX = (
    r"steuer\w*|\bst\.?-?nr|\bid-?nr|identifikations\w*|\btin\b|tax\w*|fiscal\w*|\bspi\b|\butr\b"
    r"|\bnif\b|\bitin\b|codice fiscale|\bc\.?f\.?\b|belasting\w*|contribu\w*"
)
_NATIONAL = (
    r"\bbsn\b|burgerservice\w*|sofi\w*|\bssn\b|social security|sozialversicherung\w*|\bsv-?nr\w*"
    r"|\bsvnr|\bahv\w*|\bavs\b|versicherten\w*|rentenversicherung\w*|sécurité sociale|\bnir\b|insee"
    r"|\bdni\b|\bnie\b|identidad|national insurance|\bni(?:no)?\b|\bnhs\b|rijksregister\w*|\bnn\b"
    r"|registre national|niss|pesel|personal\s?(?:nummer|no|id)\w*|personnummer|cpr|hetu|ausweis\w*"
    r"|passport|reisepass\w*|passeport|paspoort\w*|pasaporte|passaporto|identity|identit\w+|id card"
    r"|seguridad social|insurance n\w+|pps\w*|oib|egn|cnp|rodné"
)


@dataclass(frozen=True, slots=True)
class _Rule:
    """`free`: believed without a label, because its check or its shape is strong."""

    kind: str
    shape: re.Pattern[str]
    check: str  # module of stdnum, or "" for the shape alone
    free: re.Pattern[str] | None
    label: re.Pattern[str]


def _rule(kind: str, shape: str, check: str, free: str | bool, label: str = "") -> _Rule:
    own = label or (_TAX if kind == "tax_id" else _NATIONAL)
    alone = re.compile(shape if free is True else free) if free else None
    near = re.compile(rf"(?:{own})[^\n]{{0,32}}$", re.IGNORECASE)
    return _Rule(kind, re.compile(shape), check, alone, near)


_RULES = (
    _rule("tax_id", r"\d{2} ?\d{3} ?\d{3} ?\d{3}", "de.idnr", r"\d{2} \d{3} \d{3} \d{3}"),
    _rule("tax_id", r"\d{2,3}/\d{3,4}/\d{4,5}|\d{5}/\d{5}", "", False),
    _rule("tax_id", r"\d{2}-\d{7}", "us.ein", False, r"tax id|taxpayer|\btin\b"),
    _rule("tax_id", r"[0-3]\d ?\d\d ?\d{3} ?\d{3} ?\d{3}", "fr.nif", False),
    _rule("tax_id", r"[A-Z]{6} ?\d{2} ?[A-EHLMPRST]\d{2} ?[A-Z]\d{3} ?[A-Z]", "it.codicefiscale",
          True),
    _rule("tax_id", r"9\d\d-[5-9]\d-\d{4}", "us.itin", True),
    _rule("tax_id", r"\d{5} ?\d{5}", "", False, r"\butr\b|unique tax"),
    _rule("tax_id", r"\d{2}[- ]?\d{3}/?\d{4}", "at.tin", False),
    _rule("tax_id", r"[1-35-9]\d{2} ?\d{3} ?\d{3}", "pt.nif", False),
    _rule("national_id", r"\d{2} ?[0-3]\d[01]\d\d{2} ?[A-Z] ?\d{3}", "-de", True),
    _rule("national_id", r"[12] ?\d{2} ?[0-9]{2} ?\d[\dAB] ?\d{3} ?\d{3} ?\d{2}", "fr.nir", True),
    _rule("national_id", r"\d{3}[. ]?\d{3}[. ]?\d{3}|\d{4}[. ]\d{2}[. ]\d{3}", "nl.bsn", False),
    _rule("national_id", r"\d{2}\.?\d{3}\.?\d{3}[- ]?[A-Z]", "es.dni", True),
    _rule("national_id", r"[XYZ][- ]?\d{7}[- ]?[A-Z]", "es.nie", True),
    _rule("national_id",
          r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d\d ?\d\d ?\d\d ?[A-D]",
          "", True),
    _rule("national_id", r"\d{3}[ -]?\d{3}[ -]?\d{4}", "gb.nhs", False, r"\bnhs\b|health service"),
    _rule("national_id", r"\d{3}-\d{2}-\d{4}", "us.ssn", True),
    _rule("national_id", r"\d{3} ?\d{2} ?\d{4}", "us.ssn", False,
          r"\bssn\b|social security|soc\.? sec"),
    _rule("national_id", r"\d{4} ?[0-3]\d[01]\d\d{2}", "at.vnr", r"\d{4} \d{6}"),
    _rule("national_id", r"\d{2}[. ]?\d{2}[. ]?\d{2}[- ]?\d{3}[. ]?\d{2}", "be.nn",
          r"\d{2}\.\d{2}\.\d{2}-\d{3}\.\d{2}"),
    _rule("national_id", r"756\.?\d{4}\.?\d{4}\.?\d{2}", "ch.ssn", True),
    _rule("national_id", r"\d{11}", "pl.pesel", False),
    _rule("national_id", r"\d{8} ?\d[A-Z]{2}\d", "pt.cc", False),
    _rule("national_id", r"\d{6}[-+]\d{4}", "se.personnummer", False),
    _rule("national_id", r"\d{6}[-+A]\d{3}[\dA-Y]", "fi.hetu", False),
    _rule("national_id", r"\d{7}[A-W][A-IW]?", "ie.pps", False),
    _rule("national_id", r"(?=[A-Z\d]*\d)[A-Z][A-Z\d]{7,9}|\d{9}", "", False,
          r"ausweis\w*|passport|reisepass\w*|passeport|paspoort\w*|pasaporte|passaporto|id card"
          r"|carte d.identité|carta d.identit|identiteitskaart"),
)  # fmt: skip
_VAT = re.compile(
    r"(?:ATU\d{8}|BE[01]\d{9}|DE ?\d{3} ?\d{3} ?\d{3}|FR[A-Z\d]{2} ?\d{9}|NL\d{9}B\d\d"
    r"|ES[A-Z]\d{7}[A-Z\d]|IT\d{11}|GB ?\d{3} ?\d{4} ?\d{2}|PL\d{10}|PT\d{9}|LU\d{8}"
    r"|IE\d{7}[A-W]{1,2}|SE\d{12}|DK\d{8}|FI\d{8}|CZ\d{8,10})"
)


def numbers(text: str) -> Iterator[Finding]:
    for rule in _RULES:
        for found in bounded(rule.shape, text, r"[\w/]|[-.](?=\d)"):
            known = labelled(text, found.start(), rule.label)
            free = rule.free is not None and rule.free.fullmatch(found.group()) is not None
            if not known and (not free or is_numbered(text, found.start())):
                continue
            if _holds(rule.check, found.group()):
                yield Finding(rule.kind, found.start(), found.end(), 0.97 if known else 0.85)


def vat_numbers(text: str) -> Iterator[Finding]:
    for found in bounded(_VAT, text):
        if _stdnum("gb.vat" if found.group().startswith("GB") else "eu.vat")(found.group()):
            yield Finding("vat_id", found.start(), found.end(), 0.97)


def _holds(check: str, whole: str) -> bool:
    if not check:
        return True
    return _german_insurance(whole) if check == "-de" else _stdnum(check)(whole)


def _stdnum(name: str) -> Callable[[str], bool]:
    module: Any = import_module(f"stdnum.{name}")
    test: Callable[[str], bool] = module.is_valid
    return test


def _german_insurance(whole: str) -> bool:
    """Check digit of the Versicherungsnummer (VKVV §2): weights 2 1 2 5 7 1 2 1 2 1 2 1, the letter
    as its place in the alphabet, sums of digits."""
    plain = whole.replace(" ", "")
    digits = [int(one) for one in f"{plain[:8]}{ord(plain[8]) - 64:02}{plain[9:11]}"]
    weights = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
    total = sum(sum(map(int, str(a * b))) for a, b in zip(digits, weights, strict=True))
    return total % 10 == int(plain[11])
