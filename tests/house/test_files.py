"""Files that must agree with the code: locks, settings, migrations, tables, failpoints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from core import failpoints
from core.clock import SystemClock
from core.settings import Settings
from database import Database, migrate
from database.tables import SHARED, metadata
from ops.env_example import env_example

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["default", "dev", "uv"])
def test_locks_pin_by_hash_and_name_no_host(name: str) -> None:
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    pins = re.findall(r"^([a-z0-9_.\[\]-]+)==", text, flags=re.M | re.I)
    blocks = re.split(r"^(?=[a-zA-Z0-9])", text, flags=re.M)[1:]
    assert pins
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index-url" not in text
    assert "find-links" not in text


def test_no_package_can_shadow_a_room() -> None:
    text = (ROOT / "requirements" / "dev.txt").read_text()
    assert "openai-agents" not in text


def test_env_example_is_what_the_settings_say() -> None:
    assert (ROOT / ".env.example").read_text() == env_example(), (
        "type: .venv/bin/python -m ops.env_example > .env.example"
    )


def test_the_example_environment_gives_the_defaults(tmp_path: Path) -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    told = [line[2:] for line in lines if re.match(r"# WEFT_[A-Z_]+=.", line)]
    written = tmp_path / ".env"
    written.write_text("\n".join(told))
    assert len(told) > 20
    assert Settings(_env_file=written) == Settings(_env_file=None)


def test_migrations_go_up_and_down_and_match_the_tables(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/weft.db", SystemClock())
    migrate.upgrade(db)
    assert migrate.current(db) == migrate.head()
    with db.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    migrate.downgrade(db, "base")
    assert migrate.current(db) is None
    migrate.upgrade(db)
    assert migrate.current(db) == migrate.head()
    db.close()


def test_every_table_is_a_tenants_or_says_why_not() -> None:
    for table in metadata.tables.values():
        if table.info.get("tenant"):
            assert "tenant_id" in table.c, table.name
        else:
            assert table.name in SHARED


def test_references_between_tenant_tables_carry_the_tenant() -> None:
    for table in metadata.tables.values():
        for constraint in table.foreign_key_constraints:
            target = constraint.referred_table
            if target.info.get("tenant"):
                assert "tenant_id" in constraint.column_keys, f"{table.name} -> {target.name}"


def test_every_failpoint_stands_in_the_code() -> None:
    """A name is marked by `fp("...")`, or handed to the transaction that commits there."""
    used = set()
    for room in ("workflows", "agents", "gateway", "backends", "database"):
        for path in (ROOT / room).rglob("*.py"):
            used |= set(re.findall(r'"([a-z]+\.[a-z]+)"', path.read_text()))
    assert set(failpoints.NAMES) - used == set()
