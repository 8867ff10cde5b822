"""The command line."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict

from weftstack import running
from weftstack.halt import Halt
from weftstack.place import PORTS, Place
from weftstack.services import SERVICES, USUAL, named, weft
from weftstack.services.base import Service
from weftstack.services.watchers import wish
from weftstack.tools import TOOLS

EPILOG = f"""
services: {", ".join(SERVICES)}
to install only: {", ".join(TOOLS)}
`up` and `install` without a name mean: {" ".join(USUAL)}

WEFT_STACK_DIR    folder of data, logs and passwords (default: build/stack)
WEFT_STACK_PORTS  first of {PORTS} ports (default: 24000)
WEFT_STACK_CACHE  folder of built programs (default: ~/.cache/weft/stack)
WEFT_STACK_FAST   1: PostgreSQL does not wait for the disk (tests only)
"""


NEXT = """\
Weft runs at {url} (API: {url}/docs) on the servers above. Next:
  eval "$(deploy/native/stack env --weft)"
  .venv/bin/weft doctor
  .venv/bin/weft tenants create acme
Stop all with: make stack-down"""


def main(argv: Sequence[str] | None = None) -> int:
    asked = _parser().parse_args(argv)
    try:
        return _obey(asked)
    except Halt as halt:
        print(f"stack: {halt}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stack: interrupted. Type the same again to go on.", file=sys.stderr)
        return 130
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        print(f"stack: {error.strerror or error}{where}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy/native/stack",
        description="Real servers for Weft on this machine, without Docker.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, text: str, names: str | int) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        if names:
            made.add_argument("services", nargs=names, metavar="NAME")
        return made

    command("install", "bring the programs, start nothing", "*")
    for name, names in (("up", "*"), ("start", "+")):
        made = command(name, "install what is missing and start", names)
        made.add_argument("--weft", action="store_true", help="Weft's own processes too")
        made.add_argument("--fast", action="store_true", help="PostgreSQL without fsync")
        made.add_argument("--rules", metavar="GLOB", help="Prometheus: files of rules")
        made.add_argument("--targets", metavar="HOST:PORT,…", help="Prometheus: what it reads")
        made.add_argument("--webhook", metavar="URL", help="Alertmanager: where alerts go")
    command("down", "stop in order; nothing is left running", "*")
    command("stop", "stop in order", "+")
    command("kill", "SIGKILL for the whole tree of processes", "+")
    command("pause", "SIGSTOP: it keeps its connections and answers nothing", "+")
    command("resume", "SIGCONT after a pause", "+")
    command("wipe", "stop and forget all data; NAME may be `all`", "+")
    command("status", "what runs", "*").add_argument("--json", action="store_true")
    env = command("env", "the settings that choose what runs", "")
    env.add_argument("--json", action="store_true")
    env.add_argument("--weft", action="store_true", help="for a shell, to use the weft command")
    command("url", "the address of one service", 1)
    logs = command("logs", "the end of one service's log", 1)
    logs.add_argument("-n", type=int, default=40, help="lines")
    logs.add_argument("-f", action="store_true", help="follow")
    return parser


def _obey(asked: argparse.Namespace) -> int:
    place = Place.here()
    names = list(getattr(asked, "services", []))
    everything = list(SERVICES.values())
    match asked.command:
        case "install":
            for name in [name for name in names if name in TOOLS]:
                print(TOOLS[name](place))
            services = [name for name in names if name not in TOOLS]
            for service in named(services if names else list(USUAL)):
                service.install(place)
        case "up" | "start":
            _up(place, asked, named(names or list(USUAL)))
        case "down" | "stop":
            running.down(place, named(names) if names else everything)
        case "kill" | "pause" | "resume" | "wipe":
            getattr(running, asked.command)(place, named(names))
            if asked.command == "wipe" and "all" in names:
                weft.forget(place)
        case "status":
            return _status(place, names, asked.json)
        case "env":
            _env(place, asked.json, asked.weft)
        case "url":
            print(named(names)[0].url(place))
        case "logs":
            _logs(place, named(names)[0].name, asked.n, asked.f)
    return 0


def _up(place: Place, asked: argparse.Namespace, services: list[Service]) -> None:
    if asked.fast:
        os.environ["WEFT_STACK_FAST"] = "1"
    wish(place, {key: getattr(asked, key) for key in ("rules", "targets", "webhook")})
    if not asked.weft:
        running.up(place, services)
        return
    for role in weft.ROLES:
        role.install(place)
    running.up(place, [service for service in services if not service.client])
    weft.settle(place, running.urls(place, list(SERVICES.values())))
    running.up(place, weft.ROLES)
    print(NEXT.format(url=weft.GATEWAY.url(place)))


def _env(place: Place, as_json: bool, for_weft: bool) -> None:
    found = running.urls(place, list(SERVICES.values()))
    if for_weft:
        found |= weft.about(place)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    before = "export " if for_weft else ""
    for key, value in found.items():
        print(f"{before}{key}={shlex.quote(value)}")


def _status(place: Place, names: list[str], as_json: bool) -> int:
    found = [running.state(place, each) for each in named(names or list(SERVICES))]
    if as_json:
        print(json.dumps([asdict(each) for each in found], indent=1))
    else:
        print(f"{'service':13}{'state':8}{'port':>6}{'pid':>9}{'MiB':>6}  log")
        for each in found:
            print(f"{each.name:13}{each.state:8}{each.port:>6}{each.pid or '':>9}"
                  f"{each.memory_mib or '':>6}  {each.log}")  # fmt: skip
    return 0 if all(each.state == "up" for each in found) or not names else 3


def _logs(place: Place, name: str, lines: int, follow: bool) -> None:
    path = place.log(name)
    if not path.exists():
        raise Halt(f"{name} has no log yet. Type: deploy/native/stack up {name}")
    if follow:
        os.execvp("tail", ["tail", "-n", str(lines), "-F", str(path)])
    print("\n".join(path.read_text(errors="replace").splitlines()[-lines:]))
