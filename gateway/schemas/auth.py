"""Sessions and API keys."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.schemas.base import Answer, Email, Moment, Request, Text


class LoginRequest(Request):
    email: Email
    password: Annotated[str, Field(min_length=1, max_length=256)]
    tenant: Annotated[str | None, Field(max_length=63, description="slug of the tenant")] = None


class RefreshRequest(Request):
    refresh_token: Annotated[str, Field(min_length=1, max_length=256)]


class Tokens(Answer):
    access_token: str
    refresh_token: str
    token_type: str = "bearer"  # noqa: S105
    expires_in: int
    refresh_expires_in: int


class Verified(Answer):
    user_id: str | None = Field(description="null for an API key")
    key_id: str | None = None
    tenant_id: str
    tenant: str
    email: str | None
    roles: list[str]
    scopes: list[str]
    expires_at: Moment | None


class ApiKeyRequest(Request):
    name: Text
    scopes: Annotated[
        list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=64)
    ]
    expires_at: datetime | None = None


class ApiKeyAnswer(Answer):
    id: str
    name: str
    prefix: str
    scopes: list[str]
    created_by: str
    expires_at: Moment | None
    last_used_at: Moment | None
    created_at: Moment


class NewApiKey(ApiKeyAnswer):
    key: str = Field(description="shown once")
