"""docker-compose.yml: every service pinned, watched, bounded and without rights it does not need.

No container engine runs where the tests run: the file is checked against the schema of the Compose
specification and by these rules; `tests/stack/test_compose_program.py` asks the real program.
"""

from __future__ import annotations

import copy
import itertools
import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from core.settings import Settings
from ops.default_secrets import refuse

ROOT = Path(__file__).parents[2]
FILE = ROOT / "docker-compose.yml"
MIB_SMALL, CONTAINERS_SMALL = 4096, 5
Compose = dict[str, Any]
Service = dict[str, Any]


@cache
def loaded() -> Compose:
    found: Compose = yaml.safe_load(FILE.read_text())
    return found


def read() -> Compose:
    return copy.deepcopy(loaded())


def services(compose: Compose, profile: str | None = None) -> dict[str, Service]:
    every: dict[str, Service] = compose["services"]
    return {
        name: one
        for name, one in every.items()
        if profile is None or profile in one.get("profiles", [profile])
    }


def filled(text: str) -> str:
    """With every variable at its default, as on a machine where none is set."""
    return re.sub(r"\$\{[A-Z_]+:-([^}]*)\}", r"\1", text)


def mib(text: str) -> int:
    number, unit = re.fullmatch(r"(\d+)([mg])", filled(text)).groups()  # type: ignore[union-attr]
    return int(number) * (1024 if unit == "g" else 1)


def bases(service: Service) -> list[str]:
    """The published images that a service runs: its own, or the one it is built upon."""
    build = service.get("build")
    if not build:
        return [service["image"]]
    given = [value for name, value in build.get("args", {}).items() if name == "IMAGE"]
    folder = ROOT / build["context"]
    text = (folder / build.get("dockerfile", "Dockerfile")).read_text()
    stages = set(re.findall(r"^FROM \S+ AS (\S+)", text, flags=re.M))
    return given + [
        name
        for name in re.findall(r"^FROM (\S+)", text, flags=re.M)
        if name not in stages and name != "${IMAGE}"
    ]


# ---- the rules: each gives what is wrong, as `service: words` ------------------------------------


def unpinned(compose: Compose) -> Iterator[str]:
    exact = re.compile(r"(.+/)?[a-z0-9.-]+:(v?\d+\.\d+[\w.-]*|RELEASE\.[\dTZ-]+)")
    for name, one in services(compose).items():
        for image in [one["image"], *bases(one)]:
            if not exact.fullmatch(image) or "latest" in image:
                yield f"{name}: {image} is not one version"


def borrowed(compose: Compose) -> Iterator[str]:
    """What is built here has one builder, and nobody looks for it in a registry."""
    builders = [one["image"] for one in services(compose).values() if "build" in one]
    for name, one in services(compose).items():
        ours = one["image"].startswith("weft")
        if ours != (one.get("pull_policy") == "never"):
            yield f"{name}: {one['image']} could come from elsewhere"
        if ours and builders.count(one["image"]) != 1:
            yield f"{name}: {one['image']} has {builders.count(one['image'])} builders"


def unwatched(compose: Compose) -> Iterator[str]:
    for name, one in services(compose).items():
        check = one.get("healthcheck", {})
        ends = one.get("restart") == "no"
        if not ends and not (check.get("test") and check.get("interval") and check.get("timeout")):
            yield f"{name}: no health check"
        if ends != (check.get("disable") is True):
            yield f"{name}: a job has no health check, a service has one"


def unbounded(compose: Compose) -> Iterator[str]:
    for name, one in services(compose).items():
        yield from (
            f"{name}: {limit}" for limit in ("mem_limit", "cpus", "pids_limit") if limit not in one
        )
        if one["logging"]["driver"] == "json-file" and "max-size" not in one["logging"]["options"]:
            yield f"{name}: its log grows without end"


def mighty(compose: Compose) -> Iterator[str]:
    allowed = {"caddy": ["NET_BIND_SERVICE"]}
    for name, one in services(compose).items():
        user = str(one.get("user", ""))
        if not re.fullmatch(r"[1-9]\d*:\d+", user):
            yield f"{name}: runs as {user or 'whoever the image says'}"
        if one.get("read_only") is not True:
            yield f"{name}: may write into its root"
        if one.get("cap_drop") != ["ALL"] or one.get("cap_add", []) != allowed.get(name, []):
            yield f"{name}: has capabilities"
        if "no-new-privileges:true" not in one.get("security_opt", []):
            yield f"{name}: may gain rights"
        for key in ("privileged", "devices", "pid", "ipc", "network_mode", "userns_mode"):
            if one.get(key):
                yield f"{name}: {key}"


