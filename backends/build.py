"""Opens the platform: every choice of technology is made here, by URL."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from backends.files import FileBlobs
from backends.limits import LocalLimiter
from backends.local import LocalBus, LocalJobs
from backends.probes import probes
from connectors import connectors, way_out
from core.clock import Clock, SystemClock
from core.errors import InvalidInput
from core.ports import BlobStore, Connector, EventBus, JobQueue, Limiter
from core.settings import Settings
from core.vault import Vault
from database import Database
from database.keys import TenantKeys
from database.migrate import ready, upgrade
from models import Models
from runtime import Runtime
from vectorstore import Shelves

if TYPE_CHECKING:
    from backends.kafka_intake import KafkaIntake

ROOT_KEY_FILE = "root.key"


@contextlib.contextmanager
def open_runtime(
    settings: Settings,
    *,
    clock: Clock | None = None,
    more_connectors: Mapping[str, Connector] | None = None,
) -> Iterator[Runtime]:
    """Everything opened and migrated; closed at the end.

    Raises `InvalidInput` that names the setting when a URL is not one that Weft knows.
    """
    settings = settings.resolved()
    clock = clock or SystemClock()
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    root_key = load_root_key(settings)
    opened = contextlib.ExitStack()
    jobs = _jobs(settings, opened)
    bus = _bus(settings, opened)
    limiter = _limiter(settings, clock, opened)
    blobs = _blobs(settings, root_key)
    db = _database(settings, clock)
    try:
        _migrated(db, settings, clock)
        keys = TenantKeys(db, root_key)
        vault = Vault(blobs, keys, clock)
        yield Runtime(
            settings=settings, clock=clock, db=db, root_key=root_key, keys=keys, vault=vault,
            jobs=jobs, bus=bus, limiter=limiter, models=Models(settings),
            shelves=Shelves(vault, settings.shelf_bytes_max),
            connectors={**connectors(settings, clock), **(more_connectors or {})},
            net=way_out(settings), probes=probes(settings),
        )  # fmt: skip
    finally:
        opened.close()
        db.close()


def load_root_key(settings: Settings) -> bytes:
    """From the setting, else from `DATA_DIR/root.key`, which is made once, readable by its owner
    only. Whoever loses it loses every stored object."""
    given = settings.root_key.get_secret_value()
    if given:
        return _key(given, "WEFT_ROOT_KEY")
    path = settings.data_dir / ROOT_KEY_FILE
    if not path.exists():
        _create_once(path, secrets.token_hex(32))
    return _key(path.read_text("ascii").strip(), str(path))


def _create_once(path: Path, text: str) -> None:
    """Two processes may start at once: the first link wins, and both read the same key."""
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()


def _key(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise InvalidInput(
            f"{where} is not a root key: 64 hex digits are needed "
            "(make one with `openssl rand -hex 32`).",
            code="bad_root_key",
        )
    return key


def _unknown(setting: str, url: str, known: str) -> InvalidInput:
    return InvalidInput(
        f"WEFT_{setting}={url!r} is not known here; use {known}.", code="unknown_url"
    )


def _database(settings: Settings, clock: Clock) -> Database:
    scheme = urlsplit(settings.database_url).scheme
    if scheme not in ("sqlite", "postgresql+psycopg"):
        raise _unknown(
            "DATABASE_URL", settings.database_url, "sqlite:///FILE or postgresql+psycopg://…"
        )
    return Database(settings.database_url, clock)


def _migrated(db: Database, settings: Settings, clock: Clock) -> None:
    """SQLite's tables belong to whoever opens them; PostgreSQL's to the role of the admin URL."""
    if db.is_sqlite:
        upgrade(db)
        return
    if settings.database_admin_url:
        owner = Database(settings.database_admin_url, clock)
        try:
            upgrade(owner, application=settings.database_url)
        finally:
            owner.close()
    ready(db)


def _jobs(settings: Settings, opened: contextlib.ExitStack) -> JobQueue:
    scheme = urlsplit(settings.jobs_url).scheme
    if scheme == "local":
        return LocalJobs(settings.sweep_seconds)
    if scheme in ("celery+redis", "celery+rediss"):
        from backends.celery_jobs import CeleryJobs

        jobs = CeleryJobs(settings.jobs_url, settings.sweep_seconds)
        return opened.enter_context(contextlib.closing(jobs))
    raise _unknown("JOBS_URL", f"{scheme}:…", "local: or celery+redis://:PASSWORD@HOST:6379/0")


def _bus(settings: Settings, opened: contextlib.ExitStack) -> EventBus:
    scheme = urlsplit(settings.bus_url).scheme
    if scheme == "local":
        return LocalBus()
    if has_intake(settings):
        from backends.kafka_bus import KafkaBus
        from backends.kafka_cluster import Cluster

        return opened.enter_context(contextlib.closing(KafkaBus(Cluster.at(settings.bus_url))))
    raise _unknown("BUS_URL", f"{scheme}:…", "local: or kafka://HOST:9092")


def has_intake(settings: Settings) -> bool:
    """Whether messages can come in beside HTTP."""
    return urlsplit(settings.bus_url).scheme in ("kafka", "kafka+ssl")


def intake(settings: Settings, clock: Clock) -> KafkaIntake:
    """Raises `InvalidInput` where there is no Kafka."""
    if not has_intake(settings):
        scheme = urlsplit(settings.bus_url).scheme
        raise _unknown("BUS_URL", f"{scheme}:…", "kafka://HOST:9092 for messages in")
    from backends.kafka_cluster import Cluster
    from backends.kafka_intake import KafkaIntake

    return KafkaIntake(Cluster.at(settings.bus_url), clock)


def _limiter(settings: Settings, clock: Clock, opened: contextlib.ExitStack) -> Limiter:
    scheme = urlsplit(settings.limits_url).scheme
    if scheme == "local":
        return LocalLimiter(clock)
    if scheme in ("redis", "rediss"):
        from backends.redis_limits import RedisLimiter

        limiter = RedisLimiter(settings.limits_url, clock, settings.limits_replicas)
        return opened.enter_context(contextlib.closing(limiter))
    raise _unknown("LIMITS_URL", f"{scheme}:…", "local: or redis://:PASSWORD@HOST:6379/1")


def _blobs(settings: Settings, root_key: bytes) -> BlobStore:
    url = urlsplit(settings.blobs_url)
    if url.scheme == "file":
        return FileBlobs(Path(settings.blobs_url.removeprefix("file:").removeprefix("//")))
    if url.scheme == "s3":
        from backends.s3_blobs import Place, S3Blobs

        return S3Blobs(Place.of(settings.blobs_url), owner_mark(root_key))
    raise _unknown("BLOBS_URL", f"{url.scheme}:…", "file:FOLDER or s3://KEY:SECRET@host/BUCKET")


def open_blobs(settings: Settings) -> BlobStore:
    """The objects alone, for who copies them."""
    settings = settings.resolved()
    return _blobs(settings, load_root_key(settings))


def owner_mark(root_key: bytes) -> str:
    """Names the installation without telling its key."""
    return hmac.new(root_key, b"weft objects", hashlib.sha256).hexdigest()
