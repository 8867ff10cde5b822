"""Good clients: each wants its workflow to be accepted once, and asks again with the same key."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx

from tests.fakes.sink import HttpSink, MailSink
from tests.flows.platform import pause
from tests.torture.history import History

ENDED = frozenset({"completed", "failed", "cancelled", "needs_review"})
ASK_SECONDS = 120.0
END_SECONDS = 60.0
BUSY = frozenset({409, 429, 503})


@dataclass
class Crowd:
    """`keys`: one API key per tenant; `urls`: gateways, asked in turn after a failure."""

    urls: Sequence[str]
    keys: Sequence[str]
    history: History
    hook: str
    patience: float = 1.0  # waits Retry-After, but at most this
    seed: int = 0
    accepted: dict[str, str] = field(default_factory=dict)  # op → run
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _count: int = 0

    def run(self, many: int, at_once: int = 16, mail_every: int = 0, slow: bool = False) -> None:
        """Gets `many` workflows accepted and waits until each has ended."""
        ops = [self._op() for _ in range(many)]
        with ThreadPoolExecutor(at_once) as pool:
            jobs = [pool.submit(self._workflow, op, n, mail_every) for n, op in enumerate(ops)]
            for job in jobs:
                job.result()

    def upload(self, many: int, at_once: int = 8) -> None:
        """The same with documents: accepted means that they get ready."""
        with ThreadPoolExecutor(at_once) as pool:
            for job in [pool.submit(self._document, self._op()) for _ in range(many)]:
                job.result()

    def submit(self, many: int, at_once: int = 16, mail_every: int = 0) -> None:
        """Gets them accepted only."""
        ops = [self._op() for _ in range(many)]
        with ThreadPoolExecutor(at_once) as pool:
            for job in [pool.submit(self.ask, op, n, mail_every) for n, op in enumerate(ops)]:
                job.result()

    def one(self, op: str) -> None:
        """A single one under a name of its own, from the first ask to its end."""
        self._workflow(op, 1, 0)

    def _op(self) -> str:
        with self._lock:
            self._count += 1
            return f"op-{self.seed}-{self._count}"

    def _workflow(self, op: str, number: int, mail_every: int) -> None:
        run = self.ask(op, number, mail_every)
        if run is not None:
            self._until(op, run, f"/workflows/{run}/status", _run_end)

    def ask(self, op: str, number: int = 0, mail_every: int = 0) -> str | None:
        mail = bool(mail_every) and number % mail_every == 0
        body = definition(op, self.hook, mail)
        return self._accept(op, lambda http, headers: http.post(
            "/workflows/execute", json=body, headers=headers
        ), lambda answer: str(answer["workflow_id"]))  # fmt: skip

    def _document(self, op: str) -> None:
        files = {"file": (f"{op}.md", f"# Note {op}\n\nPump {op} stands in Ulm.\n".encode())}
        data = {"metadata": json.dumps({"op": op})}
        document = self._accept(op, lambda http, headers: http.post(
            "/documents", files=files, data=data, headers=headers
        ), lambda answer: str(answer["items"][0]["document_id"]))  # fmt: skip
        if document is not None:
            self._until(op, document, f"/documents/{document}", _document_end)

    def key_of(self, op: str) -> dict[str, str]:
        number = int(op.rsplit("-", 1)[1])
        return {"X-API-Key": self.keys[number % len(self.keys)]}

    def _accept(
        self,
        op: str,
        ask: Callable[[httpx.Client, dict[str, str]], httpx.Response],
        name: Callable[[Any], str],
    ) -> str | None:
        headers = {**self.key_of(op), "Idempotency-Key": op}
        self.history.note("asked", op=op)
        deadline = time.monotonic() + ASK_SECONDS
        turn = random.Random(op).randrange(len(self.urls))
        while time.monotonic() < deadline:
            answer = self._try(op, self.urls[turn % len(self.urls)], headers, ask)
            turn += 1
            if answer is None:
                pause(0.1)
            elif answer.status_code == 202:
                run = name(answer.json())
                with self._lock:
                    self.accepted[op] = run
                self.history.note("answered", op=op, status=202, run=run)
                return run
            else:
                after = answer.headers.get("retry-after")
                self.history.note("answered", op=op, status=answer.status_code, retry_after=after,
                                  text=answer.text[:300])  # fmt: skip
                if answer.status_code not in BUSY:
                    return None
                pause(min(float(after or 1), self.patience))
        self.history.note("gave up", op=op)
        return None

    def _try(
        self,
        op: str,
        url: str,
        headers: dict[str, str],
        ask: Callable[[httpx.Client, dict[str, str]], httpx.Response],
    ) -> httpx.Response | None:
        try:
            with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
                return ask(http, headers)
        except httpx.TransportError as error:
            self.history.note("cut", op=op, why=type(error).__name__)
            return None

    def _until(
        self, op: str, run: str, path: str, ended: Callable[[Any], dict[str, Any] | None]
    ) -> None:
        """Notes how it ended. A look that is refused or cut is taken again."""
        deadline = time.monotonic() + END_SECONDS
        turn = 0
        with httpx.Client(timeout=30, trust_env=False, headers=self.key_of(op)) as http:
            while time.monotonic() < deadline:
                url = self.urls[turn % len(self.urls)] + path
                try:
                    answer = http.get(url)
                except httpx.TransportError:
                    turn += 1
                    pause(0.1)
                    continue
                if answer.status_code != 200:
                    after = answer.headers.get("retry-after")
                    self.history.note("answered", op=op, status=answer.status_code,
                                      retry_after=after, text=answer.text[:300])  # fmt: skip
                    turn += 1
                elif found := ended(answer.json()):
                    self.history.note("ended", op=op, run=run, **found)
                    return
                pause(0.1)
        self.history.note("never ended", op=op, run=run)
        raise AssertionError(f"{run} of {op} does not end within {END_SECONDS:g} s")

    def gather(self, sink: HttpSink, mails: MailSink | None = None) -> None:
        """What the platform and the outside say when all is over."""
        for key in self.keys:
            with httpx.Client(
                base_url=self.urls[0], timeout=30, trust_env=False, headers={"X-API-Key": key}
            ) as http:
                self._list(http)
        for line in sink.deliveries():
            if line["committed"]:
                self._delivered(line, "keyed", json.loads(line["body"]))
        for line in mails.deliveries() if mails else ():
            if line["committed"]:
                run = line["subject"].rsplit(" ", 1)[-1]
                self.history.note(
                    "delivered", id=line["id"], run=self.accepted.get(run, run), what="mail",
                    effect="blind", body=_digest(line["raw"]),
                )  # fmt: skip

    def _delivered(self, line: dict[str, Any], effect: str, body: dict[str, Any]) -> None:
        data = body["data"]
        run = data.get("workflow_id") or data.get("run_id")
        self.history.note("delivered", id=line["id"], run=run, what=body["type"], effect=effect,
                          body=_digest(line["body"]))  # fmt: skip

    def _list(self, http: httpx.Client) -> None:
        for run in _pages(http, "/workflows"):
            op = run["metadata"].get("op")
            if op is None:
                continue  # the reading of a document
            self.history.note("listed", op=op, run=run["workflow_id"])
            stream = http.get(f"/workflows/{run['workflow_id']}/events").text
            for seq, kind, data in _events(stream):
                self.history.note("fact", run=run["workflow_id"], seq=seq, type=kind,
                                  step=data.get("step"))  # fmt: skip
        for document in _pages(http, "/documents"):
            op = document["metadata"].get("op")
            self.history.note("listed", op=op, run=document["document_id"])


def definition(op: str, hook: str, mail: bool) -> dict[str, Any]:
    """Four steps; the third acts outside, and the end is told to a callback."""
    exception = {"kind": "po_missing", "message": "There is no order.", "filename": op}
    told = {"webhook_url": hook, **({"email": "ap@outside.example"} if mail else {})}
    steps = [
        {"id": "a", "agent": "supervisor", "task": "noop", "with": {"n": 1}},
        {"id": "b", "agent": "supervisor", "task": "noop", "needs": ["a"], "with": {"n": 2}},
        {"id": "c", "agent": "action", "task": "notify", "needs": ["b"],
         "with": {"exceptions": [exception], **told}},
        {"id": "d", "agent": "supervisor", "task": "noop", "needs": ["c"], "with": {"n": 4}},
    ]  # fmt: skip
    flow = {"name": "torture", "steps": steps, "outputs": {"last": "${steps.d.output.n}"}}
    return {
        "definition": flow,
        "callback_url": f"{hook}/done",
        "metadata": {"op": op, "mail": mail},
    }


def _run_end(found: Any) -> dict[str, Any] | None:
    if found["status"] not in ENDED:
        return None
    error = found.get("error") or {}
    effects = ["invoice.exception", f"workflow.{found['status']}"]
    if found["metadata"].get("mail"):
        effects.append("mail")
    return {"status": found["status"], "ended_at": _seconds(found["completed_at"]),
            "error": error.get("code"), "effects": effects}  # fmt: skip


def _document_end(found: Any) -> dict[str, Any] | None:
    if found["status"] not in ("ready", "failed"):
        return None
    status = "completed" if found["status"] == "ready" else "failed"
    return {"status": status, "ended_at": time.time(), "effects": [], "error": found.get("error")}


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _pages(http: httpx.Client, path: str) -> Iterable[dict[str, Any]]:
    cursor: str | None = None
    while True:
        params = {"limit": "100", **({"cursor": cursor} if cursor else {})}
        answer = http.get(path, params=params)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        yield from page["items"]
        if (cursor := page["next_cursor"]) is None:
            return


def _events(stream: str) -> Iterable[tuple[int, str, dict[str, Any]]]:
    for block in stream.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)
        if "id" in lines:
            yield int(lines["id"]), lines["event"], json.loads(lines.get("data", "{}"))
