"""Weft's own processes, one per role, on the servers of this stack."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from weftstack.building import cause, clear
from weftstack.halt import Halt
from weftstack.place import ROOT, Place, tell, write_private
from weftstack.services.base import HOST, Service, Start, answers

PROGRAM = ROOT / ".venv" / "bin" / "weft"
ADMIN = "WEFT_DATABASE_ADMIN_URL"


class Role(Service):
    """`main` of the gateway is its API; of the others, who serve nobody, it is their metrics."""

    client = True
    start_seconds = 90.0
    stop_seconds = 40.0  # more than the role's own patience with its last steps

    def __init__(self, name: str, ports: dict[str, int]) -> None:
        self.name, self.ports = name, ports

    def install(self, place: Place) -> None:
        if not PROGRAM.exists():
            raise Halt(f"{self.name} needs Weft itself. Type: make setup")

    def prepare(self, place: Place) -> Start:
        settings = _known(place)
        settings.pop(ADMIN, None)  # only migrations own tables
        metrics = self.port(place, "metrics" if "metrics" in self.ports else "main")
        env = {**_own(), **settings, **about(place), "WEFT_METRICS_PORT": str(metrics)}
        return Start([PROGRAM, "serve", "--only", self.name], env)

    def ready(self, place: Place) -> bool:
        path = "readyz" if "metrics" in self.ports else "metrics"
        return answers(f"http://{HOST}:{self.port(place)}/{path}")


GATEWAY = Role("gateway", {"main": 40, "metrics": 41})
ROLES = (GATEWAY, Role("worker", {"main": 42}), Role("relay", {"main": 43}),
         Role("intake", {"main": 44}))  # fmt: skip


def settle(place: Place, urls: dict[str, str]) -> None:
    """Keeps the settings for every later start and brings the tables up to date."""
    write_private(_path(place), json.dumps(urls, indent=1))
    folder = Path(about(place)["WEFT_DATA_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    log = place.state / "migrate.log"
    env = {**os.environ, **urls, **about(place)}
    with log.open("wb") as output:
        done = subprocess.run(
            [PROGRAM, "migrate"], cwd=folder, env=env, stdout=output, stderr=output, timeout=300
        )
    if done.returncode != 0:
        raise Halt(f"the tables could not be made: {cause(log)}. The whole output: {log}")
    tell("the tables are up to date")


def forget(place: Place) -> None:
    """What belongs to the data of all servers together: Weft's own folder with its root key."""
    clear(Path(about(place)["WEFT_DATA_DIR"]))
    _path(place).unlink(missing_ok=True)


def about(place: Place) -> dict[str, str]:
    """What a command of Weft needs beside the URLs to talk to this stack's platform."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "weft" / "models"
    return {
        "WEFT_PORT": str(GATEWAY.port(place)),
        "WEFT_DATA_DIR": str(place.state / "weft"),
        "WEFT_MODELS_DIR": str(Path(os.environ.get("WEFT_MODELS_DIR") or cache).absolute()),
    }


def _own() -> dict[str, str]:
    """The person's other settings of Weft, such as WEFT_WORKER_THREADS."""
    return {k: v for k, v in os.environ.items() if k[:5] == "WEFT_" and k[:11] != "WEFT_STACK_"}


def _known(place: Place) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_path(place).read_text())
    except FileNotFoundError:
        raise Halt(
            "Weft was not set up on this stack. Type: deploy/native/stack up --weft"
        ) from None
    return found


def _path(place: Place) -> Path:
    return place.state / "weft.json"
