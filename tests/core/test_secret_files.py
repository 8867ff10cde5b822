"""`WEFT_X_FILE`: a setting out of a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import InvalidInput
from core.settings import Settings


def written(path: Path, text: str | bytes) -> str:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_a_setting_comes_out_of_a_file_without_its_last_newline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "postgresql+psycopg://weft_app:s p@ce@postgres/weft"
    monkeypatch.setenv("WEFT_DATABASE_URL_FILE", written(tmp_path / "url", f"{url}\r\n"))
    monkeypatch.setenv("WEFT_ROOT_KEY_FILE", written(tmp_path / "key", "ab" * 32 + "\n"))
    monkeypatch.setenv("WEFT_PORT_FILE", written(tmp_path / "port", "8123\n"))
    settings = Settings(_env_file=None)
    assert settings.database_url == url
    assert settings.root_key.get_secret_value() == "ab" * 32
    assert settings.port == 8123


def test_a_line_of_the_env_file_may_name_a_file_too(tmp_path: Path) -> None:
    key = written(tmp_path / "key", "cd" * 32)
    env = written(tmp_path / ".env", f"WEFT_ROOT_KEY_FILE={key}\n")
    assert Settings(_env_file=Path(env)).root_key.get_secret_value() == "cd" * 32


def test_an_empty_file_says_nothing_but_that_the_default_holds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WEFT_SMTP_URL_FILE", written(tmp_path / "url", ""))
    assert Settings(_env_file=None).smtp_url == ""


@pytest.mark.parametrize("where", ["environment", ".env"])
def test_a_setting_given_both_ways_is_refused_by_both_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setenv("WEFT_JOBS_URL_FILE", written(tmp_path / "url", "local:"))
    env = tmp_path / ".env"
    env.touch()
    if where == ".env":
        env.write_text("WEFT_JOBS_URL=local:\n")
    else:
        monkeypatch.setenv("WEFT_JOBS_URL", "local:")
    with pytest.raises(InvalidInput, match="WEFT_JOBS_URL and WEFT_JOBS_URL_FILE"):
        Settings(_env_file=env)


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"a\0b", b"x" * 65_537])
def test_a_file_that_holds_no_text_is_named_with_its_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setenv("WEFT_BLOBS_URL_FILE", str(path))
    with pytest.raises(InvalidInput, match=r"WEFT_BLOBS_URL_FILE names .*secret") as caught:
        Settings(_env_file=None)
    assert caught.value.slug == "no_secret"


def test_what_the_program_itself_says_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEFT_DATA_DIR_FILE", written(tmp_path / "dir", "/elsewhere"))
    assert Settings(_env_file=None, data_dir=tmp_path).data_dir == tmp_path
