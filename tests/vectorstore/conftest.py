from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import pytest

from core.context import Ctx
from core.documents import Chunk
from core.errors import NotFound
from core.ids import new_id
from core.vault import Vault
from vectorstore import About, Entry, Shelves


@dataclass
class DictStore:
    """A blob store in memory that counts its reads."""

    objects: dict[str, bytes] = field(default_factory=dict)
    gets: int = 0

    def put(self, key: str, data: bytes, metadata: Mapping[str, str]) -> None:
        self.objects[key] = data

    def get(self, key: str) -> bytes:
        self.gets += 1
        if key not in self.objects:
            raise NotFound("no such object")
        return self.objects[key]

    def delete(self, key: str) -> None:
        self.objects.pop(key, None)

    def list(self, prefix: str) -> Iterator[str]:
        return iter([key for key in self.objects if key.startswith(prefix)])

    def metadata(self, key: str) -> Mapping[str, str]:
        return {}


def tenant_key(ctx: Ctx) -> bytes:
    return sha256(ctx.tenant.encode()).digest()


MakeEntry = Callable[..., Entry]


def entry(text: str, document_id: str = "d1", ordinal: int = 0, **about: object) -> Entry:
    chunk = Chunk(f"{document_id}:{ordinal}", document_id, ordinal, text, 1, 0, len(text))
    return Entry(chunk, About(document_id, **{"filename": f"{document_id}.txt", **about}))  # type: ignore[arg-type]


@pytest.fixture
def make_entry() -> MakeEntry:
    return entry


@pytest.fixture
def ctx() -> Ctx:
    return Ctx(new_id(), "system")


@pytest.fixture
def store() -> DictStore:
    return DictStore()


@pytest.fixture
def vault(store: DictStore) -> Vault:
    return Vault(store, tenant_key)


@pytest.fixture
def shelves(vault: Vault) -> Shelves:
    return Shelves(vault, 64 * 2**20)
