"""Kafka's dead letters as the command shows them: whoever wrote them is not trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from core.clock import rfc3339
from core.errors import InvalidInput
from core.messages import ATTEMPT, CODE, CUT, DEAD_AT, DETAIL, MARKS, Message
from core.settings import Settings

COLUMNS = ("id", "tenant", "message", "reason", "attempts", "refused_at")
_TEXT_MAX = 4_000


def found(settings: Settings, tenant: str | None) -> list[Message]:
    """All, or those that name `tenant`. Raises `InvalidInput` without Kafka, `Unavailable`."""
    from backends import kafka_dead_letters

    letters = kafka_dead_letters.letters(_cluster(settings))
    return [one for one in letters if tenant in (None, one.text("weft-tenant"))]


def chosen(settings: Settings, tenant: str | None, ids: Sequence[str]) -> list[Message]:
    from backends import kafka_dead_letters

    return kafka_dead_letters.pick(found(settings, tenant), ids)


def redrive(settings: Settings, letters: Sequence[Message]) -> dict[str, str]:
    from backends import kafka_dead_letters

    return _each(settings, letters, kafka_dead_letters.redrive, "goes in again")


def drop(settings: Settings, letters: Sequence[Message]) -> dict[str, str]:
    from backends import kafka_dead_letters

    return _each(settings, letters, kafka_dead_letters.drop, "dropped")


def row(letter: Message) -> dict[str, Any]:
    return {
        "id": _plain(letter.key), "tenant": _plain(letter.headers.get("weft-tenant")),
        "message": _plain(letter.headers.get("webhook-id")), "reason": letter.text(CODE),
        "attempts": letter.number(ATTEMPT, 1),
        "refused_at": rfc3339(letter.number(DEAD_AT, 0)),
    }  # fmt: skip


def whole(letter: Message) -> dict[str, Any]:
    """`cut`: how many bytes it had before the broker made us shorten it."""
    sent = {name: _plain(data) for name, data in letter.headers.items() if name not in MARKS}
    return {
        **row(letter), "detail": letter.text(DETAIL), "headers": sent,
        "cut": letter.number(CUT, 0) or None, "value": _plain(letter.value),
    }  # fmt: skip


def _each(
    settings: Settings, letters: Sequence[Message], act: Callable[[Any, Any], None], words: str
) -> dict[str, str]:
    if letters:
        act(_cluster(settings), letters)
    return {_plain(letter.key): words for letter in letters}


def _plain(data: bytes | None) -> str:
    """Nothing in it reaches a terminal as an order."""
    return ascii((data or b"")[:_TEXT_MAX].decode("utf-8", "replace"))[1:-1]


def _cluster(settings: Settings) -> Any:
    from backends.kafka_topics import Cluster

    if not settings.bus_url.startswith(("kafka:", "kafka+ssl:")):
        raise InvalidInput("There is no Kafka here: WEFT_BUS_URL is not kafka://HOST:9092.")
    return Cluster.at(settings.bus_url)
