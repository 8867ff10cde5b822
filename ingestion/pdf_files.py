"""Files inside a PDF, such as the XML of a Factur-X invoice: each a document of its own."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Any

from core.documents import Attachment
from ingestion.limits import Limits
from ingestion.names import Distinct, plain

_TYPES = {
    "xml": "application/xml", "pdf": "application/pdf", "csv": "text/csv", "txt": "text/plain",
    "json": "application/json", "html": "text/html", "md": "text/markdown",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "png": "image/png", "jpg": "image/jpeg", "zip": "application/zip", "eml": "message/rfc822",
}  # fmt: skip


def files(pdf: Any, limits: Limits, warnings: list[str]) -> Iterator[Attachment]:
    """What cannot be unpacked within `limits` is left away and named in `warnings`."""
    names = Distinct()
    left = limits.unpacked_bytes
    for name, size, held in _held(pdf, limits.parts):
        data = _data(held, size) if 0 < size <= left else None
        if data is None:
            told = "is too large" if size > left else "cannot be unpacked"
            warnings.append(f"The attached file {name} {told} and was left out.")
            continue
        left -= len(data)
        kind = _TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")
        yield Attachment(names.name(name), kind, data)


def _held(pdf: Any, most: int) -> Iterator[tuple[str, int, Any]]:
    import pypdfium2.raw as raw

    for number in range(min(raw.FPDFDoc_GetAttachmentCount(pdf.raw), most)):
        held = raw.FPDFDoc_GetAttachment(pdf.raw, number)
        if held:
            size = ctypes.c_ulong()
            raw.FPDFAttachment_GetFile(held, None, 0, ctypes.byref(size))
            yield plain(_name(raw, held)) or f"attachment-{number + 1}", size.value, held


def _name(raw: Any, held: Any) -> str:
    size = raw.FPDFAttachment_GetName(held, None, 0)
    if not 2 < size <= 4_000:
        return ""
    buffer = (ctypes.c_ushort * ((size + 1) // 2))()
    raw.FPDFAttachment_GetName(held, buffer, size)
    return bytes(buffer)[: size - 2].decode("utf-16-le", "replace")


def _data(held: Any, size: int) -> bytes | None:
    import pypdfium2.raw as raw

    buffer = (ctypes.c_char * size)()
    written = ctypes.c_ulong()
    if not raw.FPDFAttachment_GetFile(held, buffer, size, ctypes.byref(written)):
        return None
    return bytes(buffer) if written.value == size else None
