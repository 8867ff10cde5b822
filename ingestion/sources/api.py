"""One outside HTTP API: signing in, limits of rate, rest after failures, errors in words."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping, Set
from email.utils import parsedate_to_datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import Field

from core.breaker import Breaker
from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net, Reply
from core.plain import check_plain
from core.sign_in import NEEDED, bearer, headers_of, query_of, token_of, token_request
from ingestion.sources import Access, Config

Style = Literal["none", "basic", "bearer", "header", "query", "oauth2"]
SECRETS: Mapping[str, str] = {
    "username?": "for auth.style basic",
    "password?": "for auth.style basic",
    "token?": "for auth.style bearer",
    "api_key?": "for auth.style header and query",
    "client_id?": "for auth.style oauth2",
    "client_secret?": "for auth.style oauth2",
}
_WAIT_SECONDS = 20.0  # longer than this nobody's thread waits
_LIMITED = frozenset({"rate_limited"})
_REFUSALS = {
    401: ("sign_in_refused", "does not know us. Correct the secrets or `auth`"),
    403: ("not_allowed", "does not allow this. Whoever keeps it grants the right"),
    404: ("not_there", "has nothing there. Correct `base_url` and `path`"),
    410: ("not_there", "has nothing there any more. Correct `base_url` and `path`"),
}
_breaker = Breaker()  # five failures in a row, then thirty seconds of rest


class Auth(Config):
    style: Annotated[Style, Field(description="how Weft signs in there")] = "none"
    name: Annotated[
        str,
        Field(max_length=100, pattern=r"^[A-Za-z0-9_.-]+$",
              description="of the header or query parameter that carries the key"),
    ] = "X-API-Key"  # fmt: skip
    token_url: Annotated[
        str, Field(max_length=500, description="where OAuth2 tokens come from")
    ] = ""
    scope: Annotated[str, Field(max_length=500, description="asked for with OAuth2")] = ""


def check_base(base_url: str, auth: Auth, net: Net) -> None:
    """Raises `InvalidInput` with `field`."""
    net.check(base_url)
    parts = urlsplit(base_url)
    if parts.query or parts.fragment:
        raise InvalidInput(
            "A base URL has no ? and no #: the query has its own setting.",
            code="bad_url", field="config.base_url",
        )  # fmt: skip
    if auth.style == "oauth2":
        if not auth.token_url:
            raise InvalidInput(
                "OAuth2 needs `token_url`: where the tokens come from.",
                code="bad_config", field="config.auth.token_url",
            )  # fmt: skip
        net.check(auth.token_url)


class Api:
    """Of one pull or call. What it sends as a secret goes to the origin of `base_url` only."""

    def __init__(
        self, access: Access, base_url: str, auth: Auth, headers: Mapping[str, str] | None = None,
        *, tries: int = 3,
    ) -> None:  # fmt: skip
        self._access, self._auth, self._tries = access, auth, tries
        self._base, self._headers = base_url, dict(headers or {})
        self.place = urlsplit(base_url).netloc
        self._token = ""
        for name in NEEDED[auth.style]:
            if not access.secrets.get(name):
                raise InvalidInput(
                    f"auth.style {auth.style} needs the secret {name!r}.",
                    code="bad_config", field=f"secrets.{name}",
                )  # fmt: skip

    def url(self, path: str) -> str:
        return f"{self._base.rstrip('/')}/{path.lstrip('/')}" if path else self._base

    def ours(self, url: str) -> bool:
        """Whether it has the origin of `base_url`."""
        return _origin(url) == _origin(self._base)

    def ask(
        self, method: str, url: str, query: Mapping[str, Any] | None = None,
        *, body: Any = None, headers: Mapping[str, str] | None = None,
        also: Set[int] = frozenset(),
    ) -> Reply:  # fmt: skip
        """A 2xx reply, or one of `also`. Raises `Unavailable` (for a long limit of rate
        too, with `retry_after`) or `Unfinishable` that says who must act; `status` is with both."""
        for left in reversed(range(self._tries)):
            reply = self._once(method, url, query or {}, body, headers or {})
            if reply.status == 401 and self._auth.style == "oauth2" and self._token and left:
                self._token = ""
                continue
            if reply.status in (429, 503) and (seconds := self._pause(reply)) is not None:
                if not left or seconds > _WAIT_SECONDS:
                    raise Unavailable(
                        f"{self.place} takes no more requests for now.",
                        code="rate_limited", retry_after=seconds, status=reply.status,
                    )  # fmt: skip
                self._wait(seconds)
                continue
            return reply if reply.status in also else self._expected(reply)
        raise Unavailable(f"{self.place} takes no more requests for now.", code="rate_limited")

    def json(self, reply: Reply) -> Any:
        return plain_json(reply.body, self.place)

    def _once(
        self, method: str, url: str, query: Mapping[str, Any], body: Any,
        headers: Mapping[str, str],
    ) -> Reply:  # fmt: skip
        sent = {"accept": "application/json", **self._headers, **headers}
        told = [(name, value) for name, value in query.items() if value is not None]
        if self.ours(url):
            sent |= self._credentials()
            told += query_of(self._auth.style, self._auth.name, self._access.secrets)
        content = b""
        if body is not None:
            content = json.dumps(body, ensure_ascii=False).encode()
            sent["content-type"] = "application/json"
        if told:
            url += ("&" if "?" in url else "?") + urlencode(told, doseq=True)
        return self._guarded(method, url, sent, content)

    def _guarded(self, method: str, url: str, headers: Mapping[str, str], content: bytes) -> Reply:
        self._access.net.check(url)
        # By tenant too: one whose requests fail keeps nobody else from the same place.
        with _breaker.guard(f"{self._access.inbox.name} {urlsplit(url).netloc}", _LIMITED):
            reply = self._access.net.request(method, url, headers=headers, content=content)
            if reply.status >= 500 and not (reply.status == 503 and self._pause(reply) is not None):
                raise Unavailable(
                    f"{self.place} answered {reply.status}. It is tried again.",
                    code="unavailable", status=reply.status,
                )  # fmt: skip
            return reply

    def _credentials(self) -> dict[str, str]:
        if self._auth.style == "oauth2":
            self._token = self._token or self._fresh_token()
            return bearer(self._token)
        return headers_of(self._auth.style, self._auth.name, self._access.secrets)

    def _fresh_token(self) -> str:
        where = self._auth.token_url
        headers, content = token_request(self._access.secrets, self._auth.scope)
        return token_of(self._guarded("POST", where, headers, content), urlsplit(where).netloc)

    def _expected(self, reply: Reply) -> Reply:
        status = reply.status
        if 200 <= status < 300:
            return reply
        code, told = _REFUSALS.get(status, ("refused", "refuses the request. Correct the settings"))
        raise Unfinishable(f"{self.place} answered {status}: it {told}.", code=code, status=status)

    def _pause(self, reply: Reply) -> float | None:
        """Seconds to wait; None where nothing is said and a 503 is just a failure."""
        said = _seconds(reply.headers.get("retry-after", ""), self._access.clock.now_ms() / 1000)
        return said if said is not None or reply.status != 429 else 1.0

    def _wait(self, seconds: float) -> None:
        over = threading.Event()
        while seconds > 0 and not self._access.stopped():
            over.wait(min(1.0, seconds))
            seconds -= 1.0


def plain_json(body: bytes, place: str) -> Any:
    """Numbers with a point stay the text they were. Raises `Unfinishable`."""
    try:
        found = json.loads(
            body, parse_float=str, parse_int=_integer, parse_constant=_refuse,
            object_pairs_hook=_once,
        )  # fmt: skip
        return check_plain(found)
    except _TwiceError as error:
        raise Unfinishable(
            f"{place} answers with an object that has {error.args[0]!r} twice: nobody can say "
            "which of them holds. Whoever keeps it corrects it.",
            code="duplicate_key",
        ) from error
    except (ValueError, RecursionError) as error:
        raise Unfinishable(
            f"{place} does not answer with JSON that can be read. Correct `base_url` and `path`.",
            code="not_json",
        ) from error


def at(value: Any, path: str) -> Any:
    """`data.items.0` in JSON; None where there is nothing. The empty path is the whole."""
    for name in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and int(name) < len(value):
            value = value[int(name)]
        else:
            return None
    return value


def _seconds(text: str, now: float) -> float | None:
    """`Retry-After`, in seconds or as a date (RFC 9110 §10.2.3), at most a day."""
    try:
        seconds = float(text) if text.strip().isdecimal() else (
            parsedate_to_datetime(text).timestamp() - now)  # fmt: skip
    except (ValueError, TypeError):
        return None
    return max(0.0, min(seconds, 86_400.0))


def _integer(text: str) -> int | str:
    """Ids of more digits than JSON's readers keep stay text."""
    return int(text) if len(text) < 16 else text


class _TwiceError(ValueError):
    """Its argument is the name."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        names = Counter(name for name, _ in pairs)
        raise _TwiceError(names.most_common(1)[0][0][:100])
    return made


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _origin(url: str) -> tuple[str, str, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:  # of no place: never ours
        return "", "", None
    return parts.scheme, (parts.hostname or "").lower(), port
