"""Office containers: ZIP parts with real bytes counted, XML without DTDs, entities or network."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

from core.errors import Unfinishable
from ingestion.limits import Limits

_PIECE = 2**18
_WHOLE = 32 * 2**20  # as a tree in memory it takes some ten times as much
_NO_MEMORY = 2  # libxml2's XML_ERR_NO_MEMORY
_HEAD = 8192  # bytes in which a document type definition and the namespaces stand
# "Strict" files say the same in other namespaces.
_STRICT = (
    (b"http://purl.oclc.org/ooxml/officeDocument/relationships",
     b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"),
    *((f"http://purl.oclc.org/ooxml/{kind}/main".encode(),
       f"http://schemas.openxmlformats.org/{kind}/2006/main".encode())
      for kind in ("wordprocessingml", "presentationml", "spreadsheetml", "drawingml")),
    (b"http://purl.oclc.org/ooxml/officeDocument/math",
     b"http://schemas.openxmlformats.org/officeDocument/2006/math"),
)  # fmt: skip


class Parts:
    """The parts of a container, inflated under one budget."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        if data[:4] == b"\xd0\xcf\x11\xe0":
            raise Unfinishable(
                "The file is encrypted by Office. Save it without a password and send it again.",
                code="encrypted",
            )
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            raise Unfinishable(
                "The file is damaged: it is cut off or not a container.", code="corrupted"
            ) from error
        self.names = set(self._zip.namelist())
        if len(self._zip.infolist()) > limits.parts * 10:
            raise Unfinishable("The file has too many parts.", code="too_many_parts")
        self._left = limits.unpacked_bytes

    def read(self, name: str, *, markup: bool = False) -> bytes:
        """Raises `Unfinishable` when the part is missing, damaged, encrypted or too large. Of
        `markup`, which is read as HTML, a document type is not refused."""
        with self.open(name, markup) as stream:
            return b"".join(iter(lambda: stream.read(_PIECE), b""))

    def tree(self, name: str) -> Any:
        """The root of a part that is read whole; one of more than `_WHOLE` bytes is refused."""
        with self.open(name) as stream:
            pieces, size = [], 0
            while piece := stream.read(_PIECE):
                pieces.append(piece)
                size += len(piece)
                if size > _WHOLE:
                    raise Unfinishable(f"The part {name[:80]} is too large.", code="limit_memory")
            return tree(b"".join(pieces))

    @contextmanager
    def open(self, name: str, markup: bool = False) -> Iterator[PartStream]:
        """The part piece by piece, for parts that are large; raises as `read` does, also later."""
        with _damage(name), self._zip.open(name) as stream:
            yield PartStream(self, stream, markup)

    def count(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise Unfinishable("The file unpacks to far too much.", code="limit_memory")

    def maybe(self, name: str) -> bytes | None:
        return self.read(name) if name in self.names else None


class PartStream:
    """A part being inflated: real bytes are counted, document types refused."""

    def __init__(self, parts: Parts, stream: IO[bytes], markup: bool = False) -> None:
        self._parts = parts
        self._stream = stream
        self._begun = markup
        self.size = 0  # bytes so far

    def read(self, size: int = _PIECE) -> bytes:
        piece = self._stream.read(_PIECE if size < 0 else max(size, _HEAD))
        self._parts.count(len(piece))
        self.size += len(piece)
        if self._begun:
            return piece
        self._begun = True
        _refuse_dtd(piece)
        if b"purl.oclc.org" in piece[:_HEAD]:
            for strict, usual in _STRICT:
                piece = piece.replace(strict, usual)
        return piece


@contextmanager
def _damage(name: str) -> Iterator[None]:
    try:
        yield
    except KeyError as error:
        raise Unfinishable(f"The file is damaged: {name} is missing.", code="corrupted") from error
    except RuntimeError as error:
        if isinstance(error, (NotImplementedError, RecursionError)):
            raise Unfinishable(
                f"The file is damaged: {name} cannot be unpacked.", code="corrupted"
            ) from error
        raise Unfinishable("The file is encrypted.", code="encrypted") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        raise Unfinishable(
            f"The file is damaged: {name} cannot be unpacked.", code="corrupted"
        ) from error


def stream_xml(
    data: bytes | PartStream, *, events: tuple[str, ...] = ("end",), tags: tuple[str, ...]
) -> Iterator[Any]:
    """`(event, element)` of the tags named. Callers clear what they have read."""
    from lxml import etree

    source = data
    if isinstance(data, bytes):
        _refuse_dtd(data)
        source = io.BytesIO(data)  # type: ignore[assignment]
    found = etree.iterparse(
        source, events=events, tag=tags, resolve_entities=False, no_network=True,
        load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        first = True
        for event, element in found:
            if first and element.getroottree().docinfo.internalDTD is not None:
                raise _dtd()
            first = False
            yield event, element
    except etree.XMLSyntaxError as error:
        raise _broken(error) from error


def tree(data: bytes) -> Any:
    """The root element of a small part."""
    from lxml import etree

    _refuse_dtd(data)
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    )  # fmt: skip
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise _broken(error) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _dtd()
    return root


def _broken(error: Any) -> Unfinishable:
    told = str(error.msg)
    if error.code == _NO_MEMORY or "allocation" in told.lower():
        return Unfinishable("The file takes more memory than allowed.", code="limit_memory")
    if "huge" in told or "too long" in told:
        return Unfinishable("The file holds one text of many megabytes.", code="limit_memory")
    return Unfinishable(f"The file is damaged: {told}", code="corrupted")


@dataclass(frozen=True, slots=True)
class Relation:
    kind: str  # the last word of its type: `slide`, `notesSlide`, `footnotes`, `image`
    target: str  # part name


def relations(parts: Parts, part: str) -> dict[str, Relation]:
    """Relations of a part (of the container where empty) by their ids; none that lead outside.
    One level only: nobody follows them in a circle."""
    folder, name = posixpath.split(part)
    told = posixpath.join(folder, "_rels", f"{name}.rels")
    found = {}
    for one in parts.tree(told) if told in parts.names else ():
        target = str(one.get("Target", ""))
        if one.get("TargetMode") == "External" or not target:
            continue
        path = target.lstrip("/") if target[0] == "/" else posixpath.join(folder, target)
        kind = str(one.get("Type", "")).rpartition("/")[2]
        found[str(one.get("Id"))] = Relation(kind, posixpath.normpath(path))
    return found


def main_part(parts: Parts, usual: str) -> str:
    """The part that a package names as its document; `usual` where it names none."""
    named = (r.target for r in relations(parts, "").values() if r.kind == "officeDocument")
    return next((name for name in named if name in parts.names), usual)


def _refuse_dtd(data: bytes) -> None:
    """Office files never have one; entities and outside files come in by it."""
    head = data[:8192].replace(b"\x00", b"").upper()
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise _dtd()


def _dtd() -> Unfinishable:
    return Unfinishable(
        "The file holds a document type definition, which is refused.", code="corrupted"
    )


def core_properties(parts: Parts) -> dict[str, Any]:
    """Title, author and dates of `docProps/core.xml`."""
    data = parts.maybe("docProps/core.xml")
    if data is None:
        return {}
    names = {"title": "title", "creator": "author", "subject": "subject", "created": "created",
             "modified": "modified"}  # fmt: skip
    found: dict[str, Any] = {}
    for element in tree(data):
        name = names.get(str(element.tag).rpartition("}")[2])
        if name and element.text and element.text.strip():
            found[name] = element.text.strip()[:500]
    return found
