"""FTP and FTPS. A data connection goes to the host of the control connection, whatever address the
server names; listings by MLSD (RFC 3659), else by LIST."""

from __future__ import annotations

import contextlib
import ftplib
import posixpath
import select
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net
from ingestion.sources import Access, Config, Pulled
from ingestion.sources.files import (
    DEPTH_MAX,
    FILES_MAX,
    Entry,
    FilesConfig,
    Host,
    Unreadable,
    Username,
    matching,
    plain_name,
    pulled,
    stopped,
    told,
)
from ingestion.sources.ftp_listing import machine, people, seconds

_ASK_SECONDS = 60.0  # to sign in
_LIST_SECONDS = 600.0  # ten thousand files, each asked for its time
_FILE_SECONDS = 300.0
_SILENT_SECONDS, _PROBE_SECONDS = 2.0, 2.0  # before and while it is asked for TLS
_TLS_BEGINS = (b"\x16\x03", b"\x15\x03")  # a record of a handshake or an alert (RFC 8446 §5.1)
_LINES_MAX = 4 * FILES_MAX  # of one folder's listing


class FtpConfig(FilesConfig):
    host: Host
    port: Annotated[int, Field(ge=1, le=65535, description="21, with implicit TLS 990")] = 21
    tls: Annotated[
        Literal["explicit", "implicit", "none"],
        Field(description="none: the password and the files can be read on the way"),
    ] = "explicit"
    username: Username = "anonymous"
    path: Annotated[str, Field(max_length=1000, description="the folder; empty: the first")] = ""
    encoding: Annotated[
        Literal["utf-8", "latin-1"], Field(description="of file names, where the server is old")
    ] = "utf-8"


class Ftp:
    kind = "ftp"
    config: type[Config] = FtpConfig
    secrets: Mapping[str, str] = {"password?": "the user's password"}

    def check(self, config: FtpConfig, net: Net) -> None:
        net.check_place(config.host, config.port)
        if not (config.path + config.username).isprintable():
            raise InvalidInput(
                "`path` and `username` are one line of plain text.",
                code="bad_path", field="config.path",
            )  # fmt: skip

    def test(self, access: Access) -> str:
        with _Session(access) as session:
            return told(session.entries())

    def pull(self, access: Access) -> Iterator[Pulled]:
        with _Session(access) as session:
            yield from pulled(access, session.entries(), session.read)


class _Wire(ftplib.FTP):
    """ftplib's commands over sockets of the Net; its own `connect` is never called."""

    def __init__(self, net: Net, config: FtpConfig) -> None:
        super().__init__(encoding=config.encoding)
        self._net, self._config = net, config
        self._secret_data = False
        self._data: socket.socket | None = None

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """A server that sends a byte now and then is cut off too."""
        over = threading.Timer(seconds, self._cut)
        over.daemon = True
        over.start()
        try:
            yield
        finally:
            over.cancel()

    def _cut(self) -> None:
        for each in (self._data, self.sock):
            if each is not None:
                with contextlib.suppress(OSError):
                    # Past TLS, whose state belongs to the thread that reads.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    def begin(self, password: str) -> None:
        config = self._config
        self.host = config.host
        self._speak(self._net.connect(config.host, config.port, tls=config.tls == "implicit"))
        if config.tls != "implicit":
            self._greeted()
        self.welcome = self.getresp()
        if config.tls == "explicit":
            self.voidcmd("AUTH TLS")
            assert self.sock is not None
            assert self.file is not None
            self.file.close()
            self._speak(self._net.start_tls(self.sock, config.host))
        self.login(config.username, password)
        if config.tls != "none":
            self.voidcmd("PBSZ 0")
            self.voidcmd("PROT P")
            self._secret_data = True
        self.voidcmd("TYPE I")

    def _greeted(self) -> None:
        """A server that says nothing may wait for TLS: asked on a connection of its own, since one
        that only looks up who we are may take its time. Raises `Unfinishable`."""
        assert self.sock is not None
        if select.select([self.sock], [], [], _SILENT_SECONDS)[0]:
            return
        place = f"{self._config.host}:{self._config.port}"
        with contextlib.suppress(Unavailable, OSError):
            with self._net.connect(
                self._config.host, self._config.port, tls=False, seconds=_PROBE_SECONDS
            ) as beside:
                found = speaks_tls(beside)
            if found:
                raise Unfinishable(
                    f"{place} speaks TLS from the first byte. Set `tls` to implicit.",
                    code="implicit_tls",
                )

    def _speak(self, sock: socket.socket) -> None:
        self.sock, self.af = sock, sock.family
        self.file = sock.makefile("r", encoding=self.encoding)

    def ntransfercmd(
        self, cmd: str, rest: int | str | None = None
    ) -> tuple[socket.socket, int | None]:
        assert self.sock is not None
        wire = self._data = self._net.connect_beside(self.sock, self._port())
        try:
            answer = self.sendcmd(cmd)
            if answer[0] == "2":  # some say what follows before they say that it begins
                answer = self.getresp()
            if answer[0] != "1":
                raise ftplib.error_reply(answer)  # noqa: S321 (its errors)
            if self._secret_data:
                wire = self._data = self._net.start_tls(wire, self.host, like=self.sock)
        except BaseException:
            wire.close()
            raise
        return wire, None

    def _port(self) -> int:
        """The address that comes with it is not looked at."""
        try:
            return int(ftplib.parse229(self.sendcmd("EPSV"), ("", 0))[1])  # noqa: S321
        except (ftplib.error_perm, ftplib.error_proto):
            return int(ftplib.parse227(self.sendcmd("PASV"))[1])  # noqa: S321

    def lines(self, command: str) -> list[str]:
        """Raises `Unfinishable` for a listing without an end."""
        found: list[str] = []

        def take(line: str) -> None:
            found.append(line)
            if len(found) > _LINES_MAX:
                raise Unfinishable("A folder there has too many files.", code="too_many_parts")

        self.retrlines(command, take)
        return found


