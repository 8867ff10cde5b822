"""Names of line-item columns in five languages, and which segments of a row are such names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ingestion.fields.layout import Row, Segment, Sheet

_NAMES: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("columns.toml").read_text(encoding="utf-8")
)
# A name in two columns belongs to the first.
COLUMNS = {
    name: "!other" if column == "other" else column
    for column, names in reversed(_NAMES.items())
    for name in names
}
_SUFFIX = re.compile(
    r"\s*(?:\((?:[A-Z]{3}|[€$£¥%]|[A-Za-zÀ-ÿ. ]{2,16})\)|/\s?(?:EUR|USD|€|\$|£)"
    r"|\bin\s+(?:EUR|USD|€|\$|£|%)|\b[A-Z]{3}|[€$£%])$"
)


_NAME_MAX = 80  # characters; longer texts head no column


def columns(row: Row) -> dict[str, Segment]:
    """The row's column names; a name that occurs twice keeps its first place, `amount` its last."""
    found: dict[str, Segment] = {}
    for segment in (piece for whole in row for piece in _pieces(whole)):
        name = _name(segment.text)
        if name and (name not in found or name == "amount"):
            found[name] = segment
        elif name:
            found[f"!{name}{len(found)}"] = segment
    return found


def _pieces(segment: Segment) -> Iterator[Segment]:
    """Two names that stand too close to be two segments, `VAT Amount`; one stays whole."""
    text = segment.text
    if _name(text) or len(text) > 60 or re.search(r"\d", text):
        yield segment
        return
    for gap in re.finditer(r"\s+", text):
        if _name(text[: gap.start()]) and _name(text[gap.end() :]):
            width = (segment.x1 - segment.x0) / max(len(text), 1)
            middle = segment.x0 + gap.start() * width
            yield replace(segment, text=text[: gap.start()], x1=middle)
            start = segment.start + gap.end()
            yield replace(segment, text=text[gap.end() :], start=start, x0=middle + width)
            return
    yield segment


def _name(text: str) -> str | None:
    if len(text) > _NAME_MAX:
        return None
    plain = " ".join(text.split()).strip(" :*")
    for shown in (plain, _SUFFIX.sub("", plain), *plain.split("/")):
        key = shown.lower().replace("_", " ").strip(" :*")
        if key in COLUMNS:
            return COLUMNS[key]
    return None


def is_header(row: Row) -> bool:
    """Whether the row heads a table of line items: what is sold, how much of it or at which price,
    and an amount; nothing that looks like a value."""
    names = columns(row)
    sold = names.keys() & {"description", "sku"}
    priced = names.keys() & {"amount", "unit_price"}
    counted = names.keys() & {"quantity", "unit_price"}
    if any(re.search(r"\d{2}", s.text) for s in row):
        return False
    return bool((sold and priced) or (len(priced | counted) > 1 and len(names) > 2))


def header_at(sheet: Sheet, number: int) -> tuple[dict[str, Segment], int]:
    """The columns of the header that begins in this row, and how many rows it takes: names may be
    broken over up to three lines. `({}, 0)` where none begins."""
    row = sheet.rows[number]
    best = (columns(row), 1) if is_header(row) else ({}, 0)
    for more in range(1, 3):
        if number + more >= len(sheet.rows) or not _goes_on(row, sheet.rows[number + more]):
            break
        row = _stacked(row, sheet.rows[number + more])
        found = columns(row)
        if is_header(row) and _known(found) > _known(best[0]):
            best = (found, more + 1)
    return best


def in_header(sheet: Sheet, number: int) -> bool:
    """Whether a row is one of the lines of a header."""
    return any(header_at(sheet, n)[1] > number - n for n in range(max(number - 2, 0), number + 1))


def _known(found: dict[str, Segment]) -> int:
    return sum(not name.startswith("!") for name in found)


def _goes_on(row: Row, below: Row) -> bool:
    """Whether two rows may be lines of one header: close, without values, one over the other."""
    first, other = row[-1], below[0]
    if first.page is not other.page or not 0 < other.y - first.y <= 1.7 * first.unit:
        return False
    if any(re.search(r"\d", s.text) or len(s.text) > 40 for s in (*row, *below)):
        return False
    return len(row) > 1 or len(below) > 1


def _stacked(row: Row, below: Row) -> Row:
    """Each column's words from top to bottom as one segment at the lower line's height."""
    taken: set[int] = set()
    joined = []
    for upper in row:
        parts = [upper]
        for at, lower in enumerate(below):
            if at not in taken and upper.overlaps(lower):
                taken.add(at)
                parts.append(lower)
        text = " ".join(part.text for part in parts).replace("- ", "")
        left, right = min(p.x0 for p in parts), max(p.x1 for p in parts)
        joined.append(replace(upper, text=text, x0=left, x1=right, y=below[0].y))
    rest = (lower for at, lower in enumerate(below) if at not in taken)
    return tuple(sorted([*joined, *rest], key=lambda s: s.x0))
