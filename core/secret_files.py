"""`WEFT_X_FILE` names a file that holds the setting X: how containers are given their secrets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from pydantic_settings.sources import EnvSettingsSource

from core.errors import InvalidInput

BYTES_MAX = 64 * 1024


class SecretFiles(PydanticBaseSettingsSource):
    """Settings whose variable ends in `_FILE`, out of the given sources (environment and `.env`).

    A setting that is given both ways is refused, whichever source says so: a stale variable would
    win unseen. Raises `InvalidInput` for that, and for a file that cannot be read.
    """

    def __init__(self, cls: type[BaseSettings], *sources: PydanticBaseSettingsSource) -> None:
        super().__init__(cls)
        self._given: dict[str, str] = {}
        for source in reversed(sources):  # the first one wins
            assert isinstance(source, EnvSettingsSource)
            self._given.update(_told(source.env_vars))

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        name = f"weft_{field_name}"
        path = self._given.get(f"{name}_file")
        if path is None:
            return None, field_name, False
        if name in self._given:
            upper = name.upper()
            raise InvalidInput(
                f"{upper} and {upper}_FILE are both set. Unset one of them.", code="set_twice"
            )
        return _content(Path(path), f"{name}_file".upper()), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


def _told(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name.lower(): value for name, value in variables.items() if value}


def _content(path: Path, variable: str) -> str:
    """The text without the newline that editors and `echo` leave at its end."""
    try:
        with path.open("rb") as file:
            data = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise InvalidInput(
            f"{variable} names {path}, which cannot be read: {error.strerror}.", code="no_secret"
        ) from error
    try:
        text = data.decode()
    except UnicodeDecodeError:
        text = "\0"
    if len(data) > BYTES_MAX or "\0" in text:
        raise InvalidInput(
            f"{variable} names {path}, which is not a line of text.", code="no_secret"
        )
    return text.rstrip("\r\n")
