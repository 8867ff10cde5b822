"""The two kinds of schema, and the words that several of them share."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeAlias, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    model_validator,
)

from core.clock import rfc3339
from core.plain import check_plain, check_text

T = TypeVar("T")


class Request(BaseModel):
    """Unknown fields are refused, so a tenant cannot be smuggled in; text is checked throughout."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return check_plain(value)


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True)


class Listing(Answer, Generic[T]):
    items: list[T]
    next_cursor: str | None = None


# Milliseconds go in, RFC 3339 comes out.
Moment: TypeAlias = Annotated[
    str, BeforeValidator(lambda at: rfc3339(at) if isinstance(at, int) else at)
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(check_text)]
Id = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(check_text)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Email = Annotated[
    str, StringConstraints(max_length=255, pattern=r"^[^\s@<>,;]{1,64}@[^\s@<>,;]{1,190}$")
]