def mounts(one: Service) -> Iterator[tuple[str, str, str]]:
    for text in one.get("volumes", []):
        source, target, mode = [*text.split(":"), ""][:3]
        yield source, target, mode


def mounted(compose: Compose) -> Iterator[str]:
    """What comes from the host is only read and lies in this repository; volumes are named."""
    for name, one in services(compose).items():
        for source, _target, mode in mounts(one):
            if "docker.sock" in source:
                yield f"{name}: is given the engine itself"
            elif source.startswith((".", "/")):
                if mode != "ro":
                    yield f"{name}: {source} may be written"
                if not (ROOT / source).exists():
                    yield f"{name}: {source} is not there"
            elif source not in compose["volumes"]:
                yield f"{name}: the volume {source} is not declared"


def exposed(compose: Compose) -> Iterator[str]:
    for name, one in services(compose).items():
        for port in one.get("ports", []):
            if not filled(str(port)).startswith("127.0.0.1:"):
                yield f"{name}: {port} is open to the network"
        if not one.get("networks"):
            yield f"{name}: is on the default network"
        if one.get("ports") and "edge" not in one["networks"]:
            yield f"{name}: a port of a container without a way out is never reached"
    if compose["networks"]["data"] != {"internal": True}:
        yield "data: has a way out"


def told(compose: Compose) -> Iterator[str]:
    """Secrets are files. What looks like one in an environment or a command is found."""
    word = re.compile(r"PASSWORD|SECRET|TOKEN|ROOT_KEY|_KEY$|://[^/\s]*:[^/\s]*@", re.I)
    for name, one in services(compose).items():
        for key, value in (one.get("environment") or {}).items():
            as_file = key.endswith("_FILE") and str(value).startswith("/run/secrets/")
            if not as_file and (word.search(key) or word.search(filled(str(value)))):
                yield f"{name}: {key} is in the environment"
            if as_file and str(value).removeprefix("/run/secrets/") not in one.get("secrets", []):
                yield f"{name}: {key} names a secret that it is not given"
        for part in one.get("command") or []:
            if re.search(r"--?\w*(password|secret|requirepass)[= ]\S", str(part), re.I):
                yield f"{name}: {part} is in the command"
        for secret in one.get("secrets", []):
            if secret not in compose["secrets"]:
                yield f"{name}: the secret {secret} is not declared"


def waiting(compose: Compose) -> Iterator[str]:
    """A profile holds what its services wait for, unless they can do without it."""
    for name, one in services(compose).items():
        for other, how in one.get("depends_on", {}).items():
            profiles = set(services(compose)[other].get("profiles", []))
            if how.get("required", True) and not set(one["profiles"]) <= profiles:
                yield f"{name}: waits for {other}, which its profile lacks"
            ends = services(compose)[other].get("restart") == "no"
            if how["condition"] != (
                "service_completed_successfully" if ends else "service_healthy"
            ):
                yield f"{name}: does not wait until {other} is ready"


def large(compose: Compose) -> Iterator[str]:
    small = services(compose, "small")
    if len(small) > CONTAINERS_SMALL:
        yield f"small: {len(small)} containers"
    total = sum(mib(one["mem_limit"]) for one in small.values())
    if total > MIB_SMALL:
        yield f"small: {total} MiB"


RULES: list[Callable[[Compose], Iterator[str]]] = [
    unpinned, borrowed, unwatched, unbounded, mighty, mounted, exposed, told, waiting, large,
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule.__name__))
def test_every_service_keeps_the_rule(rule: Callable[[Compose], Iterator[str]]) -> None:
    assert list(rule(read())) == []


def change(path: str, value: object) -> Callable[[Compose], None]:
    def done(compose: Compose) -> None:
        place: Any = compose
        *way, last = path.split("/")
        for part in way:
            place = place[part]
        place[last] = value

    return done


