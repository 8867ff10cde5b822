"""Fills a JSON Schema from a document: typed values, each with its proof, or why there is none."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.documents import FieldValue
from ingestion.fields import addresses, deeds, grids
from ingestion.fields.columns import COLUMNS
from ingestion.fields.concepts import CONCEPTS, Concept, asked, guess_kind, resolve, words_of
from ingestion.fields.extraction import Reading
from ingestion.fields.forms import label_pattern
from ingestion.fields.labels import KINDS
from ingestion.fields.reading import Candidate
from ingestion.fields.shapes import Leaf, Many, Record, Shape, breach, shape_of

NOT_FOUND = "no label, table or sentence of the document names it"
_ITEM = ("description", "quantity", "unit_price", "amount", "tax", "sku")
_PARTIES = ("vendor", "customer", "employer", "employee", "account_holder")
_ROWS_MAX = 2000


@dataclass(frozen=True, slots=True)
class Filled:
    """`data` has the schema's shape and types; `fields` holds each leaf by its path
    ("vendor.name", "items[0].amount"), `missing` why a leaf is null. `valid` is false where a
    required value is null and the schema allows no null."""

    document_type: str
    data: dict[str, Any]
    fields: dict[str, FieldValue]
    missing: dict[str, str]
    line_items: tuple[dict[str, FieldValue], ...]
    tags: tuple[str, ...]
    valid: bool


@dataclass(slots=True)
class _Work:
    reading: Reading
    told: Mapping[str, str]
    fields: dict[str, FieldValue] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    valid: bool = True

    def prove(self, path: str, candidate: Candidate) -> FieldValue:
        self.fields[path] = self.reading.proved(candidate)
        return self.fields[path]


def fill(
    schema: Mapping[str, Any], reading: Reading, told: Mapping[str, str] | None = None
) -> Filled:
    """`told` are values that a model read, by path; they count where the text holds them. Raises
    `InvalidInput` for a schema that cannot be read."""
    work = _Work(reading, told or {})
    data = _record(shape_of(schema), work, "", ())
    return Filled(
        reading.kind, data, work.fields, work.missing, reading.rows, reading.tags, work.valid
    )


def _record(shape: Record, work: _Work, path: str, above: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, part in shape.parts.items():
        at = f"{path}.{name}" if path else name
        value = _fill(part, work, at, above)
        if value is None and not _nullable(part):
            if name in shape.required:
                work.valid = False
                found[name] = None
            continue  # left out, which the schema allows
        found[name] = value
    return found


def _nullable(shape: Shape) -> bool:
    return shape.nullable


def _fill(shape: Shape, work: _Work, path: str, above: tuple[str, ...]) -> Any:
    if isinstance(shape, Record):
        return _record(shape, work, path, (*above, shape.hints[0]))
    if isinstance(shape, Many):
        return _many(shape, work, path)
    candidate = _leaf(shape, work.reading, above)
    if candidate is None and path in work.told:
        candidate = work.reading.witnessed(path, work.told[path])
    if candidate is None:
        work.fields[path] = FieldValue(None)
        work.missing[path] = NOT_FOUND
        return None
    return _typed(shape, candidate, work, path)


def _typed(leaf: Leaf, candidate: Candidate, work: _Work, path: str) -> Any:
    proved = work.reading.proved(candidate)
    value, why = convert(proved.value or "", leaf)
    why = why or breach(value, leaf)
    if why:
        work.fields[path], work.missing[path] = FieldValue(None), why
        return None
    work.fields[path] = proved
    return value


def convert(text: str, leaf: Leaf) -> tuple[Any, str | None]:
    """The text as a value of the leaf's type; or None and why it is none."""
    if leaf.type in ("number", "integer"):
        if not re.fullmatch(r"-?\d{1,15}(?:\.\d+)?", text):
            return None, f"{text!r} is not a number"
        number = float(text)
        if leaf.type == "number" and not number.is_integer():
            return number, None
        whole = int(number)
        return (whole, None) if whole == number else (None, f"{text!r} is not a whole number")
    if leaf.type == "boolean":
        known = {"true": True, "false": False}.get(text)
        return known, None if known is not None else f"{text!r} is neither yes nor no"
    if leaf.enum:
        same = [one for one in leaf.enum if str(one).casefold() == text.casefold()]
        return (same[0], None) if same else (None, f"{text!r} is not one of the values allowed")
    if leaf.format in ("date", "date-time") and not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return None, f"{text!r} is not a date"
    if leaf.format == "date-time":
        return None, f"{text!r} has no time of day"
    return text, None


