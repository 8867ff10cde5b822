"""A13: backup, destroy, restore: the same rows, the same objects, the same answers."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy.engine import make_url

from agents import shelf
from agents.documents import ORIGINAL
from agents.ingestion import Upload, content_of, receive
from agents.search import search
from backends.build import open_blobs, open_runtime
from core.context import Ctx
from core.documents import Chunk
from core.ids import new_id
from core.settings import Settings
from database import copying, documents
from database.documents import NewDocument
from ops.backup import backup, restore
from runtime import Runtime
from tests.engine import drained, new_tenant
from tests.stack.servers import Servers
from tests.torture.figures import at_most, held, none
from vectorstore import About, Entry

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1800)]
MANY = 10_000 if os.environ.get("WEFT_TORTURE") == "1" else 400
READ = 30  # documents that go the whole way; the others are put where ingestion would put them
EACH = 100


@pytest.fixture
def two(servers: Servers, tmp_path: Path) -> Iterator[tuple[Settings, Settings]]:
    """Two empty places for one installation."""
    servers.up("postgres", "minio")
    found, bucket = servers.env(), servers.url("minio")
    owner = found["WEFT_DATABASE_ADMIN_URL"]
    names = [f"weft_b_{new_id().replace('-', '')[-12:]}{n}" for n in range(2)]

    def place(name: str) -> Settings:
        return Settings(
            _env_file=None, data_dir=tmp_path / name, models_dir=tmp_path / "none",
            models_url="none:", log_level="error", root_key="5a" * 32,
            database_url=_named(found["WEFT_DATABASE_URL"], name),
            database_admin_url=_named(owner, name), blobs_url=f"{bucket}?prefix={name}",
        ).resolved()  # fmt: skip

    for name in names:
        _run(owner, f"CREATE DATABASE {name}")
    yield place(names[0]), place(names[1])
    for name in names:
        _run(owner, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


def _run(url: str, statement: str) -> None:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as link:
        link.execute(statement.encode())


def _typed(command: object, settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(command, list(words), obj=settings)  # type: ignore[arg-type]


def test_what_was_destroyed_comes_back_whole(
    two: tuple[Settings, Settings], tmp_path: Path
) -> None:
    first, second = two
    archive = tmp_path / "weft.tar"
    with open_runtime(first) as rt:
        ctx = new_tenant(rt)
        _fill(rt, ctx, MANY)
        golden = _golden(rt, ctx)
    rows, objects = copying.out(first.database_url, tmp_path / "before"), _objects(first)
    started = time.monotonic()
    made = _typed(backup, first, str(archive), "--without-key", "--json")
    backup_seconds = time.monotonic() - started
    assert made.exit_code == 0, made.output
    _destroy(first)

    wrong = second.model_copy(update={"root_key": type(second.root_key)("b7" * 32)})
    refused = _typed(restore, wrong, str(archive), "--json")
    assert refused.exit_code == 4
    assert "not the root key that this backup was sealed with" in refused.stderr

    started = time.monotonic()
    back = _typed(restore, second, str(archive), "--json")
    restore_seconds = time.monotonic() - started
    assert back.exit_code == 0, back.output
    again = copying.out(second.database_url, tmp_path / "after")
    differing = [name for name, told in rows.tables.items() if again.tables[name] != told]
    now = _objects(second)
    with open_runtime(second) as rt:
        changed = sum(one != two for one, two in zip(golden, _golden(rt, ctx), strict=True))
        assert content_of(rt, ctx, _first_document(rt, ctx)).startswith(b"# Note")

    over = _typed(restore, second, str(archive), "--json")
    assert over.exit_code == 4
    assert "--force" in over.stderr

    size = f"{MANY} documents, {len(objects)} objects, {json.loads(made.stdout)['bytes']:,} bytes"
    short = held([
        none("A13.rows", len(differing), f"of {len(rows.tables)} tables differ"),
        none("A13.objects", len(objects.items() ^ now.items()), f"of {len(objects)} objects"),
        none("A13.searches", changed, f"of {len(golden)} golden searches differ"),
        at_most("A13.backup", backup_seconds, 300, "s", size),
        at_most("A13.restore", restore_seconds, 600, "s", size),
    ])  # fmt: skip
    assert not short, differing
    assert sum(len(hits) for hits in golden) > 100


def _fill(rt: Runtime, ctx: Ctx, count: int) -> None:
    for number in range(READ):
        receive(rt, ctx, [Upload(f"note-{number}.md", "text/markdown", _text(number))])
    drained(rt)
    for start in range(READ, count, EACH):
        _put(rt, ctx, range(start, min(count, start + EACH)))


def _text(number: int) -> bytes:
    return (
        f"# Note {number}\n\nThe river {number % 50} rises in spring; its mark is m{number:05d}.\n"
    ).encode()


def _put(rt: Runtime, ctx: Ctx, numbers: range) -> None:
    ids = {number: new_id() for number in numbers}
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: rt.vault.put(ctx, ORIGINAL, ids[n], _text(n)), numbers))
    entries = []
    with rt.db.transaction(ctx) as tx:
        for number, own in ids.items():
            data, name = _text(number), f"note-{number}.md"
            documents.create(tx, ctx, NewDocument(
                own, name, "markdown", "text/markdown", sha256(data).hexdigest(), len(data)
            ))  # fmt: skip
            documents.set_status(tx, ctx, own, "ready", chunks=1, pages=1)
            chunk = Chunk(f"{own}:0", own, 0, data.decode(), 1, 0, len(data))
            entries.append(Entry(chunk, About(own, name)))
    segment = rt.shelves.write(ctx, entries)
    shelf.move(rt, ctx, lambda head: shelf.holding(head, segment), lambda tx: None)


def _golden(rt: Runtime, ctx: Ctx) -> list[list[tuple[str, str, float]]]:
    """100 searches: what they found, in order, with its text and score."""
    asked = [f"m{number * 7 % MANY:05d}" for number in range(50)]
    asked += [f"river {number} spring" for number in range(50)]
    return [
        [(hit.chunk.id, hit.chunk.text, round(hit.score, 6)) for hit in search(rt, ctx, text).hits]
        for text in asked
    ]


def _objects(settings: Settings) -> dict[str, str]:
    """Key → checksum of its bytes and metadata, both as the store holds them."""
    blobs = open_blobs(settings)

    def look(key: str) -> tuple[str, str]:
        return key, sha256(blobs.get(key)).hexdigest() + json.dumps(dict(blobs.metadata(key)))

    with ThreadPoolExecutor(8) as pool:
        return dict(pool.map(look, list(blobs.list(""))))


def _first_document(rt: Runtime, ctx: Ctx) -> str:
    with rt.db.read(ctx) as tx:
        return documents.listing(tx, ctx, limit=1, cursor=None, filters={}).items[0].id


def _destroy(settings: Settings) -> None:
    blobs = open_blobs(settings)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(blobs.delete, list(blobs.list(""))))
    url = make_url(settings.database_admin_url)
    _run(_named(settings.database_admin_url, "weft"), f"DROP DATABASE {url.database} WITH (FORCE)")
