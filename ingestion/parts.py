"""Office containers: ZIP parts with real bytes counted, XML without DTDs, entities or network."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from core.errors import Unfinishable
from ingestion.limits import Limits

_PIECE = 2**18


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

    def read(self, name: str) -> bytes:
        """Raises `Unfinishable` when the part is missing, damaged, encrypted or too large."""
        pieces = []
        try:
            with self._zip.open(name) as stream:
                while piece := stream.read(_PIECE):
                    self._left -= len(piece)
                    if self._left < 0:
                        raise Unfinishable("The file unpacks to far too much.", code="limit_memory")
                    pieces.append(piece)
        except KeyError as error:
            raise Unfinishable(
                f"The file is damaged: {name} is missing.", code="corrupted"
            ) from error
        except RuntimeError as error:
            raise Unfinishable("The file is encrypted.", code="encrypted") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError) as error:
            raise Unfinishable(
                f"The file is damaged: {name} cannot be unpacked.", code="corrupted"
            ) from error
        return b"".join(pieces)

    def maybe(self, name: str) -> bytes | None:
        return self.read(name) if name in self.names else None


def stream_xml(
    data: bytes, *, events: tuple[str, ...] = ("end",), tags: tuple[str, ...]
) -> Iterator[Any]:
    """`(event, element)` of the tags named. Callers clear what they have read."""
    from lxml import etree

    _refuse_dtd(data)
    try:
        yield from etree.iterparse(
            io.BytesIO(data), events=events, tag=tags, resolve_entities=False, no_network=True,
            load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True,
        )  # fmt: skip
    except etree.XMLSyntaxError as error:
        raise Unfinishable(f"The file is damaged: {error.msg}", code="corrupted") from error


def tree(data: bytes) -> Any:
    """The root element of a small part."""
    from lxml import etree

    _refuse_dtd(data)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise Unfinishable(f"The file is damaged: {error.msg}", code="corrupted") from error


def _refuse_dtd(data: bytes) -> None:
    """Office files never have one; entities and outside files come in by it."""
    head = data[:8192].replace(b"\x00", b"").upper()
    if b"<!DOCTYPE" in head or b"<!ENTITY" in head:
        raise Unfinishable(
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
