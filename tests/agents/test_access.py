"""What the other side gives in place of a secret is kept, sealed, but not over a person's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agents import integrations as setting_up
from agents.access import access_of
from core.context import Ctx
from database import integrations
from runtime import Runtime
from tests.engine import new_tenant
from tests.gateway.platform import opened as platform
from workflows.accounts import secrets_of

AUTH = {"style": "oauth2", "token_url": "https://login.example/token", "client_id": "c"}


@pytest.fixture
def rt(tmp_path: Path) -> Iterator[Runtime]:
    with platform(tmp_path) as made:
        yield made


def set_up(rt: Runtime, ctx: Ctx) -> str:
    with rt.db.transaction(ctx) as tx:
        return setting_up.create(rt, tx, ctx, {
            "kind": "imap", "name": "post", "on_gone": "keep", "tags": [], "enabled": True,
            "schedule": None, "secrets": {"refresh_token": "first", "client_secret": "own"},
            "config": {"host": "mail.example", "user": "ap@acme.example", "auth": AUTH},
        }).id  # fmt: skip


def test_a_token_that_was_replaced_is_kept_unless_a_person_set_another(rt: Runtime) -> None:
    ctx = new_tenant(rt)
    own = set_up(rt, ctx)

    def row() -> Any:
        with rt.db.read(ctx) as tx:
            return integrations.get(tx, ctx, own)

    first = access_of(rt, ctx, row())
    first.keep({"refresh_token": "second"})
    first.keep({"refresh_token": "third"})
    assert first.secrets["refresh_token"] == "third"
    assert secrets_of(rt, ctx, row()) == {"refresh_token": "third", "client_secret": "own"}
    assert b"third" not in row().secrets
    late = access_of(rt, ctx, row())
    with rt.db.transaction(ctx) as tx:
        setting_up.change(rt, tx, ctx, own, {"secrets": {"refresh_token": "by a person"}})
    late.keep({"refresh_token": "fourth"})
    assert secrets_of(rt, ctx, row())["refresh_token"] == "by a person"
