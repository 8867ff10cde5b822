"""The house keeps its shape: rooms, doors, words that are not used here."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "core", "database", "runtime", "ingestion", "vectorstore", "models", "reports", "connectors",
    "workflows", "agents", "backends", "gateway", "ops",
)  # fmt: skip

# library -> the rooms that may import it
DOORS = {
    "fastapi": {"gateway"}, "starlette": {"gateway"}, "argon2": {"gateway"}, "jwt": {"gateway"},
    "uvicorn": {"ops"}, "click": {"ops"}, "rich": {"ops"},
    "langgraph": {"agents"}, "langchain_core": {"agents"},
    "sqlalchemy": {"database"}, "alembic": {"database"},
    "faiss": {"vectorstore"}, "Stemmer": {"vectorstore"},
    "reportlab": {"reports"}, "openpyxl": {"reports"},
    "onnxruntime": {"models", "ingestion"}, "tokenizers": {"models"}, "ollama": {"models"},
    "xllamacpp": {"models"}, "pypdfium2": {"ingestion"}, "lxml": {"ingestion"},
    "selectolax": {"ingestion"}, "python_calamine": {"ingestion"},
    "cronsim": {"workflows"}, "imap_tools": {"ingestion"}, "asyncssh": {"ingestion"},
    "PIL": {"ingestion"}, "pi_heif": {"ingestion"},
    "stdnum": {"ingestion"}, "phonenumbers": {"ingestion"},
    "celery": {"backends"}, "kombu": {"backends"}, "kafka": {"backends"}, "minio": {"backends"},
    "redis": {"backends"}, "psycopg": {"database"}, "opentelemetry": {"core"}, "requests": {"core"},
    "standardwebhooks": {"connectors"}, "cryptography": {"core", "gateway"},
    # The command is an outside client of its own gateway; the product's calls go by egress.
    "httpx": {"connectors", "models", "ops"},
}  # fmt: skip


def modules(*rooms: str) -> Iterator[tuple[str, Path, ast.Module]]:
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield room, path, ast.parse(path.read_text("utf-8"))


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_ours_and_not_a_package_of_the_same_name(room: str) -> None:
    found = importlib.import_module(room)
    assert found.__file__ is not None
    assert Path(found.__file__).is_relative_to(ROOT)
    assert found.__doc__, "a room's docstring says what it is for and what it promises"


def test_rooms_import_only_downwards() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([script], cwd=ROOT, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout


def test_each_library_has_one_door() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for room, path, tree in modules(*ROOMS)
        for name in imports(tree)
        if room not in DOORS.get(name, {room})
    ]
    assert wrong == []


def test_no_code_runs_text_or_revives_objects() -> None:
    banned_calls = {"eval", "exec", "compile", "__import__"}
    banned_modules = {"pickle", "marshal", "shelve", "dill", "cloudpickle"}
    wrong = []
    for _room, path, tree in modules(*ROOMS):
        name = str(path.relative_to(ROOT))
        wrong += [f"{name} imports {m}" for m in imports(tree) if m in banned_modules]
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in banned_calls:
                wrong.append(f"{name}:{called.lineno} {called.id}()")
            if isinstance(node, ast.keyword) and node.arg == "shell":
                wrong.append(f"{name}: shell=")
            if isinstance(node, ast.keyword) and node.arg == "verify":
                value = node.value
                if isinstance(value, ast.Constant) and value.value is False:
                    wrong.append(f"{name}: verify=False")
    assert wrong == []


def test_yaml_is_never_loaded_into_objects() -> None:
    """`yaml.load` only with a loader that stands in the same module and is a SafeLoader."""
    wrong = []
    for _room, path, tree in modules(*ROOMS):
        safe = {
            node.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and [ast.unparse(base) for base in node.bases] == ["yaml.SafeLoader"]
        }
        for node in ast.walk(tree):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            if called in ("yaml.unsafe_load", "yaml.full_load", "yaml.load", "yaml.load_all"):
                assert isinstance(node, ast.Call)
                loaders = {ast.unparse(k.value) for k in node.keywords if k.arg == "Loader"}
                if not loaders or not loaders <= safe:
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} {called}")
    assert wrong == []


def test_tests_replace_and_never_patch() -> None:
    pattern = re.compile(r"mock\.patch|monkeypatch\.setattr|MagicMock")
    wrong = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / "tests").rglob("*.py"))
        if path != Path(__file__) and pattern.search(path.read_text("utf-8"))
    ]
    assert wrong == []


def test_modules_are_not_called_by_empty_words() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "service"}
    wrong = [
        str(path.relative_to(ROOT))
        for _room, path, _tree in modules(*ROOMS)
        if path.stem in empty or path.parent.name in empty
    ]
    assert wrong == []


def test_query_functions_of_a_tenant_take_ctx() -> None:
    """First wall: a public function that takes `tx` and touches a tenant's table takes `ctx`."""
    shared = {"engine", "tables", "migrate", "pages", "inserts", "env", "0001_first"}
    platform_wide = {
        # (module, function): why it has no tenant
        ("dispatch", "*"): "claims, leases and the relay are the platform's, over all tenants",
        ("workers", "*"): "processes serve all tenants",
        ("tenants", "*"): "the list of tenants itself",
        ("vitals", "*"): "counts without content, for the operator",
        ("gauges", "*"): "counts without content, for the metrics",
        ("idempotency", "sweep"): "old keys of all tenants",
        ("idempotency", "release_all"): "requests that died with their gateway, of all tenants",
        ("users", "logins"): "sign-in finds the tenant",
        ("users", "guess"): "sign-in, before there is a caller",
        ("users", "forgive"): "sign-in, before there is a caller",
        ("tokens", "*"): "a token's hash finds the tenant",
        ("chat", "due"): "which conversations of all tenants are over, not what was said in them",
        ("searches", "due"): "which tenants have searches that are over, not what they were",
        ("shelves", "with_kept"): "which indexes keep a generation, not what is in them",
        ("old_runs", "due"): "whose time is over, of all tenants; nothing of what it was",
        ("integrations", "due"): "whose time has come, of all tenants; nothing of what it is",
        ("watches", "free"): "whose mail box nobody listens to, of all tenants; nothing of it",
        ("triggers", "due"): "whose time has come, of all tenants; nothing of what it is",
        ("triggers", "tenant_of"): "a signed call's address finds the tenant",
        ("api_keys", "*"): "a key's hash finds the tenant",
    }
    wrong = []
    for _room, path, tree in modules("database"):
        if path.stem in shared or (path.stem, "*") in platform_wide:
            continue
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            names = [argument.arg for argument in node.args.args]
            # A claim is a job's row, which names the tenant itself.
            if (path.stem, node.name) in platform_wide or {"ctx", "claim"} & set(names):
                continue
            if "tx" in names:
                wrong.append(f"{path.stem}.{node.name}{tuple(names)}")
    assert wrong == []
