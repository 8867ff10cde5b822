"""Somebody with a credential, speaking HTTP to a platform in another process."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx

ENDED = {"completed", "failed", "cancelled", "needs_review"}
SECONDS = 90.0
_nothing = threading.Event()


class Person:
    """No answer is ever a 5xx: that would be a bug of ours, whatever was asked."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self.http = httpx.Client(base_url=url, headers=headers, timeout=60.0, trust_env=False)

    def close(self) -> None:
        self.http.close()

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        answer = self.http.request(method, path, **options)
        assert answer.status_code < 500, f"{method} {path}: {answer.text}"
        return answer

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of an answer that must be good."""
        answer = self.ask("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, path: str, status: int | None = None, **options: Any) -> httpx.Response:
        answer = self.ask("POST", path, **options)
        assert answer.status_code == status if status else answer.is_success, answer.text
        return answer

    def listing(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        cursor: str | None = None
        while True:
            page = self.get(path, limit=100, **params, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return

    def send(
        self, *files: tuple[str, bytes], key: str | None = None, **fields: Any
    ) -> httpx.Response:
        """Uploads; whatever the answer is."""
        parts = [("file", (name, data)) for name, data in files]
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in fields.items()}
        headers = {"Idempotency-Key": key} if key else {}
        return self.ask("POST", "/documents", files=parts, data=texts, headers=headers)

    def upload(self, *files: tuple[str, bytes], **fields: Any) -> list[str]:
        """The ids of documents that are taken."""
        answer = self.send(*files, **fields)
        assert answer.status_code == 202, answer.text
        return [item["document_id"] for item in answer.json()["items"]]

    def execute(self, key: str | None = None, **body: Any) -> str:
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.post("/workflows/execute", 202, json=body, headers=headers).json()
        return str(answer["workflow_id"])

    def status(self, run: str, *wanted: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The run's status once it is one of `wanted` (default: it has ended)."""
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.get(f"/workflows/{run}/status")
            if found["status"] in (wanted or ENDED):
                return found
            assert found["status"] not in ENDED, f"it ended {found['status']}: {found['error']}"
            assert time.monotonic() < deadline, f"still {found['status']}: {found['steps']}"
            _nothing.wait(0.05)

    def read(self, document: str, seconds: float = SECONDS) -> dict[str, Any]:
        """The document once it is ready or has failed."""
        deadline = time.monotonic() + seconds
        while True:
            found: dict[str, Any] = self.get(f"/documents/{document}")
            if found["status"] in ("ready", "failed"):
                return found
            assert time.monotonic() < deadline, f"still {found['status']}"
            _nothing.wait(0.05)

    def approvals(self, run: str) -> list[dict[str, Any]]:
        """What of this run waits for a person."""
        return [one for one in self.listing("/approvals") if one["workflow_id"] == run]

    def decide(self, approval: str, decision: str, comment: str | None = None) -> dict[str, Any]:
        body = {"decision": decision, "comment": comment}
        found: dict[str, Any] = self.post(f"/approvals/{approval}", 200, json=body).json()
        return found
