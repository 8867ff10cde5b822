"""How a mail box is signed in to: by a password, or by OAuth 2 (RFC 6749 §6 and §4.4) as Google and
Microsoft ask for it: XOAUTH2 (developers.google.com/gmail/imap/xoauth2-protocol) or OAUTHBEARER
(RFC 7628)."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import urlencode, urlsplit

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net, Reply
from ingestion.sources import SIGN_IN_REFUSED, Access, Config
from ingestion.sources.wire import quoted

SECRETS: Mapping[str, str] = {
    "password?": "the account's, or an app password; for auth.style password",
    "refresh_token?": "for auth.style oauth2: what the sign-in in a browser gave",
    "client_secret?": "for auth.style oauth2, where the client has one",
}
# The ways of showing a token, the better known first, and what a refusal is answered with.
READ: Mapping[str, bytes] = {"XOAUTH2": b"", "OAUTHBEARER": b"\1"}
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
_ADVICE = {
    "invalid_grant": "The refresh token is over or was taken back: sign in there again and set "
    "the new `refresh_token`.",
    "invalid_client": "Correct `auth.client_id` and the secret `client_secret`.",
    "unauthorized_client": "The client may not do this: grant it there.",
    "invalid_scope": "Correct `auth.scope`.",
    "interaction_required": "Somebody must sign in there again: set the new `refresh_token`.",
}


class MailAuth(Config):
    style: Annotated[
        Literal["password", "oauth2"], Field(description="how Weft signs in there")
    ] = "password"
    token_url: Annotated[
        str, Field(max_length=500, description="where access tokens are given")
    ] = ""
    client_id: Annotated[str, Field(max_length=300, description="of the OAuth client")] = ""
    scope: Annotated[str, Field(max_length=500, description="that is asked for")] = ""


@dataclass(frozen=True, slots=True)
class Proof:
    """Who signs in, and by what: one of the two."""

    user: str
    password: str
    token: str

    def hidden(self, words: object) -> str:
        """What a server said, without what it may have repeated."""
        return quoted(words, self.password, self.token)

    def spoken(self, offered: Collection[str], place: str) -> tuple[str, bytes]:
        """Which way, and what is said. Raises `Unfinishable` where the server takes no tokens."""
        known = {name.upper() for name in offered}
        way = next((name for name in READ if name in known), None)
        if way is None:
            raise Unfinishable(
                f"{place} takes no OAuth tokens. Set `auth.style` to password.", code="no_oauth"
            )
        top, (host, _, port) = f"user={self.user}\1", place.rpartition(":")
        if way == "OAUTHBEARER":
            user = self.user.replace("=", "=3D").replace(",", "=2C")
            top = f"n,a={user},\1host={host}\1port={port}\1"
        return way, f"{top}auth=Bearer {self.token}\1\1".encode()

    def refused(self, place: str, words: str) -> Unfinishable:
        advice = (
            "Correct the user, grant the client the mail box, or sign in there again with the "
            "right scope and set the new `refresh_token`."
            if self.token
            else "Correct the user or the password, or have the account unlocked there."
        )
        return Unfinishable(
            f"{place} refuses the sign-in of {self.user}. It says: {words}. {advice}",
            code=SIGN_IN_REFUSED,
        )


def check_auth(auth: MailAuth, net: Net) -> None:
    """Raises `InvalidInput` with `field`."""
    if auth.style == "password":
        return
    for name in ("token_url", "client_id"):
        if not getattr(auth, name):
            raise InvalidInput(
                f"OAuth 2 needs `auth.{name}`.", code="bad_config", field=f"config.auth.{name}"
            )
    field = "config.auth.token_url"
    try:
        parts = urlsplit(auth.token_url)
        safe = parts.scheme == "https" or net.allowed(parts.hostname or "", parts.port or 80)
        net.check(auth.token_url)
    except InvalidInput as error:
        raise InvalidInput(error.detail, code=error.slug, field=field) from error
    except ValueError:
        safe = False
    if not safe:
        raise InvalidInput(
            "The token would be read by everybody on the way: use https.", code="no_tls",
            field=field,
        )  # fmt: skip


def needed(auth: Mapping[str, Any], given: Mapping[str, str]) -> str | None:
    """The name of a secret that this way of signing in lacks. Without a refresh token the client
    signs in as itself, by its secret."""
    if auth.get("style") != "oauth2":
        return None if given.get("password") else "password"
    return None if given.get("refresh_token") or given.get("client_secret") else "refresh_token"


def proof(access: Access) -> Proof:
    """Raises `InvalidInput`, `Unavailable` or `Unfinishable`."""
    auth: MailAuth = access.config.auth
    if (name := needed(auth.model_dump(), access.secrets)) is not None:
        raise InvalidInput(
            f"The secret {name!r} is missing.", code="bad_config", field=f"secrets.{name}"
        )
    if auth.style == "password":
        return Proof(access.config.user, access.secrets["password"], "")
    with access.alone():  # a refresh token may be good for once
        return Proof(access.config.user, "", _token(access, auth))


def _token(access: Access, auth: MailAuth) -> str:
    place = urlsplit(auth.token_url).netloc
    reply = access.net.request(
        "POST", auth.token_url, content=urlencode(_form(access.secrets, auth)).encode(),
        headers={"content-type": "application/x-www-form-urlencoded",
                 "accept": "application/json"}, redirects_max=0,
    )  # fmt: skip
    told = _told(reply)
    if reply.status != 200:
        raise _refusal(place, reply, told, access.secrets)
    token, following = told.get("access_token"), told.get("refresh_token")
    if not isinstance(token, str) or not token or not (token.isascii() and token.isprintable()):
        raise Unfinishable(f"{place} gives no token.", code="protocol")
    if isinstance(following, str) and following != access.secrets.get("refresh_token", following):
        access.keep({"refresh_token": following})
    return token


def _form(secrets: Mapping[str, str], auth: MailAuth) -> dict[str, str]:
    form = {"client_id": auth.client_id, "scope": auth.scope,
            "client_secret": secrets.get("client_secret", "")}  # fmt: skip
    if refresh := secrets.get("refresh_token"):
        form |= {"grant_type": "refresh_token", "refresh_token": refresh}
    else:
        form["grant_type"] = "client_credentials"
    return {name: value for name, value in form.items() if value}


def _told(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(
    place: str, reply: Reply, told: Mapping[str, Any], secrets: Mapping[str, str]
) -> Unavailable | Unfinishable:
    """`{error, error_description}` (RFC 6749 §5.2) in words."""
    code = str(told.get("error", ""))
    words = quoted(told.get("error_description") or code or "nothing", *secrets.values())
    if reply.status in _LATER or code == "temporarily_unavailable":
        wait = reply.headers.get("retry-after", "")
        more = {"retry_after": int(wait)} if wait.isdigit() and len(wait) < 5 else {}
        return Unavailable(f"{place} asks to wait: {words}", code="busy", **more)
    advice = _ADVICE.get(code, "Look at the OAuth client and its rights there.")
    return Unfinishable(
        f"{place} gives no token: it answered {reply.status} and says: {words}. {advice}",
        code=SIGN_IN_REFUSED,
    )
