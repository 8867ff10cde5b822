"""PostgreSQL: an owner's role that migrates, and the application's, which owns nothing."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
from pathlib import Path

from weftstack import packages
from weftstack.halt import Halt
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start

USER = "postgres"
# A power cut may take all of it; a commit must still outlive kill -9, so it stays synchronous.
FAST = ("fsync=off", "full_page_writes=off")
# As in deploy/compose/postgres-roles.sh: the application inherits nothing and takes one of two
# other roles for each transaction; none passes by row-level security. Only here the owner may
# make databases, so that each test gets its own.
MAKE_ROLE = """
SELECT 'CREATE ROLE {role}' WHERE NOT EXISTS
    (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
"""
ROLES = (
    "".join(
        MAKE_ROLE.format(role=role)
        for role in ("weft_tenant", "weft_platform", "weft_owner", "weft_app")
    )
    + """
ALTER ROLE weft_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEDB NOCREATEROLE PASSWORD '{owner}';
ALTER ROLE weft_app LOGIN NOINHERIT NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE
    PASSWORD '{app}';
GRANT weft_tenant, weft_platform TO weft_app;
SELECT 'CREATE DATABASE weft OWNER weft_owner' WHERE NOT EXISTS
    (SELECT FROM pg_database WHERE datname = 'weft') \\gexec
"""
)


class Postgres(Service):
    name = "postgres"
    ports = {"main": 0}
    start_seconds = 60.0
    stop_signal = signal.SIGINT  # the fast way: open sessions are ended, the data is written

    def install(self, place: Place) -> None:
        if _newest() is None:
            packages.install(place, ["postgresql"], "PostgreSQL")

    def prepare(self, place: Place) -> Start:
        binaries, data = _binaries(), self._data(place)
        user = USER if os.geteuid() == 0 else None
        _given(data.parent, user)
        if not (data / "PG_VERSION").exists():
            self._make(place, binaries, data, user)
        # Whoever ran here is gone, which the caller made sure of; a killed one that its parent has
        # not noticed yet would look alive to PostgreSQL.
        (data / "postmaster.pid").unlink(missing_ok=True)
        settings = [
            f"listen_addresses={HOST}", f"port={self.port(place)}", "unix_socket_directories=",
            "max_connections=200", "log_line_prefix=%m [%p] %u ", "lc_messages=C",
            *(FAST if os.environ.get("WEFT_STACK_FAST") == "1" else ()),
        ]  # fmt: skip
        options = [part for setting in settings for part in ("-c", setting)]
        return Start([binaries / "postgres", "-D", data, *options], user=user)

    def ready(self, place: Place) -> bool:
        asked: list[str | Path] = [
            _binaries() / "pg_isready",
            "-q",
            "-h",
            HOST,
            "-p",
            str(self.port(place)),
            "-t",
            "2",
        ]
        return subprocess.run(asked, timeout=10).returncode == 0

    def after(self, place: Place) -> None:
        text = ROLES.format(owner=place.secret("postgres.owner"), app=place.secret("postgres.app"))
        done = subprocess.run(
            [_binaries() / "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", "postgres"],
            input=text, text=True, capture_output=True, timeout=60,
            env={**self.environment(place), "PGHOST": HOST, "PGPORT": str(self.port(place)),
                 "PGUSER": USER, "PGPASSWORD": place.secret("postgres.superuser")},
        )  # fmt: skip
        if done.returncode != 0:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            raise Halt(f"postgres: the roles could not be made: {reason}")

    def urls(self, place: Place) -> dict[str, str]:
        return {
            "WEFT_DATABASE_URL": self._url(place, "weft_app", "postgres.app"),
            "WEFT_DATABASE_ADMIN_URL": self._url(place, "weft_owner", "postgres.owner"),
        }

    def outside(self, place: Place) -> list[Path]:
        data = self._data(place)
        return [] if data.is_relative_to(place.state) else [data.parent.parent]

    def _url(self, place: Place, role: str, secret: str) -> str:
        word = place.secret(secret)
        return f"postgresql+psycopg://{role}:{word}@{HOST}:{self.port(place)}/weft"

    def _data(self, place: Place) -> Path:
        """Root's PostgreSQL runs as `postgres`, who may not enter every folder of root's."""
        folder = self.folder(place)
        if os.geteuid() == 0 and not _enters(USER, place.state):
            folder = Path("/var/lib/weft-stack") / place.mark / self.name
        return folder / "data"

    def _make(self, place: Place, binaries: Path, data: Path, user: str | None) -> None:
        """`initdb` beside the final folder, so that a killed one leaves no half database."""
        fresh, words = data.with_name("data.new"), data.with_name("words")
        shutil.rmtree(fresh, ignore_errors=True)
        write_private(words, place.secret("postgres.superuser"))
        if user:
            shutil.chown(words, user, user)
        done = subprocess.run(
            [binaries / "initdb", "-D", fresh, "-U", USER, "--auth=scram-sha-256",
             f"--pwfile={words}", "--encoding=UTF8", "--locale=C.UTF-8"],
            capture_output=True, text=True, timeout=120, user=user, group=user,
            extra_groups=[] if user else None, cwd="/", env=self.environment(place),
        )  # fmt: skip
        words.unlink()
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise Halt(f"postgres: initdb failed: {lines[-1]}")
        fresh.rename(data)


def _newest() -> Path | None:
    """The newest PostgreSQL of the machine; Debian keeps each in a folder of its own."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/postgres")]
    found += [path.parent for path in [packages.which("postgres")] if path and not found]
    usable = [path for path in found if (path / "initdb").exists()]
    return max(usable, key=lambda p: int(re.sub(r"\D", "", p.parent.name) or 0), default=None)


def _binaries() -> Path:
    found = _newest()
    if found is None:
        raise Halt("PostgreSQL is not installed. Type: deploy/native/stack install postgres")
    return found


def _given(folder: Path, user: str | None) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        shutil.chown(folder, user, user)
        folder.chmod(0o700)


def _enters(user: str, folder: Path) -> bool:
    """Whether the user may pass through a folder and all that it lies in."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return True  # not installed, so nothing of it lies anywhere
    groups = set(os.getgrouplist(user, entry.pw_gid))
    for each in [folder, *folder.parents]:
        if not each.exists():
            continue
        seen = each.stat()
        shift = 6 if seen.st_uid == entry.pw_uid else 3 if seen.st_gid in groups else 0
        if not seen.st_mode >> shift & 0o1:
            return False
    return True
