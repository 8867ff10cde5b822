"""Debian packages, without letting them start their services on the machine."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from weftstack.building import watched
from weftstack.halt import Halt
from weftstack.place import Place, locked, tell

POLICY = Path("/usr/sbin/policy-rc.d")
OURS = "# weft stack: while it installs packages, none of them may start a service\n"


def ensure(place: Place, wanted: dict[str, str], why: str) -> None:
    """`wanted`: program -> the package that brings it; installs the packages of those that lack."""
    missing = [package for found, package in wanted.items() if which(found) is None]
    if missing:
        install(place, missing, why)
        for found, package in wanted.items():
            if which(found) is None:
                raise Halt(f"{why}: the package {package} was installed but brings no {found}")


def which(name: str) -> Path | None:
    """A program by name, or a file by its path; also where only root's PATH looks."""
    if name.startswith("/"):
        return Path(name) if Path(name).exists() else None
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin:/usr/bin:/bin")
    return Path(found) if found else None


def install(place: Place, packages: Sequence[str], why: str) -> None:
    names = " ".join(packages)
    by_hand = f"Type: sudo apt-get install {names}"
    if which("apt-get") is None:
        raise Halt(f"{why} needs {names}, and this machine has no apt-get. Install them yourself.")
    root = as_root(f"{why} needs the packages {names}. {by_hand}")
    log = place.cache / "logs" / "apt.log"
    began = time.monotonic()
    with locked(place.cache / "apt.lock", "installing packages", 900), nothing_starts(root):
        log.parent.mkdir(parents=True, exist_ok=True)
        log.write_text("")
        apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q",
               "-o", "DPkg::Lock::Timeout=300"]  # fmt: skip
        command = [*apt, "install", "-y", "--no-install-recommends", *packages]
        with contextlib.suppress(Halt):  # the lists may be old: then once more with fresh ones
            watched(command, what=f"apt-get install {names}", log=log, minutes=10, hint="")
            _keep_off(root, packages)
            tell(f"{names}: installed in {time.monotonic() - began:.0f} s")
            return
        watched([*apt, "update"], what="apt-get update", log=log, minutes=5, hint=by_hand)
        watched(command, what=f"apt-get install {names}", log=log, minutes=10, hint=by_hand)
        _keep_off(root, packages)
        tell(f"{names}: installed in {time.monotonic() - began:.0f} s")


def as_root(refusal: str) -> list[str]:
    """What to put before a command of root's: nothing for root, `sudo` where it asks nothing."""
    if os.geteuid() == 0:
        return []
    sudo = which("sudo")
    if sudo and subprocess.run([sudo, "-n", "true"], capture_output=True).returncode == 0:
        return [str(sudo), "-n"]
    raise Halt(f"{refusal} (you are not root, and sudo is missing or asks for a password)")


@contextlib.contextmanager
def nothing_starts(root: Sequence[str], policy: Path = POLICY) -> Iterator[None]:
    """Packages ask policy-rc.d whether they may start: 101 means no. A rule that the machine has
    already is left as it is; ours goes away, also one that a killed run left behind."""
    if policy.exists() and OURS not in policy.read_text(errors="replace"):
        yield
        return
    text = f"#!/bin/sh\n{OURS}exit 101\n"
    subprocess.run(
        [*root, "sh", "-c", 'printf %s "$1" >"$2" && chmod 755 "$2"', "sh", text, policy],
        check=True,
    )
    try:
        yield
    finally:
        subprocess.run([*root, "rm", "-f", policy], check=True)


def _keep_off(root: Sequence[str], packages: Sequence[str]) -> None:
    """What was installed just now does not start with the machine either."""
    if not Path("/run/systemd/system").exists():
        return
    units = {"postgresql", "redis-server", "prometheus", "prometheus-alertmanager", "dovecot"}
    for unit in units & set(packages):
        subprocess.run([*root, "systemctl", "disable", "--quiet", unit], capture_output=True)
