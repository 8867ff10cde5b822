"""Tables that were read are kept in memory, under one budget of bytes and a share per tenant."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from weakref import WeakKeyDictionary

from agents.answers.tables.vocabulary import Vocabulary
from core.context import Ctx
from core.vault import Vault

BYTES_MAX = 96 * 2**20
TENANT_BYTES_MAX = 48 * 2**20

_Key = tuple[str, str, str]  # tenant, document, content


class Kept:
    """The least recently asked tables go first: the tenant's own when its share is used up."""

    def __init__(self, bytes_max: int = BYTES_MAX, tenant_max: int = TENANT_BYTES_MAX) -> None:
        self._max, self._tenant_max = bytes_max, tenant_max
        self._lock = threading.Lock()
        self._held: OrderedDict[_Key, tuple[int, tuple[Vocabulary, ...]]] = OrderedDict()

    def get(
        self, ctx: Ctx, document_id: str, content: str, read: Callable[[], Sequence[Vocabulary]]
    ) -> tuple[Vocabulary, ...]:
        """Of this tenant's document with this content, read when it is not held."""
        key = (ctx.tenant, document_id, content)
        with self._lock:
            if key in self._held:
                self._held.move_to_end(key)
                return self._held[key][1]
        tables = tuple(read())
        size = 1_000 + sum(table.grid.size for table in tables)
        with self._lock:
            self._held[key] = (size, tables)
            self._held.move_to_end(key)
            self._evict(ctx.tenant)
        return tables

    def bytes(self, tenant: str | None = None) -> int:
        return sum(s for key, (s, _) in self._held.items() if tenant in (None, key[0]))

    def _evict(self, tenant: str) -> None:
        while self.bytes(tenant) > self._tenant_max:
            del self._held[next(key for key in self._held if key[0] == tenant)]
        while self.bytes() > self._max:
            self._held.popitem(last=False)


_KEPT: WeakKeyDictionary[Vault, Kept] = WeakKeyDictionary()


def kept(vault: Vault) -> Kept:
    """One for each opened platform."""
    return _KEPT.setdefault(vault, Kept())
