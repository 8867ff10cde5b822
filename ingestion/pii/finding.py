"""All detectors over one text, and one finding for each place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from ingestion.pii import ids, patterns, people, phones
from ingestion.pii.values import BY_DEFAULT, Finding

_UUID = re.compile(
    r"(?<![\w-])[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}(?![\w-])", re.I
)
_PIECE = 20_000  # characters looked at in one go; no finding is longer than the lap
_LAP = 300
_DETECTORS: tuple[tuple[frozenset[str], Callable[[str], Iterable[Finding]]], ...] = (
    (frozenset({"email"}), patterns.mails),
    (frozenset({"iban"}), patterns.ibans),
    (frozenset({"card"}), patterns.cards),
    (frozenset({"ip"}), patterns.hosts),
    (frozenset({"tax_id", "national_id"}), ids.numbers),
    (frozenset({"vat_id"}), ids.vat_numbers),
    (frozenset({"birth_date"}), people.birth_dates),
    (frozenset({"name"}), people.names),
    (frozenset({"address"}), people.addresses),
)


def find(
    text: str, language: str | None = None, kinds: Iterable[str] = BY_DEFAULT
) -> tuple[Finding, ...]:
    """In order, none over another: the surer one stands, then the longer. `language` (ISO 639-1)
    says whose national telephone numbers are meant."""
    wanted = frozenset(kinds)
    found = [
        Finding(one.kind, at + one.start, at + one.end, one.confidence)
        for at, piece in _pieces(text)
        for one in _all(piece, language, wanted)
    ]
    return _apart(_outside(found, text), wanted)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    for at in range(0, max(1, len(text)), _PIECE):
        yield at, text[at : at + _PIECE + _LAP]


def _all(text: str, language: str | None, wanted: frozenset[str]) -> Iterator[Finding]:
    """Numbers of all kinds are looked for whatever is wanted, so that the IBAN that is to be left
    is not half a telephone number."""
    numeric = any(char.isdigit() for char in text)
    for kinds, detect in _DETECTORS:
        if kinds & wanted or (numeric and kinds & {"iban", "card"}):
            yield from detect(text)
    if "phone" in wanted and numeric:
        yield from phones.phones(text, language)


def _outside(found: list[Finding], text: str) -> list[Finding]:
    """Without what is a part of an identifier of ours: a UUID is all digits and dashes at times."""
    ids_of = [match.span() for match in _UUID.finditer(text)]
    if not ids_of:
        return found
    return [one for one in found if not any(a < one.end and one.start < b for a, b in ids_of)]


def _apart(found: list[Finding], wanted: frozenset[str]) -> tuple[Finding, ...]:
    taken: list[Finding] = []
    cover: set[int] = set()
    for one in sorted(set(found), key=lambda f: (-f.confidence, f.start - f.end, f.start)):
        if one.start < one.end and cover.isdisjoint(range(one.start, one.end)):
            taken.append(one)
            cover.update(range(one.start, one.end))
    return tuple(sorted((one for one in taken if one.kind in wanted), key=lambda f: f.start))
