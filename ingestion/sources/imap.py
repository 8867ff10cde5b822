"""A mail box by IMAP: each new mail of its folders once, also when the server numbers them anew."""

from __future__ import annotations

import contextlib
import imaplib
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field

from core.errors import InvalidInput, Unavailable
from core.net import Net
from ingestion.sources import Access, At, Config, Cursor, Dead, Item, Pulled
from ingestion.sources.imap_wire import About, Client, closed, no_target, opened
from ingestion.sources.mail import (
    VERSION,
    ServerConfig,
    check_server,
    count,
    item,
    plain,
    wanted,
)
from ingestion.sources.mail_sign_in import SECRETS, needed, proof
from ingestion.sources.wire import Wire

_PORTS = {"tls": 993, "starttls": 143, "none": 143}
_BATCH = 100  # headers looked at with one question
_AT_ONCE, _SMALL_BYTES = 20, 64 * 2**10  # mails that one question brings
_ACT_AFTER = 50  # mails marked or moved with one command
_IDLE_SECONDS = 240.0  # less than what routers and servers forget a silent connection after

Folder = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class ImapConfig(ServerConfig):
    folders: Annotated[
        tuple[Folder, ...],
        Field(min_length=1, max_length=50, description="which are read, such as INBOX"),
    ] = ("INBOX",)
    unseen_only: Annotated[
        bool, Field(description="leave out what somebody has read before it is pulled")
    ] = False
    on_taken: Annotated[
        Literal["nothing", "mark_seen", "move"],
        Field(description="what becomes of a mail there once it is kept here"),
    ] = "nothing"
    move_to: Annotated[
        Folder | None, Field(description="the folder that `on_taken: move` moves mails into")
    ] = None
    watch: Annotated[
        bool,
        Field(description="pull as soon as the server tells of a mail in the first of `folders`"),
    ] = False


class Imap:
    kind = "imap"
    config: type[Config] = ImapConfig
    secrets: Mapping[str, str] = SECRETS

    def lacks(self, config: Mapping[str, Any], secrets: Mapping[str, str]) -> str | None:
        return needed(plain(config.get("auth")), secrets)

    def check(self, config: ImapConfig, net: Net) -> None:
        check_server(config, _port(config), net)
        if (config.on_taken == "move") is not (config.move_to is not None):
            raise InvalidInput(
                "`move_to` names the folder for `on_taken: move`, and for nothing else.",
                code="bad_config", field="config.move_to",
            )  # fmt: skip
        if config.move_to in config.folders:
            raise InvalidInput(
                "Mails cannot be moved to where they are read.",
                code="bad_config", field="config.move_to",
            )  # fmt: skip

    def test(self, access: Access) -> str:
        config, told = access.config, []
        with _session(access) as client:
            for folder in config.folders:
                found = client.enter(folder, readonly=config.on_taken == "nothing")
                place = _place(access.cursor, folder, found.validity)
                new = len(_new(client, config, place["uid"]))
                told.append(f"{folder} has {count(found.mails, 'message')}, {new:,} new")
            if config.move_to and not client.there(config.move_to):
                raise no_target(config.move_to)
            if config.watch and "IDLE" not in client.capabilities:
                raise InvalidInput(
                    "The server offers no IDLE. Set `watch` to false and a schedule.",
                    code="no_idle", field="config.watch",
                )  # fmt: skip
        return f"Signed in as {config.user}; {'; '.join(told)}."

    def pull(self, access: Access) -> Iterator[Pulled]:
        cursor: dict[str, Any] = {"folders": plain(access.cursor.get("folders"))}
        with _session(access) as client:
            for folder in access.config.folders:
                yield from _Folder(access, client, folder, cursor).pull()
                if access.stopped():
                    return

    def wait(self, access: Access, seconds: float) -> bool:
        """IDLE in the first folder, after a look at what came while nobody watched."""
        until, folder = time.monotonic() + seconds, access.config.folders[0]
        with _session(access) as client:
            validity = client.enter(folder, readonly=True).validity
            if _new(client, access.config, _place(access.cursor, folder, validity)["uid"]):
                return True
            while (left := until - time.monotonic()) > 0 and not access.stopped():
                if client.idle(min(left, _IDLE_SECONDS), access.stopped):
                    return True
        return False


