"""Where documents come from by themselves: mail boxes, servers, folders, buckets, the web.

One module per kind, each a `Source`. Pure: configuration, secrets and a position go in, items and
the next position come out; what is kept, when it runs and whether an item is known already is
decided by `agents.pulling`. Every connection is made by the `Net` that a source is given.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from core.clock import Clock
from core.net import Net

Cursor = Mapping[str, Any]
# Of the error of every kind's refused sign-in: such a source is tried less and less often.
SIGN_IN_REFUSED = "sign_in_refused"


class Config(BaseModel):
    """A kind's settings, each `Field` with its `description`: forms are made of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Item:
    """One file. `key` names it for ever within its source, `version` its state: a known pair is
    not taken again, a known key with another version replaces what was read before. `cursor` is
    the position after it: kept in the transaction that keeps the item, so a repeated pull goes on
    there. None: the position does not move yet."""

    key: str
    version: str
    filename: str
    content_type: str
    data: bytes
    metadata: Mapping[str, Any] = field(default_factory=dict)
    cursor: Cursor | None = None
    identity: str = ""  # 64 hex digits: equal for the same thing in two places; "": of its bytes


@dataclass(frozen=True, slots=True)
class Dead:
    """An item that cannot be had: kept as a dead letter with its reason, and the pull goes on."""

    key: str
    version: str
    code: str
    detail: str
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """An item that was there and is not any more; whether its document goes too is `on_gone`."""

    key: str
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class At:
    """Only a position: nothing more up to here."""

    cursor: Cursor


@dataclass(frozen=True, slots=True)
class Pause:
    """The rest comes after so many seconds: the pull ends here and is taken up again by itself, as
    the same run. Nobody's thread waits meanwhile."""

    seconds: float
    cursor: Cursor
    waiting_for: str  # in words for people


Pulled = Item | Dead | Gone | At | Pause


def always(key: str) -> bool:
    """Of a caller who keeps all that he is given."""
    del key
    return True


def nothing(changed: Mapping[str, str]) -> None:
    """Of a caller who keeps no secrets."""


def sleep(seconds: float) -> None:
    """A short wait between two requests; longer ones are a `Pause`."""
    threading.Event().wait(seconds)


@dataclass(frozen=True, slots=True)
class Access:
    """What one pull may use. `config` is of the kind's own class and was checked; `secrets` are
    open values and appear in no message. `known(key, version)` saves fetching what is kept
    already, `keys()` are those taken and not gone; `stopped()` is asked between items; `bytes_max`
    caps one item; `inbox` is the tenant's own folder on the server. `taken(key)`: it is a document
    here, no dead letter. `keep` is given secrets that the other side replaced: the old ones may be
    worth nothing from then on; within `alone()` nobody else replaces them, and `secrets` are those
    of that moment."""

    config: Any
    secrets: Mapping[str, str]
    cursor: Cursor
    net: Net
    clock: Clock
    known: Callable[[str, str], bool]
    keys: Callable[[], frozenset[str]]
    stopped: Callable[[], bool]
    bytes_max: int
    inbox: Path
    wait: Callable[[float], None] = sleep
    taken: Callable[[str], bool] = always
    keep: Callable[[Mapping[str, str]], None] = nothing
    alone: Callable[[], AbstractContextManager[None]] = nullcontext


class Source(Protocol):
    """A kind of source, without state."""

    @property
    def kind(self) -> str: ...

    @property
    def config(self) -> type[Config]: ...

    @property
    def secrets(self) -> Mapping[str, str]:
        """Names of the secrets it takes, with what each is; one ending in `?` may be left out."""
        ...

    def check(self, config: Any, net: Net) -> None:
        """Asks no network. Raises `InvalidInput` with `field` (`config.host`) for what the class
        alone cannot tell: an address that may never be called, say."""
        ...

    def test(self, access: Access) -> str:
        """Signs in and looks, changes nothing; says in words what is there. Raises `InvalidInput`
        (what to correct), `Unavailable` (not reached) or `Unfinishable` (refused: who must act)."""
        ...

    def pull(self, access: Access) -> Iterator[Pulled]:
        """From `cursor` on, oldest first. Raises like `test`; what was given stays given."""
        ...


class Watching(Protocol):
    """A source that says by itself when something is new (IMAP IDLE)."""

    def wait(self, access: Access, seconds: float) -> bool:
        """Whether there may be something new; returns after `seconds` at most."""
        ...
