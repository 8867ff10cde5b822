"""demo: the main job on real files, from nothing, as an outside client would run it."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import yaml

from core.errors import Unavailable, Unfinishable
from core.settings import Settings
from ops import process
from ops.client import Client
from ops.commands.work import fetch_reports, follow, place, show_answer
from ops.identity import ensure_tenant, ensure_user
from ops.output import FAILED, guarded, note, progress, say, table

ROOT = Path(__file__).parent.parent
TENANTS = {"clearpay": "ClearPay", "mediops": "MediOps"}
RUN_SECONDS = 600.0
MAIL_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Login:
    tenant: str
    email: str
    password: str


@click.command()
@click.pass_obj
@guarded
def demo(settings: Settings) -> None:
    """Set up two example tenants and run both jobs over HTTP; a second run repeats nothing."""
    _weights(settings)
    folder = settings.data_dir / "demo"
    _write_examples(folder / "files")
    logins = _provision(settings, folder)
    was_running = process.running(settings) is not None
    url = process.start(settings).url
    say(f"Weft {'already runs' if was_running else 'runs'} at {url}\n")
    fine = _invoice_review(_sign_in(url, logins["clearpay"]), settings, folder)
    for slug in TENANTS:
        fine &= _support_digest(_sign_in(url, logins[slug]), folder, slug)
    _closing(url, logins)
    if not fine:
        raise click.exceptions.Exit(FAILED)


def _weights(settings: Settings) -> None:
    from models.weights import pull

    try:
        with progress() as bar:
            tasks: dict[str, Any] = {}

            def seen(name: str, done: int, total: int) -> None:
                if name not in tasks:
                    tasks[name] = bar.add_task(name, total=total)
                bar.update(tasks[name], completed=done)

            pull(settings, (), seen)
    except (Unavailable, Unfinishable) as error:
        note(f"{error.detail}")
        note("Going on without models: keyword search, rules and quotes do the work.")


def _write_examples(folder: Path) -> None:
    from examples.make import files

    for slug in TENANTS:
        for name, data in files(slug):
            path = folder / slug / name
            if not path.exists() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)


def _provision(settings: Settings, folder: Path) -> dict[str, Login]:
    """The tenants with one admin each; the passwords are made once and kept for the owner only."""
    kept = folder / "logins.json"
    passwords = json.loads(kept.read_text()) if kept.exists() else {}
    logins = {}
    for slug, name in TENANTS.items():
        passwords.setdefault(slug, secrets.token_urlsafe(12))
        login = Login(slug, f"admin@{slug}.example", passwords[slug])
        ensure_tenant(settings, slug, name, "business")
        ensure_user(settings, slug, login.email, login.password, "admin")
        logins[slug] = login
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(passwords))
    return logins


def _sign_in(url: str, login: Login) -> Client:
    body = {"email": login.email, "password": login.password, "tenant": login.tenant}
    token = Client(url, {}).call("POST", "/auth/login", json=body)["access_token"]
    return Client(url, {"Authorization": f"Bearer {token}"})


def _upload_missing(client: Client, paths: Iterable[Path], title: str) -> list[str]:
    """Uploads what the tenant does not hold yet; a file is known by its name and its bytes."""
    held = {
        (item["filename"], item["sha256"]): str(item["document_id"])
        for item in client.listing("/documents")
        if not item.get("parent_id")
    }
    documents = []
    wanted = sorted(paths)
    with progress() as bar:
        task = bar.add_task(title, total=len(wanted))
        for path in wanted:
            key = (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
            documents.append(held.get(key) or client.upload(path))
            bar.advance(task)
    return documents


def _execute(client: Client, workflow: str, body: dict[str, Any]) -> dict[str, Any]:
    """Runs the repository's definition; the idempotency key makes a second demo find this run."""
    text = (ROOT / "examples" / "workflows" / f"{workflow}.yaml").read_text()
    saved = client.call(
        "PUT",
        f"/workflow-definitions/{workflow}",
        content=text,
        headers={"Content-Type": "application/yaml"},
    )
    body = {"workflow": f"{workflow}@{saved['version']}", **body}
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    accepted = client.call(
        "POST", "/workflows/execute", json=body, headers={"Idempotency-Key": f"demo-{digest[:32]}"}
    )
    return follow(client, accepted["workflow_id"], RUN_SECONDS, title=workflow)


