"""SFTP. The server's key is pinned before a password or a key is used there."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import posixpath
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net
from ingestion.sources import Access, Config, Pulled
from ingestion.sources.files import (
    BAD_NAME,
    DEPTH_MAX,
    Entry,
    FilesConfig,
    Host,
    Unreadable,
    Username,
    matching,
    plain_name,
    pulled,
    spelled,
    stopped,
    told,
)
from ingestion.sources.sftp_keys import private_key, public_key

if TYPE_CHECKING:
    import asyncssh

T = TypeVar("T")
_ASK_SECONDS = 30.0  # one answer
_FILE_SECONDS = 300.0  # one file
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{43}")
_REGULAR, _FOLDER = 1, 2  # file types of the SFTP draft, §5.2


class SftpConfig(FilesConfig):
    host: Host
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    username: Username
    path: Annotated[
        str, Field(max_length=1000, description="the folder; empty: where the user arrives")
    ] = ""
    fingerprint: Annotated[
        str,
        Field(max_length=100, description="of the server's key, as SHA256:…; `test` tells it"),
    ] = ""
    host_key: Annotated[
        str,
        Field(max_length=5000, description="or the key itself, as in a line of known_hosts"),
    ] = ""


class Sftp:
    kind = "sftp"
    config: type[Config] = SftpConfig
    secrets: Mapping[str, str] = {
        "password?": "the user's password",
        "private_key?": "or a private key, as OpenSSH or PEM text",
        "passphrase?": "of the private key",
    }

    def check(self, config: SftpConfig, net: Net) -> None:
        net.check_place(config.host, config.port)
        if config.fingerprint and not _FINGERPRINT.fullmatch(config.fingerprint.rstrip("=")):
            raise InvalidInput(
                "A fingerprint looks like SHA256: and 43 letters; ssh-keygen -lf shows it.",
                code="bad_fingerprint", field="config.fingerprint",
            )  # fmt: skip
        if config.host_key:
            public_key(config.host_key)

    def test(self, access: Access) -> str:
        with _Session(access) as session:
            return told(session.entries())

    def pull(self, access: Access) -> Iterator[Pulled]:
        with _Session(access) as session:
            yield from pulled(access, session.entries(), session.read)


class _Session:
    """One connection with an event loop of its own; closed with the pull."""

    def __init__(self, access: Access) -> None:
        self._access, self._config = access, access.config
        self._seen = ""  # the fingerprint that the server showed

    def __enter__(self) -> _Session:
        options = self._options()
        self._loop = asyncio.new_event_loop()
        try:
            sock = self._access.net.connect(self._config.host, self._config.port, tls=False)
            try:
                self._open(sock, options)
            except BaseException:
                sock.close()
                raise
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # it is over either way
            self._connection.close()
            self._loop.run_until_complete(asyncio.wait_for(self._connection.wait_closed(), 5.0))
        self._end()

    def entries(self) -> list[Entry]:
        """Raises like `test`."""
        import asyncssh

        try:
            return self._listed()
        except asyncssh.SFTPError as error:
            # Not left out: its files would look as if they were gone.
            raise Unavailable(
                f"A folder below {self._config.path!r} cannot be listed: {error.reason}. Ask who "
                "keeps the server to let this user see it.",
                code="folder_unreadable",
            ) from error

    def _listed(self) -> list[Entry]:
        with self._words():
            self._root = self._found()
            return matching(self._walk("", 0), self._config)

    def _found(self) -> str:
        import asyncssh

        with contextlib.suppress(asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
            root = str(self._do(self._sftp.realpath(self._config.path or ".")))
            if self._do(self._sftp.isdir(root)):
                return root
        raise Unfinishable(
            f"The server has no folder {self._config.path!r}, or it is not to be seen by "
            f"{self._config.username!r}. Correct `path`, or ask who keeps the server.",
            code="no_folder",
        )

    def read(self, one: Entry) -> bytes | None:
        import asyncssh

        path, cap = posixpath.join(self._root, one.key), self._access.bytes_max

        async def fetched() -> bytes:
            async with self._sftp.open(path, "rb") as file:
                data: bytes = await file.read(cap + 1)
                return data

        try:
            with self._words():
                return self._do(fetched(), _FILE_SECONDS)
        except asyncssh.SFTPNoSuchFile:
            return None
        except asyncssh.SFTPError as error:
            raise Unreadable(f"It cannot be read: {error.reason}.") from error

    def _walk(self, folder: str, depth: int) -> Iterator[Entry]:
        """Plain files; links are left alone, so nothing outside of the folder is read."""
        stopped(self._access)
        below = []
        for found in self._do(self._sftp.readdir(posixpath.join(self._root, folder))):
            name, about = str(found.filename), found.attrs
            if not plain_name(name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")):
                continue
            key = posixpath.join(folder, name)
            if about.type == _FOLDER:
                below.append(key)
            elif about.type == _REGULAR and about.size is not None:
                changed = about.mtime
                wrong = "" if spelled(key) == key else BAD_NAME
                version = f"{changed}-{about.size}"
                yield Entry(spelled(key), version, about.size, changed, wrong=wrong)
        if self._config.recursive and depth < DEPTH_MAX:
            for key in sorted(below):
                yield from self._walk(key, depth + 1)

    def _open(self, sock: Any, options: Mapping[str, Any]) -> None:
        import asyncssh

        with self._words():
            self._connection = self._do(asyncssh.connect(sock=sock, **options))
            self._sftp = self._do(
                self._connection.start_sftp_client(
                    path_errors="surrogateescape"  # one such name keeps no other from being read
                )
            )

    def _options(self) -> dict[str, Any]:
        """Nothing of this machine is used: no files of ~/.ssh, no agent."""
        secrets, config = self._access.secrets, self._config
        keys = [private_key(secrets)] if secrets.get("private_key") else None
        pinned = [public_key(config.host_key)] if config.host_key else []
        return {
            "host": config.host, "port": config.port, "username": config.username, "config": None,
            "password": secrets.get("password"), "client_keys": keys, "agent_path": None,
            "known_hosts": (pinned, [], []), "client_factory": _watching(self._trusted),
            "gss_host": None, "login_timeout": _ASK_SECONDS, "compression_algs": None,
        }  # fmt: skip

    def _trusted(self, fingerprint: str) -> bool:
        self._seen = fingerprint
        wanted = self._config.fingerprint.rstrip("=")
        return bool(wanted) and hmac.compare_digest(wanted, fingerprint)

    def _do(self, work: Awaitable[T], seconds: float = _ASK_SECONDS) -> T:
        async def asked() -> T:
            return await asyncio.wait_for(work, seconds)

        return self._loop.run_until_complete(asked())

    def _end(self) -> None:
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    @contextlib.contextmanager
    def _words(self) -> Iterator[None]:
        """asyncssh's errors, as who has to act."""
        import asyncssh

        place = f"{self._config.host}:{self._config.port}"
        try:
            yield
        except asyncssh.HostKeyNotVerifiable as error:
            raise self._unknown_key(place) from error
        except asyncssh.PermissionDenied as error:
            raise Unfinishable(
                f"{place} does not let {self._config.username!r} in. Correct `username`, the "
                "password or the private key, or ask who keeps the server.",
                code="sign_in_refused",
            ) from error
        except asyncssh.SFTPConnectionLost as error:
            raise _cut(place) from error
        except asyncssh.SFTPError:
            raise  # about one file: its reader knows what it means
        except (asyncssh.Error, TimeoutError, OSError) as error:
            raise _cut(place) from error

    def _unknown_key(self, place: str) -> Exception:
        if self._config.fingerprint or self._config.host_key:
            return Unfinishable(
                f"{place} shows another key than the pinned one: {self._seen}. Nothing was sent. "
                "Ask who keeps the server; only if the key was changed on purpose, set "
                f"`fingerprint` to {self._seen}",
                code="host_key_changed", fingerprint=self._seen,
            )  # fmt: skip
        return InvalidInput(
            f"{place} shows the key {self._seen}. Nothing was sent. If this is what its keeper "
            f"tells you, set `fingerprint` to {self._seen}",
            code="host_key_unpinned", field="config.fingerprint", fingerprint=self._seen,
        )  # fmt: skip


def _cut(place: str) -> Unavailable:
    return Unavailable(
        f"The connection to {place} ended or gave no answer in time. The next pull goes on there.",
        code="unreachable",
    )


def _watching(trusted: Callable[[str], bool]) -> Callable[[], asyncssh.SSHClient]:
    import asyncssh

    class Watching(asyncssh.SSHClient):
        def validate_host_public_key(
            self, host: str, addr: str, port: int, key: asyncssh.SSHKey
        ) -> bool:
            del host, addr, port
            return trusted(key.get_fingerprint())

    return Watching


SOURCE = Sftp()
