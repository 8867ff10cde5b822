"""Who asks. The tenant comes from a credential or a claimed job's row, and from nowhere else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from core.errors import Forbidden

ROLES = ("viewer", "operator", "admin", "platform_admin")

# What each tenant role may do. A role holds what the roles before it hold.
_VIEWER = frozenset({
    "documents:read", "search:read", "answers:read", "workflows:read", "reports:read",
    "approvals:read", "agents:read", "definitions:read", "templates:read",
})  # fmt: skip
_OPERATOR = _VIEWER | {
    "documents:write", "workflows:execute", "reports:write", "approvals:decide",
    "agents:trigger", "definitions:write", "templates:write", "models:use", "integrations:read",
}  # fmt: skip
_ADMIN = _OPERATOR | {
    "users:read",
    "users:write",
    "keys:write",
    "tenant:read",
    "tenant:write",
    "integrations:write",
    "pii:reveal",
}
_PLATFORM = frozenset({
    "tenants:read", "tenants:write", "platform:read", "metrics:read", "keys:write",
})  # fmt: skip

ROLE_SCOPES: dict[str, frozenset[str]] = {
    "viewer": _VIEWER,
    "operator": frozenset(_OPERATOR),
    "admin": frozenset(_ADMIN),
    "platform_admin": _PLATFORM,
}
ALL_SCOPES: frozenset[str] = frozenset(_ADMIN) | _PLATFORM


def scopes_of(roles: Iterable[str]) -> frozenset[str]:
    """The union of what the named roles may do."""
    return frozenset().union(*(ROLE_SCOPES[role] for role in roles))


@dataclass(frozen=True, slots=True)
class Ctx:
    """First argument of everything that touches a tenant's data.

    `actor` is `user:<id>`, `key:<id>`, `run:<id>` or `system`; `request_id` follows a request
    through every run, step, log line and outside call that it causes.
    """

    tenant: str
    actor: str
    roles: frozenset[str] = field(default_factory=frozenset)
    scopes: frozenset[str] = field(default_factory=frozenset)
    request_id: str = ""

    def permit(self, scope: str) -> None:
        """Raises `Forbidden` unless this caller holds `scope`."""
        if scope not in self.scopes:
            raise Forbidden(f"This needs the scope {scope!r}.", scope=scope)


# The platform's look over all tenants: claiming, sweeping, relaying, login before the tenant is
# known. On PostgreSQL it sees the few columns that this needs, and no tenant's content.
PLATFORM = Ctx(tenant="", actor="system")
