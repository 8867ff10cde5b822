"""Tenants with people in them, and clients that speak as one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from core.context import Ctx
from gateway import provision
from runtime import Runtime

PASSWORD = "correct horse battery"


@dataclass
class Town:
    """A gateway with tenants. `as_role` signs one person per tenant and role in, once."""

    rt: Runtime
    app: FastAPI
    http: TestClient
    _tokens: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)

    def tenant(self, slug: str, tier: str = "unlimited") -> Ctx:
        provision.provision(self.rt, slug, slug.title(), tier)
        return self.ctx(slug)

    def ctx(self, slug: str) -> Ctx:
        return provision.tenant_ctx(self.rt, slug)

    def user(self, slug: str, role: str, email: str | None = None) -> str:
        address = email or f"{role}@{slug}.example"
        provision.create_user(self.rt, self.ctx(slug), email=address, password=PASSWORD, role=role)
        return address

    def login(self, slug: str, role: str) -> dict[str, Any]:
        """The tokens of that tenant's person with that role."""
        if (slug, role) not in self._tokens:
            email = self.user(slug, role)
            body = {"email": email, "password": PASSWORD, "tenant": slug}
            answer = self.http.post("/auth/login", json=body)
            assert answer.status_code == 200, answer.text
            self._tokens[slug, role] = answer.json()
        return self._tokens[slug, role]

    def as_role(self, slug: str, role: str = "admin") -> dict[str, str]:
        """The headers of that person."""
        return {"Authorization": f"Bearer {self.login(slug, role)['access_token']}"}

    def key(self, slug: str, *scopes: str) -> dict[str, str]:
        """The headers of a program."""
        _, key = provision.create_api_key(self.rt, self.ctx(slug), name="test", scopes=scopes)
        return {"X-API-Key": key}
