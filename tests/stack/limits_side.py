"""One replica of `test_limits`: `limits_side.py URL LIMIT WINDOW SECONDS REST`, begins at "go"."""

from __future__ import annotations

import json
import sys
import threading
import time

from backends.redis_limits import RedisLimiter
from core.clock import SystemClock


def main(url: str, limit: str, window: str, seconds: str, rest: str) -> None:
    limiter, told, nap = RedisLimiter(url, SystemClock()), [], threading.Event()
    limiter.hit("warm", 10, 1)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    end = time.time() + float(seconds)
    while time.time() < end:
        allowance = limiter.hit("requests/t", int(limit), int(window))
        told.append({"at": time.time(), "allowed": allowance.allowed, "limit": allowance.limit})
        nap.wait(float(rest))
    limiter.close()
    sys.stdout.writelines(json.dumps(one) + "\n" for one in told)


if __name__ == "__main__":
    main(*sys.argv[1:])
