from __future__ import annotations

from hashlib import sha256

import pytest

from core.context import Ctx
from core.documents import Chunk
from core.ids import new_id
from core.vault import Vault
from tests.fakes.memory import DictStore
from vectorstore import About, Entry, Shelves


def tenant_key(ctx: Ctx) -> bytes:
    return sha256(ctx.tenant.encode()).digest()


def entry(text: str, document_id: str = "d1", ordinal: int = 0, **about: object) -> Entry:
    chunk = Chunk(f"{document_id}:{ordinal}", document_id, ordinal, text, 1, 0, len(text))
    return Entry(chunk, About(document_id, **{"filename": f"{document_id}.txt", **about}))  # type: ignore[arg-type]


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
