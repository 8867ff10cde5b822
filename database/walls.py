"""PostgreSQL's wall around each tenant: row level security, kept even from a query that forgot its
tenant. Migrations build it; `standing` looks whether it stands.

Three roles. The owner makes the tables and is used by migrations only. The application's role owns
nothing, may do nothing by itself, and takes one of two others for each transaction: `weft_tenant`,
which sees the rows of the tenant in `app.tenant` (unset or empty: an error), or `weft_platform`,
which looks over all tenants at the columns named here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import Connection, Table, text
from sqlalchemy.exc import ProgrammingError

from core.errors import InvalidInput
from database.tables import SHARED, metadata

ROLES = ("weft_tenant", "weft_platform")
# A tenant's id is a UUID, so that an empty setting fails at the cast and not silently.
_MINE = "current_setting('app.tenant')::uuid::text"
_WRITES = "INSERT, UPDATE, DELETE"

# What the platform's own look needs: table → command → columns (none: all). Nothing of what a
# tenant stores, asks or answers.
PLATFORM: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "tenants": {"SELECT": (), "INSERT": (), "UPDATE": (), "DELETE": ()},
    "workers": {"SELECT": (), "INSERT": (), "UPDATE": (), "DELETE": ()},
    # claims, sweeps, metrics
    "jobs": {"SELECT": (
        "tenant_id", "id", "run_id", "step_id", "effect_id", "kind", "queue", "status", "priority",
        "ready_ms", "lease_until_ms", "fence", "attempts",
    )},
    "turns": {"SELECT": ()},
    "runs": {"SELECT": (
        "tenant_id", "id", "status", "parent_run_id", "deadline_ms", "created_ms", "completed_ms",
        "traceparent", "forget_ms",
    )},
    "approvals": {"SELECT": (
        "tenant_id", "id", "run_id", "status", "expires_ms", "created_ms",
    )},
    "shelf_heads": {"SELECT": ("tenant_id", "segments", "generations")},
    # which conversations are over, and nothing of what was said in them
    "chat_sessions": {"SELECT": ("tenant_id", "actor", "id", "due_ms", "summed_up_ms")},
    "searches": {"SELECT": ("tenant_id", "forget_ms")},
    # what time starts, and whose a webhook is
    "integrations": {"SELECT": (
        "tenant_id", "id", "kind", "enabled", "due_ms", "watch_lease_ms",
    )},
    "triggers": {"SELECT": ("tenant_id", "id", "kind", "enabled", "due_ms")},
    # the relay
    "events": {"SELECT": (), "UPDATE": ("published_ms",)},
    # who signs in, before the tenant is known
    "users": {"SELECT": ()},
    "refresh_tokens": {"SELECT": ()},
    "api_keys": {"SELECT": ()},
    # what the platform does to a tenant is written down there
    "audit": {"INSERT": ()},
}  # fmt: skip


def build(connection: Connection) -> None:
    """Roles, and the wall of every table there is. Done again it changes nothing."""
    _run(connection, "GRANT SELECT ON alembic_version TO PUBLIC")
    for role in ROLES:
        _made(connection, role, "NOLOGIN")
        _run(connection, f"GRANT USAGE ON SCHEMA public TO {role}")
        _run(connection, f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}")
    for table in metadata.sorted_tables:
        wall(connection, table.name)


def wall(connection: Connection, name: str) -> None:
    """One table's rights and policies: a migration that adds a table ends with this line."""
    table = metadata.tables[name]
    open_(connection, name)
    if name == "workers":
        _run(connection, "GRANT SELECT ON workers TO weft_tenant")
    elif name == "tenants":  # its own row, which it may change but not make
        _run(connection, "GRANT SELECT, UPDATE ON tenants TO weft_tenant")
        _tenant_policy(connection, name, "id")
    else:
        _run(connection, f"GRANT SELECT, {_WRITES} ON {name} TO weft_tenant")
        _tenant_policy(connection, name, "tenant_id")
    for command, columns in PLATFORM.get(name, {}).items():
        _platform(connection, table, command, columns)


def open_(connection: Connection, name: str) -> None:
    """Takes a table's rights and policies away again."""
    for policy in _policies(connection, name):
        _run(connection, f"DROP POLICY {policy} ON {name}")
    _run(connection, f"REVOKE ALL ON {name} FROM weft_tenant, weft_platform, PUBLIC")
    _run(connection, f"ALTER TABLE {name} NO FORCE ROW LEVEL SECURITY")
    _run(connection, f"ALTER TABLE {name} DISABLE ROW LEVEL SECURITY")


