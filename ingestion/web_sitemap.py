"""A site's own list of its pages (sitemaps.org 0.9): plain or gzip, a list or a list of lists.

Runs in the parser's child only.
"""

from __future__ import annotations

import zlib
from typing import Any

from core.documents import Document, Page
from core.errors import Unfinishable
from ingestion.limits import MIB, Limits
from ingestion.parts import stream_xml

_ENTRIES_MAX = 50_000
_UNPACKED_MAX = 50 * MIB  # both by the protocol
_PIECE = 2**16


def read(data: bytes, limits: Limits) -> Document:
    """`metadata`: `pages` and `maps`, each `[address, lastmod or ""]`."""
    plain = _unpacked(data, min(_UNPACKED_MAX, limits.unpacked_bytes))
    found: dict[str, Any] = {"pages": [], "maps": []}
    if plain.lstrip()[:1] == b"<":
        for _event, one in stream_xml(plain, tags=("{*}url", "{*}sitemap")):
            kind = "maps" if str(one.tag).endswith("}sitemap") or one.tag == "sitemap" else "pages"
            if (place := _child(one, "loc")) and len(place) <= 2_000:
                found[kind].append([place, _child(one, "lastmod")[:40]])
            one.clear()
            while one.getprevious() is not None:
                del one.getparent()[0]
            if len(found["pages"]) + len(found["maps"]) >= _ENTRIES_MAX:
                break
    else:
        lines = plain.decode("utf-8", "replace").split()[:_ENTRIES_MAX]
        found["pages"] = [[one, ""] for one in lines if one.startswith("http") and len(one) < 2_000]
    return Document("sitemap", (Page(1, "sitemap"),), metadata=found)


def _child(one: Any, name: str) -> str:
    for child in one:
        if isinstance(child.tag, str) and child.tag.rpartition("}")[2] == name:
            return (child.text or "").strip()
    return ""


def _unpacked(data: bytes, cap: int) -> bytes:
    """Bytes are counted while it is inflated."""
    if data[:2] != b"\x1f\x8b":
        return data
    unpacker, out = zlib.decompressobj(wbits=31), bytearray()
    try:
        for at in range(0, len(data), _PIECE):
            out += unpacker.decompress(data[at : at + _PIECE], cap + 1 - len(out))
            if len(out) > cap:
                raise Unfinishable("The sitemap unpacks to far too much.", code="limit_memory")
    except zlib.error as error:
        raise Unfinishable("The sitemap is damaged.", code="corrupted") from error
    return bytes(out)
