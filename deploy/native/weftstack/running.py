"""Up, down, kill, pause, resume, wipe: what can be done to services."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from weftstack import processes
from weftstack.building import cause, clear
from weftstack.halt import Halt
from weftstack.place import Place, locked, tell
from weftstack.processes import Process
from weftstack.services.base import HOST, Service


@dataclass(frozen=True, slots=True)
class State:
    """`state`: up | paused | dead (it ended without being told to) | down."""

    name: str
    state: str
    port: int
    pid: int | None
    memory_mib: int
    log: str


def state(place: Place, service: Service) -> State:
    found = processes.read(_pid_file(place, service))
    word = "down"
    if found is not None:
        word = "dead" if not found.alive else "paused" if found.paused else "up"
    alive = found if found is not None and found.alive else None
    return State(
        service.name,
        word,
        service.port(place),
        alive.pid if alive else None,
        processes.memory(alive) // 2**20 if alive else 0,
        str(place.log(service.name)),
    )


def up(place: Place, services: Sequence[Service]) -> None:
    """Installs what is missing, starts all, then waits for each."""
    for service in services:
        service.install(place)
    with _held(place, services):
        for client in (False, True):
            _up(place, [service for service in services if service.client == client])


def _up(place: Place, services: Sequence[Service]) -> None:
    began = time.monotonic()
    started = [service for service in services if _started(place, service)]
    for service in services:
        if service in started:
            _awaited(place, service, began)
        took = f" ({time.monotonic() - began:.1f} s)" if service in started else ""
        tell(f"{service.name} is up on {HOST}:{service.port(place)}{took}")


def down(place: Place, services: Sequence[Service]) -> None:
    """Asks all to end, then waits for each, the last started first."""
    with _held(place, services):
        for client in (True, False):
            _down(place, [service for service in services if service.client == client])


def _down(place: Place, services: Sequence[Service]) -> None:
    asked = []
    for service in reversed(services):
        found = processes.read(_pid_file(place, service))
        if found is not None:
            processes.ask(found, service.stop_signal)
            asked.append((service, found))
    for service, found in asked:
        in_order = processes.end(found, service.stop_seconds)
        _pid_file(place, service).unlink()
        how = "" if in_order else f" (killed after {service.stop_seconds:.0f} s)"
        tell(f"{service.name} is down{how}")


def kill(place: Place, services: Sequence[Service]) -> None:
    for service in services:
        processes.slay(_alive(place, service))
        tell(f"{service.name} is killed")


def pause(place: Place, services: Sequence[Service]) -> None:
    for service in services:
        processes.stop_all(_alive(place, service))
        tell(f"{service.name} is paused")


def resume(place: Place, services: Sequence[Service]) -> None:
    for service in services:
        processes.send_all(_alive(place, service), signal.SIGCONT)
        tell(f"{service.name} goes on")


def wipe(place: Place, services: Sequence[Service]) -> None:
    """Stops and forgets all data; ports and passwords stay, so that the URLs stay."""
    down(place, services)
    with _held(place, services):
        for service in services:
            folders = [f for f in (service.folder(place), *service.outside(place)) if f.exists()]
            for folder in folders:
                clear(folder)
            if folders:
                tell(f"{service.name} is wiped")


def urls(place: Place, services: Sequence[Service]) -> dict[str, str]:
    """The settings of Weft for the services that run; the first of two object stores wins."""
    found: dict[str, str] = {}
    for service in services:
        if state(place, service).state in ("up", "paused"):
            found = {**found, **{k: v for k, v in service.urls(place).items() if k not in found}}
    return found


def _started(place: Place, service: Service) -> bool:
    """False when it runs already."""
    found = processes.read(_pid_file(place, service))
    if found is not None and found.alive:
        if found.paused:
            raise Halt(f"{service.name} is paused. Type: deploy/native/stack resume {service.name}")
        return False
    if found is not None:
        processes.slay(found)  # what a killed one left behind
    folder = service.folder(place)
    folder.mkdir(parents=True, exist_ok=True)
    for which in service.ports:
        _free(place, service, service.port(place, which))
    start = service.prepare(place)
    processes.launch(
        start.argv, cwd=folder, env={**service.environment(place), **start.env},
        log=place.log(service.name), pid_file=_pid_file(place, service), user=start.user,
    )  # fmt: skip
    return True


def _awaited(place: Place, service: Service, began: float) -> None:
    found = processes.read(_pid_file(place, service))
    assert found is not None
    try:
        while not service.ready(place):
            if not found.alive:
                processes.reap(found)
                raise Halt(_failure(place, service, "ended at once"))
            if time.monotonic() - began > service.start_seconds:
                raise Halt(
                    _failure(place, service, f"is not ready after {service.start_seconds:.0f} s")
                )
            time.sleep(0.05)
        service.after(place)
    except BaseException:
        processes.slay(found)
        _pid_file(place, service).unlink(missing_ok=True)
        raise


def _failure(place: Place, service: Service, what: str) -> str:
    return (
        f"{service.name} {what}: {cause(place.log(service.name))}. "
        f"More: deploy/native/stack logs {service.name}"
    )


def _free(place: Place, service: Service, port: int) -> None:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((HOST, port))
        except OSError:
            pid = processes.listener(port)
            who = f"by {processes.words(pid)}" if pid else "by another program"
            other = place.base + 1000 if place.base < 60000 else 24000
            raise Halt(
                f"{service.name}: port {port} is in use {who}. Stop it, or choose other ports: "
                f"WEFT_STACK_PORTS={other} deploy/native/stack up {service.name}"
            ) from None


def _alive(place: Place, service: Service) -> Process:
    found = processes.read(_pid_file(place, service))
    if found is None or not found.alive:
        raise Halt(f"{service.name} does not run. Type: deploy/native/stack up {service.name}")
    return found


def _pid_file(place: Place, service: Service) -> Path:
    return place.state / f"{service.name}.pid"


@contextlib.contextmanager
def _held(place: Place, services: Sequence[Service]) -> Iterator[None]:
    """One command at a time per service; taken in one order, so that none waits crosswise."""
    _writable(place)
    with contextlib.ExitStack() as stack:
        for service in services:
            path = place.state / f"{service.name}.lock"
            stack.enter_context(locked(path, service.name, 300))
        yield


def _writable(place: Place) -> None:
    try:
        place.state.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Halt(f"{place.state} cannot be made: {error.strerror}. Set WEFT_STACK_DIR") from error
    if not os.access(place.state, os.W_OK):
        raise Halt(f"{place.state} is not yours to write. Set WEFT_STACK_DIR to a folder that is")
    free = shutil.disk_usage(place.state).free // 2**20
    if free < 300:
        raise Halt(f"{free} MiB of disk are free under {place.state}, 300 are needed. Make room")
