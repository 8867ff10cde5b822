"""One way to open Redis: short timeouts, no hidden retries, a wrong password said at once."""

from __future__ import annotations

import redis
import redis.exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import telemetry
from core.errors import InvalidInput


def open_redis(url: str, setting: str, timeout_seconds: float) -> redis.Redis:
    """Raises `InvalidInput` that names the setting when Redis refuses us or the URL is none.
    A Redis that is away is only a warning: its users go on without it."""
    try:
        client: redis.Redis = redis.Redis.from_url(
            url, socket_timeout=timeout_seconds, socket_connect_timeout=timeout_seconds,
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        )  # fmt: skip
        client.ping()
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise InvalidInput(
            f"Redis refuses the name or password in {setting}; correct it "
            "(redis://USER:PASSWORD@HOST:PORT/NUMBER).",
            code="redis_refused",
        ) from error
    except ValueError as error:
        raise InvalidInput(
            f"{setting} is not a Redis address: {error}.", code="unknown_url"
        ) from error
    except redis.RedisError as error:
        telemetry.log("backends").warning(
            "Redis is away, going on without it", setting=setting, error=type(error).__name__
        )
    return client
