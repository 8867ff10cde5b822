"""One way to open Redis: short timeouts, no hidden retries, a wrong password said at once."""

from __future__ import annotations

import contextlib
import time

import redis
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import telemetry
from core.errors import InvalidInput, Unavailable

_LOOK_SECONDS = 2.0


def open_redis(url: str, setting: str, timeout_seconds: float) -> redis.Redis:
    """Raises `InvalidInput` that names the setting when Redis refuses us or the URL is none.
    A Redis that is away is only a warning: its users go on without it."""
    client = _client(url, setting, timeout_seconds)
    try:
        _greet(client, setting)
    except Unavailable as error:
        telemetry.log("backends").warning(
            "Redis is away, going on without it", setting=setting, **error.to_json()
        )
    return client


def roundtrip_ms(url: str, setting: str) -> float:
    """For `doctor` and `/health`. Raises `InvalidInput` as `open_redis` does, `Unavailable` when
    it is away."""
    with contextlib.closing(_client(url, setting, _LOOK_SECONDS)) as client:
        began = time.perf_counter()
        _greet(client, setting)
        return (time.perf_counter() - began) * 1000


def _client(url: str, setting: str, timeout_seconds: float) -> redis.Redis:
    try:
        client: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )  # fmt: skip
    except ValueError as error:
        raise InvalidInput(
            f"{setting} is not a Redis address: {error}.", code="unknown_url"
        ) from error
    return client


def _greet(client: redis.Redis, setting: str) -> None:
    try:
        client.ping()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise InvalidInput(
            f"Redis refuses the name or password in {setting}; correct it "
            "(redis://USER:PASSWORD@HOST:PORT/NUMBER).",
            code="redis_refused",
        ) from error
    except redis.RedisError as error:
        raise Unavailable(
            f"Redis of {setting} does not answer: {type(error).__name__}.", code="redis_away"
        ) from error
