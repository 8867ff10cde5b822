"""No start with a password that everyone knows, as soon as anybody but this machine is near."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote, urlsplit

from core.errors import InvalidInput
from core.settings import Settings

URLS = (
    "database_url", "database_admin_url", "jobs_url", "bus_url", "blobs_url", "limits_url",
    "smtp_url",
)  # fmt: skip
# What handbooks and images propose, and what people type to be done with it.
KNOWN = frozenset(
    ("admin", "changeme", "change-me", "default", "example", "grafana", "guest", "letmein",
     "minio", "minio123", "minioadmin", "password", "passwort", "postgres", "probe", "probeprobe",
     "redis", "root", "secret", "test", "test123", "weft", "weftweft", "123456", "12345678",
     "qwerty")
)  # fmt: skip
KEY_BYTES_MIN = 12  # different bytes among 32; random keys have about 30


def refuse(settings: Settings) -> None:
    """Raises `InvalidInput` that names the setting; the embedded default has no such secret."""
    for name in URLS:
        if _told(getattr(settings, name)):
            raise InvalidInput(
                f"WEFT_{name.upper()} holds a password that everyone knows. "
                "Choose another one, such as the answer to: openssl rand -hex 24",
                code="default_secret",
            )
    key = settings.root_key.get_secret_value()
    if key and len({key[place : place + 2] for place in range(0, len(key), 2)}) < KEY_BYTES_MIN:
        raise InvalidInput(
            "WEFT_ROOT_KEY is easily guessed. Make one with: openssl rand -hex 32",
            code="default_secret",
        )


def _told(url: str) -> bool:
    """Whether a URL to another machine has a known password, or the user's name as one."""
    parts = urlsplit(url)
    if parts.password is None or _here(parts.hostname or ""):
        return False
    password = unquote(parts.password).lower()
    return password in KNOWN or password == unquote(parts.username or "").lower()


def _here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
