"""The content type decides the parser, and each route takes exactly what it says it takes."""

from __future__ import annotations

import re

from starlette.types import Scope

from core.errors import Rejected

_JSON = ("application/json",)
_YAML = ("application/json", "application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml")
_FORM = ("multipart/form-data",)
_TAKES_YAML = re.compile(r"^/(workflow-definitions|report-templates)/")
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class UnsupportedContentType(Rejected):
    """Carries `supported_types`."""

    code = "unsupported_content_type"
    status = 415
    title = "Unsupported content type"


def check_content_type(scope: Scope) -> None:
    """A request without a body needs none. Raises `UnsupportedContentType`."""
    if scope["method"] not in _WITH_BODY:
        return
    headers = dict(scope["headers"])
    given = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    empty = headers.get(b"content-length", b"0") == b"0" and b"transfer-encoding" not in headers
    supported = _supported(scope["path"])
    if given in supported or empty:
        return
    raise UnsupportedContentType(
        f"Send this as {' or '.join(supported)}.", supported_types=list(supported)
    )


def _supported(path: str) -> tuple[str, ...]:
    if path.rstrip("/") == "/documents":
        return _FORM
    return _YAML if _TAKES_YAML.match(path) else _JSON
