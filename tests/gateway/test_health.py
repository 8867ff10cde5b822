"""Whoever asks how Weft is gets an answer, also while the servers under it say nothing."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from backends.probes import probes
from core.errors import Unavailable
from core.settings import Settings
from gateway.app import create_app
from gateway.dependencies import Dependencies
from runtime import Runtime


@pytest.fixture
def silence() -> Iterator[Callable[[], object]]:
    """A probe that hangs until the test is over."""
    over = threading.Event()
    yield lambda: over.wait(30)
    over.set()


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that takes connections and never says a word, as a paused process does."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_three_silent_dependencies_take_as_long_as_one(
    runtime: Runtime, silence: Callable[[], object]
) -> None:
    deaf = replace(runtime, probes=dict.fromkeys(("jobs", "bus", "limits"), silence))
    began = time.monotonic()
    answer = TestClient(create_app(deaf)).get("/readyz")
    assert time.monotonic() - began < 5, "one after the other takes six seconds"
    assert answer.status_code == 200, "intake goes on without them"
    found = answer.json()["dependencies"]
    assert {name: found[name]["status"] for name in ("jobs", "bus", "limits", "blobs")} == {
        "jobs": "down", "bus": "down", "limits": "down", "blobs": "ok",
    }  # fmt: skip
    assert found["bus"]["detail"] == {"code": "no_answer"}


def test_a_silent_bucket_is_said_in_time(runtime: Runtime) -> None:
    over = threading.Event()

    class Deaf:
        def names(self, *_: object) -> Iterator[str]:
            over.wait(30)
            return iter(())

    answer = TestClient(create_app(replace(runtime, vault=Deaf()))).get("/health")  # type: ignore[arg-type]
    over.set()
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert answer.json()["dependencies"]["blobs"]["status"] == "down"


def test_who_hangs_is_asked_once_until_it_answers() -> None:
    over, asked = threading.Event(), []

    def check() -> dict[str, str]:
        asked.append(1)
        over.wait(30)
        return {}

    dependencies = Dependencies({"bus": check})
    assert dependencies.ask()["bus"].status == "down"
    over.set()
    assert dependencies.ask()["bus"].status == "ok"
    assert dependencies.ask()["bus"].status == "ok"
    assert 1 < len(asked) <= 3


def test_what_is_no_server_is_no_dependency(settings: Settings) -> None:
    assert probes(settings) == {}


@pytest.mark.parametrize(
    ("setting", "url", "name"),
    [("jobs_url", "celery+redis://{}/0", "jobs"), ("limits_url", "redis://{}/1", "limits"),
     ("bus_url", "kafka://{}", "bus")],
)  # fmt: skip
def test_a_paused_server_does_not_answer(
    settings: Settings, silent: str, setting: str, url: str, name: str
) -> None:
    found = probes(settings.model_copy(update={setting: url.format(silent)}))
    assert list(found) == [name]
    began = time.monotonic()
    with pytest.raises(Unavailable):
        found[name]()
    assert time.monotonic() - began < 15
