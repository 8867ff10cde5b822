"""Bytes out: always an attachment, never something that a browser runs."""

from __future__ import annotations

import unicodedata
from typing import Any
from urllib.parse import quote

from starlette.responses import Response

# For OpenAPI: the bytes have the type of the file.
BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
}
_CSP = "default-src 'none'; sandbox"


def attachment(data: bytes, filename: str, content_type: str) -> Response:
    """RFC 6266: the name twice, in ASCII for old clients and as it is (RFC 8187)."""
    plain = unicodedata.normalize("NFKD", filename).encode("ascii", "ignore").decode()
    plain = "".join(c for c in plain if c.isprintable() and c not in '"\\/;%') or "file"
    plain = f"file{plain}" if plain.startswith(".") else plain
    encoded = quote(filename.encode("utf-8", "replace"), safe="")
    headers = {
        "Content-Disposition": f"attachment; filename=\"{plain}\"; filename*=UTF-8''{encoded}",
        "Content-Security-Policy": _CSP,
    }
    return Response(data, headers=headers, media_type=_safe(content_type))


def _safe(content_type: str) -> str:
    """What an uploader declared is only text; anything odd is plain bytes."""
    kind = content_type.partition(";")[0].strip().lower()
    fine = (
        kind.isascii() and kind.count("/") == 1 and all(c.isalnum() or c in "/.+-_" for c in kind)
    )
    return kind if fine else "application/octet-stream"
