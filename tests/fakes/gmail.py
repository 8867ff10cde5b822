"""Google's sign-in and the few endpoints of the Gmail API that are asked, on a local port.

https://developers.google.com/gmail/api/reference/rest/v1; `fake.answers` are taken from the left,
one a request: an HTTP status with Google's reason, such as `(429, "rateLimitExceeded")`.
"""

from __future__ import annotations

import base64
from collections import deque
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.json_http import HttpFake, JsonHandler

CLIENT, SECRET, REFRESH = "client.apps.example", "client s3cret", "1//refresh"


class FakeGmail(HttpFake):
    page = 2  # mails on one page, so that every list has several

    def __init__(self) -> None:
        self.mails: dict[str, tuple[bytes, list[str]]] = {}
        self.history: list[tuple[int, str]] = []
        self.history_id, self.forgotten = 100, 0
        self.answers: deque[tuple[int, str]] = deque()
        self.asked: list[str] = []
        self.tokens = 0
        super().__init__(_Handler)
        self.url = f"http://{self.place}"

    def put(self, *mails: bytes, labels: tuple[str, ...] = ("INBOX", "UNREAD")) -> None:
        for one in mails:
            name = f"m{len(self.mails):04x}"
            self.mails[name] = (one, list(labels))
            self.history_id += 7
            self.history.append((self.history_id, name))

    def expire(self) -> None:
        """The access token that is in use is over."""
        self.tokens += 1


class _Handler(JsonHandler):
    fake: FakeGmail

    def do_POST(self) -> None:
        given = parse_qs(self.text())
        if given.get("refresh_token") != [REFRESH]:
            self.say(400, {"error": "invalid_grant", "error_description": "Token is revoked."})
        elif given.get("client_secret") != [SECRET] or given.get("client_id") != [CLIENT]:
            self.say(401, {"error": "invalid_client", "error_description": "Unauthorized"})
        else:
            self.fake.tokens += 1
            token = f"access-{self.fake.tokens}"
            self.say(200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        path = parts.path.removeprefix("/gmail/v1/users/me/")
        self.fake.asked.append(path)
        if self.headers.get("authorization") != f"Bearer access-{self.fake.tokens}":
            self.refuse(401, "authError")
        elif self.fake.answers:
            self.refuse(*self.fake.answers.popleft())
        else:
            self.answer(path, parse_qs(parts.query))

    def answer(self, path: str, query: dict[str, list[str]]) -> None:
        fake, label = self.fake, query.get("labelIds", query.get("labelId", [""]))[0]
        if path == "profile":
            self.say(200, {"emailAddress": "ap@acme.example", "historyId": str(fake.history_id)})
        elif path.startswith("labels/"):
            found = [one for one in fake.mails.values() if path[7:] in one[1]]
            self.say(200, {"name": path[7:], "messagesTotal": len(found)})
        elif path == "messages":
            names = [name for name, one in fake.mails.items() if label in one[1]]
            self.pages("messages", [{"id": name} for name in reversed(names)], query)
        elif path == "history":
            start = int(query["startHistoryId"][0])
            if start < fake.forgotten:
                self.refuse(404, "notFound")
                return
            added = [
                {"id": str(number), "messagesAdded": [{"message": {"id": name}}]}
                for number, name in fake.history
                if number > start and name in fake.mails and label in fake.mails[name][1]
            ]
            self.pages("history", added, query)
        elif path.removeprefix("messages/") in fake.mails and query.get("format") == ["raw"]:
            data, labels = fake.mails[path.removeprefix("messages/")]
            raw = base64.urlsafe_b64encode(data).decode().rstrip("=")
            self.say(200, {"raw": raw, "labelIds": labels, "internalDate": "1793606400000"})
        else:
            self.refuse(404, "notFound")

    def pages(self, name: str, rows: list[Any], query: dict[str, list[str]]) -> None:
        start = int(query.get("pageToken", ["0"])[0])
        end = start + self.fake.page
        more = {"nextPageToken": str(end)} if end < len(rows) else {}
        body = {name: rows[start:end]} if rows else {}  # an empty list is left out
        self.say(200, {**body, **more, "historyId": str(self.fake.history_id)})

    def refuse(self, status: int, reason: str) -> None:
        error = {"code": status, "message": f"Said {reason}.", "errors": [{"reason": reason}]}
        later = {"retry_after": "30"} if status == 429 else {}
        self.say(status, {"error": error}, **later)
