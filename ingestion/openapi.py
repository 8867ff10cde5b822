"""OpenAPI documents (Swagger 2.0, OpenAPI 3.0 and 3.1) in JSON or YAML: what an API can do.

Only the document itself is read: a reference to another place is refused, and nothing is fetched.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from core.errors import InvalidInput
from ingestion.openapi_shapes import Shapes
from ingestion.yaml_plain import plain_yaml

BYTES_MAX = 5_000_000
OPERATIONS_MAX = 1_000
_NODES_MAX = 500_000
_DEPTH_MAX = 100
_HOPS_MAX = 20  # from a reference to the next
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
_BODILESS = ("get", "head", "options", "trace")
PLACES = ("path", "query", "header")  # a parameter in a cookie is left out
_ID = re.compile(r"[A-Za-z0-9_.:/{}-]{1,128}")


@dataclass(frozen=True, slots=True)
class Parameter:
    name: str
    place: str  # path | query | header
    required: bool
    array: bool
    accepts: Mapping[str, Any] = field(default_factory=dict)  # a small JSON Schema


@dataclass(frozen=True, slots=True)
class Operation:
    method: str  # GET, …
    path: str  # /orders/{id}
    operation_id: str
    summary: str
    parameters: tuple[Parameter, ...]
    body: Mapping[str, Any] | None = None  # {content_type, required, accepts}

    def to_json(self) -> dict[str, Any]:
        return {
            "method": self.method, "path": self.path, "operation_id": self.operation_id,
            "summary": self.summary,
            "parameters": [
                {"name": one.name, "place": one.place, "required": one.required, "array": one.array,
                 "accepts": one.accepts}
                for one in self.parameters
            ],
            "body": self.body,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Contract:
    title: str
    version: str  # of OpenAPI: 2.0, 3.0.x, 3.1.x
    base_url: str  # "": the document does not say
    operations: tuple[Operation, ...]
    schemes: tuple[Mapping[str, Any], ...]  # how one may sign in, as the document has it


def read(document: str | bytes | Mapping[str, Any], url: str = "") -> Contract:
    """`url`: where the document was had, for a base that is relative to it. Raises `InvalidInput`
    that names what is wrong with the document."""
    root = _parsed(document)
    version = str(root.get("swagger") or root.get("openapi") or "")
    if not re.fullmatch(r"2\.0|3\.[01](\.\d+)?", version):
        raise _bad(
            "It says neither swagger: 2.0 nor openapi: 3.0 or 3.1 at its top.", "openapi_version"
        )
    _walked(root)
    operations = tuple(_operations(root))
    about = root.get("info")
    title = about.get("title") if isinstance(about, Mapping) else ""
    base = _swagger_base(root, url) if version == "2.0" else _server(root, url)
    return Contract(_line(title), version, base, operations, tuple(_schemes(root)))


def _parsed(document: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(document, Mapping):
        return document
    if len(document) > BYTES_MAX:
        raise _bad(f"It is larger than {BYTES_MAX:,} bytes.", "too_large")
    try:
        text = document.decode("utf-8-sig") if isinstance(document, bytes) else document
        is_json = text.lstrip()[:1] in ("{", "[")
        root = json.loads(text) if is_json else plain_yaml(text, _NODES_MAX, _DEPTH_MAX)
    except (ValueError, RecursionError) as error:
        raise _bad(f"It is neither JSON nor YAML that can be read: {error}"[:300], "unreadable") \
            from error  # fmt: skip
    if not isinstance(root, dict):
        raise _bad("It is no OpenAPI document.", "openapi_version")
    return root


def _walked(root: Any) -> None:
    """Counts, and refuses references to other places."""
    left, count = [(root, 0)], 0
    while left:
        value, depth = left.pop()
        count += 1
        if count > _NODES_MAX or depth > _DEPTH_MAX:
            raise _bad(
                f"It has more than {_NODES_MAX:,} parts or is more than {_DEPTH_MAX} deep.",
                "too_large",
            )
        if isinstance(value, Mapping):
            where = value.get("$ref")
            if isinstance(where, str) and not where.startswith("#"):
                raise _bad(
                    f"It refers to another place: {where[:200]!r}. Put all into one document.",
                    "external_reference",
                )
            left.extend((each, depth + 1) for each in value.values())
        elif isinstance(value, list):
            left.extend((each, depth + 1) for each in value)


def _operations(root: Mapping[str, Any]) -> Iterator[Operation]:
    paths = root.get("paths") or {}
    if not isinstance(paths, Mapping):
        raise _bad("Its `paths` are no mapping.", "unreadable")
    taken: set[str] = set()
    shapes = Shapes(lambda schema: _resolved(root, schema))
    for path, item in paths.items():
        path, item = str(path), _resolved(root, item)
        if not path.startswith("/") or not path.isprintable() or len(path) > 500:
            continue
        common = item.get("parameters")
        for method in METHODS:
            told = item.get(method)
            if not isinstance(told, Mapping):
                continue
            if len(taken) >= OPERATIONS_MAX:
                raise _bad(f"It has more than {OPERATIONS_MAX:,} operations.", "too_large")
            own = _own_id(told.get("operationId"), method, path, taken)
            shapes.begin()
            listed = told.get("parameters")
            parameters = _parameters(root, common, shapes) | _parameters(root, listed, shapes)
            summary = _line(told.get("summary") or told.get("description"))
            body = None if method in _BODILESS else _body(root, told, common, shapes)
            yield Operation(method.upper(), path, own, summary, tuple(parameters.values()), body)


def _body(
    root: Mapping[str, Any], told: Mapping[str, Any], common: Any, shapes: Shapes
) -> Mapping[str, Any] | None:
    if "swagger" not in root:
        return shapes.body(told.get("requestBody"))
    every = [
        *(listed if isinstance(listed := told.get("parameters"), list) else []),
        *(common if isinstance(common, list) else []),
    ]
    return shapes.swagger_body(every, told.get("consumes") or root.get("consumes"))


def _own_id(told: Any, method: str, path: str, taken: set[str]) -> str:
    """What the document says, else method and path; each once."""
    name = told if isinstance(told, str) and _ID.fullmatch(told) else f"{method} {path}"[:128]
    if name in taken:
        name = f"{method} {path}"[:120]
    while name in taken:
        name += "'"
    taken.add(name)
    return name


def _parameters(
    root: Mapping[str, Any], told: Any, shapes: Shapes
) -> dict[tuple[str, str], Parameter]:
    found = {}
    for one in told if isinstance(told, list) else ():
        about = _resolved(root, one)
        name, place = about.get("name"), about.get("in")
        if not isinstance(name, str) or place not in PLACES or not name.isprintable():
            continue
        schema = _resolved(root, about.get("schema", about))
        found[name, str(place)] = Parameter(
            name[:200], str(place), about.get("required") is True or place == "path",
            schema.get("type") == "array", shapes.of(schema),
        )  # fmt: skip
        if len(found) > 200:
            raise _bad("An operation has more than 200 parameters.", "too_large")
    return found


def _resolved(root: Mapping[str, Any], value: Any) -> Mapping[str, Any]:
    """What a reference within the document leads to (RFC 6901). Raises for a circle."""
    for _ in range(_HOPS_MAX):
        where = value.get("$ref") if isinstance(value, Mapping) else None
        if not isinstance(where, str):
            return value if isinstance(value, Mapping) else {}
        value = _pointed(root, where)
    raise _bad(f"Its reference {where!r} leads in a circle.", "reference_loop")


def _pointed(root: Any, where: str) -> Any:
    for part in where.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        root = root.get(name) if isinstance(root, Mapping) else None
    return root


def _server(root: Mapping[str, Any], url: str) -> str:
    servers = root.get("servers")
    first = servers[0] if isinstance(servers, list) and servers else {}
    where = first.get("url") if isinstance(first, Mapping) else None
    base = where if isinstance(where, str) else "/" if url else ""
    variables = first.get("variables") if isinstance(first, Mapping) else None
    for name, about in variables.items() if isinstance(variables, Mapping) else ():
        if isinstance(about, Mapping):
            base = base.replace("{" + str(name) + "}", str(about.get("default", "")))
    return _absolute(base, url)


def _swagger_base(root: Mapping[str, Any], url: str) -> str:
    schemes, host = root.get("schemes"), root.get("host")
    base = str(root.get("basePath") or "/")
    known = schemes if isinstance(schemes, list) else []
    scheme = "https" if "https" in known or not known else str(known[0])
    return f"{scheme}://{host}{base}" if isinstance(host, str) and host else _absolute(base, url)


def _absolute(base: str, url: str) -> str:
    try:
        whole = urljoin(url, base) if url else base
        return whole if urlsplit(whole).scheme in ("http", "https") else ""
    except ValueError:
        return ""


def _schemes(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    parts = root.get("components")
    found = root.get("securityDefinitions") or (
        parts.get("securitySchemes") if isinstance(parts, Mapping) else None)  # fmt: skip
    for one in list(found.values())[:50] if isinstance(found, Mapping) else ():
        yield _resolved(root, one)


def sign_in(contract: Contract, secrets: Mapping[str, str]) -> dict[str, str]:
    """The settings of `ingestion.sources.api.Auth` that fit the document and the secrets given.
    Raises `InvalidInput` for secrets that fit nothing there."""
    if not secrets:
        return {"style": "none"}
    for scheme in contract.schemes:
        for needed, settings in _ways(scheme):
            if needed <= secrets.keys():
                return settings
    if set(secrets) == {"token"}:
        return {"style": "bearer"}
    if set(secrets) == {"username", "password"}:
        return {"style": "basic"}
    raise InvalidInput(
        "The document names no way to sign in with these secrets. Say how in `auth`.",
        code="no_sign_in", field="secrets",
    )  # fmt: skip


def _ways(scheme: Mapping[str, Any]) -> Iterator[tuple[set[str], dict[str, str]]]:
    kind, place, name = (str(scheme.get(key, "")) for key in ("type", "in", "name"))
    how = str(scheme.get("scheme", "")).lower()
    if kind == "apiKey" and place in ("header", "query"):
        yield {"api_key"}, {"style": place, "name": name}
    if kind == "basic" or (kind == "http" and how == "basic"):
        yield {"username", "password"}, {"style": "basic"}
    if kind == "http" and how == "bearer":
        yield {"token"}, {"style": "bearer"}
    if kind in ("oauth2", "openIdConnect"):
        flows = scheme.get("flows")
        flow = flows.get("clientCredentials") if isinstance(flows, Mapping) else scheme
        where = flow.get("tokenUrl") if isinstance(flow, Mapping) else None
        if isinstance(where, str) and where:
            scopes = flow.get("scopes") if isinstance(flow, Mapping) else None
            told = " ".join(map(str, scopes)) if isinstance(scopes, Mapping) else ""
            yield {"client_id", "client_secret"}, {
                "style": "oauth2", "token_url": where, "scope": told[:500],
            }  # fmt: skip
        yield {"token"}, {"style": "bearer"}


def _line(text: Any) -> str:
    plain = text if isinstance(text, str) else ""
    return " ".join("".join(c if c.isprintable() else " " for c in plain).split())[:300]


def _bad(detail: str, code: str) -> InvalidInput:
    return InvalidInput(detail, code=code, field="document")
