"""Objects at rest: sealed per tenant and per object, at one address only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.files import FileBlobs
from core.context import Ctx
from core.errors import NotFound, Unfinishable
from core.ids import new_id
from core.vault import Vault, seal, unseal

KEY = os.urandom(32)


def vault_in(folder: Path, keys: dict[str, bytes]) -> Vault:
    return Vault(FileBlobs(folder), lambda ctx: keys.setdefault(ctx.tenant, os.urandom(32)))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=3000))
def test_what_is_sealed_is_read_back_and_cannot_be_seen(data: bytes) -> None:
    sealed = seal(KEY, data, "t/a/original/1")
    assert unseal(KEY, sealed, "t/a/original/1") == data
    assert len(data) < 8 or data not in sealed


@pytest.mark.parametrize("change", ["key", "address", "bytes", "header", "short"])
def test_a_changed_object_is_refused(change: str) -> None:
    sealed = bytearray(seal(KEY, b"the secret", "t/a/original/1"))
    key, address = KEY, "t/a/original/1"
    if change == "key":
        key = os.urandom(32)
    elif change == "address":
        address = "t/b/original/1"
    elif change == "bytes":
        sealed[-1] ^= 1
    elif change == "header":
        sealed[0] ^= 1
    else:
        del sealed[40:]
    with pytest.raises(Unfinishable):
        unseal(key, bytes(sealed), address)


def test_one_tenant_never_opens_anothers_object(tmp_path: Path) -> None:
    vault = vault_in(tmp_path, {})
    ours, theirs, name = Ctx(new_id(), "user:1"), Ctx(new_id(), "user:2"), new_id()
    vault.put(ours, "original", name, b"the secret")
    assert vault.get(ours, "original", name) == b"the secret"
    with pytest.raises(NotFound):
        vault.get(theirs, "original", name)
    assert list(vault.names(theirs, "original")) == []
    stored = tmp_path / "t" / ours.tenant / "original" / name
    moved = tmp_path / "t" / theirs.tenant / "original" / name
    moved.parent.mkdir(parents=True)
    moved.write_bytes(stored.read_bytes())
    with pytest.raises(Unfinishable):
        vault.get(theirs, "original", name)


def test_a_shredded_key_leaves_nothing_to_read(tmp_path: Path) -> None:
    keys: dict[str, bytes] = {}
    vault = vault_in(tmp_path, keys)
    ctx, name = Ctx(new_id(), "user:1"), new_id()
    vault.put(ctx, "original", name, b"the secret")
    keys.clear()
    with pytest.raises(Unfinishable):
        vault.get(ctx, "original", name)


@pytest.mark.parametrize(
    "name", ["../../root.key", "a/b", "", "x" * 20, "A" * 20, "0" * 65, "é" * 20]
)
def test_a_users_name_never_becomes_an_address(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not an object address"):
        vault_in(tmp_path, {}).put(Ctx(new_id(), "user:1"), "original", name, b"x")
