"""F3 and F5: PostgreSQL itself keeps tenants apart, whatever a query forgets."""

from __future__ import annotations

import contextlib
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, create_engine, insert, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from core.clock import SystemClock
from core.context import PLATFORM, Ctx
from core.errors import InvalidInput, Unavailable
from core.ids import new_id
from database import Database, migrate, old_runs, walls
from database.prepared import Prepared
from database.tables import SHARED, documents, metadata, runs, tenants
from tests import databases
from tests.stack.servers import Servers

pytestmark = pytest.mark.stack
WALLED = [table for table in metadata.sorted_tables if table.name not in SHARED]
A, B = Ctx(new_id(), "system"), Ctx(new_id(), "system")


@dataclass(frozen=True)
class House:
    url: str
    owner_url: str
    db: Database


@pytest.fixture(scope="module")
def house(servers: Servers) -> Iterator[House]:
    """A database of its own in which tenant A has a row in every table."""
    servers.up("postgres")
    env = servers.env()
    app, owner = env["WEFT_DATABASE_URL"], env["WEFT_DATABASE_ADMIN_URL"]
    with (
        databases.beside(app, owner) as (url, owner_url),
        contextlib.closing(Database(url, SystemClock(), connections=8)) as db,
    ):
        for ctx in (A, B):
            with db.transaction(PLATFORM) as tx:
                tx.execute(insert(tenants), _tenant(ctx))
        _fill(owner_url)
        yield House(url, owner_url, db)


def _tenant(ctx: Ctx) -> dict[str, Any]:
    return {"id": ctx.tenant, "slug": ctx.tenant, "name": "n", "tier": "free", "config": {},
            "status": "active", "created_ms": 1}  # fmt: skip


def _fill(owner_url: str) -> None:
    """One row of A in every table, by the owner with the walls taken down and put up again."""
    with _plain(owner_url) as connection:
        for table in WALLED:
            connection.execute(text(f"ALTER TABLE {table.name} NO FORCE ROW LEVEL SECURITY"))
        for table in WALLED:
            row = {column.name: _value(column) for column in table.columns if not column.nullable
                   and column.autoincrement is not True}  # fmt: skip
            connection.execute(insert(table), {**row, "tenant_id": A.tenant})
        for table in WALLED:
            connection.execute(text(f"ALTER TABLE {table.name} FORCE ROW LEVEL SECURITY"))
        connection.commit()


def _value(column: Any) -> Any:
    if column.name in ("run_id", "user_id", "session_id", "integration_id"):
        return "one"
    kind = column.type.python_type
    if column.name == "id":
        return "one"
    return {str: "x", int: 1, bool: False, float: 1.0, bytes: b"x"}.get(kind, {})


def _plain(url: str) -> Connection:
    return create_engine(make_url(url), poolclass=NullPool).connect()


@pytest.fixture
def direct(house: House) -> Iterator[Connection]:
    """SQL by the application's role, past everything that Weft does."""
    with _plain(house.url) as connection:
        yield connection


def _as(connection: Connection, role: str, tenant: str | None) -> None:
    connection.execute(text(f"SET LOCAL ROLE {role}"))
    if tenant is not None:
        connection.execute(text("SELECT set_config('app.tenant', :t, true)"), {"t": tenant})


@pytest.mark.parametrize("table", WALLED, ids=lambda table: table.name)
def test_another_tenant_sees_and_changes_nothing(direct: Connection, table: Any) -> None:
    _as(direct, "weft_tenant", A.tenant)
    assert direct.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one() == 1
    _as(direct, "weft_tenant", B.tenant)
    assert direct.execute(text(f"SELECT count(*) FROM {table.name}")).scalar_one() == 0
    done = direct.execute(text(f"UPDATE {table.name} SET tenant_id = tenant_id"))
    assert done.rowcount == 0
    assert direct.execute(text(f"DELETE FROM {table.name}")).rowcount == 0


@pytest.mark.parametrize("table", WALLED, ids=lambda table: table.name)
@pytest.mark.parametrize("tenant", [None, "", "no-uuid"], ids=["unset", "empty", "bad"])
def test_no_tenant_is_an_error(direct: Connection, table: Any, tenant: str | None) -> None:
    _as(direct, "weft_tenant", tenant)
    with pytest.raises(DBAPIError, match=r"app\.tenant|uuid"):
        direct.execute(text(f"SELECT count(*) FROM {table.name}"))


@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_the_application_role_by_itself_may_do_nothing(direct: Connection, table: Any) -> None:
    with pytest.raises(DBAPIError, match="permission denied"):
        direct.execute(text(f"SELECT count(*) FROM {table.name}"))


def test_a_foreign_row_cannot_be_written(house: House) -> None:
    row = {"id": "two", "tenant_id": A.tenant, "filename": "f", "format": "txt",
           "content_type": "t", "document_type": "other", "sha256": "0", "size": 1,
           "status": "ready", "warnings": [], "metadata": {}, "tags": [], "created_by": "x",
           "created_ms": 1, "updated_ms": 1}  # fmt: skip

    def steal(**change: Any) -> None:
        with house.db.transaction(B) as tx:
            tx.execute(insert(documents), {**row, **change})

    with pytest.raises(DBAPIError, match="row-level security"):
        steal()
    with pytest.raises(IntegrityError, match="fk_documents"):
        steal(tenant_id=B.tenant, parent_id="one")


