"""What the other side gives in place of a secret is kept, sealed, but not over a person's own."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agents import integrations as setting_up
from agents.access import access_of
from backends.build import open_runtime
from core.context import Ctx
from database import integrations
from ingestion.sources.mail_sign_in import proof
from runtime import Runtime
from tests.engine import new_tenant
from tests.fakes.oauth import REFRESH, FakeOAuth
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


def test_a_token_that_is_good_for_once_is_renewed_by_one_at_a_time(tmp_path: Path) -> None:
    """By two runtimes, as two processes have them; the provider takes everything back when a used
    token comes again."""
    with FakeOAuth("ap@acme.example", rotates=True) as provider:
        provider.strict = True
        allow = f"{provider.place},127.0.0.1:1143"
        with platform(tmp_path, egress_allow=allow) as rt, open_runtime(rt.settings) as other:
            ctx = new_tenant(rt)
            with rt.db.transaction(ctx) as tx:
                own = setting_up.create(rt, tx, ctx, {
                    "kind": "imap", "name": "post", "on_gone": "keep", "tags": [], "enabled": True,
                    "schedule": None, "secrets": {"refresh_token": REFRESH},
                    "config": {"host": "127.0.0.1", "port": 1143, "user": "ap@acme.example",
                               "auth": provider.config()},
                }).id  # fmt: skip
            with rt.db.read(ctx) as tx:
                row = integrations.get(tx, ctx, own)
            with ThreadPoolExecutor(6) as crew:
                sides = [access_of(one, ctx, row) for one in (rt, other) * 3]
                proofs = list(crew.map(proof, sides))
            assert len({one.token for one in proofs}) == 6
            with rt.db.read(ctx) as tx:
                kept = secrets_of(rt, ctx, integrations.get(tx, ctx, own))
            assert (kept["refresh_token"], provider.revoked) == (provider.refresh, False)
