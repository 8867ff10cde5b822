"""Where outgoing requests may go: one URL parser, and the address ranges that are public.

The ranges are written out beside `ipaddress`, whose flags were wrong before CVE-2024-4032
(IANA special-purpose address registries, RFC 6890 and its updates).
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from core.errors import InvalidInput

PORTS = {80, 443, 8443}
# Of mail boxes and file servers: never 25 or another port that sends mail.
SOCKET_PORTS = {21, 22, 110, 143, 990, 993, 995, 2222}
_NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")  # all else, NAT64 and mapped IPv4 too, is refused
_NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "2620:4f:8000::/48")
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart once; requests are built again from these parts and from nothing else."""

    scheme: str
    host: str
    port: int
    path: str  # with its query, percent-encoded

    @property
    def place(self) -> str:
        """`host:port`, as the operator's allow-list names it."""
        return place_of(self.host, self.port)

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        usual = {"http": 80, "https": 443}[self.scheme] == self.port
        return _bracketed(self.host) if usual else self.place

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.path}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def place_of(host: str, port: int) -> str:
    """`host:port`, as the operator's allow-list names it."""
    return f"{_bracketed(host)}:{port}"


def public(address: str) -> bool:
    """Whether an IP address is one of the internet's own; unreadable text is not."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv4Address):
        return parsed.is_global and not any(parsed in network for network in _NOT_PUBLIC_4)
    usual = parsed in _GLOBAL_6 and parsed.scope_id is None
    return usual and parsed.is_global and not any(parsed in network for network in _NOT_PUBLIC_6)


def parse(url: str) -> Target:
    """Raises `InvalidInput` for anything but a plain `http` or `https` URL."""
    if not isinstance(url, str) or len(url) > 2000 or _UNSAFE.search(url):
        raise InvalidInput("This is not a web address.", code="bad_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise InvalidInput("This is not a web address.", code="bad_url") from error
    if parts.scheme not in ("http", "https"):
        raise InvalidInput("Only http:// and https:// addresses are called.", code="bad_url")
    if "@" in parts.netloc:
        raise InvalidInput("A web address must not carry a user name.", code="bad_url")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(parts.query, safe="/?%:@!$&'()*+,;=~-._[]")
    return Target(
        scheme=parts.scheme,
        host=_host(parts.netloc, parts.hostname or ""),
        port=port if port is not None else {"http": 80, "https": 443}[parts.scheme],
        path=path + (f"?{query}" if query else ""),
    )


def host_of(text: str) -> str:
    """The canonical form of a host given by itself. Raises `InvalidInput`."""
    if not isinstance(text, str) or not 0 < len(text) <= 255 or _UNSAFE.search(text):
        raise InvalidInput("This is not a host name.", code="bad_host")
    bare = text.removeprefix("[").removesuffix("]")
    if ":" in bare:
        return _ip(bare)
    return _host(bare, bare)


def _host(netloc: str, name: str) -> str:
    """A canonical IP address or a plain DNS name; other spellings of numbers are refused."""
    if netloc.startswith("["):
        return _ip(name)
    try:
        name = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError as error:
        raise InvalidInput("This host name is not valid.", code="bad_url") from error
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _ip(name)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise InvalidInput("This host name is not valid.", code="bad_url")
    return name


def _ip(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise InvalidInput(
            "This is neither the name of a host, such as mail.example.org, nor a plain IP address.",
            code="bad_url",
        ) from error


def literal(host: str) -> bool:
    """Whether `host` is an IP address."""
    return ":" in host or _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def allowed_places(text: str) -> frozenset[str]:
    """The operator's comma-separated `host:port` list."""
    return frozenset(filter(None, (place.strip().lower() for place in text.split(","))))