# What the platform may look at beside its own tables; content is not among it.
def test_the_platform_sees_the_named_columns_and_no_content(house: House) -> None:
    hidden = {table.name for table in WALLED} - set(walls.PLATFORM)
    assert hidden >= {"documents", "chat_messages", "steps", "journal", "checkpoints", "effects"}
    for name in sorted(hidden):
        _refused(house, f"SELECT count(*) FROM {name}")
    for column in ("inputs", "outputs", "documents", "definition", "goal", "error"):
        _refused(house, f"SELECT {column} FROM runs")
    for statement in (
        "DELETE FROM runs", "UPDATE jobs SET fence = 0", "DELETE FROM users",
        "UPDATE users SET role = 'admin'", "SELECT summary FROM approvals",
    ):  # fmt: skip
        _refused(house, statement)


def _refused(house: House, statement: str) -> None:
    with pytest.raises(DBAPIError, match="permission denied"), house.db.transaction(PLATFORM) as tx:
        tx.execute(text(statement))


def test_the_wall_stands_and_a_hole_is_named(house: House) -> None:
    role = make_url(house.url).username or ""
    with _plain(house.owner_url) as connection:
        assert walls.standing(connection, role) == []
        owner = make_url(house.owner_url).username or ""
        assert "owns" in walls.standing(connection, owner)[0]
        for hole in ("NO FORCE ROW LEVEL SECURITY", "DISABLE ROW LEVEL SECURITY"):
            connection.execute(text(f"ALTER TABLE documents {hole}"))
            assert walls.standing(connection, role) == [
                "the table 'documents' has no wall: weft migrate"
            ]
            connection.rollback()
        connection.execute(text("DROP POLICY tenant ON journal"))
        assert len(walls.standing(connection, role)) == 1
        connection.rollback()


def test_a_database_that_nobody_migrated_is_refused_with_what_to_type(servers: Servers) -> None:
    servers.up("postgres")
    env = servers.env()
    with databases.empty(env["WEFT_DATABASE_URL"], env["WEFT_DATABASE_ADMIN_URL"]) as urls:
        db = Database(urls[0], SystemClock())
        with pytest.raises(InvalidInput, match="weft migrate"):
            migrate.ready(db)
        db.close()


def test_migrations_go_down_and_up_again_and_match_the_tables(servers: Servers) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    servers.up("postgres")
    env = servers.env()
    with databases.beside(env["WEFT_DATABASE_URL"], env["WEFT_DATABASE_ADMIN_URL"]) as urls:
        owner = Database(urls[1], SystemClock())
        with _plain(urls[1]) as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        application = Database(urls[0], SystemClock())
        for down in ("0008", "base"):
            migrate.downgrade(owner, down)
            assert migrate.current(owner) == (None if down == "base" else down)
            migrate.upgrade(owner, application=urls[0])
            migrate.ready(application)
            with application.read(PLATFORM) as tx:
                assert old_runs.due(tx, 1) == [], "the platform's look has its new column"
        for db in (owner, application):
            db.close()


def test_a_thousand_mixed_transactions_leak_no_tenant(house: House) -> None:
    """Over few connections, with errors, cancelled statements and time-outs in between."""
    seen = Prepared(select(runs.c.tenant_id))
    wrong: list[str] = []
    lock = threading.Lock()

    def one(number: int) -> None:
        ctx = random.Random(number).choice((A, B, PLATFORM))
        try:
            with house.db.transaction(ctx) as tx:
                found = tx.execute(text("SELECT current_user, current_setting('app.tenant')")).one()
                role = "weft_tenant" if ctx.tenant else "weft_platform"
                if tuple(found) != (role, ctx.tenant):
                    wrong.append(f"{ctx.tenant}: {found}")
                rows = {row[0] for row in tx.execute(seen)}
                if ctx is B and rows:
                    wrong.append(f"B sees {rows}")
                _spoil(number, tx)
        except (DBAPIError, psycopg.Error, Unavailable, ZeroDivisionError):
            pass
        with lock:
            done.append(number)

    done: list[int] = []
    with ThreadPoolExecutor(16) as crew:
        list(crew.map(one, range(1000)))
    assert wrong == []
    assert len(done) == 1000
    with house.db.engine.connect() as connection:
        left = connection.execute(text("SELECT current_setting('app.tenant', true)")).scalar_one()
        assert not left


def _spoil(number: int, tx: Any) -> None:
    match number % 7:
        case 1:
            tx.execute(text("SELECT 1/0"))
        case 2:
            raise ZeroDivisionError
        case 3:
            tx.execute(text("SET LOCAL statement_timeout = 1"))
            tx.execute(text("SELECT pg_sleep(1)"))
        case 4:
            tx.execute(text("SELECT pg_cancel_backend(pg_backend_pid())"))
        case 5:
            tx.become(B if number % 2 else A)
        case 6 if number % 21 == 6:
            tx.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
