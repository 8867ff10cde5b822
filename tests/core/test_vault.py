"""Objects at rest: sealed per tenant and per object, at one address only."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backends.files import FileBlobs
from core.context import Ctx
from core.errors import NotFound, Unfinishable
from core.ids import new_id
from core.unsealing import Sink, Unsealing
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

    taken = Unsealing(key, address)
    taken.begin(len(sealed))
    taken.feed(bytes(sealed))
    with pytest.raises(Unfinishable):
        taken.opened()


@settings(max_examples=30, deadline=None)
@given(st.binary(max_size=3000), st.lists(st.integers(1, 900), max_size=6))
def test_what_comes_in_pieces_is_what_was_sealed(data: bytes, pieces: list[int]) -> None:
    sealed, taken = seal(KEY, data, "t/a/segment/1"), Unsealing(KEY, "t/a/segment/1")
    taken.begin(len(sealed))
    taken.feed(sealed[:50])  # the connection breaks off, and all of it comes again
    taken.begin(len(sealed))
    at = 0
    for size in [*pieces, len(sealed)]:
        taken.feed(sealed[at : at + size])
        at += size
    opened = taken.opened()
    assert bytes(opened.data) == data
    assert opened.sha256 == sha256(data).hexdigest()


class Torn(FileBlobs):
    """Delivers other bytes than it has, as a network may; `get` delivers what it has."""

    def stream(self, key: str, sink: Sink) -> None:
        data = self.get(key)
        sink.begin(len(data))
        sink.feed(data[:-1] + bytes([data[-1] ^ 1]))


def test_what_was_torn_on_its_way_is_read_again_and_what_is_damaged_is_refused(
    tmp_path: Path,
) -> None:
    vault, ctx, name = Vault(Torn(tmp_path), lambda _ctx: KEY), Ctx(new_id(), "user:1"), new_id()
    vault.put(ctx, "segment", name, b"the passages")
    seen = vault.view(ctx, "segment", name)
    assert (bytes(seen.data), seen.data.readonly) == (b"the passages", True)
    stored = tmp_path / "t" / ctx.tenant / "segment" / name
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    with pytest.raises(Unfinishable):
        vault.view(ctx, "segment", name)
    with pytest.raises(NotFound):
        vault.view(ctx, "segment", new_id())


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
