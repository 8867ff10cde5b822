"""A program that wants its invoices reviewed whatever happens, and what is left behind for it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from examples.make import invoices
from tests.fakes.sink import HttpSink
from tests.flows.person import Person
from tests.flows.platform import Platform, pause

NAMED = ("Brightwater invoice 2026-118.docx", "ledger.xlsx")
FILES = tuple((name, data) for name, data in invoices() if name in NAMED)


@dataclass
class Program:
    """A client that does not give up: what got no answer is asked for again, under its key."""

    platform: Platform
    key: str
    hook: str | None  # nobody but the mail's reader is told when there is none
    answers: dict[str, Any] = field(default_factory=dict)

    def go(self) -> dict[str, Any]:
        """Everything from the first upload to the end of the run. Raises what httpx raises when
        the platform dies on the way."""
        who = Person(self.platform.url, {"X-API-Key": self.key})
        try:
            documents = [self._once(file[0], partial(self._upload, who, file)) for file in FILES]
            run = self._once("run", partial(self._execute, who, documents))
            return who.status(run, seconds=60)
        finally:
            who.close()

    def _once(self, what: str, ask: Callable[[], Any]) -> Any:
        if what not in self.answers:
            self.answers[what] = ask()
        return self.answers[what]

    def _upload(self, who: Person, file: tuple[str, bytes]) -> str:
        answer = who.send(file, key=file[0])
        assert answer.status_code == 202, answer.text
        return str(answer.json()["items"][0]["document_id"])

    def _execute(self, who: Person, documents: list[str]) -> str:
        told = {"callback_url": f"{self.hook}/done"} if self.hook else {}
        inputs = {"as_of": "2026-11-21", "notify_email": "ap@acme.example"}
        inputs |= {"webhook_url": self.hook} if self.hook else {}
        body = {"workflow": "invoice-review", "documents": documents, "inputs": inputs, **told}
        return who.execute(key="run", **body)


def died_on_the_way(platform: Platform, program: Program) -> int:
    """Works until the platform is dead; its exit status."""
    if not platform.is_dead():
        try:
            program.go()
        except httpx.TransportError:
            pass
        else:
            until(platform.is_dead, 5)
    return platform.dead()


def until(holds: Callable[[], bool], seconds: float) -> bool:
    for _ in range(int(seconds / 0.05)):
        if holds():
            return True
        pause()
    return False


def settle(platform: Platform) -> None:
    """Until no job is left: the callback goes out after the run's end."""

    def empty() -> bool:
        with sqlite3.connect(platform.folder / "weft.db") as db:
            return not db.execute("SELECT count(*) FROM jobs").fetchone()[0]

    assert until(empty, 30), "there are still jobs"


def found_by(platform: Platform, program: Program) -> dict[str, int]:
    who = Person(platform.url, {"X-API-Key": program.key})
    documents = list(who.listing("/documents"))
    assert {one["status"] for one in documents} == {"ready"}
    runs = list(who.listing("/workflows"))
    assert {one["status"] for one in runs} == {"completed"}
    found = {
        "documents": len(documents),
        "reviews": sum(one["workflow"] == "invoice-review" for one in runs),
        "reports": len(list(who.listing("/reports"))),
        "waiting": len(list(who.listing("/approvals"))),
    }
    who.close()
    return found


def texts_kept(folder: Path) -> dict[str, int]:
    """Object → when it was written, of each document's text that is kept."""
    return {
        path.name: path.stat().st_mtime_ns
        for path in folder.glob("blobs/t/*/parsed/*")
        if path.is_file()
    }


def assert_sent_once(sink: HttpSink, folder: Path) -> None:
    """One webhook of the exception and one callback, each under one id however often it was tried;
    one mail."""
    bodies: dict[str, set[str]] = {}
    for one in sink.deliveries():
        bodies.setdefault(one["id"], set()).add(one["body"])
    assert [texts for texts in bodies.values() if len(texts) > 1] == [], "one id, two messages"
    kinds = sorted(json.loads(text)["type"] for texts in bodies.values() for text in texts)
    assert kinds == ["invoice.exception", "workflow.completed"]
    mails = [message_from_bytes(p.read_bytes()) for p in folder.glob("outbox/*.eml")]
    assert len(mails) == 1
