"""SFTP against a server in this process; OpenSSH itself is met in tests/stack."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unfinishable
from ingestion.sources import Access, Dead, Item
from ingestion.sources.kinds import checked, source


@dataclass
class Server:
    port: int
    key: asyncssh.SSHKey
    folder: Path

    def access(self, password: str = "s3cret", **config: Any) -> Access:
        net = Egress(f"127.0.0.1:{self.port}")
        given = {"host": "127.0.0.1", "port": self.port, "username": "ann", "settle_seconds": 0}
        made = source("sftp").config.model_validate(checked("sftp", {**given, **config}, net))
        return Access(made, {"password": password}, {}, net, SystemClock(),
                      lambda _key, _version: False, frozenset, lambda: False, 1000,
                      Path("/nowhere"))  # fmt: skip


class _Door(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("ann", "s3cret")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("sftp")
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []

    async def serve() -> None:
        made = await asyncssh.listen(
            "127.0.0.1", 0, server_factory=_Door, server_host_keys=[key], config=None,
            sftp_factory=lambda channel: asyncssh.SFTPServer(channel, chroot=bytes(folder)),
        )  # fmt: skip
        ports.append(made.get_port())
        over.set_result(made)
        ready.set()

    over: asyncio.Future[asyncssh.SSHAcceptor] = loop.create_future()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(serve(), loop)
    assert ready.wait(10)
    yield Server(ports[0], key, folder)

    async def end() -> None:
        made = over.result()
        made.close()
        await made.wait_closed()

    asyncio.run_coroutine_threadsafe(end(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)
    loop.close()


def test_the_key_is_told_first_and_pinned(server: Server) -> None:
    with pytest.raises(InvalidInput) as told:
        source("sftp").test(server.access())
    seen = told.value.extra["fingerprint"]
    assert seen == server.key.get_fingerprint()
    assert source("sftp").test(server.access(fingerprint=seen)).startswith("Signed in.")
    pinned = server.key.export_public_key().decode()
    assert source("sftp").test(server.access(host_key=f"[127.0.0.1]:22 {pinned}"))
    with pytest.raises(Unfinishable) as changed:
        list(source("sftp").pull(server.access(fingerprint="SHA256:" + "A" * 43)))
    assert changed.value.slug == "host_key_changed"


def test_files_come_and_links_do_not(server: Server) -> None:
    folder = server.folder / "links"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "a.txt").write_bytes(b"one")
    (folder / "link.txt").symlink_to("deep/a.txt")
    access = server.access(fingerprint=server.key.get_fingerprint(), path="/links")
    found = [(one.key, one.data) for one in source("sftp").pull(access) if isinstance(one, Item)]
    assert found == [("deep/a.txt", b"one")]
    with pytest.raises(Unfinishable) as missing:
        source("sftp").test(server.access(fingerprint=server.key.get_fingerprint(), path="/none"))
    assert missing.value.slug == "no_folder"


def test_one_name_that_is_no_text_keeps_no_other_from_being_read(server: Server) -> None:
    (server.folder / "names").mkdir()
    (server.folder / "names" / "b.txt").write_bytes(b"two")
    Path(os.fsdecode(bytes(server.folder) + b"/names/caf\xe9.txt")).write_bytes(b"three")
    access = server.access(fingerprint=server.key.get_fingerprint(), path="/names")
    dead, taken = sorted(source("sftp").pull(access), key=lambda one: isinstance(one, Item))
    assert isinstance(taken, Item)
    assert taken.key == "b.txt"
    assert isinstance(dead, Dead)
    assert (dead.key, dead.code) == ("caf\\xe9.txt", "bad_name")


def test_a_wrong_password_says_who_must_act(server: Server) -> None:
    wrong = server.access("wrong", fingerprint=server.key.get_fingerprint())
    with pytest.raises(Unfinishable, match="password") as told:
        source("sftp").test(wrong)
    assert told.value.slug == "sign_in_refused"
