"""Known passwords do not start."""

from __future__ import annotations

import secrets

import pytest

from core.errors import InvalidInput
from core.settings import Settings
from ops.default_secrets import refuse


def given(**values: str) -> Settings:
    return Settings(_env_file=None, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("database_url", "postgresql+psycopg://weft_app:postgres@db/weft"),
        ("database_admin_url", "postgresql+psycopg://weft_owner:WEFT_OWNER@db/weft"),
        ("blobs_url", "s3://minioadmin:minioadmin@minio:9000/weft"),
        ("limits_url", "redis://:changeme@redis:6379/1"),
        ("smtp_url", "smtp://me:p%61ssword@mail.example:587"),
    ],
)
def test_a_password_that_everyone_knows_is_refused_without_saying_it(name: str, url: str) -> None:
    with pytest.raises(InvalidInput, match=f"WEFT_{name.upper()} ") as caught:
        refuse(given(**{name: url}))
    assert url not in caught.value.detail


@pytest.mark.parametrize("key", ["00" * 32, "0123456789abcdef" * 4])
def test_a_root_key_without_chance_in_it_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput, match="WEFT_ROOT_KEY"):
        refuse(given(root_key=key))


def test_real_secrets_this_machine_and_the_embedded_default_start() -> None:
    word = secrets.token_hex(24)
    refuse(given())
    refuse(given(root_key=secrets.token_hex(32)))
    refuse(given(database_url=f"postgresql+psycopg://weft_app:{word}@db/weft"))
    refuse(given(blobs_url="s3://minioadmin:minioadmin@127.0.0.1:9000/weft"))
    refuse(given(bus_url="kafka://kafka:9092"))