BREAKS = [
    (unpinned, "services/redis/image", "valkey/valkey:latest"),
    (unpinned, "services/redis/image", "valkey/valkey:8"),
    (unpinned, "services/redis/image", "valkey/valkey"),
    (unpinned, "services/seaweedfs/build/args/IMAGE", "chrislusf/seaweedfs"),
    (borrowed, "services/weft/pull_policy", "missing"),
    (borrowed, "services/weft/build", {"context": "."}),
    (borrowed, "services/worker/image", "weft:0.2.0"),
    (unwatched, "services/kafka/healthcheck", {}),
    (unwatched, "services/kafka/healthcheck", {"disable": True}),
    (unbounded, "services/worker", {"logging": {"driver": "syslog"}, "cpus": 1, "pids_limit": 1}),
    (unbounded, "services/kafka/logging/options", {}),
    (mighty, "services/grafana/user", "0:0"),
    (mighty, "services/grafana/user", ""),
    (mighty, "services/loki/read_only", False),
    (mighty, "services/loki/cap_add", ["SYS_ADMIN"]),
    (mighty, "services/loki/cap_drop", []),
    (mighty, "services/loki/security_opt", []),
    (mighty, "services/loki/privileged", True),
    (mounted, "services/alloy/volumes", ["/var/run/docker.sock:/var/run/docker.sock:ro"]),
    (mounted, "services/alloy/volumes", ["./loki:/etc/loki"]),
    (mounted, "services/alloy/volumes", ["./nowhere:/etc/loki:ro"]),
    (mounted, "services/alloy/volumes", ["undeclared:/data"]),
    (exposed, "services/postgres/ports", ["5432:5432"]),
    (exposed, "services/postgres/ports", ["127.0.0.1:5432:5432"]),
    (exposed, "services/weft/ports", ["${WEFT_BIND:-0.0.0.0}:8000:8000"]),
    (exposed, "networks/data", {}),
    (told, "services/weft/environment/WEFT_DATABASE_URL", "postgresql://weft:word@postgres/weft"),
    (told, "services/weft/environment/WEFT_ROOT_KEY", "00"),
    (told, "services/weft/secrets", ["root_key"]),
    (told, "services/redis/command", ["valkey-server", "--requirepass word"]),
    (waiting, "services/weft/depends_on/redis", {"condition": "service_healthy"}),
    (waiting, "services/weft/depends_on/postgres", {"condition": "service_started"}),
    (large, "services/weft/mem_limit", "2g"),
    (large, "services/redis/profiles", ["small", "full"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "path", "value"),
    BREAKS,
    ids=[f"{r.__name__}-{n}" for n, (r, _, _) in enumerate(BREAKS)],
)
def test_each_rule_finds_what_breaks_it(
    rule: Callable[[Compose], Iterator[str]], path: str, value: object
) -> None:
    compose = read()
    change(path, value)(compose)
    assert list(rule(compose)) != []


# ---- the whole -----------------------------------------------------------------------------------


def test_the_file_is_what_the_compose_specification_allows(tmp_path: Path) -> None:
    broken = tmp_path / "docker-compose.yml"
    broken.write_text(FILE.read_text().replace("mem_limit: 512m", "mem_limits: 512m", 1))
    codes = [
        subprocess.run(
            [Path(sys.executable).with_name("check-jsonschema"),
             "--builtin-schema", "vendor.compose-spec", path],
            capture_output=True, timeout=60,
        ).returncode
        for path in (FILE, broken)
    ]  # fmt: skip
    assert codes == [0, 1]


def test_each_profile_is_a_whole_product() -> None:
    small, full = (set(services(read(), profile)) for profile in ("small", "full"))
    assert small == {"weft", "migrate", "postgres", "seaweedfs", "ollama"}
    assert full - small == {
        "gateway", "worker", "relay", "intake", "redis", "kafka",
        "prometheus", "grafana", "loki", "alloy",
    }  # fmt: skip
    assert small - full == {"weft"}
    assert set(services(read(), "tls")) == {"caddy"}
    assert set(services(read(), "minio")) == {"minio"}


def test_every_service_belongs_to_a_profile_so_that_no_bare_start_is_half_a_product() -> None:
    assert all(one.get("profiles") for one in services(read()).values())


def test_every_setting_named_is_one_that_weft_has() -> None:
    known = {f"WEFT_{name.upper()}" for name in Settings.model_fields}
    named = {
        key.removesuffix("_FILE")
        for name in ("weft", "gateway", "worker", "relay", "intake", "migrate")
        for key in services(read())[name]["environment"]
    }
    assert named <= known


def test_only_the_migration_knows_the_owner_of_the_tables() -> None:
    having = {
        name
        for name, one in services(read()).items()
        if {"database_admin_url", "owner_password"} & set(one.get("secrets", []))
    }
    assert having == {"migrate", "postgres"}


# ---- secrets.sh ----------------------------------------------------------------------------------


def made(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the script in a folder that looks like the repository."""
    script = folder / "deploy" / "compose" / "secrets.sh"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text((ROOT / "deploy" / "compose" / "secrets.sh").read_text())
    return subprocess.run(
        ["sh", str(script)], capture_output=True, text=True, timeout=30,
        env={"PATH": os.environ["PATH"], **environment},
    )  # fmt: skip


def test_one_script_makes_every_secret_that_the_file_asks_for_and_keeps_them(
    tmp_path: Path,
) -> None:
    done = made(tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "deploy" / "compose" / "secrets"
    first = {path.name: path.read_text() for path in folder.iterdir()}
    asked = {one["file"].rsplit("/", 1)[1] for one in read()["secrets"].values()}
    assert set(first) == asked
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert "made the secrets" in done.stdout
    assert "are kept" in made(tmp_path).stdout
    assert {path.name: path.read_text() for path in folder.iterdir()} == first
    words = [text for name, text in first.items() if name.endswith(("password", "_key"))]
    assert all(re.fullmatch("[0-9a-f]{64}", word) for word in words)
    assert len(set(words)) == len(words)
    assert not any(word in done.stdout + done.stderr for word in words)


def test_weft_starts_with_the_secrets_that_the_script_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path)
    folder = tmp_path / "deploy" / "compose" / "secrets"
    for key, value in itertools.chain(
        services(read())["gateway"]["environment"].items(),
        services(read())["migrate"]["environment"].items(),
    ):
        if key.endswith("_FILE"):
            monkeypatch.setenv(key, str(folder / Path(value).name))
    settings = Settings(_env_file=None)
    refuse(settings)
    hosts = [
        urlsplit(url).hostname
        for url in (settings.database_url, settings.database_admin_url, settings.jobs_url,
                    settings.limits_url, settings.blobs_url)
    ]  # fmt: skip
    assert hosts == ["postgres", "postgres", "redis", "redis", "seaweedfs"]
    assert set(hosts) <= set(services(read()))
    assert settings.smtp_url == ""
    assert urlsplit(settings.database_url).username == "weft_app"


def test_what_compose_reads_is_written_once_beside_what_people_wrote(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("WEFT_PORT=8100\nCOMPOSE_PROFILES=full,tls\n")
    made(tmp_path, PROFILE="small")
    made(tmp_path)
    lines = (tmp_path / ".env").read_text().splitlines()
    assert lines == [
        "WEFT_PORT=8100", "COMPOSE_PROFILES=full,tls", "WEFT_SECRETS=./deploy/compose/secrets",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("environment", "profiles", "host"),
    [
        ({}, "small", "seaweedfs"),
        ({"PROFILE": "full"}, "full", "seaweedfs"),
        ({"BLOBS": "minio"}, "small,minio", "minio"),
    ],
)
def test_profile_and_object_store_are_chosen_by_a_word(
    tmp_path: Path, environment: dict[str, str], profiles: str, host: str
) -> None:
    assert made(tmp_path, **environment).returncode == 0
    assert f"COMPOSE_PROFILES={profiles}\n" in (tmp_path / ".env").read_text()
    url = (tmp_path / "deploy" / "compose" / "secrets" / "blobs_url").read_text()
    assert urlsplit(url).hostname == host


@pytest.mark.parametrize("environment", [{"BLOBS": "s3"}, {"PROFILE": "large"}])
def test_a_wrong_word_makes_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    done = made(tmp_path, **environment)
    assert done.returncode == 1
    assert "it may be" in done.stderr
    assert not (tmp_path / ".env").exists()
    assert not (tmp_path / "deploy" / "compose" / "secrets").exists()


def test_secrets_never_reach_the_repository_or_the_image() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/compose/secrets/" in ignored
    assert ".env" in ignored
    let_in = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
    assert not any("deploy" in line or ".env" in line for line in let_in)
