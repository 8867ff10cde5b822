"""The command line: what it prints, what it exits with, what a backup brings back."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import workflows
from agents.ingestion import Upload, content_of, receive
from agents.registry import AGENTS
from agents.search import search
from backends.build import open_runtime
from core.settings import Settings
from gateway.provision import tenant_ctx
from ops import process
from ops.cli import COMMANDS, weft
from tests.engine import Script, drained, flow, step
from workflows.engine import work_once

QUEUES = ("supervisor", "ingestion")
Command = Callable[..., Result]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def command(data: Path, tmp_path: Path) -> Iterator[Command]:
    """Runs `weft --data DATA ...` in this process, away from any `.env`."""
    before = Path.cwd()
    os.chdir(tmp_path)
    empty = {"WEFT_MODELS_DIR": str(tmp_path / "no-weights"), "WEFT_MODELS_URL": "none:"}

    def run(*words: str, folder: Path = data) -> Result:
        arguments = ["--data", str(folder), *words]
        return CliRunner().invoke(weft, arguments, env=empty, prog_name="weft")

    yield run
    os.chdir(before)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_explains_itself(command: Command, name: str) -> None:
    result = command(name, "--help")
    assert result.exit_code == 0
    assert "Usage: weft" in result.stdout


def test_help_names_exit_codes_and_examples(command: Command) -> None:
    shown = command("--help").stdout
    assert "Exit codes" in shown
    assert "weft ask" in shown


def test_an_unknown_command_is_wrong_usage(command: Command) -> None:
    assert command("frobnicate").exit_code == 2


def test_a_wrong_setting_is_named(command: Command, data: Path) -> None:
    result = CliRunner().invoke(
        weft, ["--data", str(data), "status"], env={"WEFT_PORT": "eighty"}, prog_name="weft"
    )
    assert result.exit_code == 2
    assert "WEFT_PORT" in result.output


def test_tenants_users_and_keys_are_made_before_the_platform_runs(command: Command) -> None:
    made = told(command("tenants", "create", "acme", "--name", "Acme", "--json"))
    assert made["slug"] == "acme"
    user = told(
        command(
            "users", "create", "--tenant", "acme", "--email", "a@acme.example",
            "--password", "a long enough one", "--role", "admin", "--json",
        )
    )  # fmt: skip
    assert user["role"] == "admin"
    key = told(
        command("api-keys", "create", "--tenant", "acme", "--scopes", "search:read", "--json")
    )
    assert key["scopes"] == ["search:read"]
    assert key["key"].startswith("wk_")
    assert [tenant["slug"] for tenant in told(command("tenants", "list", "--json"))] == ["acme"]


def test_what_exists_already_is_refused_in_one_line(command: Command) -> None:
    told(command("tenants", "create", "acme", "--json"))
    again = command("tenants", "create", "acme")
    assert again.exit_code == 4
    assert again.stderr.count("\n") == 1
    assert "acme" in again.stderr


def test_a_key_for_an_unknown_scope_is_refused(command: Command) -> None:
    told(command("tenants", "create", "acme", "--json"))
    result = command("api-keys", "create", "--tenant", "acme", "--scopes", "everything:all")
    assert result.exit_code == 4
    assert "everything:all" in result.stderr


def test_asking_a_platform_that_does_not_run_says_what_to_type(command: Command) -> None:
    told(command("tenants", "create", "acme", "--json"))
    result = command("ask", "anything?", "--url", "http://127.0.0.1:9")
    assert result.exit_code == 3
    assert "weft up" in result.stderr


def test_with_several_tenants_the_caller_must_say_which(command: Command) -> None:
    told(command("tenants", "create", "acme", "--json"))
    told(command("tenants", "create", "zeta", "--json"))
    result = command("search", "anything")
    assert result.exit_code == 4
    assert "--tenant acme | zeta" in result.stderr


def test_a_missing_file_is_said_before_anything_is_uploaded(command: Command) -> None:
    told(command("tenants", "create", "acme", "--json"))
    result = command("run", "invoice-review", "nowhere.pdf")
    assert result.exit_code == 4
    assert "nowhere.pdf" in result.stderr


def test_the_doctor_finds_a_job_that_nobody_serves(command: Command, data: Path) -> None:
    told(command("tenants", "create", "acme", "--json"))
    _put_document(data, read=False)
    result = command("doctor", "--json")
    found = {item["check"]: item for item in json.loads(result.stdout)}
    assert result.exit_code == 1
    assert found["queue"]["state"] == "fail"
    assert "nobody listens" in found["queue"]["detail"]
    assert found["queue"]["todo"] == "weft up"


def test_the_doctor_finds_a_key_that_others_can_read(command: Command, data: Path) -> None:
    told(command("tenants", "create", "acme", "--json"))
    (data / "root.key").chmod(0o644)
    result = command("doctor", "--json")
    found = {item["check"]: item for item in json.loads(result.stdout)}
    assert found["root key"]["state"] == "fail"
    assert "chmod 600" in found["root key"]["todo"]


def test_the_doctor_finds_passages_without_vectors(command: Command, data: Path) -> None:
    told(command("tenants", "create", "acme", "--json"))
    _put_document(data, read=True)
    found = {item["check"]: item for item in json.loads(command("doctor", "--json").stdout)}
    assert found["vectors"]["detail"].startswith("1 passages of 1 tenants have none")
    assert found["vectors"]["todo"] == "weft models pull"


def backed_up(command: Command, folder: Path) -> Path:
    """The backup of a platform with one tenant."""
    archive = folder / "backup.tar"
    told(command("tenants", "create", "acme", "--json"))
    told(command("backup", str(archive), "--json"))
    return archive


def test_a_backup_brings_everything_back(command: Command, data: Path, tmp_path: Path) -> None:
    told(command("tenants", "create", "acme", "--json"))
    document = _put_document(data, read=True)
    archive = tmp_path / "backup.tar"
    told(command("backup", str(archive), "--json"))
    assert archive.stat().st_mode & 0o077 == 0
    other = tmp_path / "elsewhere"
    told(command("restore", str(archive), "--json", folder=other))
    with open_runtime(_settings(other)) as rt:
        ctx = tenant_ctx(rt, "acme")
        assert content_of(rt, ctx, document) == _TEXT
        hits = search(rt, ctx, "ferry", k=3, mode="keyword").hits
        assert [hit.chunk.document_id for hit in hits] == [document]


def test_a_damaged_backup_is_refused_and_nothing_is_touched(
    command: Command, data: Path, tmp_path: Path
) -> None:
    archive = backed_up(command, tmp_path)
    with tarfile.open(archive) as tar:
        place = tar.getmember("weft.db").offset_data + 5000
    whole = bytearray(archive.read_bytes())
    whole[place] ^= 1
    archive.write_bytes(bytes(whole))
    other = tmp_path / "elsewhere"
    result = command("restore", str(archive), folder=other)
    assert result.exit_code == 1
    assert "not a whole Weft backup" in result.stderr
    assert not (other / "weft.db").exists()


def test_restore_does_not_write_over_a_database(
    command: Command, data: Path, tmp_path: Path
) -> None:
    archive = backed_up(command, tmp_path)
    assert command("restore", str(archive)).exit_code == 4
    told(command("restore", str(archive), "--force", "--json"))
    assert (data / "weft.db.before").exists()


def test_restore_waits_until_the_platform_is_down(
    command: Command, data: Path, tmp_path: Path
) -> None:
    archive = backed_up(command, tmp_path)
    with process.holding(_settings(data), "http://127.0.0.1:1"):
        result = command("restore", str(archive), "--force")
    assert result.exit_code == 4
    assert "weft down" in result.stderr


_TEXT = b"The ferry to Skye leaves at nine from the north pier.\n"


def _settings(folder: Path) -> Settings:
    weights = folder.parent / "no-weights"
    return Settings(
        _env_file=None, data_dir=folder, models_dir=weights, models_url="none:"
    ).resolved()


def _put_document(data: Path, *, read: bool) -> str:
    with open_runtime(_settings(data)) as rt:
        ctx = tenant_ctx(rt, "acme")
        document = receive(rt, ctx, [Upload("ferry.txt", "text/plain", _TEXT)])[0].document_id
        while read and work_once(rt, QUEUES, AGENTS):
            pass
    return document


def test_dead_letters_are_listed_and_given_another_chance(command: Command, data: Path) -> None:
    told(command("tenants", "create", "acme", "--json"))
    script = Script()
    script.on("a", ZeroDivisionError("oops"))
    with open_runtime(_settings(data)) as rt:
        body = flow(step("a", retry={"attempts": 1}))
        run = workflows.submit(rt, tenant_ctx(rt, "acme"), workflows.Submission(definition=body))
        drained(rt, script.agents())
    (dead,) = told(command("dead-letters", "list", "--json"))
    assert (dead["run_id"], dead["error"]["code"]) == (run.id, "task_broke")
    assert told(command("dead-letters", "redrive", "--json")) == {run.id: "goes on"}
    assert told(command("dead-letters", "list", "--json")) == []
    refused = command("dead-letters", "redrive", run.id)
    assert refused.exit_code == 1
    assert "Only a run that failed" in refused.stdout


def test_a_secret_for_messages_is_shown_and_rotated(command: Command) -> None:
    told(command("tenants", "create", "acme", "--json"))
    first = told(command("tenants", "ingest-secret", "acme", "--json"))
    assert first["secret"].startswith("whsec_")
    assert told(command("tenants", "ingest-secret", "acme", "--json")) == first
    second = told(command("tenants", "ingest-secret", "acme", "--rotate", "--json"))
    assert (second["version"], second["secret"] != first["secret"]) == (2, True)


def test_dead_messages_need_kafka(command: Command) -> None:
    refused = command("dead-letters", "list", "--kafka")
    assert refused.exit_code == 4
    assert "There is no Kafka here" in refused.stderr
