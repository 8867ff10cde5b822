"""OpenAPI documents of three versions, in JSON and YAML, and those that mean harm."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from core.errors import InvalidInput
from ingestion.openapi import Contract, Operation, read, sign_in
from ingestion.yaml_plain import plain_yaml

SWAGGER = """
swagger: "2.0"
info: {title: Old shop, version: 1.0.0}
host: shop.example
basePath: /v1
schemes: [http, https]
securityDefinitions:
  key: {type: apiKey, in: header, name: X-Shop-Key}
parameters:
  limit: {name: limit, in: query, type: integer}
paths:
  /orders:
    parameters:
      - $ref: '#/parameters/limit'
    get:
      operationId: listOrders
      summary: All orders
      responses: {200: {description: fine}}
    post: {operationId: addOrder, responses: {201: {description: made}}}
"""
OPENAPI_30 = """
openapi: 3.0.3
info:
  title: "Shop"
  version: 2026-11-21
servers:
  - url: https://{region}.shop.example/v2
    variables: {region: {default: eu}}
components:
  securitySchemes:
    basic: {type: http, scheme: basic}
    machine:
      type: oauth2
      flows:
        clientCredentials: {tokenUrl: https://login.example/token, scopes: {read: r, write: w}}
  parameters:
    Id: {name: id, in: path, required: true, schema: {$ref: '#/components/schemas/Id'}}
  schemas:
    Id: {type: string}
paths:
  /orders/{id}:
    get:
      operationId: order
      parameters:
        - $ref: '#/components/parameters/Id'
        - {name: tags, in: query, schema: {type: array, items: {type: string}}}
        - {name: session, in: cookie, schema: {type: string}}
"""
OPENAPI_31: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Stock", "version": "1"},
    "servers": [{"url": "/api"}],
    "paths": {
        "/parts": {"get": {"summary": "Parts\nof  all kinds"}, "head": {}},
        "/x": {"$ref": "#/components/pathItems/x"},
    },
    "components": {"pathItems": {"x": {"delete": {"operationId": "gone"}}}},
    "webhooks": {},
}


def shape(found: Contract) -> list[tuple[str, str, str]]:
    return [(one.method, one.path, one.operation_id) for one in found.operations]


def test_swagger_2() -> None:
    found = read(SWAGGER)
    assert (found.title, found.version) == ("Old shop", "2.0")
    assert found.base_url == "https://shop.example/v1"
    assert shape(found) == [("GET", "/orders", "listOrders"), ("POST", "/orders", "addOrder")]
    assert [one.name for one in found.operations[0].parameters] == ["limit"]
    assert sign_in(found, {"api_key": "k"}) == {"style": "header", "name": "X-Shop-Key"}


def test_openapi_3_0() -> None:
    found = read(OPENAPI_30)
    assert found.base_url == "https://eu.shop.example/v2"
    [one] = found.operations
    assert [(each.name, each.place, each.required, each.array) for each in one.parameters] == [
        ("id", "path", True, False), ("tags", "query", False, True),
    ]  # fmt: skip
    machine = sign_in(found, {"client_id": "c", "client_secret": "s"})
    assert machine == {
        "style": "oauth2", "token_url": "https://login.example/token", "scope": "read write",
    }  # fmt: skip
    assert sign_in(found, {"username": "u", "password": "p"}) == {"style": "basic"}
    assert sign_in(found, {}) == {"style": "none"}
    with pytest.raises(InvalidInput, match="auth"):
        sign_in(found, {"api_key": "k"})


def test_openapi_3_1_of_an_address() -> None:
    found = read(json.dumps(OPENAPI_31), "https://stock.example/docs/openapi.json")
    assert found.base_url == "https://stock.example/api"
    assert shape(found) == [
        ("GET", "/parts", "get /parts"), ("HEAD", "/parts", "head /parts"), ("DELETE", "/x", "gone")
    ]  # fmt: skip
    assert found.operations[0].summary == "Parts of all kinds"
    assert read(OPENAPI_31).base_url == "", "without an address nobody knows"
    told = {**OPENAPI_31, "servers": [{"url": "http://["}]}
    assert read(json.dumps(told), "https://stock.example/").base_url == "", "no address at all"


def test_yaml_and_json_say_the_same() -> None:
    as_json = json.dumps(plain_yaml(OPENAPI_30, 1000, 50))
    assert read(as_json) == read(OPENAPI_30)


def circle(hops: int) -> dict[str, Any]:
    parameters = {f"p{n}": {"$ref": f"#/parameters/p{(n + 1) % hops}"} for n in range(hops)}
    paths = {"/a": {"get": {"parameters": [{"$ref": "#/parameters/p0"}]}}}
    return {"swagger": "2.0", "parameters": parameters, "paths": paths}


def deep(levels: int) -> str:
    return '{"openapi": "3.1.0", "x": ' + "[" * levels + "]" * levels + "}"


BOMB = "openapi: 3.1.0\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"


@pytest.mark.parametrize(("document", "code"), [
    ("", "openapi_version"),
    ("[1, 2]", "openapi_version"),
    ("hello", "openapi_version"),
    ('{"openapi": "4.0.0", "paths": {}}', "openapi_version"),
    ('{"openapi": "3.1.0", ', "unreadable"),
    ("openapi: 3.1.0\n\tpaths: x", "unreadable"),
    ("openapi: 3.1.0\nopenapi: 3.0.0", "unreadable"),
    ("openapi: !!python/object/apply:os.system ['true']", "openapi_version"),
    (BOMB, "unreadable"),
    (deep(200), "too_large"),
    (deep(100_000), "unreadable"),
    ("openapi: 3.1.0\nx: " + "[" * 5000, "unreadable"),
    (" " * 5_000_001, "too_large"),
    (json.dumps(circle(1)), "reference_loop"),
    (json.dumps(circle(5)), "reference_loop"),
    ('{"openapi": "3.1.0", "x": {"$ref": "other.yaml#/a"}}', "external_reference"),
    ('{"openapi": "3.1.0", "x": [{"$ref": "http://192.0.2.1/a"}]}', "external_reference"),
    ('{"openapi": "3.1.0", "x": {"$ref": "file:///etc/passwd"}}', "external_reference"),
    ('{"openapi": "3.1.0", "paths": []}', None),
    ('{"openapi": "3.1.0", "paths": 1}', "unreadable"),
    (json.dumps({"openapi": "3.1.0", "paths": {f"/{n}": {"get": {}} for n in range(1001)}}),
     "too_large"),
])  # fmt: skip
def test_what_means_harm_costs_a_sentence(document: str, code: str | None) -> None:
    begun = time.monotonic()
    if code is None:
        assert read(document).operations == ()
        return
    with pytest.raises(InvalidInput) as told:
        read(document)
    assert (told.value.slug, told.value.extra["field"]) == (code, "document")
    assert time.monotonic() - begun < 5


def test_ids_are_unique_and_odd_parts_are_left_out() -> None:
    found = read({
        "openapi": "3.0.0",
        "paths": {
            "/a": {"get": {"operationId": "same"}, "put": {"operationId": "same"}},
            "/b": {"get": {"operationId": "x\n; drop"}, "parameters": 3},
            "no-slash": {"get": {}}, "/\x00": {"get": {}}, "/c": None, "/d": {"get": []},
        },
    })  # fmt: skip
    assert [one.operation_id for one in found.operations] == ["same", "put /a", "get /b"]


def taken(**operation: Any) -> Operation:
    """The only operation of a document whose schema `Node` holds itself."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/components/schemas/Node"}}}
    [one] = read({
        "openapi": "3.0.3", "paths": {"/a": {"post": operation}},
        "components": {"schemas": {"Node": node}},
    }).operations  # fmt: skip
    return one


