"""Names of line-item columns in five languages, and which segments of a row are such names."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ingestion.fields.layout import Row, Segment

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
    r"\s*(?:\((?:[A-Z]{3}|[€$£¥%]|[a-z. ]{2,12})\)|\bin\s+(?:EUR|USD|€|\$|£|%)|\b[A-Z]{3}|[€$£%])$"
)


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
    plain = " ".join(text.split()).strip(" :*")
    for shown in (plain, _SUFFIX.sub("", plain)):
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
