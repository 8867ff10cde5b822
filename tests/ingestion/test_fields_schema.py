"""A JSON Schema is filled from a document: types, nesting, lists, and why a value is null."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from core.documents import Document, Page
from core.errors import InvalidInput
from ingestion.fields import Filled, fill, read

INVOICE = """\
Harrow Supplies Ltd
12 Mill Lane
Leeds LS1 4AB

INVOICE

Invoice No: HS-2041            Invoice date: 03/04/2026
VAT Reg No: GB123456789        Due date: 03/05/2026
Reverse charge: no             Priority: High

Bill to:
ClearPay Ltd
18 Foundry Quay
Hull HU1 1TX

Description          Qty    Unit price      Amount
Paper A4              10         4.50        45.00
Toner                  2        60.00       120.00

                            Subtotal        165.00
                            VAT 20%          33.00
                            Total       GBP 198.00
"""
STATEMENT = """\
Kontoauszug
Kontoinhaber: Alpenblick Hotel GmbH

Buchungstag     Verwendungszweck           Betrag       Saldo
02.03.2026      Miete März              -1.200,00    3.800,00
05.03.2026      Rechnung 4711              350,50    4.150,50

Neuer Kontostand  4.150,50 €
"""


def filled(schema: dict[str, Any], text: str = INVOICE, kind: str = "other") -> Filled:
    document = Document("txt", (Page(1, text),), document_type=kind)
    return fill(schema, read(document, "d", "d.txt", asked_for=True))


def obj(required: list[str] | None = None, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required or []}


LINE = obj(
    ["description", "amount"], description={"type": "string"}, quantity={"type": "integer"},
    unit_price={"type": "number"}, amount={"type": "number"},
)  # fmt: skip
SCHEMA = obj(
    ["invoice_no", "seller", "lines"],
    invoice_no={"type": "string", "pattern": "^HS-"},
    issued={"type": "string", "format": "date", "description": "invoice date"},
    seller=obj(["name"], name={"type": "string"}, tax_id={"type": "string"},
               address={"type": "string"}),
    buyer=obj(name={"type": "string"}, tax_id={"type": ["string", "null"]}),
    total={"type": "number"}, currency={"enum": ["EUR", "GBP", "USD"]},
    reverse_charge={"type": "boolean"}, priority={"enum": ["low", "high"]},
    lines={"type": "array", "items": LINE},
)  # fmt: skip


def test_a_schema_is_filled_with_typed_values_and_nested_ones() -> None:
    found = filled(SCHEMA)
    assert found.data == {
        "invoice_no": "HS-2041", "issued": "2026-04-03",
        "seller": {"name": "Harrow Supplies Ltd", "tax_id": "GB123456789",
                   "address": "12 Mill Lane, Leeds LS1 4AB"},
        "buyer": {"name": "ClearPay Ltd", "tax_id": None},
        "total": 198, "currency": "GBP", "reverse_charge": False, "priority": "high",
        "lines": [
            {"description": "Paper A4", "quantity": 10, "unit_price": 4.5, "amount": 45},
            {"description": "Toner", "quantity": 2, "unit_price": 60, "amount": 120},
        ],
    }  # fmt: skip
    jsonschema.validate(found.data, SCHEMA)
    assert found.valid


def test_every_leaf_has_its_proof_or_its_reason() -> None:
    found = filled(SCHEMA)
    for path, value in found.fields.items():
        assert (value.source is None) == (value.value is None) == (path in found.missing)
        if value.source:
            assert INVOICE[value.source.start : value.source.end] == value.source.quote
    assert found.missing == {"buyer.tax_id": "no label, table or sentence of the document names it"}
    assert found.fields["lines[1].amount"].value == "120.00"


def test_any_table_is_read_by_the_names_of_its_columns() -> None:
    row = obj(date={"type": "string", "format": "date"}, description={"type": "string"},
              amount={"type": "number"}, balance={"type": "number"})  # fmt: skip
    found = filled(obj(transactions={"type": "array", "items": row}), STATEMENT, "bank_statement")
    assert found.data["transactions"] == [
        {"date": "2026-03-02", "description": "Miete März", "amount": -1200, "balance": 3800},
        {"date": "2026-03-05", "description": "Rechnung 4711", "amount": 350.5, "balance": 4150.5},
    ]


def test_what_does_not_fit_its_type_is_null_and_says_so() -> None:
    found = filled(obj(["invoice_number", "total"], invoice_number={"type": "integer"},
                       total={"type": "number", "maximum": 100}))  # fmt: skip
    assert found.data == {"invoice_number": None, "total": None}
    assert found.missing == {"invoice_number": "'HS-2041' is not a number",
                             "total": "198 is out of range"}  # fmt: skip
    assert not found.valid


def test_references_and_unions_with_null_are_read() -> None:
    schema = {
        "$defs": {"Party": obj(name={"type": "string"})},
        **obj(vendor={"$ref": "#/$defs/Party"},
              warranty={"anyOf": [{"type": "string"}, {"type": "null"}]}),
    }  # fmt: skip
    assert filled(schema).data == {"vendor": {"name": "Harrow Supplies Ltd"}, "warranty": None}


def test_a_list_of_parties_is_taken_from_the_contracts_sentence() -> None:
    text = "AGREEMENT\n\nThis agreement is made between Acme Ltd and Zeta GmbH.\n"
    found = filled(obj(parties={"type": "array", "items": {"type": "string"}}), text, "contract")
    assert found.data == {"parties": ["Acme Ltd", "Zeta GmbH"]}


# Four levels of thirty references each: a million values in three kilobytes.
_LEVELS = {
    f"L{n}": obj(None, **{f"p{k}": {"$ref": f"#/$defs/L{n + 1}"} for k in range(30)})
    for n in range(4)
} | {"L4": obj(z={"type": "string"})}


@pytest.mark.parametrize(
    "schema",
    [
        {}, {"type": "array"}, obj(), obj(x={"type": "money"}), obj(x={"$ref": "#/nowhere"}),
        obj(x={"$ref": "https://elsewhere.example/schema"}), obj(x=7),
        obj(total={"type": "string", "pattern": "(a+)+$"}),
        obj(None, **{f"f{n}": {"type": "string"} for n in range(101)}),
        obj(a=obj(b=obj(c=obj(d=obj(e=obj(f=obj(g={"type": "string"}))))))),
        {"$defs": {"A": {"$ref": "#/$defs/A"}}, **obj(x={"$ref": "#/$defs/A"})},
        obj(x={"type": "array", "minItems": "two"}), obj(x={"enum": 5}), obj(x={"pattern": 7}),
        obj(x={"minimum": "1"}), {**obj(x={"type": "string"}), "required": 5},
        {"$defs": _LEVELS, **obj(x={"$ref": "#/$defs/L0"})},
    ],
)  # fmt: skip
def test_a_schema_that_cannot_be_read_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        filled(schema)
