"""Files and figures within Office documents: embedded files become documents of their own, charts
and SmartArt their words. Nothing that lies outside the container is looked for."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import Any

from core.documents import Attachment, Cell, Document
from core.errors import InvalidInput, Unfinishable
from ingestion.limits import Limits
from ingestion.names import Distinct, plain
from ingestion.ole import MARK, Compound
from ingestion.parts import Parts, Relation, relations
from ingestion.pptx_shapes import chart_rows, paragraphs

R = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}"
_CHART = "{http://schemas.openxmlformats.org/drawingml/2006/chart}chart"
_DIAGRAM = "{http://schemas.openxmlformats.org/drawingml/2006/diagram}relIds"
_FILES = ("oleObject", "package")
_KIND = "application/octet-stream"
_NATIVE = "\x01Ole10Native"
_OFFICE = {"Workbook": "xls", "Book": "xls", "WordDocument": "doc", "PowerPoint Document": "ppt"}
_CHUNKS = {"html": "html", "rtf": "rtf", "txt": "text", "mht": "mht", "docx": "docx"}
_LOST = "An embedded object was not read: {}"


def files(
    parts: Parts, owners: Iterable[str], limits: Limits
) -> tuple[tuple[Attachment, ...], tuple[str, ...]]:
    """Files that these parts embed, each once, and warnings for those that cannot be had. The
    workbook behind a chart is the chart's own part and not among them."""
    found: list[Attachment] = []
    warnings: dict[str, None] = {}
    names = Distinct()
    seen: set[str] = set()
    for owner in owners:
        try:
            known = relations(parts, owner)
        except Unfinishable as error:
            warnings[_LOST.format(error.detail)] = None
            continue
        for one in known.values():
            if one.kind not in _FILES or one.target in seen or one.target not in parts.names:
                continue
            seen.add(one.target)
            if len(found) >= limits.parts:
                return tuple(found), (*warnings, "More embedded objects were not read.")
            try:
                name, data = _file(parts.read(one.target, markup=True), one.target, limits)
            except Unfinishable as error:
                warnings[_LOST.format(error.detail)] = None
                continue
            found.append(Attachment(names.name(name), _KIND, data))
    return tuple(found), tuple(warnings)


def with_files(
    document: Document, found: tuple[Attachment, ...], lost: tuple[str, ...]
) -> Document:
    if not found and not lost:
        return document
    named = {"attachments": [one.filename for one in found]} if found else {}
    return replace(
        document, attachments=found, metadata={**document.metadata, **named},
        warnings=(*document.warnings, *lost),
    )  # fmt: skip


def _file(data: bytes, part: str, limits: Limits) -> tuple[str, bytes]:
    """Name and bytes of what an object holds. Source: [MS-OLEDS] 2.3.6, `Ole10Native`."""
    own = plain(posixpath.basename(part)) or "object"
    if not data.startswith(MARK):
        return own, data
    stem = own.rpartition(".")[0] or own
    file = Compound(data, limits)
    if native := file.read(_NATIVE):
        return _native(native, stem)
    for stream in ("Package", "CONTENTS"):
        if inner := file.read(stream):
            return f"{stem}{_suffix(inner)}", inner
    for stream, suffix in _OFFICE.items():
        if stream in file.root.streams:
            return f"{stem}.{suffix}", data
    raise Unfinishable(f"{own} is of a program that is not known.", code="unsupported_format")


def _native(data: bytes, stem: str) -> tuple[str, bytes]:
    """Size, two bytes, the label, the path, four bytes, another path with its length, the file."""
    at = 6
    end = data.find(b"\0", at)
    label = data[at:end].decode("cp1252", "replace")
    at = data.find(b"\0", end + 1) + 1 + 4
    length = int.from_bytes(data[at : at + 4], "little")
    at += 4 + length
    size = int.from_bytes(data[at : at + 4], "little")
    content = data[at + 4 : at + 4 + size]
    if end < 0 or not content or len(content) < size:
        raise Unfinishable("it is cut off.", code="corrupted")
    return plain(label) or f"{stem}{_suffix(content)}", content


def _suffix(data: bytes) -> str:
    from ingestion.formats import sniff

    try:
        return f".{sniff(data, '')}"
    except InvalidInput:
        return ".bin"


class Within:
    """What a text names that lies in parts of its own."""

    def __init__(self, parts: Parts, known: Mapping[str, Relation], limits: Limits) -> None:
        self._parts = parts
        self._known = known
        self._limits = limits
        self.figures = {
            name: one for name, one in known.items()
            if one.kind in ("chart", "diagramData") and one.target in parts.names
        }  # fmt: skip

    def named(self, element: Any) -> Iterator[Relation]:
        """Charts and SmartArt that stand in `element`; each is told once."""
        for node in element.iter(_CHART, _DIAGRAM):
            one = self.figures.pop(node.get(f"{R}{'id' if node.tag == _CHART else 'dm'}"), None)
            if one is not None:
                yield one

    def figure(self, one: Relation, limit: int) -> tuple[str, list[list[Cell]], list[str]]:
        """Title, rows and texts."""
        root = self._parts.tree(one.target)
        if one.kind == "chart":
            title, rows = chart_rows(root, limit)
            return title, [row for row in rows if row], []
        return "", [], [text for text, _level, _listed in paragraphs(root)]

    def chunk(self, name: str) -> Document | None:
        """A document that is shown within another one; None where it lies outside. Raises
        `Unfinishable`."""
        one = self._known.get(name)
        if one is None or one.kind != "aFChunk" or one.target not in self._parts.names:
            return None
        from ingestion.formats import sniff

        data = self._parts.read(one.target, markup=True)
        bare = one.target.lower().endswith((".dat", ".bin"))
        try:
            format = sniff(data, "" if bare else one.target)
        except InvalidInput as error:
            raise Unfinishable(error.detail, code="unsupported_format") from error
        if format not in _CHUNKS:
            raise Unfinishable(f"{format.upper()} is not read there.", code="unsupported_format")
        module = import_module(f"ingestion.{_CHUNKS[format]}")
        told: Document = (
            module.read(data, self._limits, nested=True) if format == "docx"
            else module.read(data, self._limits)
        )  # fmt: skip
        return told


def texts(document: Document) -> Iterator[tuple[str, str, int, Any]]:
    """Kind, text, level and, for a table, its rows of each block."""
    for page in document.pages:
        tables = {table.start: table for table in page.tables}
        for block in page.blocks:
            table = tables.get(block.start) if block.kind == "table" else None
            yield block.kind, page.text[block.start : block.end], block.level, table
