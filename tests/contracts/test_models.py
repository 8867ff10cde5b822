"""One suite for every chat model and every embedder, real ones too: shapes, not wisdom."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import Outage, Unavailable
from core.ports import ChatMessage, ChatModel, ChatRequest, Embedder
from core.settings import Settings
from models import Models
from tests.fakes.ollama import MODEL, fake_ollama
from tests.stack.servers import Servers

PATIENCE = 240.0  # the cores may be busy
HELLO = ChatRequest((ChatMessage("user", "Say hello."),), deadline_seconds=PATIENCE)
STORY = ChatRequest(
    (ChatMessage("user", "Write a very long story about a river."),), None, 2000, 1.0, PATIENCE
)
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
REAL = [pytest.mark.xdist_group("chat"), pytest.mark.timeout(600)]
CHATS = [
    "fake",
    pytest.param("embedded", marks=[pytest.mark.model, *REAL]),
    pytest.param("ollama", marks=[pytest.mark.stack, *REAL]),
]
EMBEDDERS = [
    "fake",
    pytest.param("onnx", marks=[pytest.mark.model, pytest.mark.xdist_group("embedding")]),
    pytest.param("ollama", marks=[pytest.mark.stack, *REAL]),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module", params=CHATS)
def chat(request: pytest.FixtureRequest, folder: Path) -> Iterator[ChatModel]:
    if request.param == "fake":
        with fake_ollama() as server:
            server.reply = '{"name": "Ann", "age": 42}'
            yield _chat(Settings(data_dir=folder, models_url=f"ollama:{server.url[5:]}"))
    elif request.param == "embedded":
        yield _chat(Settings(data_dir=folder, models_url="embedded:"))
    else:
        servers: Servers = request.getfixturevalue("servers")
        servers.up("ollama")
        url = servers.url("ollama")
        yield _chat(Settings(data_dir=folder, models_url=url))


def _chat(settings: Settings) -> ChatModel:
    found = Models(settings).any_chat()
    assert found is not None
    return found


@pytest.fixture(scope="module", params=EMBEDDERS)
def embedder(request: pytest.FixtureRequest, folder: Path) -> Iterator[Embedder]:
    if request.param == "fake":
        with fake_ollama() as server:
            url = f"ollama:{server.url[5:]}"
            yield _embedder(Settings(data_dir=folder, models_url=url, embedding=f"ollama:{MODEL}"))
    elif request.param == "onnx":
        yield _embedder(Settings(data_dir=folder))
    else:
        servers: Servers = request.getfixturevalue("servers")
        servers.up("ollama")
        url = servers.url("ollama")
        yield _embedder(Settings(data_dir=folder, models_url=url, embedding="ollama:smollm2:135m"))


def _embedder(settings: Settings) -> Embedder:
    found = Models(settings).embedder()
    assert found is not None
    return found


# --- chat ----------------------------------------------------------------------------------------


def test_it_answers_and_counts_its_tokens(chat: ChatModel) -> None:
    reply = chat.chat(replace(HELLO, max_tokens=12))
    assert reply.text
    assert reply.model == chat.name
    assert reply.prompt_tokens > 0
    assert 0 < reply.completion_tokens <= 12


def test_it_streams(chat: ChatModel) -> None:
    pieces = chat.stream(replace(HELLO, max_tokens=8))
    assert "".join(piece.text for piece in pieces)


def test_json_has_the_shape_that_was_asked_for(chat: ChatModel) -> None:
    asked = (ChatMessage("user", "Ann is 42."),)
    reply = chat.chat(ChatRequest(asked, SCHEMA, 60, 0.0, PATIENCE))
    assert set(json.loads(reply.text)) == {"name", "age"}


def test_who_leaves_a_stream_keeps_nobody_waiting(chat: ChatModel) -> None:
    """With one slot, a stream that went on for nobody would hold the next caller up. Ollama does go
    on, also when the connection is cut by hand: there the story is short, and the wait its rest."""
    stream = chat.stream(replace(STORY, max_tokens=200) if "ollama" in chat.name else STORY)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    started = time.monotonic()
    chat.chat(replace(HELLO, max_tokens=2))
    assert time.monotonic() - started < 30


def test_a_deadline_ends_a_call(chat: ChatModel) -> None:
    if "fake" in chat.name:
        pytest.skip("it answers at once; tests/models/test_faults.py makes it hang")
    started = time.monotonic()
    with pytest.raises(Unavailable, match="did not finish"):
        chat.chat(replace(STORY, max_tokens=1500, deadline_seconds=0.5))
    assert time.monotonic() - started < 20


# --- embeddings ----------------------------------------------------------------------------------


def test_vectors_are_of_unit_length_in_the_order_given(embedder: Embedder) -> None:
    texts = ["a river in spring", "an invoice of March", "a river in spring"]
    vectors = embedder.embed(texts)
    assert vectors.shape == (3, embedder.dimension)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)
    np.testing.assert_allclose(vectors[0], vectors[2], atol=1e-3)
    assert float(vectors[0] @ vectors[1]) < 0.999


def test_the_tokens_that_it_read_are_told(embedder: Embedder) -> None:
    texts = ["a river in spring", "an invoice of March", "a river in spring"]
    vectors, tokens = embedder.counted(texts)
    np.testing.assert_allclose(vectors, embedder.embed(texts), atol=1e-3)
    assert 11 <= tokens <= 30
    assert tokens > embedder.counted(texts[:2])[1], "the same text twice is read twice"
    assert embedder.counted([])[1] == 0


def test_no_text_gives_no_vector(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, embedder.dimension)


def test_the_same_text_is_the_same_vector_whatever_lies_beside_it(embedder: Embedder) -> None:
    alone = embedder.embed(["the kettle is warm"])[0]
    many = embedder.embed([*(f"text number {n}" for n in range(5)), "the kettle is warm"])[-1]
    assert float(alone @ many) > 0.99


def test_it_says_which_weights_it_is(embedder: Embedder) -> None:
    assert len(embedder.digest) >= 2
    assert embedder.digest == embedder.digest.strip()


def test_many_may_embed_at_once(embedder: Embedder) -> None:
    expected = embedder.embed(["the kettle is warm"])
    wrong: list[Any] = []

    def work() -> None:
        found = embedder.embed(["the kettle is warm"])
        if float(found[0] @ expected[0]) < 0.99:
            wrong.append(found)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert wrong == []


# --- what only Ollama can do wrong ---------------------------------------------------------------


def _by_ollama(folder: Path, url: str, model: str) -> Embedder:
    settings = Settings(
        data_dir=folder, models_url=f"ollama:{url[5:]}", embedding=f"ollama:{model}"
    )
    return _embedder(settings)


def test_a_missing_embedding_model_is_named_with_its_remedy(folder: Path) -> None:
    with fake_ollama() as server, pytest.raises(Outage, match="ollama pull nomic-embed-text"):
        _by_ollama(folder, server.url, "nomic-embed-text").embed(["a"])


def test_many_texts_go_in_several_calls(folder: Path) -> None:
    with fake_ollama() as server:
        embedder = _by_ollama(folder, server.url, MODEL)
        texts = [f"text number {n}" for n in range(70)]
        vectors = embedder.embed(texts)
        assert server.chats == 3
        np.testing.assert_allclose(vectors[69], embedder.embed(texts[69:])[0])


def test_a_model_that_was_pulled_anew_is_another_one(folder: Path) -> None:
    with fake_ollama() as server:
        embedder = _by_ollama(folder, server.url, MODEL)
        embedder.embed(["a"])
        server.digest = "d2"
        with pytest.raises(Outage, match="changed"):
            embedder.embed(["a"])
        embedder.embed(["a"])
        assert embedder.digest == "d2"


@pytest.mark.parametrize("fault", ["http_500", "reset", "garbage", "empty"])
def test_a_server_that_fails_is_waited_for(folder: Path, fault: str) -> None:
    with fake_ollama() as server:
        embedder = _by_ollama(folder, server.url, MODEL)
        server.fault = fault
        with pytest.raises(Outage):
            embedder.embed(["a"])
        server.fault = None
        assert embedder.embed(["a"]).shape == (1, 8)


def test_a_server_that_is_gone_is_waited_for_and_described(folder: Path) -> None:
    with fake_ollama() as server:
        url = server.url
    with pytest.raises(Outage, match="does not answer"):
        _by_ollama(folder, url, MODEL).embed(["a"])
    settings = Settings(
        data_dir=folder, models_url=f"ollama:{url[5:]}", embedding=f"ollama:{MODEL}"
    )
    rows = [row for row in Models(settings).describe() if row["engine"] == "ollama"]
    assert [(row["id"], row["available"]) for row in rows] == [(MODEL, False)]
