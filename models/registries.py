"""Where a package's archive lies: Maven Central and the Python index, or the user's own mirrors."""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urljoin

MAVEN = "https://repo.maven.apache.org/maven2"
PYPI = "https://pypi.org/simple"
_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")

ReadPage = Callable[[str], str]


def archive_url(registry: str, package: str, read_page: ReadPage) -> str:
    """The address of `group:artifact:version` (maven) or `name==version` (pypi, its wheel).

    WEFT_MAVEN_URL replaces Maven Central; the index of uv or pip replaces pypi.org.
    Raises `LookupError` when the index does not have that version.
    """
    if registry == "maven":
        group, artifact, version = package.split(":")
        base = os.environ.get("WEFT_MAVEN_URL", MAVEN).rstrip("/")
        return f"{base}/{group.replace('.', '/')}/{artifact}/{version}/{artifact}-{version}.jar"
    name, version = package.split("==")
    page_url = f"{python_index().rstrip('/')}/{name}/"
    wheel = f"{name.replace('-', '_')}-{version}-"
    for href in _links(read_page(page_url)):
        if wheel in href and href.partition("#")[0].endswith(".whl"):
            return urljoin(page_url, href.partition("#")[0])
    raise LookupError(f"{package} is not in the package index")


def _links(page: str) -> Iterator[str]:
    """Links of a PEP 503 page."""
    return (match[1] for match in re.finditer(r"""href=["']([^"']+)["']""", page))


def python_index() -> str:
    """The simple index that uv or pip would use here."""
    for variable in _INDEX_VARIABLES:
        if url := os.environ.get(variable):
            return url
    return _pip_index() or PYPI


def _pip_index() -> str | None:
    home = Path.home()
    files = [
        os.environ.get("PIP_CONFIG_FILE", ""),
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        "/etc/pip.conf",
    ]
    config = configparser.RawConfigParser()
    for file in filter(None, files):
        try:
            config.read(str(file))
        except configparser.Error:
            continue
        if config.has_option("global", "index-url"):
            return config.get("global", "index-url")
    return None
