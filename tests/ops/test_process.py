"""Starting, finding and stopping the platform's process."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.errors import Conflict
from core.settings import Settings
from ops import process

ROOT = Path(__file__).parents[2]


def at(folder: Path, **changes: object) -> Settings:
    return Settings(_env_file=None, data_dir=folder, **changes).resolved()  # type: ignore[arg-type]


def test_a_busy_port_is_said_in_words_that_can_be_typed(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(Conflict, match=rf"WEFT_PORT={port + 1} make up"):
            process.bind(at(tmp_path, port=port))


def test_an_address_of_another_machine_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="Set WEFT_HOST"):
        process.bind(at(tmp_path, host="192.0.2.7", port=0))


def test_only_one_process_holds_a_data_folder(tmp_path: Path) -> None:
    settings = at(tmp_path)
    assert process.running(settings) is None
    with process.holding(settings, "http://127.0.0.1:1"):
        assert process.running(settings) == process.Running(os.getpid(), "http://127.0.0.1:1")
        with pytest.raises(Conflict, match="weft down"), process.holding(settings, "x"):
            pytest.fail("a second holder got in")
    assert process.running(settings) is None


def test_a_killed_holder_leaves_nothing_behind_that_looks_alive(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from core.settings import Settings; from ops import process\n"
        "s = Settings(_env_file=None, data_dir=pathlib.Path(sys.argv[1])).resolved()\n"
        "with process.holding(s, 'u'): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdin is not None
    assert child.stdout.readline() == b"held\n"
    found = process.running(at(tmp_path))
    assert found is not None
    assert found.pid == child.pid
    os.kill(child.pid, signal.SIGKILL)
    child.wait(timeout=10)
    child.stdin.close()
    child.stdout.close()
    assert process.running(at(tmp_path)) is None
    assert process.stop(at(tmp_path)) is False


def test_looking_does_not_disturb_a_start(tmp_path: Path) -> None:
    settings = at(tmp_path)
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            process.running(settings)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for number in range(50):
            with process.holding(settings, str(number)):
                held = json.loads((tmp_path / "weft.lock").read_text())
                assert held["url"] == str(number)
    finally:
        stop.set()
        looker.join(timeout=10)
