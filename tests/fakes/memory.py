"""A runtime on a fresh SQLite file and blobs in memory, with the embedder of your choice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from connectors.egress import Egress
from core.clock import FakeClock
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput, NotFound, Outage
from core.ids import new_id
from core.ports import EventBus, JobQueue, Limiter
from core.settings import Settings
from core.vault import Vault
from database import Database, migrate, tenants
from database.keys import TenantKeys, new_tenant_key
from models import Models
from runtime import Runtime
from tests import databases
from tests.fakes.embedder import HashEmbedder
from vectorstore import Shelves

ROOT_KEY = bytes(32)


@dataclass
class DictStore:
    """Blobs in memory; `gets` counts the reads, and none is answered while it is `away`."""

    objects: dict[str, bytes] = field(default_factory=dict)
    gets: int = 0
    away: bool = False

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        self.gets += 1
        if self.away:
            raise Outage("It is away.", code="blobs_unavailable", retry_after=2)
        if key not in self.objects:
            raise NotFound("There is no such object.")
        return self.objects[key]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def list(self, prefix: str) -> Iterator[str]:
        return iter([key for key in self.objects if key.startswith(prefix)])

    def metadata(self, key: str) -> Mapping[str, str]:
        return {}


@dataclass
class OneEmbedder:
    """Models that only embed; `found=None` is a machine without weights."""

    found: HashEmbedder | None

    def embedder(self, name: str | None = None) -> HashEmbedder | None:
        return self.found

    def chat(self, task: str, text: str = "") -> None:
        """No model passed a gate."""


@dataclass
class Embedders:
    """Models by the names that WEFT_EMBEDDING may have, `chosen` among them; what is not in
    `found` is not installed."""

    found: dict[str, HashEmbedder]
    chosen: str = "fp32"

    def embedder(self, name: str | None = None) -> HashEmbedder | None:
        if name not in (None, "fp32", "int8", "sentence-transformers"):
            raise InvalidInput(f"{name!r} may not be.")
        return self.found.get(name or self.chosen)


@dataclass
class Bells:
    rung: list[str] = field(default_factory=list)

    def ring(self, queue: str) -> None:
        self.rung.append(queue)

    def serve(self, queues: Sequence[str], work: Any, stop: Any) -> None:
        raise NotImplementedError("tests call tasks themselves")


@dataclass(frozen=True)
class Platform:
    rt: Runtime
    store: DictStore
    embedder: HashEmbedder
    clock: FakeClock
    bells: Bells

    def tenant(self, slug: str) -> Ctx:
        tenant_id = new_id()
        with self.rt.db.transaction(PLATFORM) as tx:
            tenants.create(
                tx, Ctx(tenant_id, "system"), new_tenant_key(ROOT_KEY, tenant_id),
                tenant_id=tenant_id, slug=slug, name=slug, tier="unlimited",
            )  # fmt: skip
        return Ctx(tenant_id, "user:test")


@lru_cache(maxsize=1)
def _empty_database() -> bytes:
    """Migrated once: the migrations' machinery costs more than most tests."""
    with TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/weft.db", FakeClock())
        migrate.upgrade(db)
        db.close()
        return Path(folder, "weft.db").read_bytes()


def platform(folder: Path, *, with_embedder: bool = True, **settings: Any) -> Platform:
    clock, store, embedder, bells = FakeClock(), DictStore(), HashEmbedder(), Bells()
    url = databases.lasting() or f"sqlite:///{folder / 'weft.db'}"
    if databases.APPLICATION == "":
        (folder / "weft.db").write_bytes(_empty_database())
    db = Database(url, clock)
    keys = TenantKeys(db, ROOT_KEY)
    vault = Vault(store, keys)
    rt = Runtime(
        settings=Settings(data_dir=folder, **settings).resolved(),
        clock=clock,
        db=db,
        root_key=ROOT_KEY,
        keys=keys,
        vault=vault,
        jobs=cast(JobQueue, bells),
        bus=cast(EventBus, None),
        limiter=cast(Limiter, None),
        models=cast(Models, OneEmbedder(embedder if with_embedder else None)),
        shelves=Shelves(vault, 16 * 2**20),
        connectors={},
        net=Egress(),
    )
    return Platform(rt, store, embedder, clock, bells)
