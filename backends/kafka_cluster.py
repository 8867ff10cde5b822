"""Where Kafka is: its address, who asks, whether it answers."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from core.errors import InvalidInput, Unavailable

_PROBE_SECONDS = 1.0
_BOOTSTRAP_MS = 5_000
RECORD_BYTES_MAX = 2 * 2**20  # a dead letter is its message and the reason
SCHEMES = ("kafka", "kafka+ssl")
_SASL = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
_KNOWN = frozenset({"prefix", "partitions", "replication", "sasl", "ca"})
_API_VERSIONS = 18


@dataclass(frozen=True, slots=True)
class Cluster:
    """`kafka://HOST:PORT[,HOST:PORT…][?prefix=weft&partitions=6&replication=3]`, or by TLS
    `kafka+ssl://[USER:PASSWORD@]HOST:PORT…[?sasl=PLAIN|SCRAM-SHA-256|SCRAM-SHA-512&ca=FILE]`"""

    servers: tuple[str, ...]
    prefix: str = "weft"
    partitions: int = 6
    replication: int | None = None  # None: as many as there are brokers, three at most
    tls: bool = False
    ca: str | None = None  # None: who the machine trusts
    sasl: str | None = None
    user: str = ""
    password: str = field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> Cluster:
        """Raises `InvalidInput`, which never shows the password."""
        parts = urlsplit(url)
        given = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        who, _, places = parts.netloc.rpartition("@")
        user, _, password = who.partition(":")
        servers = tuple(place for place in places.split(",") if place)
        tls = parts.scheme == "kafka+ssl"
        sasl = given.get("sasl", "SCRAM-SHA-512" if who else None)
        numbers = [given[name] for name in ("partitions", "replication") if name in given]
        good = (
            parts.scheme in SCHEMES and servers and set(given) <= _KNOWN
            and all(text.isdigit() and 0 < int(text) < 1000 for text in numbers)
            and (sasl in _SASL and user and password if sasl else not who)
            and (tls or not (who or sasl or "ca" in given))
        )  # fmt: skip
        if not good:
            raise InvalidInput(
                f"WEFT_BUS_URL={parts.scheme}://{places} is not understood; use kafka://HOST:9092, "
                "after it perhaps ?prefix=weft&partitions=6&replication=3, or by TLS "
                "kafka+ssl://USER:PASSWORD@HOST:9093?sasl=SCRAM-SHA-512 (PLAIN, SCRAM-SHA-256; "
                "&ca=FILE).",
                code="bad_bus_url",
            )
        port = 9093 if tls else 9092
        return cls(
            tuple(place if ":" in place else f"{place}:{port}" for place in servers),
            given.get("prefix", "weft"), int(given.get("partitions", 6)),
            int(given["replication"]) if "replication" in given else None,
            tls, given.get("ca"), sasl, unquote(user), unquote(password),
        )  # fmt: skip

    @property
    def events(self) -> str:
        return f"{self.prefix}.events"

    @property
    def ingest(self) -> str:
        return f"{self.prefix}.ingest"

    @property
    def retry(self) -> str:
        return f"{self.prefix}.ingest.retry"

    @property
    def dead(self) -> str:
        return f"{self.prefix}.ingest.dead"

    @property
    def group(self) -> str:
        return f"{self.prefix}-intake"

    @property
    def client(self) -> dict[str, Any]:
        """What every client of it is opened with."""
        found: dict[str, Any] = {
            "bootstrap_servers": list(self.servers), "client_id": self.prefix,
            "bootstrap_timeout_ms": _BOOTSTRAP_MS, "reconnect_backoff_max_ms": 1_000,
        }  # fmt: skip
        if self.tls:
            found |= {"security_protocol": "SSL", "ssl_context": self.trust()}
        if self.sasl:
            found |= {
                "security_protocol": "SASL_SSL", "sasl_mechanism": self.sasl,
                "sasl_plain_username": self.user, "sasl_plain_password": self.password,
            }  # fmt: skip
        return found

    def trust(self) -> ssl.SSLContext:
        """TLS 1.2 or later, certificate and name checked. Raises `InvalidInput`."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(
                f"ca={self.ca} of WEFT_BUS_URL is no file of certificates: {error}.",
                code="bad_bus_url",
            ) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def topics(self) -> dict[str, dict[str, Any]]:
        """Each with its own settings. Whoever sends may compress as they like: the broker unpacks,
        so that no message can be unreadable here. Dead letters are kept until they are settled."""
        size = {"max.message.bytes": str(RECORD_BYTES_MAX)}
        plain = {**size, "compression.type": "uncompressed"}
        return {
            self.events: {}, self.ingest: {"compression.type": "uncompressed"}, self.retry: plain,
            self.dead: {**plain, "cleanup.policy": "compact"},
        }  # fmt: skip


def probe(cluster: Cluster) -> None:
    """Raises `Unavailable` at once where the client would try for seconds."""
    why: OSError | None = None
    for place in cluster.servers:
        try:
            _connected(place).close()
        except OSError as error:
            why = error
        else:
            return
    raise away(cluster, why)


def roundtrip_ms(cluster: Cluster) -> float:
    """One broker is asked what it speaks, which needs no sign-in: one that is stopped still takes
    connections. Raises `Unavailable`."""
    why: OSError | None = None
    for place in cluster.servers:
        began = time.perf_counter()
        try:
            _asked(cluster, place)
        except OSError as error:
            why = error
        else:
            return (time.perf_counter() - began) * 1000
    raise away(cluster, why)


def _asked(cluster: Cluster, place: str) -> None:
    """ApiVersions, version 0 (kafka.apache.org/protocol): size, key, version, correlation, id."""
    name = cluster.prefix.encode()
    body = struct.pack(f">hhih{len(name)}s", _API_VERSIONS, 0, 1, len(name), name)
    with contextlib.ExitStack() as closing:
        link = closing.enter_context(_connected(place))
        if cluster.tls:
            host = place.rpartition(":")[0].strip("[]")
            link = closing.enter_context(cluster.trust().wrap_socket(link, server_hostname=host))
        link.sendall(struct.pack(">i", len(body)) + body)
        answer = b""
        while len(answer) < 8:
            more = link.recv(8 - len(answer))
            if not more:
                raise ConnectionError("the connection was closed")
            answer += more
    if struct.unpack(">ii", answer)[1] != 1:
        raise ConnectionError("something else than Kafka answers")


def _connected(place: str) -> socket.socket:
    host, _, port = place.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), _PROBE_SECONDS)


def away(cluster: Cluster, why: object) -> Unavailable:
    return Unavailable(
        f"Kafka at {', '.join(cluster.servers)} does not answer: {why}. Start it, or check "
        "WEFT_BUS_URL.",
        code="bus_unavailable", retry_after=1,
    )  # fmt: skip
