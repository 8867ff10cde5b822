"""Files of servers and buckets, as far as it can be told without them; the rest is tests/stack."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable, Unfinishable
from ingestion.sources import Access, Gone, Item, Pulled
from ingestion.sources.kinds import checked, source
from ingestion.sources.s3 import sign
from tests.fakes.ftp import FakeFtp

UNIX = """total 3
drwxr-xr-x    2 14       50           4096 Nov 21 22:36 sub dir
-rw-r--r--    1 14       50              5 Nov 21 22:36 a b.txt
-rw-r--r--    1 14       50              5 Feb  3  2024 old.txt
lrwxrwxrwx    1 0        0              11 Nov 21 22:36 link.txt -> /etc/passwd
-rw-r--r--    1 14       50              5 Nov 21 22:36 .hidden
-rw-r--r--    1 14       50              5 Nov 21 22:36 ../../up.txt
?????????     what is this
"""
WINDOWS = """11-21-26  10:36PM       <DIR>          sub dir
11-21-26  10:36PM                    5 a b.txt
02-03-2024  10:36                    5 old.txt
"""
MACHINE = """type=cdir;modify=20261121223600; .
type=dir;modify=20261121223600; sub dir
type=file;size=5;modify=20261121223600; a b.txt
Type=file;Size=5;Modify=20240203000000.123; old.txt
type=OS.unix=slink:/etc/passwd;size=5; link.txt
type=file;size=many; odd.txt
"""


def access(server: FakeFtp, keys: frozenset[str] = frozenset(), **config: Any) -> Access:
    net = Egress(f"127.0.0.1:{server.port}")
    given = {"host": "127.0.0.1", "port": server.port, "tls": "none", **config}
    made = source("ftp").config.model_validate(checked("ftp", given, net))
    return Access(made, {}, {}, net, SystemClock(), lambda _key, _version: False, lambda: keys,
                  lambda: False, 1000, Path("/nowhere"))  # fmt: skip


def pulled(server: FakeFtp, **config: Any) -> list[Pulled]:
    return list(source("ftp").pull(access(server, **config)))


@pytest.mark.parametrize(("listing", "mlsd"), [(UNIX, False), (WINDOWS, False), (MACHINE, True)])
def test_listings_of_every_kind_of_server(listing: str, mlsd: bool) -> None:
    with FakeFtp(mlsd=mlsd).running() as server:
        below = listing.replace("a b.txt", "c.txt").replace("sub dir", "not read")
        server.listings = {"/": listing, "/sub dir": below.partition("old.txt")[0] + "\n"}
        server.files = dict.fromkeys(("/a b.txt", "/old.txt", "/sub dir/c.txt"), b"12345")
        found = pulled(server, keys=frozenset({"was.txt"}))
    items = {one.key: one.data for one in found if isinstance(one, Item)}
    assert {"a b.txt", "old.txt", "sub dir/c.txt"} <= items.keys()
    assert not {"link.txt", ".hidden", "../../up.txt"} & items.keys()
    assert Gone("was.txt") in found
    assert not [line for line in server.said if "passwd" in line or ".." in line]


def test_the_address_that_a_server_names_is_not_called() -> None:
    with FakeFtp(named="10,0,0,1", epsv=False).running() as server:
        server.listings = {"/": "type=file;size=5;modify=20240101000000; a.txt\n"}
        server.files = {"/a.txt": b"12345"}
        [item] = pulled(server)
    assert isinstance(item, Item)
    assert "PASV" in server.said


def test_a_file_that_is_being_written_waits() -> None:
    with FakeFtp().running() as server:
        server.listings = {"/": "type=file;size=9;modify=20240101000000; a.txt\n"}
        server.files = {"/a.txt": b"12345"}
        assert pulled(server) == []


def test_a_server_that_is_none_costs_a_sentence() -> None:
    with FakeFtp().running() as server:
        server.listings = {"/": "x" * 100_000}
        with pytest.raises(Unavailable, match="no FTP"):
            pulled(server)


@pytest.mark.parametrize("tls", ["explicit", "none"])
def test_a_server_that_waits_for_tls_is_told_by_its_name(tls: str) -> None:
    with FakeFtp(silent=True).running() as server:
        with pytest.raises(Unfinishable, match="Set `tls` to implicit"):
            pulled(server, tls=tls)
        assert server.hellos == 1


def test_a_server_that_takes_its_time_to_greet_is_waited_for() -> None:
    with FakeFtp(late=True).running() as server:
        server.listings = {"/": ""}
        assert pulled(server) == []


@pytest.mark.parametrize(("kind", "config", "field"), [
    ("ftp", {"host": "10.0.0.1"}, None),
    ("ftp", {"host": "files.example", "port": 25}, None),
    ("ftp", {"host": "files.example", "path": "a\r\nDELE b"}, "config.path"),
    ("ftp", {"host": "files.example", "tls": "maybe"}, "config.tls"),
    ("sftp", {"host": "127.0.0.1", "username": "u"}, None),
    ("sftp", {"host": "files.example", "username": "u", "fingerprint": "MD5:aa"},
     "config.fingerprint"),
    ("sftp", {"host": "files.example", "username": "u", "host_key": "junk"}, "config.host_key"),
    ("s3", {"endpoint": "http://169.254.169.254", "bucket": "abc"}, None),
    ("s3", {"endpoint": "http://[127.0.0.1]", "bucket": "abc"}, None),
    ("s3", {"endpoint": "https://s3.example", "bucket": "a/../b"}, "config.bucket"),
    ("s3", {"endpoint": "https://s3.example/bucket", "bucket": "abc"}, "config.endpoint"),
])  # fmt: skip
def test_a_wrong_setting_is_refused(kind: str, config: dict[str, Any], field: str | None) -> None:
    with pytest.raises(InvalidInput) as told:
        checked(kind, config, Egress(""))
    assert told.value.extra.get("field") == field


@pytest.mark.parametrize(("query", "headers", "path", "signature"), [
    ("", {"range": "bytes=0-9"}, "/test.txt",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
    ("max-keys=2&prefix=J", {}, "/",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
])  # fmt: skip
def test_requests_are_signed_as_in_the_vendors_own_examples(
    query: str, headers: Mapping[str, str], path: str, signature: str
) -> None:
    """docs.aws.amazon.com, Amazon S3 API Reference, "Examples: Signature Calculations"."""
    secrets = {
        "access_key": "AKIAIOSFODNN7EXAMPLE",
        "secret_key": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    }
    signed = sign(
        "GET", f"https://examplebucket.s3.amazonaws.com{path}", query, headers, secrets,
        "us-east-1", datetime(2013, 5, 24, tzinfo=UTC),
    )  # fmt: skip
    assert signed["authorization"].endswith(f"Signature={signature}")
