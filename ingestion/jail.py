"""Takes rights away from the parser's process, as far as the system allows, and for good.

Linux: an empty network namespace, Landlock (no files but the interpreter's own), seccomp (no
sockets, programs, tracing). Elsewhere resource limits alone. Sources: seccomp(2), landlock(7).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import struct
import sys
from pathlib import Path

_PDEATHSIG, _NO_NEW_PRIVS, _SECCOMP = 1, 38, 22
_NEWUSER, _NEWNET = 0x10000000, 0x40000000
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# The first set holds from the start, the second in the children, which never start a process.
_NO_WAY_OUT = {
    "x86_64": [41, 42, 43, 49, 50, 53, 59, 101, 133, 155, 161, 165, 166, 175, 176, 246, 248, 249,
               250, 272, 288, 298, 303, 304, 308, 310, 311, 313, 320, 321, 322, 323, 424, 425, 426,
               427, 434, 438],
    "aarch64": [33, 39, 40, 41, 51, 97, 104, 105, 106, 117, 198, 199, 200, 201, 202, 203, 217, 218,
                219, 221, 241, 242, 264, 265, 268, 270, 271, 273, 280, 281, 282, 424, 425, 426, 427,
                434, 438],
}  # fmt: skip
_CLONE, _CLONE3, _CLONE_THREAD = {"x86_64": 56, "aarch64": 220}, 435, 0x10000
_ALLOW, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
_EXEC = {"x86_64": {59, 322}, "aarch64": {221, 281}}
_WITH_PROGRAMS = {
    name: [number for number in numbers if number not in _EXEC[name]]
    for name, numbers in _NO_WAY_OUT.items()
}
_NO_OFFSPRING = {
    "x86_64": [56, 57, 58, 62, 129, 200, 297, 435],
    "aarch64": [129, 130, 138, 220, 240, 435],
}


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def leave_network() -> bool:
    """Into an empty network of its own; only a process of one thread may."""
    if not sys.platform.startswith("linux"):
        return False
    return bool(_libc().unshare(_NEWUSER | _NEWNET) == 0)


def enter(
    readable: list[Path], *, programs: bool = False, left_network: bool = False
) -> dict[str, str]:
    """For the fork server, before its first child. What was achieved, by name. With `programs`
    what is readable may also be run, for children that become another program."""
    level = {"limits": "rlimits", "network": "none", "files": "none", "calls": "none"}
    if not sys.platform.startswith("linux"):
        return level
    libc = _libc()
    if left_network or leave_network():
        level["network"] = "namespace"
    libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    if _landlock(libc, readable, programs):
        level["files"] = "landlock"
    if _filter(libc, _WITH_PROGRAMS if programs else _NO_WAY_OUT):
        level["calls"] = "seccomp"
        if level["network"] == "none":
            level["network"] = "seccomp"
    return level


def enter_child(memory_bytes: int, seconds: float, *, threads: bool = False) -> None:
    """For each child: limits of its own, no offspring, gone with its parent. `threads` are allowed
    to decoders that cannot do without; a process of its own is not."""
    if sys.platform.startswith("linux"):
        libc = _libc()
        libc.prctl(_PDEATHSIG, 9, 0, 0, 0)
        _filter(libc, _NO_OFFSPRING, threads=threads)
    cpu = max(1, int(seconds) + 1)
    for name, value in (
        ("RLIMIT_CORE", 0), ("RLIMIT_FSIZE", 0), ("RLIMIT_NOFILE", 32), ("RLIMIT_CPU", cpu),
        ("RLIMIT_AS", memory_bytes),
    ):  # fmt: skip
        # macOS refuses some of them; the deadline holds there all the same.
        with contextlib.suppress(ValueError, OSError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))


def _filter(libc: ctypes.CDLL, numbers: dict[str, list[int]], *, threads: bool = False) -> bool:
    """A seccomp program that answers EPERM to the calls named and to foreign architectures."""
    machine = platform.machine()
    if machine not in numbers:
        return False
    denied = sorted(numbers[machine])
    load, jump_equal, jump_ge, answer = 0x20, 0x15, 0x35, 0x06
    one = _threads(machine, len(denied)) if threads else []
    deny = len(one) + len(denied)
    code = [(load, 0, 0, 4), (jump_equal, 0, deny + 3, _AUDIT[machine]), (load, 0, 0, 0)]
    code += [(jump_ge, deny + 1, 0, 0x40000000), *one]
    code += [(jump_equal, len(denied) - at, 0, number) for at, number in enumerate(denied)]
    code += [(answer, 0, 0, _ALLOW), (answer, 0, 0, _EPERM), (answer, 0, 0, _ENOSYS)]
    program = b"".join(struct.pack("HBBI", *line) for line in code)
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(code), ctypes.addressof(buffer))
    return bool(libc.prctl(_SECCOMP, 2, ctypes.create_string_buffer(header), 0, 0) == 0)


def _threads(machine: str, denied: int) -> list[tuple[int, int, int, int]]:
    """`clone` with CLONE_THREAD is allowed; `clone3` hides its flags in memory, so it is told to
    be missing, and the C library asks `clone` instead."""
    load, jump_equal, jump_set = 0x20, 0x15, 0x45
    return [
        (jump_equal, denied + 6, 0, _CLONE3),
        (jump_equal, 0, 3, _CLONE[machine]),
        (load, 0, 0, 16),
        (jump_set, denied + 1, denied + 2, _CLONE_THREAD),
        (load, 0, 0, 0),
    ]


def _landlock(libc: ctypes.CDLL, readable: list[Path], programs: bool) -> bool:
    version = libc.syscall(444, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << (13 + (version >= 2) + (version >= 3) + (version >= 5))) - 1
    fields = [rights, 3 if version >= 4 else 0, 3 if version >= 6 else 0]
    known = 1 if version < 4 else 2 if version < 6 else 3
    attributes = struct.pack(f"{known}Q", *fields[:known])
    ruleset = libc.syscall(444, ctypes.create_string_buffer(attributes), len(attributes), 0)
    if ruleset < 0:
        return False
    try:
        for path in readable:
            _allow(libc, ruleset, path, programs)
        return bool(libc.syscall(446, ruleset, 0) == 0)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: Path, programs: bool) -> None:
    """Reading below `path`: files and folders; running what lies there if `programs`."""
    try:
        place = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    rights = 1 << 2 | (1 << 3 if path.is_dir() else 0) | (1 if programs else 0)
    rule = struct.pack("=Qi", rights, place)
    libc.syscall(445, ruleset, 1, ctypes.create_string_buffer(rule, len(rule)), 0)
    os.close(place)
