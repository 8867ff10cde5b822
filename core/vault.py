"""A tenant's objects, encrypted: root key → key per tenant → key per object (AES-256-GCM).

The address is the associated data, so an object cannot be moved or handed to another tenant.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import telemetry
from core.clock import Clock, SystemClock
from core.context import Ctx
from core.errors import NotFound, Unfinishable, WeftError
from core.ports import BlobStore
from core.unsealing import MAGIC, Opened, Streaming, Unsealing, damaged, derived

_NAME = re.compile(r"^[0-9a-f-]{16,64}$")
_STORED = "stored_ms"
_KIND = re.compile(r"^[a-z_]{1,32}$")


def seal(key: bytes, plain: bytes, address: str) -> bytes:
    """Encrypts under a fresh key derived from `key` (32 bytes) and a random salt."""
    salt, nonce = os.urandom(16), os.urandom(12)
    return MAGIC + salt + nonce + _cipher(key, salt).encrypt(nonce, plain, address.encode())


def unseal(key: bytes, sealed: bytes, address: str) -> bytes:
    """Raises `Unfinishable` when the bytes, the key or the address are not the ones sealed."""
    salt, nonce, body = sealed[3:19], sealed[19:31], sealed[31:]
    if sealed[:3] != MAGIC:
        raise damaged(": it has no header.")
    try:
        return _cipher(key, salt).decrypt(nonce, body, address.encode())
    except InvalidTag as error:
        raise damaged(" or was sealed with another key. Restore it from a backup.") from error


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(derived(key, salt))


class Vault:
    """The only way to a tenant's objects. Keys are `t/{tenant}/{kind}/{name}`, built from `Ctx`."""

    def __init__(
        self, store: BlobStore, tenant_key: Callable[[Ctx], bytes], clock: Clock | None = None
    ) -> None:
        self._store = store
        self._tenant_key = tenant_key
        self._clock = clock or SystemClock()

    def put(self, ctx: Ctx, kind: str, name: str, data: bytes) -> None:
        """`name` is an id or a hash in hex, never a user's file name."""
        key = _address(ctx, kind, name)
        sealed = seal(self._tenant_key(ctx), data, key)
        about = {"tenant_id": ctx.tenant, _STORED: str(self._clock.now_ms())}
        with _watched("put"):
            self._store.put(key, sealed, about)

    def get(self, ctx: Ctx, kind: str, name: str) -> bytes:
        """Raises `NotFound` for what this tenant never stored."""
        key = _address(ctx, kind, name)
        with _watched("get"):
            sealed = self._store.get(key)
        return unseal(self._tenant_key(ctx), sealed, key)

    def view(self, ctx: Ctx, kind: str, name: str) -> Opened:
        """As `get`, for large objects: decrypted and hashed while it comes, and never copied."""
        key = _address(ctx, kind, name)
        taken = Unsealing(self._tenant_key(ctx), key)
        if isinstance(self._store, Streaming):
            with _watched("get"):
                self._store.stream(key, taken)
            with contextlib.suppress(Unfinishable):
                return taken.opened()
            # Torn on its way, or damaged where it is stored: `get` compares it with its tag.
        with _watched("get"):
            sealed = self._store.get(key)
        taken.begin(len(sealed))
        taken.feed(sealed)
        return taken.opened()

    def delete(self, ctx: Ctx, kind: str, name: str) -> None:
        with _watched("delete"):
            self._store.delete(_address(ctx, kind, name))

    def stored_ms(self, ctx: Ctx, kind: str, name: str) -> int:
        """When it was put there for the last time. Raises `NotFound`."""
        return int(self._store.metadata(_address(ctx, kind, name)).get(_STORED, 0))

    def names(self, ctx: Ctx, kind: str) -> Iterator[str]:
        prefix = f"t/{ctx.tenant}/{kind}/"
        return (key.removeprefix(prefix) for key in self._store.list(prefix))

    def tenants(self) -> set[str]:
        """Ids of the tenants that have an object here, also of those that were deleted."""
        return {key.split("/")[1] for key in self._store.list("t/")}

    def clear(self, ctx: Ctx) -> int:
        """Deletes every object of the tenant; gives how many there were."""
        keys = list(self._store.list(f"t/{ctx.tenant}/"))
        for key in keys:
            self._store.delete(key)
        return len(keys)


@contextmanager
def _watched(operation: str) -> Iterator[None]:
    """A missing object is an answer, not an error."""
    try:
        with telemetry.timed(telemetry.object_seconds, operation):
            yield
    except NotFound:
        raise
    except (WeftError, OSError):
        telemetry.object_errors.labels(operation).inc()
        raise


def _address(ctx: Ctx, kind: str, name: str) -> str:
    if not (_NAME.match(ctx.tenant) and _KIND.match(kind) and _NAME.match(name)):
        raise ValueError(f"not an object address: {ctx.tenant!r} {kind!r} {name!r}")
    return f"t/{ctx.tenant}/{kind}/{name}"
