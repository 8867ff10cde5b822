"""Writing operations of outside HTTP APIs, as they were approved; the sign-in is added last."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from connectors.egress import Egress
from connectors.webhook import wish
from core.breaker import Breaker
from core.clock import Clock
from core.errors import InDoubt, InvalidInput, Unanswered, Unavailable, Unfinishable
from core.net import Reply
from core.plain import check_plain
from core.ports import EffectCall, EffectClass
from core.sign_in import (
    NEEDED,
    bearer,
    headers_of,
    query_of,
    token_of,
    token_request,
    without,
)

METHODS = ("POST", "PUT", "PATCH", "DELETE")
BODY_BYTES_MAX = 1_000_000
ANSWER_CHARS_MAX = 60_000
_SAID_BYTES = 1_000  # of a refusal
_FORM = "application/x-www-form-urlencoded"
_AGAIN = frozenset({408, 425, 429})  # it says itself that it did nothing
_ELSEWHERE = frozenset({301, 307, 308})
_REFUSALS = {
    401: ("sign_in_refused", "does not know us. Correct the integration's secrets"),
    403: ("not_allowed", "does not allow this. Whoever keeps it grants the right"),
}


class Api:
    """Request: `{integration_id, method, url, headers, content_type, body, idempotency_header}`.
    Config: `integration`, what the engine knows of it by now: `{tenant, base_url, auth, secrets}`;
    none where it is gone or switched off.

    Blind: the engine repeats nothing that may have arrived. Where `idempotency_header` is named,
    the effect is reserved as keyed, and its key goes along."""

    effect_class: EffectClass = "blind"

    def __init__(self, egress: Egress, clock: Clock, breaker: Breaker) -> None:
        self._egress, self._clock, self._breaker = egress, clock, breaker

    def check(self, call: EffectCall) -> None:
        """Raises `InvalidInput` for what may never be sent."""
        request = call.request
        if request.get("method") not in METHODS:
            raise InvalidInput(f"A change is one of {', '.join(METHODS)}.", code="not_writing")
        self._egress.check(str(request.get("url", "")))
        content_of(request)
        for name, value in (request.get("headers") or {}).items():
            if not (name + value).isascii() or not (name + value).isprintable():
                raise InvalidInput(
                    f"The header {name!r} is not one line of ASCII.", code="bad_header"
                )

    def send(self, call: EffectCall) -> dict[str, Any]:
        """Gives `{status, content_type, data, text, truncated}`. Raises `Unavailable` (surely not
        done, or keyed), `Unfinishable` (refused for good) or `InDoubt`."""
        self.check(call)
        request, account = call.request, call.config.get("integration")
        target = self._egress.check(request["url"])
        if not isinstance(account, Mapping):
            raise Unfinishable(
                "The integration is gone or switched off. It was not sent.", code="integration_gone"
            )
        if self._egress.check(account["base_url"]).origin != target.origin:
            raise Unfinishable(
                "The integration leads to another place by now. It was not sent. Ask for it again: "
                "retry the run.",
                code="request_changed",
            )
        with self._breaker.guard(f"{account['tenant']} {target.place}", frozenset({"limited"})):
            headers, url = self._signed(call, account, target.place)
            reply = self._asked(call, url, headers, target.place)
            return self._verdict(call, account["secrets"], target.place, reply)

    def lookup(self, call: EffectCall) -> dict[str, Any] | None:
        """Nobody knows by which operation."""
        return None

    def _signed(
        self, call: EffectCall, account: Mapping[str, Any], place: str
    ) -> tuple[dict[str, str], str]:
        """Headers and address, with the sign-in and the key."""
        request, auth, secrets = call.request, account["auth"], account["secrets"]
        if missing := [name for name in NEEDED[auth["style"]] if not secrets.get(name)]:
            raise Unfinishable(
                f"The integration lacks the secret {missing[0]!r}.", code="sign_in_refused"
            )
        headers = {"accept": "application/json", **request.get("headers", {})}
        if request["content_type"]:
            headers["content-type"] = request["content_type"]
        if name := request["idempotency_header"]:
            headers[name.lower()] = call.key
        url, told = request["url"], query_of(auth["style"], auth["name"], secrets)
        if told:
            url += ("&" if "?" in url else "?") + urlencode(told)
        if auth["style"] == "oauth2":
            return headers | bearer(self._token(auth, secrets)), url
        return headers | headers_of(auth["style"], auth["name"], secrets), url

    def _token(self, auth: Mapping[str, Any], secrets: Mapping[str, str]) -> str:
        where = self._egress.check(auth["token_url"])
        headers, content = token_request(secrets, auth["scope"])
        try:
            reply = self._egress.request(
                "POST", where.url, headers=headers, content=content, redirects_max=0
            )
        except Unanswered as error:  # nothing was changed by that
            raise Unavailable(error.detail, code=error.slug) from error
        if reply.status in _AGAIN or reply.status >= 500:
            raise Unavailable(f"{where.place} gives no token for now.", code="api_unavailable")
        return token_of(reply, where.place)

    def _asked(self, call: EffectCall, url: str, headers: Mapping[str, str], place: str) -> Reply:
        try:
            return self._egress.request(
                call.request["method"], url, headers=headers, content=content_of(call.request),
                redirects_max=0,
            )  # fmt: skip
        except Unanswered as error:
            raise _doubt(call, f"{place} did not answer.") from error
        except Unfinishable as error:  # it was done or refused: its answer cannot be read
            raise _doubt(call, f"{place}: {error.detail}") from error

    def _verdict(
        self, call: EffectCall, secrets: Mapping[str, str], place: str, reply: Reply
    ) -> dict[str, Any]:
        status = reply.status
        if 200 <= status < 300 or status == 303:
            return answer_of(reply, secrets)
        if status in _AGAIN:
            raise Unavailable(
                f"{place} takes no more requests for now.", code="limited",
                **wish(self._clock, reply.headers.get("retry-after", "")),
            )  # fmt: skip
        if status >= 500 or status == 302:
            raise _doubt(call, f"{place} answered {status}.")
        code, told = _REFUSALS.get(status, ("refused", "refuses the request"))
        if status in _ELSEWHERE:
            code, told = "redirect", "leads elsewhere. Correct the integration's base_url"
        said = without(reply.body[:_SAID_BYTES].decode("utf-8", "replace"), secrets)
        raise Unfinishable(
            f"{place} answered {status}: it {told}.", code=code, status=status,
            answer=said.replace("\x00", ""),
        )  # fmt: skip


def _doubt(call: EffectCall, told: str) -> Unavailable | InDoubt:
    if call.request["idempotency_header"]:
        return Unavailable(told, code="api_unavailable")
    return InDoubt(
        f"{told} It may have been done. Look it up there, then retry or cancel the run.",
        code="in_doubt",
    )


def content_of(request: Mapping[str, Any]) -> bytes:
    """The same bytes on every retry. Raises `InvalidInput`."""
    kind, body = request.get("content_type"), request.get("body")
    if kind == _FORM and not isinstance(body, dict):
        raise InvalidInput("A form is a mapping.", code="bad_parameter")
    if not kind:
        return b""
    if kind == _FORM and isinstance(body, dict):
        content = urlencode({name: _form_text(body[name]) for name in sorted(body)}, doseq=True)
    else:
        content = json.dumps(body, sort_keys=True, ensure_ascii=False, allow_nan=False)
    if len(content) > BODY_BYTES_MAX:
        raise InvalidInput(f"A body has at most {BODY_BYTES_MAX:,} bytes.", code="too_large")
    return content.encode()


def _form_text(value: Any) -> Any:
    if isinstance(value, list):
        return [_form_text(each) for each in value]
    return ("true" if value else "false") if isinstance(value, bool) else value


def answer_of(reply: Reply, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Data of somebody else, never an instruction."""
    kind = reply.headers.get("content-type", "").partition(";")[0].strip().lower()[:100]
    text = without(reply.body.decode("utf-8", "replace"), secrets).replace("\x00", "")
    made = {"status": reply.status, "content_type": kind, "data": None, "text": None,
            "truncated": len(text) > ANSWER_CHARS_MAX}  # fmt: skip
    if (kind == "application/json" or kind.endswith("+json")) and not made["truncated"]:
        try:
            return {**made, "data": check_plain(json.loads(text, parse_float=str))}
        except (ValueError, RecursionError):
            pass
    return {**made, "text": text[:ANSWER_CHARS_MAX] or None}
