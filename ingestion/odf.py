"""What OpenDocument files have in common: names, metadata, the words of an element."""

from __future__ import annotations

from typing import Any

from core.errors import Unfinishable
from ingestion.parts import Parts

_BASE = "urn:oasis:names:tc:opendocument:xmlns:"
OFFICE, TABLE, TEXT, STYLE, DRAW, PRESENTATION = (
    f"{{{_BASE}{name}:1.0}}"
    for name in (
        "office",
        "table",
        "text",
        "style",
        "drawing",
        "presentation",
    )
)
_META = f"{{{_BASE}meta:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
# Comments, what was deleted, the marks and bodies of notes: said elsewhere or not at all.
LEFT_OUT = frozenset({
    f"{OFFICE}annotation", f"{OFFICE}annotation-end", f"{TEXT}tracked-changes", f"{TEXT}note",
    f"{TEXT}sequence-decls", f"{OFFICE}forms", f"{TEXT}ruby-text",
})  # fmt: skip
_BLANKS = 1_000


def check_readable(parts: Parts) -> None:
    """Raises `Unfinishable` with code `encrypted` for a file with a password."""
    if "META-INF/manifest.xml" not in parts.names:
        return
    if b"encryption-data" in parts.read("META-INF/manifest.xml"):
        raise Unfinishable(
            "The file is encrypted. Save it without a password and send it again.",
            code="encrypted",
        )


def whole(told: str | None, otherwise: int, most: int) -> int:
    """A count from an attribute, at least 1 and at most `most`."""
    if told is None or not told.isascii() or not told.isdigit() or len(told) > 9:
        return otherwise
    return max(1, min(int(told), most))


def text_of(element: Any) -> str:
    """Its paragraphs, a line each."""
    paragraphs = [node for node in element if node.tag in (f"{TEXT}p", f"{TEXT}h")]
    return "\n".join(words(node) for node in paragraphs).strip()


def words(element: Any) -> str:
    """Text in order with tabs, blanks and line breaks."""
    found: list[str] = []
    _gather(element, found)
    return "".join(found)


def _gather(element: Any, found: list[str]) -> None:
    found.append(element.text or "")
    for node in element:
        tag = node.tag
        if tag == f"{TEXT}s":
            found.append(" " * whole(node.get(f"{TEXT}c"), 1, _BLANKS))
        elif tag == f"{TEXT}tab":
            found.append("\t")
        elif tag == f"{TEXT}line-break":
            found.append("\n")
        elif tag not in LEFT_OUT:
            _gather(node, found)
        found.append(node.tail or "")


def metadata_of_odf(parts: Parts) -> dict[str, Any]:
    """Title, author and dates of `meta.xml`."""
    if "meta.xml" not in parts.names:
        return {}
    names = {
        f"{_DC}title": "title", f"{_DC}subject": "subject", f"{_DC}date": "modified",
        f"{_META}initial-creator": "author", f"{_META}creation-date": "created",
    }  # fmt: skip
    found: dict[str, Any] = {}
    for node in parts.tree("meta.xml").iter(*names):
        if node.text and node.text.strip():
            found[names[node.tag]] = node.text.strip()[:500]
    return found
