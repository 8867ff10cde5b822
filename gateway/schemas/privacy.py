"""What happens to personal data."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.schemas.base import Answer, Request

Kind = Literal[
    "email", "phone", "iban", "card", "tax_id", "national_id", "ip", "birth_date", "name",
    "address", "vat_id",
]  # fmt: skip


class PiiPolicy(Request):
    mode: Literal["leave", "mask", "redact"]
    kinds: Annotated[
        list[Kind] | None,
        Field(min_length=1, max_length=20, description="default: all but `vat_id`"),
    ] = None


class PiiPolicyAnswer(Answer):
    mode: str
    kinds: list[str]
    kinds_known: list[str]
