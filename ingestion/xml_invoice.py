"""Electronic invoices: UBL, CII (Factur-X, ZUGFeRD, XRechnung) and FatturaPA.

What the XML states is the truth: a value is taken from its element and shown as a line of its own.
Sources: EN 16931-3 (bindings to UBL 2.1 and CII D16B), the FatturaPA 1.2 layout.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from core.documents import Attachment, Cell, Document
from ingestion.names import Distinct, plain
from ingestion.page_text import CELL_GAP, PageText, one_line
from ingestion.xml_dialects import DIALECTS, LABELS, Dialect

AMOUNTS = frozenset(("subtotal", "tax", "total", "amount_due", "prepaid", "unit_price", "amount",
                     "discount"))  # fmt: skip
NUMBERS = AMOUNTS | {"quantity", "tax_rate"}
_COLUMNS = ("description", "sku", "quantity", "unit", "unit_price", "tax_rate", "amount")
_FILES_MAX = 50
_CREDIT = frozenset(("381", "396", "261", "TD04"))


@dataclass(frozen=True, slots=True)
class Value:
    """`path` is where the XML states it, by local names from the root."""

    value: str
    path: str


@dataclass(slots=True)
class Stated:
    """What an invoice states, by the names of the fields of invoices."""

    standard: str
    document_type: str
    fields: dict[str, Value] = field(default_factory=dict)
    items: list[dict[str, Value]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    profile: str = ""


def stated(root: Any) -> Stated | None:
    """The invoice that the XML is, or None for other XML."""
    dialect = next((d for d in DIALECTS if _local(root) in d.roots), None)
    if dialect is None or not any(True for _ in _at(root, dialect.fields["invoice_number"][0])):
        return None
    told = Stated(dialect.name, _kind(root, dialect))
    told.profile = next((one_line(e.text or "") for e, _ in _at(root, dialect.profile)), "")
    for name, paths in dialect.fields.items():
        value = _value(root, name, paths, dialect)
        if value is not None:
            told.fields[name] = value
    told.items = [_item(e, at, dialect) for e, at in _at(root, dialect.line)]
    told.notes = [one_line(e.text or "") for e, _ in _at(root, dialect.note)][:20]
    return told


def read(root: Any) -> Document | None:
    """The invoice as a document whose `metadata["stated"]` gives each value with its path and its
    place on the page; None for other XML."""
    told = stated(root)
    if told is None:
        return None
    page = PageText()
    credit = told.document_type == "credit_note"
    number = told.fields["invoice_number"].value
    page.add("heading", f"{'Credit note' if credit else 'Invoice'} {number}", 1)
    places = {n: _line(page, LABELS.get(n, n), v) for n, v in told.fields.items()}
    items = _table(page, told.items)
    for note in told.notes:
        page.add("paragraph", note)
    files = tuple(_files(root))
    metadata: dict[str, Any] = {
        "standard": told.standard, "profile": told.profile,
        "stated": {"fields": places, "items": items},
    }  # fmt: skip
    if files:
        metadata["attachments"] = [one.filename for one in files]
    return Document(
        "xml", (page.page(1),), title=f"{'Credit note' if credit else 'Invoice'} {number}",
        document_type=told.document_type, metadata=metadata, attachments=files,
    )  # fmt: skip


def _local(element: Any) -> str:
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _at(element: Any, path: str, so_far: str = "") -> Iterator[tuple[Any, str]]:
    """Elements at a path of local names; `a|b` is either, `*[x=v]` has that attribute."""
    if not path:
        yield element, so_far
        return
    step, _, rest = path.partition("/")
    step, _, condition = step.partition("[")
    key, _, wanted = condition.rstrip("]").partition("=")
    for child in element:
        if _local(child) in step.split("|") and (not key or child.get(key) == wanted):
            yield from _at(child, rest, f"{so_far}/{_local(child)}")


def _kind(root: Any, dialect: Dialect) -> str:
    codes = {one_line(e.text or "") for e, _ in _at(root, dialect.kind)}
    return "credit_note" if codes & _CREDIT or _local(root) == "CreditNote" else "invoice"


def _value(root: Any, name: str, paths: tuple[str, ...], dialect: Dialect) -> Value | None:
    for path in paths:
        found = [(_read(name, e), at) for e, at in _at(root, path)]
        kept = [(text, at) for text, at in found if text]
        if not kept:
            continue
        if name in dialect.summed:
            total = sum((Decimal(text) for text, _ in kept), Decimal(0))
            return Value(_amount(str(total)), kept[0][1])
        if name == "tax_rate" and len({text for text, _ in kept}) > 1:
            return None  # several rates: none is the invoice's
        return Value(*kept[0])
    return None


def _read(name: str, element: Any) -> str:
    text = one_line(element.text or "")
    if name.endswith("_tax_id") and not text:
        return "".join(one_line(e.text or "") for e in element)  # country and number
    if name in NUMBERS:
        return _amount(text) if name in AMOUNTS else _number(text)
    if name.endswith("date"):
        return _date(text)
    return text.replace(" ", "") if name == "iban" else text


def _amount(text: str) -> str:
    """A plain decimal of at least two places; empty where it is none."""
    value = _decimal(text)
    if value is None:
        return ""
    plain_text = f"{value.normalize():f}"
    whole, _, part = plain_text.partition(".")
    return f"{whole}.{part:0<2}"


def _number(text: str) -> str:
    value = _decimal(text)
    return "" if value is None else f"{value.normalize():f}"


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) < 16 else None


def _date(text: str) -> str:
    found = re.match(r"(\d{4})-?(\d\d)-?(\d\d)(?!\d)", text)
    return f"{found[1]}-{found[2]}-{found[3]}" if found else ""


def _item(line: Any, at: str, dialect: Dialect) -> dict[str, Value]:
    item: dict[str, Value] = {}
    for name, paths in dialect.columns.items():
        for path in paths:
            text, _, attribute = path.partition("@")
            for element, below in _at(line, text.rstrip("/")):
                told = one_line(element.get(attribute) or "") if attribute else _read(name, element)
                if told and name not in item:
                    item[name] = Value(told, at + below)
    return item


def _line(page: PageText, label: str, value: Value) -> dict[str, Any]:
    block = page.add("field", f"{label}: {value.value}", gap="\n")
    end = block.end if block else page.length
    return {
        "value": value.value, "path": value.path, "start": end - len(value.value), "end": end,
    }  # fmt: skip


def _table(page: PageText, items: list[dict[str, Value]]) -> list[dict[str, Any]]:
    """Writes the lines as a table; each value with its place."""
    columns = [name for name in _COLUMNS if any(name in item for item in items)]
    if not columns:
        return []
    rows = [[Cell(LABELS[n], 0, col, LABELS[n]) for col, n in enumerate(columns)]]
    for row, item in enumerate(items, 1):
        rows.append([_cell(item.get(n), n, row, col) for col, n in enumerate(columns)])
    table = page.add_table(rows)
    at = table.start if table else 0
    placed = []
    nothing: dict[str, Value] = {}
    for cells, item in zip(rows, [nothing, *items], strict=True):
        told: dict[str, Any] = {}
        for name, cell in zip(columns, cells, strict=True):
            if name in item:
                told[name] = {
                    "value": item[name].value, "path": item[name].path, "start": at,
                    "end": at + len(cell.text),
                }  # fmt: skip
            at += len(cell.text) + len(CELL_GAP)
        at += 1 - len(CELL_GAP)
        placed.append(told)
    return placed[1:]


def _cell(value: Value | None, name: str, row: int, col: int) -> Cell:
    if value is None:
        return Cell("", row, col, None, "empty")
    if name in NUMBERS:
        return Cell(value.value, row, col, float(value.value), "number")
    return Cell(value.value, row, col, value.value)


def _files(root: Any) -> Iterator[Attachment]:
    """Files that the invoice carries in base64."""
    names = Distinct()
    wanted = ("EmbeddedDocumentBinaryObject", "AttachmentBinaryObject", "Attachment")
    found = [e for e in root.iter() if _local(e) in wanted and (e.text or "").strip()]
    for number, element in enumerate(found[:_FILES_MAX], 1):
        try:
            data = b64decode("".join((element.text or "").split()), validate=True)
        except ValueError:
            continue
        name = plain(element.get("filename") or "") or f"part-{number}"
        if data:
            yield Attachment(names.name(name), element.get("mimeCode") or "", data)
