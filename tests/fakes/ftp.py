"""A small FTP server on a local port, honest or not, whose listings are given as text."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class FakeFtp:
    """`listings`: folder → what LIST or MLSD gives; `files`: path → bytes. `named`: the address
    that PASV tells; `epsv`, `mlsd`: whether it knows these. `silent`: it speaks TLS from the first
    byte (and ends it there; `hellos` counts); `late`: it greets once asked for TLS beside."""

    def __init__(
        self, *, named: str = "127,0,0,1", epsv: bool = True, mlsd: bool = True,
        silent: bool = False, late: bool = False,
    ) -> None:  # fmt: skip
        self.silent, self.late, self.hellos = silent, late, 0
        self.named, self.epsv, self.mlsd = named, epsv, mlsd
        self.listings: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.said: list[str] = []
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @contextmanager
    def running(self) -> Iterator[FakeFtp]:
        self._thread.start()
        try:
            yield self
        finally:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
            self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                wire, _ = self._server.accept()
            except OSError:
                return
            if self.silent:
                threading.Thread(target=self._hello, args=(wire,), daemon=True).start()
                continue
            with contextlib.suppress(OSError), wire, socket.create_server(("127.0.0.1", 0)) as data:
                if self.late:
                    self._server.accept()[0].close()
                self._talk(wire, data)

    def _hello(self, wire: socket.socket) -> None:
        with contextlib.suppress(OSError), wire:
            if wire.recv(2) == b"\x16\x03":
                self.hellos += 1
                wire.sendall(b"\x15\x03\x03\x00\x02\x02\x28")  # an alert: handshake_failure

    def _talk(self, wire: socket.socket, data: socket.socket) -> None:
        def say(line: str) -> None:
            wire.sendall(line.encode() + b"\r\n")

        wire.settimeout(10)
        data.settimeout(10)
        port, here = data.getsockname()[1], "/"
        say("220 ready")
        for line in wire.makefile("r", encoding="utf-8"):
            command, _, rest = line.strip().partition(" ")
            self.said.append(line.strip())
            match command:
                case "USER":
                    say("331 password?")
                case "FEAT":
                    say("211-Features:\r\n MLST type*;size*;modify*;\r\n211 End" if self.mlsd
                        else "500 no")  # fmt: skip
                case "PWD":
                    say(f'257 "{here}"')
                case "CWD":
                    here = rest
                    say("250 there")
                case "EPSV" if self.epsv:
                    say(f"229 here (|||{port}|)")
                case "PASV":
                    say(f"227 here ({self.named},{port // 256},{port % 256})")
                case "LIST" | "MLSD":
                    self._send(say, data, self.listings.get(rest or here, "").encode())
                case "RETR" if rest in self.files:
                    self._send(say, data, self.files[rest])
                case "PASS" | "TYPE":
                    say("230 fine")
                case "QUIT":
                    say("221 bye")
                    return
                case _:
                    say("550 no")

    @staticmethod
    def _send(say: Callable[[str], None], data: socket.socket, content: bytes) -> None:
        taker, _ = data.accept()
        say("150 it comes")
        with taker:
            taker.sendall(content)
        say("226 done")