class _Folder:
    """One folder of one pull. Its place: `v`, the UIDVALIDITY that the numbers belong to; `uid`, up
    to where mails were given; `acted`, up to where they were marked or moved."""

    def __init__(self, access: Access, client: Client, folder: str, cursor: dict[str, Any]) -> None:
        self._access, self._client, self._name, self._cursor = access, client, folder, cursor
        self._config: ImapConfig = access.config
        self._pending: list[int] = []
        self._ahead: dict[int, bytes | None] = {}

    def pull(self) -> Iterator[Pulled]:
        acts = self._config.on_taken != "nothing"
        found = self._client.enter(self._name, readonly=not acts)
        self._validity = found.validity
        place = _place(self._cursor, self._name, self._validity)
        if acts:
            self._catch_up(place)
        uids = _new(self._client, self._config, place["uid"])
        for start in range(0, len(uids), _BATCH):
            yield from self._batch(uids[start : start + _BATCH], place)
            if self._access.stopped():
                return
            yield At(self._at(place))
        # What the server's search left out is passed over too.
        place["uid"] = max(place["uid"], found.following - 1)
        self._act(place)
        yield At(self._at(place))

    def _batch(self, uids: Sequence[int], place: dict[str, int]) -> Iterator[Pulled]:
        known = {uid for uid in uids if self._access.known(self._key(uid), VERSION)}
        fresh = [uid for uid in uids if uid not in known]
        about = self._client.about(fresh) if fresh else {}
        about = {uid: one for uid, one in about.items() if wanted(self._config, one.top)}
        for uid in uids:
            if self._access.stopped():
                return
            here = {**place, "uid": uid}
            found = about.get(uid)
            if found is not None:
                one = self._one(uid, about, self._at(here))
                if one is not None:
                    yield one
                # Not before the item was taken: what is given up at the `yield` is not kept.
                if isinstance(one, Item) and self._config.on_taken != "nothing":
                    self._pending.append(uid)
            place["uid"] = uid
            if len(self._pending) >= _ACT_AFTER:
                self._act(place)

    def _one(self, uid: int, about: Mapping[int, About], cursor: Cursor) -> Item | Dead | None:
        size = about[uid].size
        cap = min(self._config.mail_bytes_max, self._access.bytes_max)
        data = None if size > cap else self._mail(uid, about, cap)
        if size > cap or (data is not None and len(data) > cap):
            detail = f"The mail is larger than {cap:,} bytes."
            return Dead(self._key(uid), VERSION, "too_large", detail, cursor)
        return None if data is None else item(self._key(uid), data, self._name, cursor)

    def _mail(self, uid: int, about: Mapping[int, About], cap: int) -> bytes | None:
        """Small ones come with those after them, by one question."""
        if uid not in self._ahead:
            small = min(cap, _SMALL_BYTES)
            later = [n for n in about if n > uid and about[n].size <= small]
            few = later[: _AT_ONCE - 1] if about[uid].size <= small else []
            found = self._client.mails([uid, *few], cap)
            self._ahead = {n: found.get(n) for n in (uid, *few)}
        return self._ahead.pop(uid)

    def _catch_up(self, place: dict[str, int]) -> None:
        """What was kept by a pull that died before it could mark or move it."""
        if place["acted"] < place["uid"]:
            late = self._client.found(f"UID {place['acted'] + 1}:{place['uid']}")
            late = [uid for uid in late if place["acted"] < uid <= place["uid"]]
            self._pending = late
        self._act(place)

    def _act(self, place: dict[str, int]) -> None:
        """A dead letter stays as it is: who keeps the mail box still sees it where it came."""
        mine = [uid for uid in self._pending if self._access.taken(self._key(uid))]
        if mine and self._config.move_to:
            self._client.move(mine, self._config.move_to)
        elif mine:
            self._client.mark_seen(mine)
        self._pending, place["acted"] = [], place["uid"]

    def _key(self, uid: int) -> str:
        return f"{self._name}/{self._validity}/{uid}"

    def _at(self, place: Mapping[str, int]) -> Cursor:
        folders = self._cursor["folders"]
        folders[self._name] = dict(place)
        return {"folders": dict(folders)}


def _place(cursor: Cursor, folder: str, validity: int) -> dict[str, int]:
    """Where to go on; at the beginning when the server has numbered its mails anew."""
    kept = plain(plain(cursor.get("folders")).get(folder))
    if kept.get("v") != validity:
        return {"v": validity, "uid": 0, "acted": 0}
    return {"v": validity, "uid": int(kept.get("uid", 0)), "acted": int(kept.get("acted", 0))}


def _new(client: Client, config: ImapConfig, after: int) -> list[int]:
    criteria = [f"UID {after + 1}:*"]  # the last mail answers to this even when it is older
    if config.since is not None:
        criteria.append(f"SINCE {config.since.day}-{_MONTHS[config.since.month]}-"
                        f"{config.since.year:04}")  # fmt: skip
    if config.unseen_only:
        criteria.append("UNSEEN")
    return [uid for uid in client.found(*criteria) if uid > after]


_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _port(config: ImapConfig) -> int:
    return config.port or _PORTS[config.security]


@contextlib.contextmanager
def _session(access: Access) -> Iterator[Client]:
    """Signed in. What the library makes of an answer that does not fit comes in our words."""
    config: ImapConfig = access.config
    who = proof(access)
    wire = Wire(access.net, config.host, _port(config))
    try:
        client = opened(wire, config.security)
        try:
            client.sign_in(who)
            yield client
        finally:
            closed(client)
    except imaplib.IMAP4.error as error:
        words = who.hidden(error.args[0] if error.args else "")
        raise Unavailable(f"{wire.place} broke off: {words}", code="broken_off") from error


SOURCE = Imap()