def speaks_tls(wire: socket.socket) -> bool:
    """Whether the other side answers a TLS greeting with TLS. Nothing is trusted to it: the
    handshake goes no further. Raises `OSError`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    read, write = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        context.wrap_bio(read, write).do_handshake()
    wire.sendall(write.read())
    return wire.recv(2) in _TLS_BEGINS


class _Session:
    def __init__(self, access: Access) -> None:
        self._access, self._config = access, access.config
        self._wire = _Wire(access.net, access.config)

    def __enter__(self) -> _Session:
        try:
            with _words(self._config, "sign_in_refused"), self._wire.within(_ASK_SECONDS):
                self._wire.begin(self._access.secrets.get("password", ""))
                told_of = self._features()
        except BaseException:
            self._wire.close()
            raise
        self._mlsd, self._mdtm = "MLST" in told_of, "MDTM" in told_of
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(*ftplib.all_errors):
            self._wire.voidcmd("QUIT")
        self._wire.close()

    def entries(self) -> list[Entry]:
        """Raises like `test`."""
        with _words(self._config, "no_folder"), self._wire.within(_LIST_SECONDS):
            if self._config.path:
                self._wire.cwd(self._config.path)
            self._root = self._wire.pwd()
            found = matching(self._walk("", 0), self._config)
            return found if self._mlsd else [self._dated(one) for one in found]

    def read(self, one: Entry) -> bytes | None:
        path, data = posixpath.join(self._root, one.key), bytearray()
        with self._wire.within(_FILE_SECONDS):
            try:
                with _words(self._config), self._wire.transfercmd(f"RETR {path}") as wire:
                    while len(data) <= self._access.bytes_max and (piece := wire.recv(1 << 18)):
                        data += piece
            except ftplib.error_perm as error:
                if str(error).startswith("550") and not self._there(path):
                    return None
                raise Unreadable(f"It cannot be read: {str(error)[:200]}.") from error
            if len(data) <= self._access.bytes_max:  # else the server is left in the middle of it
                with _words(self._config):
                    self._wire.voidresp()
            return bytes(data)

    def _there(self, path: str) -> bool:
        with _words(self._config), contextlib.suppress(ftplib.error_perm):
            return self._wire.size(path) is not None
        return False

    def _features(self) -> str:
        with contextlib.suppress(ftplib.error_perm):
            return self._wire.sendcmd("FEAT").upper()
        return ""

    def _walk(self, folder: str, depth: int) -> Iterator[Entry]:
        """Plain files; links are left alone."""
        stopped(self._access)
        place, below = posixpath.join(self._root, folder), []
        command = f"MLSD {place}" if self._mlsd else "LIST"
        if not self._mlsd:
            self._wire.cwd(place)  # LIST takes no name with a blank in it everywhere
        for line in self._wire.lines(command):
            name, is_folder, entry = machine(line) if self._mlsd else people(line)
            if not name or not plain_name(name):
                continue
            if is_folder:
                below.append(posixpath.join(folder, name))
            elif entry is not None:
                yield Entry(posixpath.join(folder, name), *entry)
        if self._config.recursive and depth < DEPTH_MAX:
            for each in sorted(below):
                yield from self._walk(each, depth + 1)

    def _dated(self, one: Entry) -> Entry:
        """LIST tells minutes at best, and days later on: the exact time is asked for."""
        if not self._mdtm:
            return one
        stopped(self._access)
        try:
            answer = self._wire.sendcmd(f"MDTM {posixpath.join(self._root, one.key)}")
        except ftplib.error_perm:
            return one
        when = answer.partition(" ")[2].strip()
        return Entry(one.key, f"{when}-{one.size}", one.size, seconds(when))


@contextlib.contextmanager
def _words(config: FtpConfig, refused: str = "") -> Iterator[None]:
    """ftplib's errors, as who has to act. `refused`: what a lasting no means here; without it the
    caller knows."""
    place = f"{config.host}:{config.port}"
    try:
        yield
    except ftplib.error_perm as error:
        if not refused:
            raise
        raise Unfinishable(_refusal(place, config, refused, str(error)[:200]), code=refused) \
            from error  # fmt: skip
    except UnicodeError as error:
        raise Unfinishable(
            f"{place} names files in another encoding. Set `encoding` to latin-1.",
            code="bad_encoding",
        ) from error
    except (ftplib.Error, EOFError, OSError, ValueError) as error:
        raise Unavailable(
            f"The connection to {place} ended, or gave no answer in time or one that is no FTP. "
            "The next pull goes on there.",
            code="unreachable",
        ) from error


def _refusal(place: str, config: FtpConfig, refused: str, answer: str) -> str:
    if refused == "no_folder":
        return (f"{place} has no folder {config.path!r} for {config.username!r}: {answer}. "
                "Correct `path`, or ask who keeps the server.")  # fmt: skip
    return (f"{place} does not let {config.username!r} in: {answer}. Correct `username`, the "
            "password or `tls`, or ask who keeps the server.")  # fmt: skip


SOURCE = Ftp()
