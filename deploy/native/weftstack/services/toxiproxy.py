"""Toxiproxy: makes the network between Weft and a server slow, narrow or dead."""

from __future__ import annotations

from pathlib import Path

from weftstack import golang, versions
from weftstack.place import Place
from weftstack.services.base import HOST, Service, Start, answers

PACKAGE = "github.com/Shopify/toxiproxy/v2/cmd/server"


class Toxiproxy(Service):
    name = "toxiproxy"
    ports = {"main": 14}

    def install(self, place: Place) -> None:
        self._program(place)

    def prepare(self, place: Place) -> Start:
        port = str(self.port(place))
        return Start([self._program(place), "-host", HOST, "-port", port])

    def ready(self, place: Place) -> bool:
        return answers(f"http://{HOST}:{self.port(place)}/version")

    def _program(self, place: Place) -> Path:
        return golang.installed(place, "toxiproxy", versions.TOXIPROXY, PACKAGE, 15)