def _leaf(leaf: Leaf, reading: Reading, above: tuple[str, ...]) -> Candidate | None:
    owner = resolve(above[-1]) if above else None
    hints = [f"{above[-1]} {leaf.hints[0]}", *leaf.hints] if above else list(leaf.hints)
    if owner in _PARTIES and (inner := _of_party(owner, leaf, reading)):
        return inner
    if owner in ("customer", "employee", "account_holder"):
        hints = hints[:1]  # a bare `tax_id` is the seller's
    if leaf.enum and (one := _listed(leaf, hints, reading)):
        return one
    meant = resolve(*(hint for hint in hints if len(hint) <= 60))
    if meant in (*KINDS, *CONCEPTS) and _fits(meant, leaf):
        found = reading.field(meant)
        if found:
            return found
    return reading.labelled(Concept(hints[0], kind_of(leaf), tuple(_labels(hints))))


def _fits(meant: str, leaf: Leaf) -> bool:
    kind = CONCEPTS[meant].kind if meant in CONCEPTS else KINDS[meant]
    if leaf.format == "date":
        return kind == "date"
    if leaf.type in ("number", "integer"):
        return kind in ("amount", "number", "percent", "quantity", "duration", "id")
    return leaf.type != "boolean"


def _labels(hints: Sequence[str]) -> list[str]:
    """The words to look for: names as they are, and short descriptions."""
    return [words_of(hint) for hint in hints if len(hint.split()) <= 5 and len(hint) <= 60]


def kind_of(leaf: Leaf) -> str:
    """How a value that no concept knows is to be read."""
    if leaf.format == "date":
        return "date"
    if leaf.format in ("email", "uri"):
        return {"email": "email", "uri": "url"}[leaf.format]
    if leaf.type == "boolean":
        return "boolean"
    if leaf.type in ("number", "integer"):
        return "number"
    return guess_kind(leaf.hints[0])


def _listed(leaf: Leaf, hints: Sequence[str], reading: Reading) -> Candidate | None:
    """One of the enum's values: beside its label, as the document's kind, or the only one that
    the text holds."""
    if resolve(hints[0]) == "currency" and (money := reading.field("currency")):
        return money
    if re.sub(r"[\W_]", "", hints[0]).lower() in ("documenttype", "type", "kind", "doctype"):
        title = reading.title()
        if title and any(str(one).casefold() == title.value.casefold() for one in leaf.enum):
            return title
    words = [str(one) for one in leaf.enum if str(one).strip()]
    beside = reading.labelled(Concept(hints[0], "text", tuple(_labels(hints))))
    if beside:
        for one in words:
            at = beside.value.casefold().find(one.casefold())
            if at >= 0:
                return Candidate(one, beside.confidence, beside.segment, beside.start, beside.end,
                                 beside.row)  # fmt: skip
    return _only(words, reading)


def _only(words: Sequence[str], reading: Reading) -> Candidate | None:
    found: dict[str, Candidate] = {}
    pattern = label_pattern(tuple(words)) if words else None
    for number, row in enumerate(reading.sheet.rows):
        for segment in row:
            match = pattern.search(segment.text) if pattern else None
            one = next((w for w in words if match and w.casefold() in match[0].casefold()), None)
            if match and one:
                found.setdefault(one, Candidate(one, 0.5, segment, *match.span(), number))
    return next(iter(found.values())) if len(found) == 1 else None


