"""A sign-in of OAuth 2 on a local port: gives tokens, and tells mail servers whose they are.

`POST /token` (RFC 6749 §6 and §4.4), `GET|POST /introspect…` (RFC 7662). Every refresh token is
good for once where `rotates`; `fake.refuse` is the error that the next question for a token gets.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.json_http import HttpFake, JsonHandler

CLIENT, SECRET, REFRESH = "client-7", "client s3cret", "refresh-0"


class FakeOAuth(HttpFake):
    def __init__(self, user: str, *, rotates: bool = False, port: int = 0) -> None:
        self.user, self.rotates = user, rotates
        self.strict = self.revoked = False  # one token that comes again takes all of them back
        self.refresh, self.access = REFRESH, ""
        self.refuse: tuple[int, str] | None = None
        self.asked: list[dict[str, str]] = []
        super().__init__(_Handler, port)
        self.url = f"http://{self.place}/token"

    def config(self, **more: str) -> dict[str, str]:
        return {"style": "oauth2", "token_url": self.url, "client_id": CLIENT,
                "scope": "mail offline_access", **more}  # fmt: skip

    def given(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        self.asked.append(form)
        if self.refuse is not None:
            (status, error), self.refuse = self.refuse, None
            return status, {"error": error, "error_description": f"Said {error}, {form}."}
        kind = form.get("grant_type")
        if form.get("client_id") != CLIENT or form.get("client_secret", SECRET) != SECRET:
            return 401, {"error": "invalid_client", "error_description": "Unknown client."}
        if kind == "refresh_token" and (self.revoked or form.get("refresh_token") != self.refresh):
            self.revoked = self.revoked or self.strict
            return 400, {"error": "invalid_grant", "error_description": "Token is revoked."}
        count = len(self.asked)
        self.access = f"access-{count}"
        answer = {"access_token": self.access, "expires_in": 3599, "token_type": "Bearer"}
        if kind == "refresh_token" and self.rotates:
            self.refresh = answer["refresh_token"] = f"refresh-{count}"
        return 200, answer


class _Handler(JsonHandler):
    fake: FakeOAuth

    def do_POST(self) -> None:
        form = {name: one[0] for name, one in parse_qs(self.text()).items()}
        if self.path == "/token":
            self.say(*self.fake.given(form))
        else:
            self._introspect(form.get("token", ""))

    def do_GET(self) -> None:
        self._introspect(unquote(urlsplit(self.path).path.rpartition("/")[2]))

    def _introspect(self, token: str) -> None:
        if token and token == self.fake.access:
            self.say(200, {"active": True, "email": self.fake.user, "username": self.fake.user})
        else:
            self.say(200, {"active": False})
