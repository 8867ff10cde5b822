"""What a kind of source is given of one integration: its secrets, its position, what is known."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator, Mapping

from core.context import Ctx
from core.errors import Conflict, Unavailable
from core.vault import seal
from database import idempotency, integrations
from database.integrations import Integration, ItemRow
from ingestion.sources import Access
from ingestion.sources.kinds import source
from runtime import Runtime
from workflows.accounts import secrets_address, secrets_of
from workflows.tasks import Work

_KEYS_MAX = 200_000
_HERE = ("taken", "duplicate")
# Who renews a sign-in holds it: longer than the one request that it takes may last.
_LEASE, _LEASE_MS, _WAIT_SECONDS = "sign-in", 45_000, 60.0
_pause = threading.Event()  # never set


def sealed(rt: Runtime, ctx: Ctx, own: str, secrets: Mapping[str, str]) -> bytes | None:
    if not secrets:
        return None
    return seal(rt.keys(ctx), json.dumps(dict(secrets)).encode(), secrets_address(own))


def access_of(rt: Runtime, ctx: Ctx, row: Integration, work: Work | None = None) -> Access:
    """What a kind's code is given; without `work` for a test, which knows of no items."""
    safe, known = _Safe(rt, ctx, row), _Known(rt, ctx, row, blind=work is None)
    return Access(
        config=source(row.kind).config.model_validate(row.config), secrets=safe.secrets,
        cursor=row.cursor, net=rt.net, clock=rt.clock,
        known=known.known, keys=known.keys, taken=known.taken, keep=safe.keep, alone=safe.alone,
        stopped=work.cancelled if work else lambda: False,
        bytes_max=rt.settings.upload_bytes_max,
        inbox=rt.settings.inbox_path / ctx.tenant,
    )  # fmt: skip


class _Known:
    def __init__(self, rt: Runtime, ctx: Ctx, row: Integration, *, blind: bool) -> None:
        self._rt, self._ctx, self._id, self._blind = rt, ctx, row.id, blind

    def known(self, key: str, version: str) -> bool:
        found = self._row(key)
        return found is not None and found.version == version and found.state != "again"

    def taken(self, key: str) -> bool:
        found = self._row(key)
        return found is not None and found.state in _HERE

    def keys(self) -> frozenset[str]:
        if self._blind:
            return frozenset()
        with self._rt.db.read(self._ctx) as tx:
            return integrations.present(tx, self._ctx, self._id, _KEYS_MAX)

    def _row(self, key: str) -> ItemRow | None:
        if self._blind:
            return None
        with self._rt.db.read(self._ctx) as tx:
            return integrations.item(tx, self._ctx, self._id, key)


class _Safe:
    """The open secrets of one pull, and those that the other side gave in place of them."""

    def __init__(self, rt: Runtime, ctx: Ctx, row: Integration) -> None:
        self._rt, self._ctx, self._id, self._before = rt, ctx, row.id, row.secrets
        self.secrets = secrets_of(rt, ctx, row)
        # Whoever asks, a pull, a listener or a person who tries it: one lease for all.
        self._lease = Ctx(ctx.tenant, f"integration:{row.id}")

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """One caller at a time in all processes; the secrets are those of now. Raises
        `Unavailable`."""
        self._wait()
        try:
            with self._rt.db.read(self._ctx) as tx:
                row = integrations.get(tx, self._ctx, self._id)
            self._before = row.secrets
            self.secrets.update(secrets_of(self._rt, self._ctx, row))
            yield
        finally:
            with self._rt.db.transaction(self._lease, durable=False) as tx:
                idempotency.release(tx, self._lease, _LEASE)

    def _wait(self) -> None:
        until = time.monotonic() + _WAIT_SECONDS
        while True:
            try:
                with self._rt.db.transaction(self._lease, durable=False) as tx:
                    idempotency.begin(tx, self._lease, _LEASE, route=_LEASE, body_hash="",
                                      lease_ms=_LEASE_MS)  # fmt: skip
                return
            except Conflict as error:
                if time.monotonic() > until:
                    raise Unavailable(
                        "The sign-in is being renewed. It is tried again.", code="busy"
                    ) from error
            _pause.wait(0.1)

    def keep(self, changed: Mapping[str, str]) -> None:
        """Not over what a person has set meanwhile."""
        self.secrets.update(changed)
        after = sealed(self._rt, self._ctx, self._id, self.secrets)
        with self._rt.db.transaction(self._ctx) as tx:
            if integrations.rotated(tx, self._ctx, self._id, self._before, after):
                self._before = after
