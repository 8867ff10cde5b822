"""One file per server: how it is installed, prepared, started, asked whether it is ready."""

from __future__ import annotations

from weftstack.halt import Halt
from weftstack.services.base import Service
from weftstack.services.kafka import Kafka
from weftstack.services.mail import Dovecot
from weftstack.services.ollama import Ollama
from weftstack.services.postgres import Postgres
from weftstack.services.redis import Redis
from weftstack.services.stores import Minio, Seaweedfs
from weftstack.services.toxiproxy import Toxiproxy
from weftstack.services.transfer import Sftp, Vsftpd, VsftpdImplicit
from weftstack.services.watchers import Alertmanager, Loki, Prometheus
from weftstack.services.weft import ROLES

# In the order of their start.
SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Postgres(), Redis(), Kafka(), Minio(), Seaweedfs(), Ollama(), Toxiproxy(),
        Alertmanager(), Prometheus(), Loki(), Sftp(), Vsftpd(), VsftpdImplicit(),
        Dovecot(), *ROLES,
    )
}  # fmt: skip
USUAL = ("postgres", "redis", "kafka", "minio", "ollama")


def named(names: list[str]) -> list[Service]:
    """The services by name, in the order of their start."""
    if "all" in names:
        return list(SERVICES.values())
    unknown = [name for name in names if name not in SERVICES]
    if unknown:
        raise Halt(f"there is no service {unknown[0]!r}. There are: {', '.join(SERVICES)}")
    return [service for name, service in SERVICES.items() if name in names]
