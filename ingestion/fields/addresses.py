"""Blocks of lines that read like a postal address: a name, a street, a town."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingestion.fields.layout import Segment, Sheet
from ingestion.fields.reading import Candidate

TOWN = re.compile(
    r"^\d{5}[A-ZÄÖÜ][a-zäöüß]{2}|^(?:[A-Z]{1,3}[- ])?\d{4,5}(?: ?[A-Z]{2})?,? +[^\W\d_]"
    r"|\b[A-Z]{1,2}\d[A-Z\d]?"
    r" ?\d[A-Z]{2}\b|\b[A-Z]\d{2} [A-Z\d]{4}\b|, [A-Z]{2},? \d{5}|\b[A-Z]{2} \d{5}(?:-\d{4})?$"
)
_TITLE = re.compile(
    r"(?:an |to |à )?(?:herrn?|frau|firma|mr\.?|mrs\.?|ms\.?|m\.|mme|monsieur|madame|sra?\.?)$"
    r"|(?:for the )?att(?:n|ention|\.)(?: of)?\b.{0,40}$|z\.? ?hd\.?.{0,40}$",
    re.IGNORECASE,
)
# What a seller writes into its own block.
_OWN = re.compile(
    r"\b(?:tel|fon|phone|fax|mobil|e-?mail|www|iban|bic|siret|siren|rcs|kvk|hrb|btw|ust|vat|tva|cif"
    r"|nif|telefon|téléphone|steuernummer)\b|@|\bsarl au capital\b",
    re.IGNORECASE,
)
_ROWS = 40
_LINES = 8


@dataclass(frozen=True, slots=True)
class Block:
    """`lines` from the name down to the town; `own` where it tells how to reach or pay its
    owner, as sellers do."""

    lines: tuple[tuple[int, Segment], ...]
    own: bool

    @property
    def row(self) -> int:
        return self.lines[0][0]

    @property
    def name(self) -> Segment:
        return self.lines[0][1]


def blocks(sheet: Sheet) -> Iterator[Block]:
    """Addresses in the upper rows of the first page, from the top; delivery addresses left out."""
    used: set[int] = set()
    for number, row in enumerate(sheet.rows[:_ROWS]):
        for segment in row:
            if segment.page.number != 1 or id(segment) in used or (segment.labels[:1] and (
                segment.heading
            )):  # fmt: skip
                continue
            lines = _down(sheet, number, segment)
            towns = [i for i, (_, s) in enumerate(lines) if i and TOWN.search(s.text)]
            if not towns or towns[0] > 5:
                continue
            used.update(id(s) for _, s in lines)
            first = 1 if _TITLE.match(lines[0][1].text.strip()) and towns[0] > 1 else 0
            streets = [s for _, s in lines[first + 1 : towns[0]] if re.search(r"\d", s.text)]
            if streets and not _delivery(sheet, number, segment):
                own = any(_OWN.search(s.text) for _, s in lines[first + 1 :])
                yield Block(tuple(lines[first : towns[0] + 1]), own)


def under(sheet: Sheet, name: Candidate) -> Candidate | None:
    """The address below a name, down to its town; its source spans the lines."""
    number = name.row
    row = sheet.rows[number] if number < len(sheet.rows) else ()
    if name.segment not in row:
        return None
    lines = [s for _, s in _down(sheet, number, name.segment)][1:]
    last = next((i for i, s in enumerate(lines) if TOWN.search(s.text)), None)
    if last is None:
        return None
    own = lines[: last + 1]
    page = own[0].page
    start, end = min(s.start for s in own), max(s.end for s in own)
    whole = replace(own[0], text=page.text[start:end], start=start, cell=None)
    value = ", ".join(" ".join(s.text.split()).strip(" ,") for s in own)
    return Candidate(value, 0.7, whole, 0, end - start, number + 1)


def _down(sheet: Sheet, number: int, segment: Segment) -> list[tuple[int, Segment]]:
    """The segment and the lines below it that begin where it does."""
    lines = [(number, segment)]
    for at in range(number + 1, min(number + 16, len(sheet.rows))):
        last = lines[-1][1]
        row = sheet.rows[at]
        if row[0].page is not segment.page or row[0].y - last.y > 1.9 * max(last.unit, 1.0):
            break
        own = next((s for s in row if abs(s.x0 - segment.x0) <= 0.8 * max(s.unit, 1.0)), None)
        if own is None:
            continue
        if len(lines) == _LINES or (own.first and own.first.colon):
            lines.append((at, own))
            break
        lines.append((at, own))
    return lines


def _delivery(sheet: Sheet, number: int, segment: Segment) -> bool:
    """Whether the line above says that goods go there."""
    for at in range(max(number - 2, 0), number):
        for above in sheet.rows[at]:
            if segment.overlaps(above) and re.match(
                r"\W*(?:ship|deliver|liefer|livr|afleve|bezorg|enviar|entrega|warenempf)",
                above.text, re.IGNORECASE,
            ):  # fmt: skip
                return True
    return False