def test_what_an_operation_takes_is_whole_by_itself() -> None:
    schema = {
        "required": ["id", "name"], "additionalProperties": False, "description": "x" * 10_000,
        "properties": {
            "id": {"type": "string", "readOnly": True},
            "name": {"type": "string", "nullable": True, "enum": ["a", "b"], "maxLength": 2**63},
            "file": {"type": "file", "pattern": "(a+)+$"},
        },
    }  # fmt: skip
    one = taken(requestBody={"required": True, "content": {
        "text/plain": {}, "application/json; charset=utf-8": {"schema": schema}}})  # fmt: skip
    assert one.body == {"content_type": "application/json", "required": True, "accepts": {
        "required": ["name"], "additionalProperties": False, "properties": {
            "id": {"type": "string"}, "file": {},
            "name": {"type": ["string", "null"], "enum": ["a", "b", None]}},
    }}  # fmt: skip


def test_a_schema_that_holds_itself_or_is_too_large_ends_in_anything() -> None:
    deep = taken(requestBody={"content": {"application/json": {
        "schema": {"$ref": "#/components/schemas/Node"}}}}).body  # fmt: skip
    assert deep is not None
    text = json.dumps(deep)
    assert text.count('"next"') == 9
    assert '"next": {}}' in text
    wide = {"properties": {f"p{n}": {"type": "string"} for n in range(1_000)}}
    made = taken(requestBody={"content": {"application/json": {"schema": wide}}}).body
    assert made is not None
    typed = [one for one in made["accepts"]["properties"].values() if one]
    assert (len(typed), len(made["accepts"]["properties"])) == (399, 1_000)


@pytest.mark.parametrize(("parameters", "consumes", "kind", "accepts"), [
    ([{"in": "body", "name": "b", "required": True, "schema": {"type": "object"}}], None,
     "application/json", {"type": "object"}),
    ([{"in": "formData", "name": "n", "type": "integer", "required": True}],
     ["application/x-www-form-urlencoded"], "application/x-www-form-urlencoded",
     {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}),
    ([{"in": "formData", "name": "f", "type": "file"}], ["multipart/form-data"],
     "multipart/form-data", {"type": "object", "required": [], "properties": {"f": {}}}),
])  # fmt: skip
def test_swagger_2_says_it_among_its_parameters(
    parameters: Any, consumes: Any, kind: str, accepts: Any
) -> None:
    told = {"parameters": parameters, **({"consumes": consumes} if consumes else {})}
    [one] = read({"swagger": "2.0", "paths": {"/a": {"post": told}}}).operations
    assert one.body is not None
    assert (one.body["content_type"], one.body["accepts"]) == (kind, accepts)


@pytest.mark.parametrize("body", [7, {"content": 7}, {"content": {}}, {"content": {"a/b": 7}},
                                  {"content": {"application/json": {"schema": 7}}}])  # fmt: skip
def test_a_body_that_says_nothing_breaks_nothing(body: Any) -> None:
    made = taken(requestBody=body, parameters=7).body
    assert made is None or made["accepts"] == {}