def _of_party(owner: str, leaf: Leaf, reading: Reading) -> Candidate | None:
    """What belongs to a seller or buyer: its name, its address."""
    what = re.sub(r"[\W_]", "", leaf.hints[0]).lower()
    if what in ("name", "companyname", "company", "fullname", "legalname"):
        return reading.field(owner)
    name = reading.field(owner)
    if name and what in ("address", "postaladdress", "anschrift", "adresse", "adres", "dirección"):
        return addresses.under(reading.sheet, name)
    return None


def _many(shape: Many, work: _Work, path: str) -> list[Any] | None:
    found = _objects(shape, work, path) if isinstance(shape.item, Record) else _plain(
        shape, work, path
    )  # fmt: skip
    found = found[: shape.most if shape.most is not None else _ROWS_MAX]
    if len(found) < max(shape.least, 1):
        work.missing[path] = NOT_FOUND if not found else f"only {len(found)} were found"
        work.valid = work.valid and len(found) >= shape.least
    return found


def _plain(shape: Many, work: _Work, path: str) -> list[Any]:
    if not isinstance(shape.item, Leaf):
        return []
    leaf, reading = shape.item, work.reading
    seen: list[Any] = []
    for candidate in _several(shape, leaf, reading):
        value = _typed(leaf, candidate, work, f"{path}[{len(seen)}]")
        if value is not None and value not in seen:
            seen.append(value)
        else:
            work.fields.pop(f"{path}[{len(seen)}]", None)
            work.missing.pop(f"{path}[{len(seen)}]", None)
    return seen


def _several(shape: Many, leaf: Leaf, reading: Reading) -> list[Candidate]:
    name = shape.hints[0]
    if re.search(r"part(?:y|ies|ei|ijen|es)|signator", name, re.IGNORECASE):
        return deeds.sides(reading.sheet)
    singular = re.sub(r"(?:ies|e?s|en)$", "", name)
    meant = resolve(name, singular)
    labels = asked(meant).labels if meant in CONCEPTS else tuple(_labels([*shape.hints, singular]))
    kind = CONCEPTS[meant].kind if meant in CONCEPTS else kind_of(leaf)
    column = list(grids.single(labels, kind, reading.sheet, reading.context))
    return column or reading.all_labelled(Concept(name, kind, labels))


def _objects(shape: Many, work: _Work, path: str) -> list[Any]:
    assert isinstance(shape.item, Record)
    leaves = {name: leaf for name, leaf in shape.item.parts.items() if isinstance(leaf, Leaf)}
    rows = _rows(leaves, work.reading)
    found = []
    for number, row in enumerate(rows[:_ROWS_MAX]):
        one: dict[str, Any] = {}
        for name, leaf in leaves.items():
            at = f"{path}[{number}].{name}"
            value = _typed(leaf, row[name], work, at) if name in row else None
            if value is not None:
                one[name] = value
            elif leaf.nullable:
                one[name] = None
            elif name in shape.item.required:
                one[name], work.valid = None, False
            if value is None:
                work.fields.setdefault(at, FieldValue(None))
                work.missing.setdefault(at, "the row does not hold it")
        found.append(one)
    return found


def _rows(leaves: Mapping[str, Leaf], reading: Reading) -> list[dict[str, Candidate]]:
    """From the line items or from any table with such columns, whichever knows more of them."""
    columns = {name: _item_column(leaf) for name, leaf in leaves.items()}
    items = [
        {name: item[c] for name, c in columns.items() if c and c in item} for item in reading.items
    ]
    wanted = [
        grids.column(name, _column_kind(leaf), _labels(leaf.hints), CONCEPTS.get(name))
        for name, leaf in leaves.items()
    ]
    table = grids.records(wanted, reading.sheet, reading.context)
    return items if _filled(items) >= _filled(table) else table


def _filled(rows: Sequence[Mapping[str, Candidate]]) -> int:
    return sum(len(row) for row in rows)


def _item_column(leaf: Leaf) -> str | None:
    for hint in leaf.hints:
        plain = words_of(hint).lower()
        found = plain.replace(" ", "_") if plain.replace(" ", "_") in _ITEM else COLUMNS.get(plain)
        if found in _ITEM:
            return found
    return None


def _column_kind(leaf: Leaf) -> str:
    kind = kind_of(leaf)
    return "amount" if kind == "number" else kind
