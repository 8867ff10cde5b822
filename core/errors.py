"""Errors say who must act.

WeftError
├── Rejected        the caller must change the request (4xx)
│   ├── InvalidInput, NotFound, Conflict, Forbidden, Unauthenticated, TooLarge,
│   └── UnsupportedFormat, RateLimited, QuotaExceeded
├── Unavailable     wait and try again (503)
│   ├── Outage      one of Weft's own stores is away: waiting for it is no attempt
│   └── Unanswered  an outside place did not answer, and what it was asked may have arrived
├── Unfinishable    this input can never work; the run goes on without it or fails with a reason
└── InDoubt         an outside action may have happened; a person has to look
"""

from __future__ import annotations

from typing import Any, ClassVar


class WeftError(Exception):
    """Base of every error a person is meant to read. `code` is a stable slug, `extra` is public."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Error"

    def __init__(self, detail: str, *, code: str | None = None, **extra: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.slug = code or self.code
        self.extra: dict[str, Any] = extra

    def to_json(self) -> dict[str, Any]:
        """The shape kept on rows and shown in `error` fields: `{code, detail, ...extra}`."""
        return {"code": self.slug, "detail": self.detail, **self.extra}


class Rejected(WeftError):
    code = "rejected"
    status = 400
    title = "Request refused"


class InvalidInput(Rejected):
    code = "invalid_input"
    status = 422
    title = "Invalid input"


class NotFound(Rejected):
    """Also the answer for another tenant's id, so that ids cannot be probed."""

    code = "not_found"
    status = 404
    title = "Not found"


class Conflict(Rejected):
    code = "conflict"
    status = 409
    title = "Conflict"


class Unauthenticated(Rejected):
    code = "unauthenticated"
    status = 401
    title = "Sign in first"


class Forbidden(Rejected):
    code = "forbidden"
    status = 403
    title = "Not allowed"


class TooLarge(Rejected):
    code = "too_large"
    status = 413
    title = "Too large"


class UnsupportedFormat(Rejected):
    """Carries `supported_formats`."""

    code = "unsupported_format"
    status = 415
    title = "Unsupported format"


class RateLimited(Rejected):
    """Carries `retry_after` in seconds and `limit`."""

    code = "rate_limited"
    status = 429
    title = "Too many requests"


class QuotaExceeded(Rejected):
    """Carries `limit`, the name of the tier's limit that was reached."""

    code = "quota_exceeded"
    status = 429
    title = "Quota used up"


class Unavailable(WeftError):
    """Carries `retry_after` in seconds where it is known."""

    code = "unavailable"
    status = 503
    title = "Try again later"


class Outage(Unavailable):
    """A store of Weft's own (objects, database) is away or refuses Weft. No step is to blame, so a
    step that meets it waits without spending an attempt, until its run's deadline."""

    code = "outage"


class Unanswered(Unavailable):
    """The request was sent, as a whole or in part, and no answer came. People read the same as of
    a place that was not reached."""

    code = "unanswered"


class Unfinishable(WeftError):
    code = "unfinishable"
    status = 422
    title = "This input cannot be used"


class InDoubt(WeftError):
    """An outside action may or may not have happened; a person has to look (`needs_review`)."""

    code = "in_doubt"
    status = 502
    title = "Nobody knows whether it happened"
