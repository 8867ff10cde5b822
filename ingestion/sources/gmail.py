"""A mail box at Google by the Gmail API (v1), read only: what is new by its history of changes.

https://developers.google.com/gmail/api/reference/rest/v1/users.messages, users.history; a refresh
token by https://developers.google.com/identity/protocols/oauth2/web-server with the scope
https://www.googleapis.com/auth/gmail.readonly.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any
from urllib.parse import quote, urlencode, urlsplit

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net, Reply
from ingestion.sources import Access, At, Config, Cursor, Dead, Item, Pulled
from ingestion.sources.gmail_answers import mail_in, plain, refused
from ingestion.sources.mail import VERSION, MailConfig, count, head, item, wanted
from ingestion.sources.wire import quoted

_PAGE = 500  # the most that one list gives
_MAILS_MAX = 200_000
_AROUND = 500_000  # of an answer beside the mail, bytes


class GmailConfig(MailConfig):
    client_id: Annotated[
        str, Field(min_length=1, max_length=300, description="of the OAuth client at Google")
    ]
    label: Annotated[
        str, Field(min_length=1, max_length=200, description="id of the label that is read")
    ] = "INBOX"
    unseen_only: Annotated[
        bool, Field(description="leave out what somebody has read before it is pulled")
    ] = False
    api_url: Annotated[
        str, Field(max_length=500, description="another address for the same API")
    ] = "https://gmail.googleapis.com"
    token_url: Annotated[
        str, Field(max_length=500, description="where access tokens are given")
    ] = "https://oauth2.googleapis.com/token"  # noqa: S105 (an address)


class Gmail:
    kind = "gmail"
    config: type[Config] = GmailConfig
    secrets: Mapping[str, str] = {
        "client_secret": "of the OAuth client at Google",
        "refresh_token": "what Google gave for the mail box, with the scope gmail.readonly",
    }

    def check(self, config: GmailConfig, net: Net) -> None:
        for name in ("api_url", "token_url"):
            _check_url(getattr(config, name), name, net)

    def test(self, access: Access) -> str:
        box = _Box(access)
        profile, label = box.get("profile"), box.label()
        new = sum(1 for _ in box.news(access.cursor)) if access.cursor else label[0]
        return (
            f"Signed in as {quoted(profile.get('emailAddress', '?'))}; "
            f"{label[1]} has {count(label[0], 'message')}, {new:,} new."
        )

    def pull(self, access: Access) -> Iterator[Pulled]:
        box = _Box(access)
        # Noted before the look, so that what comes meanwhile is seen by the next one.
        here = {"history": _history(box.get("profile"))}
        known = access.keys()
        for name in box.news(access.cursor):
            key = f"{access.config.label}/{name}"
            if access.stopped():
                return
            if key in known and access.known(key, VERSION):
                continue
            one = box.mail(name, key)
            if one is not None:
                yield one
        yield At(here)


class _Box:
    def __init__(self, access: Access) -> None:
        self._access, self._config, self._token = access, access.config, ""

    def label(self) -> tuple[int, str]:
        found = self.get(f"labels/{quote(self._config.label, safe='')}")
        return _whole(found.get("messagesTotal")), quoted(found.get("name", self._config.label))

    def news(self, cursor: Cursor) -> Iterator[str]:
        """Ids of mails that may be new, the oldest first. Where Google has forgotten what came
        since then (after about a week), all: what was taken is known."""
        start = cursor.get("history")
        if isinstance(start, str) and start.isdigit():
            found = self._since(start)
            if found is not None:
                yield from dict.fromkeys(found)
                return
        yield from reversed(self._all())

    def mail(self, name: str, key: str) -> Item | Dead | None:
        config, cap = self._config, min(self._config.mail_bytes_max, self._access.bytes_max)
        large = Dead(key, VERSION, "too_large", f"The mail is larger than {cap:,} bytes.")
        try:
            reply = self._reply(f"messages/{name}?format=raw", cap * 4 // 3 + _AROUND)
        except Unfinishable as error:
            if error.slug != "response_too_large":
                raise
            return large
        told, data = ({}, None) if reply.status == 404 else mail_in(reply)
        labels = told.get("labelIds", ())
        if config.label not in labels or (config.unseen_only and "UNREAD" not in labels):
            return None
        if data is None:
            return Dead(key, VERSION, "unreadable", "Google's answer holds no mail.")
        if len(data) > cap:
            return large
        if not wanted(config, head(data)) or self._old(told):
            return None
        return item(key, data, config.label, None)

    def get(self, path: str, *, missing: bool = False, **query: Any) -> dict[str, Any]:
        """The JSON of an answer; `missing`: nothing at all where there is no such thing. Raises
        `Unavailable`, or `Unfinishable` with what to do about it."""
        reply = self._reply(f"{path}?{urlencode(query, doseq=True)}" if query else path)
        if reply.status == 404 and not missing:
            refused(reply, "Gmail")
        return {} if reply.status == 404 else plain(reply)

    def _reply(self, path: str, bytes_max: int | None = None) -> Reply:
        """With status 200 or 404."""
        url = f"{self._config.api_url.rstrip('/')}/gmail/v1/users/me/{path}"
        reply = self._asked(url, bytes_max)
        if reply.status == 401:  # an access token lives for an hour
            self._token = ""
            reply = self._asked(url, bytes_max)
        if reply.status not in (200, 404):
            refused(reply, "Gmail")
        return reply

    def _asked(self, url: str, bytes_max: int | None) -> Reply:
        self._token = self._token or self._fresh()
        return self._access.net.request(
            "GET", url, headers={"authorization": f"Bearer {self._token}"}, redirects_max=0,
            bytes_max=bytes_max,
        )  # fmt: skip

    def _fresh(self) -> str:
        secrets = self._access.secrets
        body = urlencode({
            "grant_type": "refresh_token", "client_id": self._config.client_id,
            "client_secret": secrets["client_secret"], "refresh_token": secrets["refresh_token"],
        })  # fmt: skip
        reply = self._access.net.request(
            "POST", self._config.token_url, content=body.encode(), redirects_max=0,
            headers={"content-type": "application/x-www-form-urlencoded"},
        )  # fmt: skip
        if reply.status != 200:
            refused(reply, "Google's sign-in")
        token = plain(reply).get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Unfinishable("Google's sign-in gives no token.", code="protocol")
        return token

    def _all(self) -> list[str]:
        query = {"labelIds": self._config.label, "maxResults": _PAGE}
        if words := self._words():
            query["q"] = words
        return self._pages("messages", query, lambda page: page.get("messages")) or []

    def _words(self) -> str:
        """Google's own search, to look at less; what it gives is looked at once more."""
        since = self._config.since
        words = ["is:unread"] if self._config.unseen_only else []
        return " ".join([*words, *([f"after:{since:%Y/%m/%d}"] if since else [])])

    def _since(self, history: str) -> list[str] | None:
        query = {"startHistoryId": history, "labelId": self._config.label,
                 "historyTypes": ["messageAdded", "labelAdded"], "maxResults": _PAGE}  # fmt: skip

        def mails(page: Mapping[str, Any]) -> list[Any]:
            return [
                one.get("message")
                for entry in page.get("history") or ()
                for kind in ("messagesAdded", "labelsAdded")
                for one in entry.get(kind) or ()
            ]

        return self._pages("history", query, mails)

    def _pages(self, path: str, query: Mapping[str, Any], mails: Any) -> list[str] | None:
        """None where the answer is that there is no such thing (any more)."""
        names: list[str] = []
        token: Any = None
        while True:
            page = self.get(path, missing=True, **query, **({"pageToken": token} if token else {}))
            if not page:
                return None
            names += [one["id"] for one in mails(page) or () if str(one.get("id", "")).isalnum()]
            before, token = token, page.get("nextPageToken")
            if not isinstance(token, str) or token == before:
                return names
            if len(names) > _MAILS_MAX:
                raise Unfinishable(
                    f"The label has more than {_MAILS_MAX:,} mails. Set `since`.",
                    code="too_many_parts",
                )
            if self._access.stopped():
                raise Unavailable("The pull was stopped.", code="stopped")

    def _old(self, told: Mapping[str, Any]) -> bool:
        since, moment = self._config.since, _whole(told.get("internalDate"))
        if since is None or not moment:
            return False
        from datetime import UTC, datetime, time

        return moment < datetime.combine(since, time(), UTC).timestamp() * 1000


def _check_url(url: str, name: str, net: Net) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host or parts.query or parts.fragment:
        raise InvalidInput(
            f"`{name}` is an address such as https://gmail.googleapis.com.",
            code="bad_url", field=f"config.{name}",
        )  # fmt: skip
    if parts.scheme == "http" and not net.allowed(host, port or 80):
        raise InvalidInput(
            "The token would be read by everybody on the way: use https.",
            code="no_tls", field=f"config.{name}",
        )  # fmt: skip


def _history(profile: Mapping[str, Any]) -> str:
    return str(_whole(profile.get("historyId")))


def _whole(told: Any) -> int:
    text = str(told)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


SOURCE = Gmail()
