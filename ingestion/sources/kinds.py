"""Every kind of source by name; a kind's module is loaded when it is first used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

from pydantic import ValidationError

from core.errors import InvalidInput
from core.net import Net
from ingestion.sources import Source

# kind → the module in this folder that ends with `SOURCE`
_MODULES = {
    "folder": "folder",
    "ftp": "ftp",
    "gmail": "gmail",
    "imap": "imap",
    "openapi": "openapi",
    "pop3": "pop3",
    "rest": "rest",
    "s3": "s3",
    "sftp": "sftp",
    "web": "web",
}
_CHOOSY = frozenset({"imap", "pop3"})
KINDS = tuple(sorted(_MODULES))


def source(kind: str) -> Source:
    """Raises `InvalidInput` for a kind that does not exist."""
    module = _MODULES.get(kind)
    if module is None:
        raise InvalidInput(
            f"There is no kind of integration called {kind!r}: {', '.join(KINDS)}.",
            code="unknown_kind", field="kind",
        )  # fmt: skip
    found: Source = importlib.import_module(f"ingestion.sources.{module}").SOURCE
    return found


def checked(kind: str, config: Mapping[str, Any], net: Net) -> dict[str, Any]:
    """The configuration with its defaults, plain. Raises `InvalidInput` with `field`."""
    own = source(kind)
    try:
        made = own.config.model_validate(dict(config))
    except ValidationError as error:
        errors = [
            {"field": ".".join(("config", *map(str, one["loc"]))), "detail": one["msg"]}
            for one in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        first = errors[0]
        raise InvalidInput(
            f"{first['field']}: {first['detail']}.", code="bad_config", field=first["field"],
            errors=errors,
        ) from error  # fmt: skip
    own.check(made, net)
    return made.model_dump(mode="json")


class Choosy(Protocol):
    """A kind whose settings say which of its secrets it needs."""

    def lacks(self, config: Mapping[str, Any], secrets: Mapping[str, str]) -> str | None:
        """The name of one that is missing."""
        ...


def check_secrets(kind: str, given: Mapping[str, str], config: Mapping[str, Any]) -> None:
    """Raises `InvalidInput` with `field` for one that is missing or not known."""
    wanted = {name.removesuffix("?"): not name.endswith("?") for name in source(kind).secrets}
    for name in given:
        if name not in wanted:
            raise InvalidInput(
                f"{kind} takes no secret {name!r}: {', '.join(wanted) or 'none at all'}.",
                code="bad_config", field=f"secrets.{name}",
            )  # fmt: skip
    missing = [name for name, needed in wanted.items() if needed and not given.get(name)]
    if kind in _CHOOSY and (lack := cast(Choosy, source(kind)).lacks(config, given)) is not None:
        missing.append(lack)
    for name in missing:
        raise InvalidInput(
            f"The secret {name!r} is missing.", code="bad_config", field=f"secrets.{name}"
        )
