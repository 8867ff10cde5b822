"""The command as an outside client: it speaks HTTP with a credential, like anybody else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from core.errors import Rejected, Unauthenticated, Unavailable, WeftError
from core.settings import Settings
from ops import process

ENDED = {"completed", "failed", "cancelled", "needs_review"}


class Refused(Rejected):
    """The gateway's own words, with its status."""


class Client:
    """Calls to one platform as one credential."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.url = url
        self._http = httpx.Client(base_url=url, headers=headers, timeout=60.0, trust_env=False)

    def call(self, method: str, path: str, **options: Any) -> Any:
        """The JSON answer; raises what the problem document says."""
        answer = self.raw(method, path, **options)
        return answer.json() if answer.content else None

    def raw(self, method: str, path: str, **options: Any) -> httpx.Response:
        for attempt in range(5):
            try:
                answer = self._http.request(method, path, **options)
            except httpx.TransportError as error:
                raise Unavailable(
                    f"No Weft answers at {self.url}. Type: weft up", code="not_running"
                ) from error
            if answer.status_code != 429 or attempt == 4:
                break
            time.sleep(min(float(answer.headers.get("retry-after", "1")), 15.0))
        if answer.is_success:
            return answer
        raise _problem(answer)

    def upload(self, path: Path) -> str:
        """Uploads one file and returns its document id."""
        with path.open("rb") as file:
            answer = self.call("POST", "/documents", files={"file": (path.name, file)})
        return str(answer["items"][0]["document_id"])

    def listing(self, path: str, **query: str) -> Iterator[dict[str, Any]]:
        """Every item of a list, page after page."""
        cursor: str | None = None
        while True:
            params = {"limit": 200, **query, **({"cursor": cursor} if cursor else {})}
            page = self.call("GET", path, params=params)
            yield from page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def plan(self, workflow_id: str, seconds: float) -> dict[str, Any]:
        """What the supervisor made of a goal: `plan`, its steps in words, and `notes`; empty when
        the run ended before there was one."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.call("GET", f"/workflows/{workflow_id}/status")
            for line in self.listing(f"/workflows/{workflow_id}/logs"):
                if line["message"] == "planned":
                    return dict(line["data"])
            if status["status"] in ENDED:
                return {}
            if time.monotonic() > deadline:
                raise _still_running(workflow_id, seconds)
            time.sleep(0.15)

    def follow(
        self,
        workflow_id: str,
        seconds: float,
        seen: Callable[[dict[str, Any]], None] = lambda status: None,
    ) -> dict[str, Any]:
        """Polls a run until it ends or waits for a person; `seen` gets each status."""
        deadline = time.monotonic() + seconds
        while True:
            status: dict[str, Any] = self.call("GET", f"/workflows/{workflow_id}/status")
            seen(status)
            if status["status"] in ENDED or status["status"] == "waiting_approval":
                return status
            if time.monotonic() > deadline:
                raise _still_running(workflow_id, seconds)
            time.sleep(0.15)


def connect(settings: Settings, tenant: str | None, key: str | None, url: str | None) -> Client:
    """With `key` (or WEFT_API_KEY) as that key; else, on the operator's own machine, as a key of
    `tenant` that is made for this command and kept in DATA_DIR/keys, readable by its owner."""
    found = process.running(settings)
    address = url or os.environ.get("WEFT_URL") or (found.url if found else None)
    address = address or process.url_of(settings)
    credential = key or os.environ.get("WEFT_API_KEY")
    if credential is None:
        from ops.identity import command_key, only_tenant

        credential = command_key(settings, tenant or only_tenant(settings))
    return Client(address, {"X-API-Key": credential})


def _still_running(workflow_id: str, seconds: float) -> Unavailable:
    return Unavailable(
        f"The run still goes on after {seconds:.0f} s. Type: weft why {workflow_id}",
        code="still_running",
    )


def _problem(answer: httpx.Response) -> WeftError:
    try:
        body = answer.json()
    except ValueError:
        body = {"detail": answer.text[:200] or answer.reason_phrase}
    detail = str(body.get("detail") or body.get("title") or answer.reason_phrase)
    extra = {name: body[name] for name in ("errors", "supported_formats", "limit") if name in body}
    if extra.get("supported_formats"):
        detail += f" Supported: {', '.join(extra['supported_formats'])}."
    kinds: dict[int, type[WeftError]] = {401: Unauthenticated, 503: Unavailable}
    kind = kinds.get(answer.status_code, Refused if answer.status_code < 500 else WeftError)
    return kind(detail, code=str(body.get("code", "error")), **extra)
