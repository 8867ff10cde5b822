"""Files on real servers (OpenSSH, vsftpd, MinIO): each is one document, also when things die."""

from __future__ import annotations

import io
import os
import shutil
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import minio
import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from core.ids import new_id
from ingestion.sources import Access, Dead, Gone, Item, Pulled
from ingestion.sources.kinds import checked, source
from tests.flows.person import Person
from tests.flows.platform import Platform, pause
from tests.flows.test_kill import QUICK
from tests.stack.servers import Servers

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]
KINDS = ("sftp", "ftp", "s3")


class Place:
    """A folder of its own on one of the servers."""

    def __init__(self, servers: Servers, kind: str, service: str, certificate: Path | None) -> None:
        self.kind, self.service, self.certificate = kind, service, certificate
        self.name = new_id()
        self.at = urlsplit(servers.url(service))
        self.host = "127.0.0.1" if certificate is None else "localhost"
        self.allowed = f"{self.host}:{self.at.port}"

    def access(self, secrets: Mapping[str, str] | None = None, **config: Any) -> Access:
        trust = ssl.create_default_context(cafile=self.certificate) if self.certificate else None
        net = Egress(self.allowed, tls=trust)
        own = source(self.kind)
        made = own.config.model_validate(checked(self.kind, {**self.config(), **config}, net))
        return Access(
            made, {**self.secrets(), **(secrets or {})}, {}, net, SystemClock(),
            lambda _key, _version: False, frozenset, lambda: False, 1_000_000, Path("/nowhere"),
        )  # fmt: skip

    def pull(self, **config: Any) -> list[Pulled]:
        return list(source(self.kind).pull(self.access(**config)))

    def test(self, secrets: Mapping[str, str] | None = None, **config: Any) -> str:
        return source(self.kind).test(self.access(secrets, **config))

    def config(self) -> dict[str, Any]:
        raise NotImplementedError

    def secrets(self) -> dict[str, str]:
        raise NotImplementedError

    def put(self, name: str, data: bytes) -> None:
        raise NotImplementedError

    def remove(self, name: str) -> None:
        raise NotImplementedError


