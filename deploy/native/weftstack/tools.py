"""Programs that serve nothing: they check what is deployed, or read scans.

Type: stack install docker-compose caddy tesseract
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from weftstack import golang, packages, versions
from weftstack.halt import Halt
from weftstack.place import Place


def compose(place: Place) -> Path:
    """Compose without an engine: it reads, merges and checks files."""
    module = "github.com/docker/compose/v2"
    return golang.wrapped(place, "docker-compose", module, versions.COMPOSE, f"{module}/cmd")


def caddy(place: Place) -> Path:
    package = "github.com/caddyserver/caddy/v2/cmd/caddy"
    return golang.installed(place, "caddy", versions.CADDY, package, 25)


def tesseract(place: Place) -> Path:
    """With English, German and the data that tells how a page lies."""
    packages.ensure(place, {"tesseract": "tesseract-ocr"}, "Tesseract")
    places = [Path("/usr/share/tesseract-ocr"), Path("/usr/share/tessdata")]
    for language in ("eng", "deu", "osd"):
        if not any(found for one in places for found in one.rglob(f"{language}.traineddata")):
            packages.install(place, [f"tesseract-ocr-{language}"], "Tesseract")
    program = packages.which("tesseract")
    if program is None:
        raise Halt("Tesseract was installed but brings no program. See the log of apt.")
    return program


TOOLS: dict[str, Callable[[Place], Path]] = {
    "docker-compose": compose,
    "caddy": caddy,
    "tesseract": tesseract,
}
