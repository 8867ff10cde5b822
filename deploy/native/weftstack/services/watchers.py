"""Prometheus, Alertmanager and Loki. Their settings are JSON, which is YAML that needs no quoting.

`stack up prometheus --rules GLOB --targets HOST:PORT,… --webhook URL` says what they watch; it is
kept for later starts. Without it Prometheus watches itself and alerts go nowhere.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from weftstack import golang, packages
from weftstack.place import Place, write_private
from weftstack.services.base import HOST, Service, Start, answers

NOWHERE = f"http://{HOST}:9/"


class Prometheus(Service):
    name = "prometheus"
    ports = {"main": 15}

    def install(self, place: Place) -> None:
        packages.ensure(place, {"prometheus": "prometheus"}, "Prometheus")

    def prepare(self, place: Place) -> Start:
        folder, at = self.folder(place), f"{HOST}:{self.port(place)}"
        asked = wishes(place)
        targets = [each for each in asked.get("targets", "").split(",") if each] or [at]
        settings: dict[str, Any] = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "alerting": {
                "alertmanagers": [
                    {"static_configs": [{"targets": [f"{HOST}:{Alertmanager().port(place)}"]}]}
                ]
            },
            "rule_files": [asked["rules"]] if asked.get("rules") else [],
            "scrape_configs": [{"job_name": "weft", "static_configs": [{"targets": targets}]}],
        }
        path = folder / "prometheus.json"
        path.write_text(json.dumps(settings, indent=1))
        program = packages.which("prometheus")
        assert program
        return Start([
            program, f"--config.file={path}", f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address={at}", "--web.enable-lifecycle",
        ])  # fmt: skip

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/-/ready")


class Alertmanager(Service):
    name = "alertmanager"
    ports = {"main": 16}

    def install(self, place: Place) -> None:
        found = {"prometheus-alertmanager": "prometheus-alertmanager"}
        packages.ensure(place, found, "Alertmanager")

    def prepare(self, place: Place) -> Start:
        folder = self.folder(place)
        hook = {"url": wishes(place).get("webhook") or NOWHERE}
        route = {"receiver": "hook", "group_wait": "1s", "group_interval": "5s"}
        path = folder / "alertmanager.json"
        receivers = [{"name": "hook", "webhook_configs": [hook]}]
        path.write_text(json.dumps({"route": route, "receivers": receivers}, indent=1))
        program = packages.which("prometheus-alertmanager")
        assert program
        return Start([
            program, f"--config.file={path}", f"--storage.path={folder / 'data'}",
            f"--web.listen-address={HOST}:{self.port(place)}", "--cluster.listen-address=",
        ])  # fmt: skip

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/-/ready")


class Loki(Service):
    name = "loki"
    ports = {"main": 17, "grpc": 18}
    start_seconds = 60.0  # it says "ready" after a fixed wait of 15 s

    def install(self, place: Place) -> None:
        golang.loki(place)

    def prepare(self, place: Place) -> Start:
        folder, grpc = self.folder(place), self.port(place, "grpc")
        period = {"prefix": "i_", "period": "24h"}
        schema = {"from": "2024-01-01", "store": "tsdb", "object_store": "filesystem",
                  "schema": "v13", "index": period}  # fmt: skip
        settings: dict[str, Any] = {
            "auth_enabled": True,
            "server": {
                "http_listen_address": HOST, "http_listen_port": self.port(place),
                "grpc_listen_address": HOST, "grpc_listen_port": grpc, "log_level": "warn",
            },
            "common": {
                "ring": {"kvstore": {"store": "inmemory"}, "instance_addr": HOST},
                "replication_factor": 1, "path_prefix": str(folder / "data"),
            },
            "schema_config": {"configs": [schema]},
            "storage_config": {"filesystem": {"directory": str(folder / "data" / "chunks")}},
            # Without it a query waits for ever when gRPC is not on its usual port.
            "frontend_worker": {"frontend_address": f"{HOST}:{grpc}"},
            "analytics": {"reporting_enabled": False},
        }  # fmt: skip
        path = folder / "loki.json"
        path.write_text(json.dumps(settings, indent=1))
        return Start([golang.loki(place), f"-config.file={path}"])

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/ready", text="ready")


def wishes(place: Place) -> dict[str, str]:
    path = _wishes_path(place)
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found


def wish(place: Place, said: dict[str, str | None]) -> None:
    """Keeps what was said on the command line; what was not said stays."""
    changed = {key: value for key, value in said.items() if value is not None}
    if changed:
        write_private(_wishes_path(place), json.dumps({**wishes(place), **changed}))


def _wishes_path(place: Place) -> Path:
    return place.state / "watch.json"