def _invoice_review(client: Client, settings: Settings, folder: Path) -> bool:
    say("invoice-review (ClearPay): read, extract, check against the ledger, report, notify")
    files = folder / "files" / "clearpay" / "invoices"
    body = {
        "documents": _upload_missing(client, files.iterdir(), "upload"),
        "inputs": {
            "notify_email": "accounts.payable@clearpay.example",
            "webhook_url": "https://hooks.clearpay.example/weft",
        },
    }
    status = _execute(client, "invoice-review", body)
    exceptions = status["outputs"]["exceptions"]
    say(f"  {len(exceptions)} exceptions:")
    for item in exceptions:
        say(f"  - {item['message']}")
        for source in item["sources"][:2]:
            say(f"      {place(source)}: “{' '.join(source['quote'].split())[:90]}”")
    _show_files(client, status, folder / "reports")
    _approve_one(client, settings, status["workflow_id"])
    return status["status"] in ("completed", "waiting_approval") and bool(status["reports"])


def _approve_one(client: Client, settings: Settings, workflow_id: str) -> None:
    """As a person would: one e-mail is approved, the other actions go on waiting.

    Only the first demo does so, and only where mails are files: nobody is written to by a demo.
    """
    every = client.listing("/approvals", status="all")
    items = [item for item in every if item["workflow_id"] == workflow_id]
    waiting = [item for item in items if item["status"] == "waiting"]
    outbox = Path(settings.smtp_url.removeprefix("file:"))
    if settings.smtp_url.startswith("file:") and len(waiting) == len(items) and waiting:
        first = next(item for item in waiting if item["summary"].startswith("E-mail"))
        before = set(outbox.glob("*.eml"))
        body = {"decision": "approve", "comment": "approved by the demo"}
        client.call("POST", f"/approvals/{first['id']}", json=body)
        sent = _appeared(outbox, before)
        say(f"  approved: {first['summary']}")
        say(f"  sent as:  {sent or 'not yet: weft doctor'}")
        waiting.remove(first)
    say(f"  {len(waiting)} actions wait for a person: weft approvals list --tenant clearpay\n")


def _appeared(folder: Path, before: set[Path]) -> Path | None:
    deadline = time.monotonic() + MAIL_SECONDS
    while time.monotonic() < deadline:
        new = set(folder.glob("*.eml")) - before
        if new:
            return new.pop()
        time.sleep(0.1)
    return None


def _support_digest(client: Client, folder: Path, slug: str) -> bool:
    say(f"support-digest ({TENANTS[slug]}): questions over its own knowledge, logs and notes")
    files = folder / "files" / slug
    paths = [path for path in files.rglob("*") if path.is_file() and "invoices" not in path.parts]
    asked = yaml.safe_load((ROOT / "examples" / "questions" / f"{slug}.yaml").read_text())
    body = {
        "documents": _upload_missing(client, paths, "upload"),
        "inputs": {"questions": [item["question"] for item in asked["questions"]]},
    }
    status = _execute(client, "support-digest", body)
    for answer in status["outputs"]["answers"]:
        say(f"  ? {answer['question']}")
        show_answer(answer)
    _show_files(client, status, folder / "reports")
    say("")
    return status["status"] == "completed" and bool(status["reports"])


def _show_files(client: Client, status: dict[str, Any], folder: Path) -> None:
    for path in fetch_reports(client, status, folder):
        say(f"  {path}")


def _closing(url: str, logins: dict[str, Login]) -> None:
    say(f"Open {url}/docs and sign in (POST /auth/login):")
    table(
        ("tenant", "email", "password"),
        [(login.tenant, login.email, login.password) for login in logins.values()],
    )
    say("\nWeft goes on running. Stop it with: make down")
