"""A sign-in of OAuth 2 on a local port: gives tokens, and tells mail servers whose they are.

`POST /token` (RFC 6749 §6 and §4.4), `GET|POST /introspect…` (RFC 7662). Every refresh token is
good for once where `rotates`; `fake.refuse` is the error that the next question for a token gets.
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

CLIENT, SECRET, REFRESH = "client-7", "client s3cret", "refresh-0"


class FakeOAuth:
    def __init__(self, user: str, *, rotates: bool = False, port: int = 0) -> None:
        self.user, self.rotates = user, rotates
        self.refresh, self.access = REFRESH, ""
        self.refuse: tuple[int, str] | None = None
        self.asked: list[dict[str, str]] = []
        handler = type("Handler", (_Handler,), {"fake": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        self.url = f"http://{self.place}/token"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

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
        if kind == "refresh_token" and form.get("refresh_token") != self.refresh:
            return 400, {"error": "invalid_grant", "error_description": "Token is revoked."}
        count = len(self.asked)
        self.access = f"access-{count}"
        answer = {"access_token": self.access, "expires_in": 3599, "token_type": "Bearer"}
        if kind == "refresh_token" and self.rotates:
            self.refresh = answer["refresh_token"] = f"refresh-{count}"
        return 200, answer

    def __enter__(self) -> FakeOAuth:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    fake: FakeOAuth

    def log_message(self, *_: Any) -> None: ...

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["content-length"])).decode()
        form = {name: one[0] for name, one in parse_qs(text).items()}
        if self.path == "/token":
            self._say(*self.fake.given(form))
        else:
            self._introspect(form.get("token", ""))

    def do_GET(self) -> None:
        self._introspect(unquote(urlsplit(self.path).path.rpartition("/")[2]))

    def _introspect(self, token: str) -> None:
        if token and token == self.fake.access:
            self._say(200, {"active": True, "email": self.fake.user, "username": self.fake.user})
        else:
            self._say(200, {"active": False})

    def _say(self, status: int, body: Any) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