class Folder(Place):
    """On a server whose files lie on this machine."""

    folder: Path

    def put(self, name: str, data: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()


class Ssh(Folder):
    def __init__(self, servers: Servers) -> None:
        super().__init__(servers, "sftp", "sftp", None)
        self.keys = Path(self.at.path).parent
        self.folder = Path(self.at.path) / self.name
        self.folder.mkdir()

    def config(self) -> dict[str, Any]:
        return {
            "host": self.host, "port": self.at.port, "username": self.at.username,
            "path": str(self.folder), "host_key": (self.keys / "host.pub").read_text(),
            "settle_seconds": 0,
        }  # fmt: skip

    def secrets(self) -> dict[str, str]:
        return {"private_key": (self.keys / "client").read_text()}


class Ftp(Folder):
    def __init__(self, servers: Servers, service: str = "vsftpd", tls: str = "none") -> None:
        own = Path(servers.environment["WEFT_STACK_DIR"]) / service
        super().__init__(servers, "ftp", service, own / "cert.pem" if tls != "none" else None)
        self.tls, self.folder = tls, own / "root" / "in" / self.name
        self.folder.mkdir()

    def config(self) -> dict[str, Any]:
        return {"host": self.host, "port": self.at.port, "tls": self.tls,
                "path": f"/in/{self.name}", "settle_seconds": 0}  # fmt: skip

    def secrets(self) -> dict[str, str]:
        return {"password": "tests@example.test"}


class Bucket(Place):
    def __init__(self, servers: Servers) -> None:
        super().__init__(servers, "s3", "minio", None)
        self.key, self.secret = self.at.username or "", self.at.password or ""
        self.client = minio.Minio(
            f"127.0.0.1:{self.at.port}", self.key, self.secret, secure=False, region="us-east-1"
        )
        self.bucket = f"b{self.name[-12:]}"
        self.client.make_bucket(self.bucket)

    def config(self) -> dict[str, Any]:
        return {"endpoint": f"http://127.0.0.1:{self.at.port}", "bucket": self.bucket,
                "prefix": "in/"}  # fmt: skip

    def secrets(self) -> dict[str, str]:
        return {"access_key": self.key, "secret_key": self.secret}

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(self.bucket, f"in/{name}", io.BytesIO(data), len(data))

    def remove(self, name: str) -> None:
        self.client.remove_object(self.bucket, f"in/{name}")


MAKERS: dict[str, Callable[[Servers], Place]] = {
    "sftp": Ssh, "ftp": Ftp, "s3": Bucket,
    "ftp with TLS": lambda servers: Ftp(servers, tls="explicit"),
    "ftp in TLS": lambda servers: Ftp(servers, "vsftpds", "implicit"),
}  # fmt: skip


def made(servers: Servers, which: str) -> Place:
    servers.up({"sftp": "sftp", "s3": "minio", "ftp in TLS": "vsftpds"}.get(which, "vsftpd"))
    return MAKERS[which](servers)


@pytest.mark.parametrize("which", MAKERS)
def test_files_come_with_their_names_folders_and_changes(servers: Servers, which: str) -> None:
    place = made(servers, which)
    files = {"a.txt": b"one", "b c.txt": b"two", "deep/er/größe.txt": b"three", "empty.txt": b""}
    for name, data in files.items():
        place.put(name, data)
    place.put("big.bin", bytes(1_000_001))
    place.put(".hidden", b"no")
    assert "5 files" in place.test()
    found = place.pull()
    items = {one.key: one for one in found if isinstance(one, Item)}
    assert {key: one.data for key, one in items.items()} == files
    assert [(one.key, one.code) for one in found if isinstance(one, Dead)] == [
        ("big.bin", "too_large")
    ]
    assert items["deep/er/größe.txt"].metadata["folder"] == "deep/er"
    place.put("a.txt", b"one more")
    [after] = [one for one in place.pull(pattern="a*") if isinstance(one, Item)]
    assert after.version != items["a.txt"].version
    flat = {one.key for one in place.pull(recursive=False) if isinstance(one, Item)}
    assert flat == {"a.txt", "b c.txt", "empty.txt"}


@pytest.mark.parametrize("which", ["sftp", "ftp"])
def test_a_link_is_not_followed(servers: Servers, which: str, tmp_path: Path) -> None:
    place = made(servers, which)
    assert isinstance(place, Folder)
    (tmp_path / "secret.txt").write_text("outside")
    place.put("in.txt", b"inside")
    (place.folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    (place.folder / "loop").symlink_to(place.folder, target_is_directory=True)
    assert [one.key for one in place.pull() if isinstance(one, Item)] == ["in.txt"]


def test_the_servers_key_is_told_and_pinned_before_anything_is_sent(servers: Servers) -> None:
    place = made(servers, "sftp")
    with pytest.raises(InvalidInput) as told:
        place.test(host_key="")
    seen = told.value.extra["fingerprint"]
    assert told.value.slug == "host_key_unpinned"
    assert seen.startswith("SHA256:")
    assert seen in told.value.detail
    assert place.test(host_key="", fingerprint=seen).startswith("Signed in.")
    for wrong in ({"fingerprint": "SHA256:" + "A" * 43}, {"host_key": _other_key()}):
        with pytest.raises(Unfinishable) as refused:
            place.pull(**{"host_key": "", **wrong})
        assert refused.value.slug == "host_key_changed"


def _other_key() -> str:
    import asyncssh

    return asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode()


def _locked(key: str) -> dict[str, str]:
    import asyncssh

    made = asyncssh.import_private_key(key)
    return {"private_key": made.export_private_key(passphrase="open sesame").decode()}


def test_a_key_may_have_a_passphrase(servers: Servers) -> None:
    place = made(servers, "sftp")
    locked = _locked(place.secrets()["private_key"])
    assert place.test({**locked, "passphrase": "open sesame"}).startswith("Signed in.")
    for wrong, field in (("", "secrets.private_key"), ("wrong", "secrets.passphrase")):
        with pytest.raises(InvalidInput) as told:
            place.test({**locked, "passphrase": wrong})
        assert told.value.extra["field"] in (field, "secrets.passphrase")


@pytest.mark.parametrize(("which", "secrets", "config", "code"), [
    ("sftp", {"private_key": ""}, {}, "sign_in_refused"),
    ("sftp", {}, {"username": "nobody-here"}, "sign_in_refused"),
    ("sftp", {}, {"path": "/not/there"}, "no_folder"),
    ("ftp", {}, {"username": "bob"}, "sign_in_refused"),
    ("ftp", {}, {"path": "/not/there"}, "no_folder"),
    ("ftp in TLS", {}, {"tls": "none"}, "implicit_tls"),
    ("s3", {"secret_key": "wrong"}, {}, "sign_in_refused"),
    ("s3", {"access_key": "wrong"}, {}, "sign_in_refused"),
    ("s3", {}, {"bucket": "not-there"}, "no_bucket"),
])  # fmt: skip
def test_what_failed_is_told_in_words(
    servers: Servers, which: str, secrets: dict[str, str], config: dict[str, Any], code: str
) -> None:
    with pytest.raises(WeftError) as told:
        made(servers, which).test(secrets, **config)
    assert told.value.slug == code
    assert len(told.value.detail) > 20


def test_a_certificate_that_nobody_vouches_for_is_refused(servers: Servers) -> None:
    place = made(servers, "ftp with TLS")
    place.certificate = None
    with pytest.raises(Unavailable):
        place.test(host="localhost")


def test_a_bucket_of_more_than_a_page_and_an_object_in_pieces(servers: Servers) -> None:
    place = made(servers, "s3")
    assert isinstance(place, Bucket)
    for n in range(1_005):
        place.put(f"{n}.txt", b"%d" % n)
    assert place.test() == "Signed in. 1005 files there match."
    large = os.urandom(17_000_000)
    place.put("large.bin", large)
    access = place.access(pattern="large*")
    access = Access(**{n: getattr(access, n) for n in access.__slots__} | {"bytes_max": 20_000_000})
    [item] = list(source("s3").pull(access))
    assert isinstance(item, Item)
    assert item.data == large


@pytest.mark.parametrize(("which", "service"), [("sftp", "sftp"), ("ftp", "vsftpd")])
def test_a_server_that_dies_in_the_middle_is_gone_on_with(
    servers: Servers, which: str, service: str
) -> None:
    place = made(servers, which)
    for n in range(200):
        place.put(f"{n:03}.txt", b"note %d" % n)
    taken: set[str] = set()
    access = place.access()
    access = Access(**{n: getattr(access, n) for n in access.__slots__} | {
        "known": lambda key, _version: key in taken, "keys": lambda: frozenset(taken),
    })  # fmt: skip

    def look(die_at: int) -> Iterator[str]:
        for one in source(place.kind).pull(access):
            assert isinstance(one, Item), one
            taken.add(one.key)
            yield one.key
            if len(taken) == die_at:
                servers.kill(service)

    with pytest.raises(Unavailable) as told:
        list(look(77))
    assert told.value.slug == "unreachable"
    assert 77 <= len(taken) < 200
    servers.start(service)
    before = len(taken)
    assert len(list(look(-1))) == 200 - before
    assert len(taken) == 200
    place.remove("000.txt")
    assert list(source(place.kind).pull(access)) == [Gone("000.txt")]


def test_a_port_that_waits_for_tls_is_told_by_its_name(servers: Servers) -> None:
    place = made(servers, "ftp in TLS")
    with pytest.raises(Unfinishable, match="Set `tls` to implicit"):
        place.test(tls="explicit")


@pytest.mark.parametrize("kind", KINDS)
def test_two_hundred_files_are_two_hundred_documents_also_when_weft_dies(
    servers: Servers, kind: str, tmp_path: Path
) -> None:
    place = made(servers, kind)
    for n in range(200):
        place.put(f"{n % 7}/note-{n:03}.txt", f"Note {n}: pay {n} EUR by May.".encode())
    more = {**QUICK, "WEFT_EGRESS_ALLOW": place.allowed, "WEFT_LOG_LEVEL": "warning"}
    platform = Platform(tmp_path / "data", more)
    platform.provision(acme="unlimited")
    platform.start("upload.commit:after:4=kill")
    who = platform.person("acme")
    body = {"name": kind, "kind": kind, "config": place.config(), "secrets": place.secrets(),
            "schedule": {"every_seconds": 5}, "on_gone": "remove", "enabled": False}  # fmt: skip
    url = f"/integrations/{who.post('/integrations', 201, json=body).json()['integration_id']}"
    assert "200 files" in who.post(f"{url}/test").json()["detail"]
    who.ask("PATCH", url, json={"enabled": True})
    who.close()
    assert platform.dead() == -9
    platform.start("upload.commit:before:3=kill")
    assert platform.dead() == -9
    platform.start()
    who = platform.person("acme")
    try:
        assert until(lambda: who.get(url)["items"] == {"taken": 200}, 200), who.get(url)
        assert until(lambda: states(who) == {"ready": 200}, 200), states(who)
        place.remove("0/note-000.txt")
        assert until(lambda: who.get(url)["items"] == {"taken": 199, "gone": 1}, 60)
        assert until(lambda: states(who) == {"ready": 199}, 60), states(who)
    finally:
        who.close()
        assert platform.stop() == 0
        shutil.rmtree(tmp_path / "data", ignore_errors=True)


def states(who: Person) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in who.listing("/documents"):
        found[one["status"]] = found.get(one["status"], 0) + 1
    return found


def until(holds: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if holds():
            return True
        pause(0.2)
    return False
