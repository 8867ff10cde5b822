"""The starter of real servers, tried on a small server of its own: a program that answers HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from weftstack import processes, running, versions
from weftstack.building import cause, program, watched
from weftstack.halt import Halt
from weftstack.packages import OURS, nothing_starts
from weftstack.place import PORTS, Place, port_base
from weftstack.processes import Process
from weftstack.services import SERVICES, named
from weftstack.services.base import Service, Start, answers

from tests.flows.program import until

ROOT = Path(__file__).parents[2]
STACK = ROOT / "deploy" / "native" / "stack"
FREE_FOR_PROXIES = range(20, 40)


class Pages(Service):
    """A server in a second process of its tree, as PostgreSQL's and Ollama's are."""

    name = "pages"
    ports = {"main": 0}  # noqa: RUF012
    start_seconds = 20.0
    stop_seconds = 5.0
    command = (
        "import sys, http.server as h, socketserver as s; "
        "s.TCPServer.allow_reuse_address = True; "
        "s.TCPServer(('127.0.0.1', int(sys.argv[1])), h.SimpleHTTPRequestHandler).serve_forever()"
    )

    def prepare(self, place: Place) -> Start:
        inner = [sys.executable, "-c", self.command, str(self.port(place))]
        outer = (
            f"import signal, subprocess; inner = subprocess.Popen({inner!r}); "
            "signal.signal(signal.SIGTERM, lambda *_: inner.terminate()); inner.wait()"
        )
        return Start([sys.executable, "-c", outer])

    def ready(self, place: Place) -> bool:
        return answers(self.url(place))

    def urls(self, place: Place) -> dict[str, str]:
        return {"WEFT_PAGES_URL": f"http://127.0.0.1:{self.port(place)}"}


class Broken(Pages):
    command = "raise SystemExit('error: the shelf is empty')"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    return Place(tmp_path / "st ack", port, tmp_path / "cache")


def state(place: Place) -> str:
    return running.state(place, Pages()).state


def slept(place: Place) -> Process:
    """A process with a child, both asleep."""
    place.state.mkdir(parents=True, exist_ok=True)
    return processes.launch(
        ["/bin/sh", "-c", "sleep 600 & sleep 600"],
        cwd=place.state, env={"PATH": os.environ["PATH"]},
        log=place.state / "log", pid_file=place.state / "pid",
    )  # fmt: skip


def grown(root: Process, size: int) -> list[Process]:
    """Its tree, once it has that many members."""
    for _ in range(200):
        if len(found := processes.tree(root)) >= size:
            return found
        threading.Event().wait(0.02)
    raise AssertionError(f"the tree has {len(found)} members")


@pytest.mark.parametrize("text", ["abc", "", "80", "-5", "65530", "2e4", "²"])
def test_a_wrong_base_of_ports_is_refused_in_words(text: str) -> None:
    with pytest.raises(Halt, match="WEFT_STACK_PORTS"):
        port_base(text)


def test_no_two_services_share_a_port_and_proxies_have_room() -> None:
    offsets = [port for service in SERVICES.values() for port in service.ports.values()]
    assert len(offsets) == len(set(offsets))
    assert max(offsets) < PORTS
    assert not set(offsets) & set(FREE_FOR_PROXIES)


def test_services_are_named_in_the_order_of_their_start() -> None:
    assert [s.name for s in named(["gateway", "redis", "postgres"])] == [
        "postgres", "redis", "gateway",
    ]  # fmt: skip
    with pytest.raises(Halt, match="no service 'oracle'"):
        named(["redis", "oracle"])


def test_passwords_are_made_once_and_are_the_owners_alone(place: Place) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _n: place.secret("redis"), range(8)))
    assert len(found) == 1
    assert re.fullmatch("[0-9a-f]{32}", found.pop())
    assert place.secret("minio") != place.secret("redis")
    assert stat.S_IMODE((place.state / "secrets.json").stat().st_mode) == 0o600


def test_a_service_starts_answers_and_leaves_nothing_behind(place: Place) -> None:
    running.up(place, [Pages()])
    assert state(place) == "up"
    assert running.urls(place, [Pages()]) == Pages().urls(place)
    root = processes.read(place.state / "pages.pid")
    assert root is not None
    members = processes.tree(root)
    assert len(members) == 2
    running.up(place, [Pages()])
    assert processes.read(place.state / "pages.pid") == root
    running.down(place, [Pages()])
    assert not any(each.alive for each in members)
    assert state(place) == "down"
    assert running.urls(place, [Pages()]) == {}


def test_two_ups_at_once_start_one_service(place: Place) -> None:
    code = (
        "import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]\n"
        "from pathlib import Path\n"
        "from tests.deploy.test_native import Pages\n"
        "from weftstack import running\nfrom weftstack.place import Place\n"
        "running.up(Place(Path(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])), [Pages()])"
    )
    words = [ROOT, ROOT / "deploy/native", place.state, place.base, place.cache]
    argv = [sys.executable, "-c", code, *map(str, words)]
    both = [subprocess.Popen(argv, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    told = [child.communicate(timeout=60)[1] for child in both]
    assert [child.returncode for child in both] == [0, 0], told
    assert sum("s)" in each for each in told) == 1
    running.down(place, [Pages()])


def test_killed_is_dead_and_up_brings_it_back_at_the_same_port(place: Place) -> None:
    running.up(place, [Pages()])
    running.kill(place, [Pages()])
    assert state(place) == "dead"
    with pytest.raises(Halt, match="does not run"):
        running.kill(place, [Pages()])
    running.up(place, [Pages()])
    assert answers(Pages().url(place))
    running.down(place, [Pages()])


def test_paused_answers_nobody_until_it_goes_on(place: Place) -> None:
    running.up(place, [Pages()])
    running.pause(place, [Pages()])
    assert state(place) == "paused"
    assert not answers(Pages().url(place))
    with pytest.raises(Halt, match="resume pages"):
        running.up(place, [Pages()])
    running.resume(place, [Pages()])
    assert answers(Pages().url(place))
    running.pause(place, [Pages()])
    running.down(place, [Pages()])
    assert state(place) == "down"


def test_what_a_crash_left_of_a_tree_is_ended_before_a_new_start(place: Place) -> None:
    running.up(place, [Pages()])
    root = processes.read(place.state / "pages.pid")
    assert root is not None
    child = processes.tree(root)[1]
    root.send(signal.SIGKILL)
    assert processes.gone([root], 5)
    assert child.alive
    running.up(place, [Pages()])
    assert not child.alive
    running.down(place, [Pages()])


def test_a_server_that_fails_says_its_last_error_and_is_not_left_half_up(place: Place) -> None:
    with pytest.raises(Halt, match=r"the shelf is empty.*logs pages"):
        running.up(place, [Broken()])
    assert state(place) == "down"


def test_a_busy_port_is_named_with_its_holder(place: Place) -> None:
    with socket.create_server(("127.0.0.1", place.base)), pytest.raises(Halt) as refused:
        running.up(place, [Pages()])
    words = str(refused.value)
    assert f"port {place.base} is in use" in words
    assert f"process {os.getpid()}" in words
    assert "WEFT_STACK_PORTS=" in words
    assert state(place) == "down"


def test_wiping_forgets_the_data_and_keeps_the_passwords(place: Place) -> None:
    running.up(place, [Pages()])
    word = place.secret("pages")
    (place.folder("pages") / "data").write_text("kept?")
    running.wipe(place, [Pages()])
    assert not place.folder("pages").exists()
    assert place.secret("pages") == word
    assert state(place) == "down"


def test_an_id_that_was_given_to_somebody_else_is_never_signalled(place: Place) -> None:
    mine = slept(place)
    other = Process(mine.pid, mine.born - 1, mine.boot)
    before_boot = Process(mine.pid, mine.born, "another boot")
    for stranger in (other, before_boot):
        assert not stranger.alive
        assert processes.tree(stranger) == []
        processes.slay(stranger)
        stranger.send(signal.SIGKILL)
    assert mine.alive
    processes.slay(mine)


def test_a_tree_is_killed_whole(place: Place) -> None:
    root = slept(place)
    members = grown(root, 3)
    processes.slay(root)
    assert not any(each.alive for each in members)


def test_what_does_not_start_leaves_no_pid_file(place: Place) -> None:
    place.state.mkdir(parents=True)
    with pytest.raises(Halt, match="cannot be started"):
        processes.launch(
            [place.state / "nothing"], cwd=place.state, env={},
            log=place.state / "log", pid_file=place.state / "pid",
        )  # fmt: skip
    assert not (place.state / "pid").exists()


def test_a_damaged_pid_file_says_what_to_type(place: Place) -> None:
    place.state.mkdir(parents=True)
    (place.state / "pages.pid").write_text("{")
    with pytest.raises(Halt, match=r"damaged\. Type: rm "):
        running.state(place, Pages())


def test_half_a_build_is_never_used(place: Place) -> None:
    def half(folder: Path) -> None:
        (folder / "binary").write_text("ha")
        raise Halt("the network could not be reached")

    def whole(folder: Path) -> None:
        (folder / "binary").write_text("hand")

    with pytest.raises(Halt):
        program(place, "tool-1", half, free_mib=1)
    assert [path.name for path in place.cache.iterdir()] == ["tool-1.lock"]
    (place.cache / ".new-tool-1").mkdir()  # as a killed build leaves it
    (place.cache / ".new-tool-1" / "old").write_text("ha")
    folder = program(place, "tool-1", whole, free_mib=1)
    assert [path.name for path in folder.iterdir()] == ["binary"]


def test_two_who_want_the_same_program_build_it_once(place: Place) -> None:
    built: list[Path] = []

    def build(folder: Path) -> None:
        built.append(folder)
        threading.Event().wait(0.2)

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _n: program(place, "tool-2", build, free_mib=1), range(2)))
    assert found == [place.cache / "tool-2"] * 2
    assert len(built) == 1


def test_a_disk_without_room_is_said_before_a_build(place: Place) -> None:
    with pytest.raises(Halt, match="MiB are free under"):
        program(place, "tool-3", lambda _new: None, free_mib=2**40)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("go: x: dial tcp: lookup proxy: no such host\n", "the network could not be reached"),
        ("ld: final link failed: No space left on device\n", "the disk is full"),
        ("note\nmain.cpp:3: fatal error: json.hpp: No such file\nmake: stopped", "json.hpp"),
        ("only words", "only words"),
        ("", "no output"),
    ],
)
def test_a_failure_is_told_by_its_likely_cause(tmp_path: Path, output: str, words: str) -> None:
    log = tmp_path / "log"
    log.write_text(output)
    assert words in cause(log)


def test_a_command_that_takes_too_long_is_ended_with_its_children(tmp_path: Path) -> None:
    argv = ["sh", "-c", f"sleep 600 & echo $! > '{tmp_path}/child'; wait"]
    with pytest.raises(Halt, match="waiting: not done after"):
        watched(argv, what="waiting", log=tmp_path / "log", minutes=0.01, hint="")
    child = int((tmp_path / "child").read_text())

    def gone() -> bool:
        try:
            processes.itself(child)
        except ProcessLookupError:
            return True
        return False

    assert until(gone, 10), "killed, but a while passes until it is gone"


def test_packages_start_nothing_and_the_machines_own_rule_stays(tmp_path: Path) -> None:
    policy = tmp_path / "policy-rc.d"
    with nothing_starts([], policy):
        assert subprocess.run([policy]).returncode == 101
    assert not policy.exists()
    policy.write_text(f"#!/bin/sh\n{OURS}exit 101\n")  # as a killed run leaves it
    with nothing_starts([], policy):
        assert policy.exists()
    assert not policy.exists()
    policy.write_text("#!/bin/sh\nexit 0\n")
    with nothing_starts([], policy):
        pass
    assert policy.read_text() == "#!/bin/sh\nexit 0\n"


def test_the_weights_of_ollama_are_wefts_own() -> None:
    assert f'"{versions.CHAT_WEIGHTS}"' in (ROOT / "models" / "models.toml").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["status"], 0, "postgres     down"),
        (["env"], 0, ""),
        (["status", "redis"], 3, "redis"),
        (["up", "oracle"], 1, "there is no service 'oracle'. There are: postgres, redis"),
        (["pause", "redis"], 1, "redis does not run. Type: deploy/native/stack up redis"),
        (["start", "gateway"], 1, "Type: "),
        (["logs", "kafka"], 1, "kafka has no log yet"),
        (["dance"], 2, "invalid choice"),
    ],
)
def test_the_command_line_says_what_to_type(
    place: Place, arguments: list[str], code: int, words: str
) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(place.cache), "WEFT_STACK_DIR": str(place.state)}
    done = subprocess.run([STACK, *arguments], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
