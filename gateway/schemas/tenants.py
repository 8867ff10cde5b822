"""Tenants and their users."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from gateway.schemas.base import Answer, Email, Id, Moment, Request, Text
from gateway.schemas.usage import Budget

Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$")]
TierName = Literal["free", "team", "business", "unlimited"]
Role = Literal["viewer", "operator", "admin", "platform_admin"]
Password = Annotated[str, Field(min_length=10, max_length=256)]
ShortText = Annotated[str, Field(max_length=255)]
_YEAR = 366 * 86_400  # seconds


class Branding(Request):
    name: Text | None = None
    color: Annotated[str | None, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = None
    logo: Annotated[str | None, Field(max_length=400_000, description="PNG or JPEG as base64")] = (
        None
    )


class PreApproved(Request):
    """A standing yes to one kind of outside action; `*` is any target."""

    connector: Annotated[str, Field(max_length=32)]
    target: Text


class TenantConfig(Request):
    branding: Branding | None = None
    webhook_secret: Annotated[str | None, Field(pattern=r"^whsec_[A-Za-z0-9+/=]{32,128}$")] = None
    webhook_secret_old: Annotated[
        str | None, Field(pattern=r"^whsec_[A-Za-z0-9+/=]{32,128}$", description="signs too")
    ] = None
    notify_email: Email | None = None
    email_recipients: Annotated[
        list[ShortText] | None, Field(max_length=100, description="addresses, @domains; none: any")
    ] = None
    pre_approved: Annotated[list[PreApproved] | None, Field(max_length=100)] = None
    context_seconds: Annotated[
        int | None,
        Field(ge=60, le=_YEAR, description="so long a message counts as a conversation's context"),
    ] = None
    forget_seconds: Annotated[
        int | None, Field(ge=60, le=10 * _YEAR, description="then a conversation is forgotten")
    ] = None
    cache_seconds: Annotated[
        int | None, Field(ge=0, le=_YEAR, description="age of kept answers; 0: none are kept")
    ] = None
    searches_kept: Annotated[
        int | None,
        Field(ge=0, le=1_000, description="last searches kept for `weft index compare`; 0: none"),
    ] = None


class TenantRequest(Request):
    slug: Slug
    name: Text
    tier: TierName = "free"
    config: TenantConfig | None = None


class TenantChange(Request):
    name: Text | None = None
    tier: TierName | None = None
    status: Literal["active", "suspended"] | None = None
    config: TenantConfig | None = None
    budget: Annotated[
        Budget | None, Field(description="for models; the operator's to set, over the tier's")
    ] = None


class TenantAnswer(Answer):
    id: str
    slug: str
    name: str
    tier: str
    status: str
    branding: dict[str, Any]
    config: dict[str, Any] | None = Field(None, description="for the tenant's own admin")
    created_at: Moment


class UserRequest(Request):
    email: Email
    password: Password
    role: Role = "viewer"
    name: ShortText = ""
    tenant_id: Annotated[
        Id | None, Field(description="for the platform's admins; else one's own tenant")
    ] = None


class UserChange(Request):
    name: ShortText | None = None
    role: Role | None = None
    disabled: bool | None = None
    password: Password | None = None


class UserAnswer(Answer):
    id: str
    tenant_id: str
    email: str
    name: str
    role: str
    disabled: bool
    created_at: Moment
