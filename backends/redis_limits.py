"""Rate limits in Redis, exact over all replicas: one script, one round trip, the server's clock.

While Redis is away each replica allows its share of a limit (limit / replicas), never more.
"""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import redis

from backends.limits import LocalLimiter
from backends.redis_client import open_redis
from core import telemetry
from core.clock import Clock
from core.ids import new_id
from core.ports import Allowance

PREFIX = "weft:limits:"
REPLICAS = f"{PREFIX}replicas"
TIMEOUT_SECONDS = 0.25  # paid by the requests in flight when Redis stops answering, then by nobody
BEAT_SECONDS, PROBE_SECONDS = 5.0, 1.0
GONE_SECONDS = 3 * BEAT_SECONDS

# A list of "ms:cost", oldest first, and beside it what they cost together.
# In: limit, window in ms, cost. Out: allowed, used, ms until the oldest hit leaves the window.
_HIT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local limit, window, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local used = tonumber(redis.call('GET', KEYS[2]) or '0')
local oldest = redis.call('LINDEX', KEYS[1], 0)
local let_go = 0
while oldest do
  local at, spent = string.match(oldest, '(%d+):(%d+)')
  if tonumber(at) > now - window then oldest = tonumber(at) break end
  let_go = let_go + tonumber(spent)
  redis.call('LPOP', KEYS[1])
  oldest = redis.call('LINDEX', KEYS[1], 0)
end
used = used - let_go
if not oldest then used = 0 end
local allowed = used + cost <= limit
if allowed then
  used = used + cost
  redis.call('RPUSH', KEYS[1], string.format('%.0f:%.0f', now, cost))
  redis.call('SET', KEYS[2], used, 'PX', window)
  redis.call('PEXPIRE', KEYS[1], window)
  oldest = oldest or now
elseif let_go > 0 then
  redis.call('SET', KEYS[2], used, 'KEEPTTL')
end
return {allowed and 1 or 0, used, oldest and oldest + window - now or 0}
"""

# In: this replica, how long it counts in ms. Out: how many are there.
_BEAT = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return redis.call('ZCARD', KEYS[1])
"""

log = telemetry.log("backends")


class RedisLimiter:
    """`Limiter` on `redis://…`. `replicas` is the share's divisor until Redis has counted more."""

    def __init__(self, url: str, clock: Clock, replicas: int = 1) -> None:
        self._redis = open_redis(url, "WEFT_LIMITS_URL", TIMEOUT_SECONDS)
        self._hit: Any = self._redis.register_script(_HIT)
        self._beat: Any = self._redis.register_script(_BEAT)
        self._local = LocalLimiter(clock)
        self._id = new_id()
        self._least = self._replicas = replicas
        self._up = True
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._closed = False
        self._keeper: threading.Thread | None = None

    def hit(self, key: str, limit: int, window_seconds: int, cost: int = 1) -> Allowance:
        if self._keeper is None:
            self._start()
        if self._up:
            try:
                return self._everywhere(key, limit, window_seconds, cost)
            except redis.RedisError as error:
                self._lost(error)
        telemetry.limiter_degraded.inc()
        return self._local.hit(key, max(1, limit // self._replicas), window_seconds, cost)

    def close(self) -> None:
        self._closed = True
        self._wake.set()
        if self._keeper is not None:
            self._keeper.join(2 * TIMEOUT_SECONDS)
        self._redis.close()

    def _everywhere(self, key: str, limit: int, window_seconds: int, cost: int) -> Allowance:
        log_key = f"{PREFIX}{{{key}/{window_seconds}}}"  # the braces keep both in one slot
        found = self._hit(
            keys=[log_key, f"{log_key}:used"], args=[limit, window_seconds * 1000, cost]
        )
        allowed, used, reset_ms = (int(one) for one in cast(list[int], found))
        return Allowance(bool(allowed), limit, max(0, limit - used), reset_ms / 1000)

    def _lost(self, error: redis.RedisError) -> None:
        with self._lock:
            if not self._up:
                return
            self._up = False
        log.warning(
            "Redis is away: this replica allows its share of each limit",
            replicas=self._replicas, error=type(error).__name__,
        )  # fmt: skip
        self._wake.set()

    def _start(self) -> None:
        """At the first hit: a process that limits nothing is no replica."""
        with self._lock:
            if self._keeper is None and not self._closed:
                self._keeper = threading.Thread(target=self._keep, name="weft-limits", daemon=True)
                self._keeper.start()

    def _keep(self) -> None:
        """Counts the replicas, and finds out that Redis is back, so that no request has to."""
        next_beat = 0.0
        while not self._closed:
            if not self._up or time.monotonic() >= next_beat:
                self._count()
                next_beat = time.monotonic() + BEAT_SECONDS
            self._wake.wait(BEAT_SECONDS if self._up else PROBE_SECONDS)
            self._wake.clear()

    def _count(self) -> None:
        try:
            found = int(self._beat(keys=[REPLICAS], args=[self._id, int(GONE_SECONDS * 1000)]))
        except redis.RedisError as error:
            self._lost(error)
            return
        if self._up:
            self._replicas = max(self._least, found)
            return
        # The others have only begun to count themselves again: what was known still holds.
        self._replicas = max(self._replicas, found)
        self._up = True
        log.info("Redis is back: limits are exact again", replicas=self._replicas)
