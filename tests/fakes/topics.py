"""Kafka's part in messages coming in, in memory: topics, deliveries by script, dead letters."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from connectors.signatures import sign
from core.clock import FakeClock
from core.context import Ctx
from core.ids import new_id
from core.messages import (
    NOT_BEFORE,
    ORIGIN,
    Later,
    Message,
    Taken,
    Verdict,
    for_dead_letters,
    for_retry,
    origin,
    raised,
)
from database import tenants
from runtime import Runtime
from tests.engine import flow, step
from workflows import ingest_secrets


def envelope(**data: Any) -> dict[str, Any]:
    """A run of one step that gives back what it got."""
    body = {"definition": flow(step("a"), name="message"), **data}
    return {"version": 1, "type": "workflow.execute", "data": body}


def secret_of(rt: Runtime, ctx: Ctx) -> str:
    with rt.db.read(ctx) as tx:
        return ingest_secrets.newest(rt, tenants.own(tx, ctx))


def signed(
    rt: Runtime, ctx: Ctx, body: Any = None, *, message_id: str = "", at_ms: int | None = None,
    secret: str = "", tenant: str = "", key: bytes | None = b"k",
) -> Message:  # fmt: skip
    """As a sender would write it; `body` bytes are taken as they are."""
    value = body if isinstance(body, bytes) else json.dumps(body or envelope()).encode()
    message_id = message_id or new_id()
    seconds = (rt.clock.now_ms() if at_ms is None else at_ms) // 1000
    try:
        signature = sign(secret or secret_of(rt, ctx), message_id, seconds, value)
    except ValueError:  # no text: nobody can sign it
        signature = "v1,AAAA"
    headers = {
        "weft-tenant": tenant or ctx.tenant, "webhook-id": message_id,
        "webhook-timestamp": str(seconds), "webhook-signature": signature,
    }  # fmt: skip
    return Message(key, value, {name: text.encode() for name, text in headers.items()})


@dataclass
class Topics:
    """`settle` does to each message what `backends.kafka_intake` does, without a broker."""

    clock: FakeClock
    receive: Callable[[Message], Verdict]
    dead: dict[bytes, Message] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    retries: int = 0

    def settle(self, messages: Iterable[Message]) -> None:
        for offset, message in enumerate(messages):
            marked = message.marked(**{ORIGIN: origin(0, offset, message)})
            while not self._settled(marked):
                marked = self._later

    def _settled(self, message: Message) -> bool:
        waits = message.number(NOT_BEFORE, 0) - self.clock.now_ms()
        self.clock.advance(max(0, waits) / 1000)
        verdict = self.receive(message)
        self.verdicts.append(verdict)
        if isinstance(verdict, Taken):
            return True
        if isinstance(verdict, Later):
            again = for_retry(message, verdict, self.clock.now_ms())
            if again is not None:
                self.retries += 1
                self._later = again
                return False
        letter = for_dead_letters(message, verdict, self.clock.now_ms())
        assert letter.key is not None
        self.dead[letter.key] = letter
        return True

    def redrive(self) -> None:
        messages = [raised(letter) for letter in self.dead.values()]
        self.dead.clear()
        self.settle(messages)
