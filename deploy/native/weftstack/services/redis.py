"""Redis: the doorbell of jobs and the counters of limits. Nothing in it is the only copy."""

from __future__ import annotations

from weftstack import packages
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start, exchange

# `noeviction`: a full Redis says so, it does not forget bells and counters in silence.
SETTINGS = """\
bind {host}
port {port}
requirepass {word}
dir .
save ""
appendonly no
maxmemory 256mb
maxmemory-policy noeviction
daemonize no
"""


class Redis(Service):
    name = "redis"
    ports = {"main": 1}

    def install(self, place: Place) -> None:
        packages.ensure(place, {"redis-server": "redis-server"}, "Redis")

    def prepare(self, place: Place) -> Start:
        settings = self.folder(place) / "redis.conf"
        words = {"host": HOST, "port": self.port(place), "word": place.secret("redis")}
        write_private(settings, SETTINGS.format(**words))
        program = packages.which("redis-server")
        assert program
        return Start([program, settings])

    def ready(self, place: Place) -> bool:
        asked = f"AUTH {place.secret('redis')}\r\nPING\r\n".encode()
        return exchange(self.port(place), asked, 64).startswith(b"+OK")

    def urls(self, place: Place) -> dict[str, str]:
        at = f":{place.secret('redis')}@{HOST}:{self.port(place)}"
        return {"WEFT_JOBS_URL": f"celery+redis://{at}/0", "WEFT_LIMITS_URL": f"redis://{at}/1"}
