"""EPUB: the chapters of a book in its own order, each a page. Scripts, styles and pictures are left
out. Source: W3C, "EPUB 3.3"; IDPF, "Open Packaging Format 2.0.1"."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion import html
from ingestion.decoding import decode
from ingestion.gathering import collect
from ingestion.limits import Limits
from ingestion.page_text import one_line, tidy
from ingestion.paging import NAMES_MAX, Opened, Reading, Skipped, Step, each
from ingestion.parts import Parts, tree

_CONTAINER, _LOCKS = "META-INF/container.xml", "META-INF/encryption.xml"
_MARKUP = ("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document")
# Fonts are scrambled by these, which locks nothing that is read.
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_FACTS = {"creator": "author", "publisher": "publisher", "date": "created", "identifier":
          "identifier", "subject": "subject"}  # fmt: skip


def read(data: bytes, limits: Limits) -> Document:
    return collect(pages(data, limits))


def pages(data: bytes, limits: Limits, password: str | None = None, first: int = 1) -> Reading:
    """Raises `Unfinishable`: `corrupted` where the book does not name its chapters, `encrypted`
    where all of them are locked."""
    parts = Parts(data, limits)
    package = _package(parts)
    root = parts.tree(package)
    chapters = list(_chapters(root, posixpath.dirname(package)))
    if not chapters:
        raise Unfinishable("The book names no chapters.", code="corrupted")
    about = _about(root)
    total = min(len(chapters), limits.pages)
    yield Opened(total, about, "chapter", tuple(name[-120:] for name in chapters[:NAMES_MAX]))
    locked = _locked(parts)

    def chapter(number: int) -> Iterator[Step]:
        yield _chapter(parts, chapters[number - 1], number, locked)

    yield from each(range(first, total + 1), chapter)
    return about


def _chapter(parts: Parts, name: str, number: int, locked: frozenset[str]) -> Page | Skipped:
    if name in locked:
        why = "it is locked by its seller; send a book without copy protection"
        return Skipped(number, why, "encrypted")
    data = parts.read(name, markup=True)
    return html.page_from_text(html.opened(tidy(_text(data))), number)


def _text(data: bytes) -> str:
    """XML is UTF-8 where it says nothing else."""
    try:
        return html.decoded(data, "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(data)


def _package(parts: Parts) -> str:
    if _CONTAINER in parts.names:
        for one in parts.tree(_CONTAINER).iter("{*}rootfile"):
            if (name := posixpath.normpath(unquote(one.get("full-path") or ""))) in parts.names:
                return name
    found = sorted(name for name in parts.names if name.lower().endswith(".opf"))
    if not found:
        raise Unfinishable("The book's own list of its parts is missing.", code="corrupted")
    return found[0]


def _chapters(root: Any, folder: str) -> Iterator[str]:
    """The texts of the reading order, each once; where it names none, all texts in their order."""
    items = {one.get("id"): one for one in root.iter("{*}item")}
    order = [items.get(one.get("idref")) for one in root.iter("{*}itemref")]
    seen: set[str] = set()
    for item in order or items.values():
        if item is None or (item.get("media-type") or "").strip().lower() not in _MARKUP:
            continue
        told = urlsplit(item.get("href") or "")
        name = posixpath.normpath(posixpath.join(folder, unquote(told.path)))
        if told.scheme or told.netloc or not told.path or name in seen:
            continue
        seen.add(name)
        yield name


def _about(root: Any) -> Document:
    told: dict[str, list[str]] = {}
    metadata = root.find("{*}metadata")
    for one in metadata.iter("*") if metadata is not None else ():
        text = one_line(one.text or "")
        if text and isinstance(one.tag, str):
            told.setdefault(one.tag.rpartition("}")[2].lower(), []).append(text[:500])
    facts = {name: "; ".join(told[key][:20]) for key, name in _FACTS.items() if key in told}
    language = (told.get("language") or [""])[0][:2].lower()
    title = (told.get("title") or [""])[0][:300]
    return Document(
        "epub", (), title=title or None, metadata=facts,
        language=language if language.isalpha() and len(language) == 2 else None,
    )  # fmt: skip


def _locked(parts: Parts) -> frozenset[str]:
    """The parts that a seller has encrypted."""
    data = parts.maybe(_LOCKS)
    found = set()
    for one in tree(data).iter("{*}EncryptedData") if data else ():
        method = one.find("{*}EncryptionMethod")
        if method is not None and method.get("Algorithm") in _FONTS:
            continue
        found |= {unquote(part.get("URI") or "") for part in one.iter("{*}CipherReference")}
    return frozenset(posixpath.normpath(name) for name in found if name)
