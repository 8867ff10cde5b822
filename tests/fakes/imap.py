"""A small IMAP server on a local port: enough for a source, with faults by script.

`fake.fault` is what the next mail that is asked for meets: `endless` (a literal of 8 GB), `line` (a
line without end), `drip` (a byte now and then), `cut` (the connection ends in the middle), `vanish`
(the mail is gone). `fake.refuse` are the words that every sign-in is answered with. `fake.token` is
asked which OAuth token is good.
"""

from __future__ import annotations

import base64
import contextlib
import re
import socketserver
import threading
from collections.abc import Callable, Iterator
from typing import Any

USER, PASSWORD = "ap@acme.example", "s3cret word"


class FakeImap:
    def __init__(self) -> None:
        self.folders: dict[str, dict[int, bytes]] = {"INBOX": {}}
        self.flags: dict[tuple[str, int], set[str]] = {}
        self.validity, self.following = 7, 1
        self.capabilities = "IMAP4rev1 IDLE MOVE UIDPLUS AUTH=PLAIN"
        self.refuse = self.fault = self.greeting = ""
        self.token: Callable[[], str] = str
        self.fetched: list[int] = []
        self.questions: list[str] = []  # for whole mails
        self.signed_in = 0
        self.idling = threading.Event()
        self.over = threading.Event()
        self._changed = threading.Condition()
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self.place = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def integration(self, **config: object) -> dict[str, Any]:
        """What somebody sets up to have this box pulled."""
        return {
            "kind": "imap", "name": "post", "on_gone": "keep", "tags": [], "enabled": True,
            "schedule": None, "secrets": {"password": PASSWORD},
            "config": {"host": "127.0.0.1", "port": self.port, "security": "none", "user": USER,
                       **config},
        }  # fmt: skip

    def put(self, *mails: bytes, folder: str = "INBOX") -> None:
        with self._changed:
            for one in mails:
                self.folders[folder][self.following] = one
                self.following += 1
            self._changed.notify_all()

    def renumber(self) -> None:
        """As a server does that lost its own index: every mail has another number now."""
        self.validity += 1
        for name, mails in self.folders.items():
            self.folders[name] = {uid + 500: one for uid, one in mails.items()}
        self.following += 500

    def wait(self, count: int) -> bool:
        """Until the inbox has another number of mails, a moment at most."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.folders["INBOX"]) != count, 0.1)

    def __enter__(self) -> FakeImap:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(socketserver.StreamRequestHandler):
    fake: FakeImap
    folder = "INBOX"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            self.say(self.fake.greeting or "* OK ready")
            while line := self.rfile.readline().decode(errors="replace").strip():
                tag, _, rest = line.partition(" ")
                command, _, rest = rest.partition(" ")
                if command == "UID":
                    command, _, rest = rest.partition(" ")
                answer = getattr(self, f"do_{command.lower()}", self.do_unknown)(rest)
                self.say(f"{tag} {answer or 'OK done'}")
                if command == "LOGOUT":
                    return

    def say(self, text: str) -> None:
        self.wfile.write(text.encode() + b"\r\n")

    def do_unknown(self, rest: str) -> str:
        del rest
        return "BAD what"

    def do_noop(self, rest: str) -> None: ...

    def do_logout(self, rest: str) -> None:
        self.say("* BYE")

    def do_capability(self, rest: str) -> None:
        self.say(f"* CAPABILITY {self.fake.capabilities}")

    def do_authenticate(self, rest: str) -> str:
        given, bearer = self._told(""), f"auth=Bearer {self.fake.token() or '-'}\1\1"
        if rest == "PLAIN":
            return self._sign_in(given == f"\0{USER}\0{PASSWORD}")
        tops = {"XOAUTH2": f"user={USER}\1",
                "OAUTHBEARER": f"n,a={USER},\1host=127.0.0.1\1port={self.fake.port}\1"}  # fmt: skip
        fits = given == tops[rest] + bearer
        if not fits:
            read = self._told(base64.b64encode(b'{"status":"401"}').decode())
            assert read == {"XOAUTH2": "", "OAUTHBEARER": "\1"}[rest]
        return self._sign_in(fits)

    def _told(self, challenge: str) -> str:
        self.say(f"+ {challenge}")
        return base64.b64decode(self.rfile.readline()).decode()

    def do_login(self, rest: str) -> str:
        return self._sign_in(rest == f'{USER} "{PASSWORD}"')

    def _sign_in(self, fits: bool) -> str:
        if self.fake.refuse or not fits:
            return f"NO {self.fake.refuse or '[AUTHENTICATIONFAILED] Authentication failed.'}"
        self.fake.signed_in += 1
        return "OK in"

    def do_list(self, rest: str) -> None:
        for name in self.fake.folders:
            self.say(f'* LIST (\\HasNoChildren) "/" "{name}"')

    def do_status(self, rest: str) -> str:
        name = rest.partition('"')[2].partition('"')[0]
        return "OK done" if name in self.fake.folders else "NO [NONEXISTENT] no"

    def do_select(self, rest: str) -> str:
        name = rest.strip('"')
        if name not in self.fake.folders:
            return "NO [NONEXISTENT] no such mailbox"
        self.folder = name
        self.say(f"* {len(self.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.fake.validity}] .")
        self.say(f"* OK [UIDNEXT {self.fake.following}] .")
        return "OK [READ-WRITE] ."

    do_examine = do_select

    @property
    def mails(self) -> dict[int, bytes]:
        return self.fake.folders[self.folder]

    def do_search(self, rest: str) -> None:
        first, last = re.findall(r"UID (\d+):(\S+)", rest)[0]
        most = max(self.mails, default=0) if last == "*" else int(last)
        low = min(int(first), most)  # `n:*` always holds the last one
        found = [uid for uid in self.mails if low <= uid <= most]
        if "UNSEEN" in rest:
            found = [u for u in found if "\\Seen" not in self.fake.flags.get((self.folder, u), ())]
        self.say("* SEARCH " + " ".join(map(str, found)))

    def do_store(self, rest: str) -> None:
        for uid in self._uids(rest):
            flags = self.fake.flags.setdefault((self.folder, uid), set())
            flags.update(re.findall(r"\\\w+", rest))

    def do_copy(self, rest: str) -> None:
        target = self.fake.folders[rest.partition('"')[2].strip('"')]
        target.update({uid: self.mails[uid] for uid in self._uids(rest)})

    def do_move(self, rest: str) -> None:
        self.do_copy(rest)
        for uid in self._uids(rest):
            del self.mails[uid]

    def do_expunge(self, rest: str) -> None:
        for uid in self._uids(rest):
            self.mails.pop(uid, None)

    def do_fetch(self, rest: str) -> None:
        if "HEADER" not in rest:
            self.fake.questions.append(rest)
        for uid in self._uids(rest):
            data = self.mails.get(uid)
            if data is None:
                continue
            if "HEADER" in rest:
                top = b"\r\n".join(
                    line for line in data.partition(b"\r\n\r\n")[0].split(b"\r\n")
                    if line.lower().startswith((b"from:", b"subject:"))
                ) + b"\r\n\r\n"  # fmt: skip
                name = f"RFC822.SIZE {len(data)} BODY[HEADER.FIELDS (FROM SUBJECT)]"
                self._literal(uid, name, top)
            else:
                self._mail(uid, data)

    def _mail(self, uid: int, data: bytes) -> None:
        fault, self.fake.fault = self.fake.fault, ""
        if fault == "endless":
            self.wfile.write(b"* 1 FETCH (UID 1 BODY[]<0> {8589934592}\r\n" + b"x" * 1000)
        elif fault == "line":
            for _ in range(200):
                self.wfile.write(b"* 1 FETCH " * 10_000)
        elif fault == "drip":
            while not self.fake.over.wait(0.05):
                self.wfile.write(b"*")
        elif fault == "cut":
            self.wfile.write(f"* 1 FETCH (UID {uid} BODY[]<0> {{{len(data)}}}\r\n".encode())
            self.wfile.write(data[:10])
            self.connection.shutdown(2)
        elif fault != "vanish":
            self.fake.fetched.append(uid)
            self._literal(uid, "BODY[]<0>", data)

    def _literal(self, uid: int, name: str, data: bytes) -> None:
        self.wfile.write(f"* 1 FETCH (UID {uid} {name} {{{len(data)}}}\r\n".encode())
        self.wfile.write(data + b")\r\n")

    def do_idle(self, rest: str) -> str:
        if "IDLE" not in self.fake.capabilities:
            return "BAD what"
        count = len(self.fake.folders["INBOX"])
        self.say("+ idling")
        self.fake.idling.set()
        self.connection.settimeout(0.02)
        while not self.fake.over.is_set():
            if self.fake.wait(count):
                count = len(self.fake.folders["INBOX"])
                self.say(f"* {count} EXISTS")
            with contextlib.suppress(TimeoutError):
                if self.connection.recv(100).startswith(b"DONE"):
                    break
        self.connection.settimeout(None)
        return "OK done"

    def _uids(self, rest: str) -> Iterator[int]:
        yield from map(int, rest.partition(" ")[0].split(","))


def mail(number: int, text: str = "Please pay.", **headers: Any) -> bytes:
    """A plain mail as a server keeps it."""
    lines = {
        "Received": f"from somewhere by mx{number}", "Message-ID": f"<{number}@acme.example>",
        "Date": "Mon, 02 Nov 2026 09:00:00 +0100", "From": f"Sender {number} <s@acme.example>",
        "To": USER, "Subject": f"Invoice {number}", **headers,
    }  # fmt: skip
    top = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{top}\r\n{text}\r\n".encode()