def admit(connection: Connection, role: str, password_hash: str | None) -> None:
    """The application's role: made when it is missing, and allowed to take the two others.
    `password_hash` is PostgreSQL's own (SCRAM), so that no log of the server holds the password."""
    secret = "" if password_hash is None else f" PASSWORD '{password_hash}'"
    _made(connection, role, f"LOGIN NOINHERIT{secret}")
    for taken in ROLES:
        member = text("SELECT pg_has_role(:role, :taken, 'MEMBER')")
        if not connection.execute(member, {"role": role, "taken": taken}).scalar_one():
            _as_admin(connection, f"GRANT {taken} TO {_quoted(role)}")


def standing(connection: Connection, role: str) -> list[str]:
    """What is wrong with the wall, in words; `role` is the application's."""
    wrong = [
        f"the role {role!r} {words}: give it a role of its own (weft migrate makes one)"
        for words in _powers(connection, role)
    ]
    rows = connection.execute(text(
        "SELECT relname, relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy "
        "WHERE polrelid = c.oid) FROM pg_class c "
        "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )).fetchall()  # fmt: skip
    known = {name: (bool(on), bool(forced), count) for name, on, forced, count in rows}
    for table in _walled():
        on, forced, policies = known.get(table.name, (False, False, 0))
        if not (on and forced and policies):
            wrong.append(f"the table {table.name!r} has no wall: weft migrate")
    return wrong


def _powers(connection: Connection, role: str) -> Iterable[str]:
    row = connection.execute(
        text("SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = :role"),
        {"role": role},
    ).one()
    names = ("is a superuser", "has BYPASSRLS", "may make roles")
    yield from (words for words, has in zip(names, row, strict=True) if has)
    owned = connection.execute(
        text(
            "SELECT relname FROM pg_class c JOIN pg_roles r ON r.oid = relowner "
            "WHERE rolname = :role AND relnamespace = 'public'::regnamespace LIMIT 1"
        ),
        {"role": role},
    ).first()
    if owned is not None:
        yield f"owns {owned[0]}"


def _walled() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in SHARED]


def _tenant_policy(connection: Connection, name: str, column: str) -> None:
    _force(connection, name)
    _run(connection,
         f"CREATE POLICY tenant ON {name} TO weft_tenant "
         f"USING ({column} = {_MINE}) WITH CHECK ({column} = {_MINE})")  # fmt: skip


def _platform(connection: Connection, table: Table, command: str, columns: tuple[str, ...]) -> None:
    some = f" ({', '.join(columns)})" if columns else ""
    _run(connection, f"GRANT {command}{some} ON {table.name} TO weft_platform")
    if table.name == "workers":
        return
    # Membership alone opens nothing: the role must have been taken.
    taken = "current_user = 'weft_platform'"
    clauses = {"INSERT": f"WITH CHECK ({taken})", "UPDATE": f"USING ({taken}) WITH CHECK ({taken})"}
    _run(connection,
         f"CREATE POLICY platform_{command.lower()} ON {table.name} FOR {command} "
         f"TO weft_platform {clauses.get(command, f'USING ({taken})')}")  # fmt: skip


def _force(connection: Connection, name: str) -> None:
    _run(connection, f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")
    _run(connection, f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")


def _made(connection: Connection, role: str, how: str) -> None:
    """Roles belong to the whole server: another database's migration may make one just now."""
    known = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(known, {"role": role}).first() is None:
        _as_admin(connection, f"""DO $$ BEGIN
            CREATE ROLE {_quoted(role)} {how};
        EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
        END $$""")  # fmt: skip


def _as_admin(connection: Connection, statement: str) -> None:
    try:
        _run(connection, statement)
    except ProgrammingError as error:
        raise InvalidInput(
            "The role of WEFT_DATABASE_ADMIN_URL may not make roles. Give it CREATEROLE, or let a "
            "superuser type once: CREATE ROLE weft_tenant; CREATE ROLE weft_platform; GRANT "
            "weft_tenant, weft_platform TO the role of WEFT_DATABASE_URL;",
            code="no_roles",
        ) from error


def _policies(connection: Connection, name: str) -> list[str]:
    found = connection.execute(
        text("SELECT policyname FROM pg_policies WHERE schemaname = 'public' AND tablename = :t"),
        {"t": name},
    )
    return [_quoted(row[0]) for row in found]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _run(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)
