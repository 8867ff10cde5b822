"""What a kind of source is given of one integration: its secrets, its position, what is known."""

from __future__ import annotations

import json
from collections.abc import Mapping

from core.context import Ctx
from core.vault import seal
from database import integrations
from database.integrations import Integration, ItemRow
from ingestion.sources import Access
from ingestion.sources.kinds import source
from runtime import Runtime
from workflows.accounts import secrets_address, secrets_of
from workflows.tasks import Work

_KEYS_MAX = 200_000
_HERE = ("taken", "duplicate")


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
        known=known.known, keys=known.keys, taken=known.taken, keep=safe.keep,
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

    def keep(self, changed: Mapping[str, str]) -> None:
        """Not over what a person has set meanwhile."""
        self.secrets.update(changed)
        after = sealed(self._rt, self._ctx, self._id, self.secrets)
        with self._rt.db.transaction(self._ctx) as tx:
            if integrations.rotated(tx, self._ctx, self._id, self._before, after):
                self._before = after
