"""XML: electronic invoices as invoices, records as tables, and everything else as text.

No document type definition is read, so no entity is expanded and nothing outside is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from core.documents import Cell, Document
from core.errors import Unfinishable
from ingestion import xml_invoice
from ingestion.limits import Limits
from ingestion.page_text import PageText, one_line
from ingestion.parts import tree
from ingestion.values import typed_cell

_COLUMNS_MAX = 100
_DEPTH_MAX = 100
_RUN = 3  # so many like values are a table and no longer lines


def read(data: bytes, limits: Limits) -> Document:
    """One page. Raises `Unfinishable`: `corrupted` (also for a DTD), `too_many_parts`."""
    root = tree(data.lstrip(b" \t\r\n") if data[:1] in b" \t\r\n" else data)
    invoice = xml_invoice.read(root)
    if invoice is not None:
        return invoice
    _check_depth(root)
    page = PageText()
    writer = _Writer(page, limits.cells)
    writer.element(root, 1)
    warnings = ("Not all was read: cell limit.",) if writer.left <= 0 else ()
    title = next((one_line(e.text) for e in root.iter() if name_of(e) == "title" and e.text), None)
    return Document(
        "xml", (page.page(1),), title=title and title[:300],
        metadata={"root": name_of(root)}, warnings=warnings,
    )  # fmt: skip


def name_of(element: Any) -> str:
    """Without its namespace; a comment has none."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def _check_depth(root: Any) -> None:
    level, depth = [root], 0
    while level:
        depth += 1
        if depth > _DEPTH_MAX:
            raise Unfinishable("The XML is nested too deeply.", code="too_many_parts")
        level = [child for element in level for child in element]


class _Writer:
    """Elements as `name: value` lines under headings; a run of like elements as a table."""

    def __init__(self, page: PageText, cells: int) -> None:
        self.page = page
        self.left = cells

    def element(self, element: Any, level: int) -> None:
        if self.left <= 0:
            return
        children = [child for child in element if name_of(child)]
        if _is_prose(element, children):
            self.page.add("paragraph", one_line("".join(element.itertext())))
            return
        self.page.add("heading", _titled(element), min(level, 6))
        self._values(element, children)
        for group in _groups(children):
            self._group(group, level)

    def _values(self, element: Any, children: list[Any]) -> None:
        pairs = [(_plain(k), v) for k, v in element.attrib.items()]
        counts = Counter(name_of(c) for c in children)
        for child in children:
            if not _holds(child) and counts[name_of(child)] < _RUN:
                pairs.append((name_of(child), _text(child)))
                pairs += [(f"{name_of(child)}.{_plain(k)}", v) for k, v in child.attrib.items()]
        single = [(k, one_line(v)) for k, v in pairs if v.strip()]
        self.left -= len(pairs)
        self.page.add("paragraph", "\n".join(f"{k}: {v}" for k, v in single))

    def _group(self, group: list[Any], level: int) -> None:
        leaves = not any(_holds(one) for one in group)
        if (leaves and len(group) >= _RUN) or (
            not leaves and len(group) > 1 and all(_is_record(one) for one in group)
        ):
            self._rows(group)
        else:
            for one in group:
                if _holds(one):
                    self.element(one, level + 1)

    def _rows(self, records: list[Any]) -> None:
        flat = [dict(_flat(one)) for one in records]
        columns = list(dict.fromkeys(key for one in flat for key in one))[:_COLUMNS_MAX]
        if not columns:
            return
        most = max(1, self.left // len(columns))
        self.left -= len(columns) * len(flat)
        rows = [[Cell(name, 0, col, name) for col, name in enumerate(columns)]]
        for row, one in enumerate(flat[:most], 1):
            rows.append([typed_cell(one.get(k, ""), row, col) for col, k in enumerate(columns)])
        self.page.add_table(rows, title=name_of(records[0]))


def _plain(name: str) -> str:
    return name.rpartition("}")[2]


def _text(element: Any) -> str:
    return one_line(element.text or "")


def _holds(element: Any) -> bool:
    return any(name_of(child) for child in element)


def _titled(element: Any) -> str:
    """The element's name, with what names this one among its like."""
    told = next(
        (_text(c) for c in element if name_of(c).lower() in ("title", "name", "id") and _text(c)),
        element.get("name") or element.get("id") or "",
    )
    return f"{name_of(element)} {told}".strip()[:200]


def _is_prose(element: Any, children: list[Any]) -> bool:
    """Text with marks in it, as in a book's paragraph."""
    tails = "".join(child.tail or "" for child in children)
    return bool(children) and len(one_line(tails)) > 1 and not any(_holds(c) for c in children)


def _is_record(element: Any) -> bool:
    """Values alone, or one more level of them, none twice."""
    seen = Counter(name_of(child) for child in element if name_of(child))
    if not seen and not element.attrib:
        return False
    inner = [grand for child in element for grand in child if name_of(grand)]
    return max(seen.values(), default=1) == 1 and not any(_holds(one) for one in inner)


def _groups(children: list[Any]) -> Iterator[list[Any]]:
    """Children of one name together, in the order of the first of each."""
    by_name: dict[str, list[Any]] = {}
    for child in children:
        by_name.setdefault(name_of(child), []).append(child)
    yield from by_name.values()


def _flat(record: Any) -> Iterator[tuple[str, str]]:
    """`column, value`: attributes, children, and children's children as `child.name`."""
    for key, value in record.attrib.items():
        yield _plain(key), one_line(value)
    if not _holds(record):
        yield name_of(record), _text(record)
    for child in record:
        name = name_of(child)
        if not name:
            continue
        if not _holds(child) and _text(child):
            yield name, _text(child)
        for key, value in child.attrib.items():
            yield f"{name}.{_plain(key)}", one_line(value)
        for grand in child:
            if name_of(grand) and _text(grand):
                yield f"{name}.{name_of(grand)}", _text(grand)
