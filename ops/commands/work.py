"""run, ask, search, why: what a tenant's people do, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from core.errors import InvalidInput
from core.settings import Settings
from ops.client import ENDED, Client, connect
from ops.output import FAILED, emit, guarded, json_option, note, progress, say, table

F = TypeVar("F", bound=Callable[..., Any])


def as_tenant(command: F) -> F:
    """The options that say who calls and where."""
    for option in (
        click.option("--url", help="Address of the platform (WEFT_URL)."),
        click.option("--key", help="API key (WEFT_API_KEY)."),
        click.option("--tenant", help="Tenant, where this machine holds the data folder."),
    ):
        command = option(command)
    return command


@click.command(
    epilog="""\b
Examples:
  weft run invoice-review invoices/*.pdf ledger.xlsx --input notify_email=ap@example.com
  weft run --goal "check these invoices against the ledger" invoices/*"""
)
@click.argument("workflow", required=False)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--goal", help="Say in words what you want instead of naming a workflow.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input.")
@click.option("--out", type=click.Path(path_type=Path), default=".", help="Folder for reports.")
@click.option("--wait", default=600.0, show_default=True, help="Seconds to wait for the end.")
@as_tenant
@json_option
@click.pass_obj
@guarded
def run(
    settings: Settings,
    workflow: str | None,
    files: tuple[Path, ...],
    goal: str | None,
    inputs: tuple[str, ...],
    out: Path,
    wait: float,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Upload FILES, run WORKFLOW on them, show progress, fetch the reports."""
    if goal is not None and workflow is not None:
        files, workflow = (Path(workflow), *files), None
    if (workflow is None) == (goal is None):
        raise InvalidInput("Name a workflow or give --goal. `weft run --help` has examples.")
    client = connect(settings, tenant, key, url)
    documents = upload(client, expand(files))
    body: dict[str, Any] = {"documents": documents, "inputs": parse_inputs(inputs)}
    body |= {"goal": goal} if goal else {"workflow": workflow}
    accepted = client.call("POST", "/workflows/execute", json=body)
    plan = client.plan(accepted["workflow_id"], wait) if goal else {}
    show_plan(plan)
    status = follow(client, accepted["workflow_id"], wait, title=workflow or "goal")
    paths = fetch_reports(client, status, out)
    value = {**status, **plan, "files": [str(path) for path in paths]}
    emit(value, as_json, lambda: show_run(client, status, paths))
    if status["status"] in ENDED - {"completed"}:
        raise click.exceptions.Exit(FAILED)


@click.command()
@click.argument("question")
@as_tenant
@json_option
@click.pass_obj
@guarded
def ask(
    settings: Settings,
    question: str,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Answer QUESTION from the tenant's documents, with citations; exit 1 when they do not say."""
    answer = connect(settings, tenant, key, url).call("POST", "/ask", json={"question": question})
    emit(answer, as_json, lambda: show_answer(answer))
    if not answer["answered"]:
        raise click.exceptions.Exit(FAILED)


@click.command()
@click.argument("query")
@click.option("-k", default=10, show_default=True, help="How many passages.")
@click.option("--mode", type=click.Choice(["hybrid", "vector", "keyword"]), default="hybrid")
@as_tenant
@json_option
@click.pass_obj
@guarded
def search(
    settings: Settings,
    query: str,
    k: int,
    mode: str,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Find passages for QUERY."""
    body = {"query": query, "k": k, "mode": mode}
    found = connect(settings, tenant, key, url).call("POST", "/search", json=body)

    def human() -> None:
        for hit in found["hits"]:
            say(f"{hit['score']:.3f}  {place(hit)}")
            say(f"       {' '.join(hit['text'].split())[:160]}")
        if found.get("degraded"):
            say(f"({found['degraded']})")

    emit(found, as_json, human)


@click.command()
@click.argument("workflow_id")
@as_tenant
@json_option
@click.pass_obj
@guarded
def why(
    settings: Settings,
    workflow_id: str,
    tenant: str | None,
    key: str | None,
    url: str | None,
    as_json: bool,
) -> None:
    """Say what a run waits for and what would unblock it."""
    facts = connect(settings, tenant, key, url).call("GET", f"/workflows/{workflow_id}/why")
    emit(facts, as_json, lambda: _told(facts))


def _told(facts: dict[str, Any]) -> None:
    """The same facts as the page `/why`, cause by cause."""
    say(f"{facts['status']}: {facts['summary']}")
    for cause in facts["causes"]:
        say("")
        table(("", ""), ((k, _plain(v)) for k, v in cause.items() if v is not None))


def expand(files: tuple[Path, ...]) -> list[Path]:
    """Folders become their files; a missing path is said before anything is uploaded."""
    found: list[Path] = []
    for path in files:
        if not path.exists():
            raise InvalidInput(f"There is no file {path}.")
        inside = sorted(item for item in path.rglob("*") if item.is_file())
        found += inside if path.is_dir() else [path]
    return found


def parse_inputs(pairs: tuple[str, ...]) -> dict[str, Any]:
    """`name=value`; a value that is JSON keeps its type."""
    inputs: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise InvalidInput(f"--input wants NAME=VALUE, not {pair!r}.")
        try:
            inputs[name] = json.loads(text)
        except ValueError:
            inputs[name] = text
    return inputs


def upload(client: Client, files: list[Path]) -> list[str]:
    with progress() as bar:
        task = bar.add_task("uploading", total=len(files), visible=bool(files))
        documents = []
        for path in files:
            documents.append(client.upload(path))
            bar.advance(task)
    return documents


def follow(client: Client, workflow_id: str, seconds: float, *, title: str) -> dict[str, Any]:
    """The run's last status; a progress bar for as long as it goes on."""
    with progress() as bar:
        task = bar.add_task(title, total=None)

        def seen(status: dict[str, Any]) -> None:
            done = status["progress"]
            bar.update(task, total=done["total"] or None, completed=done["done"])

        return client.follow(workflow_id, seconds, seen)


def fetch_reports(client: Client, status: dict[str, Any], folder: Path) -> list[Path]:
    """Downloads a run's reports into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for report in status["reports"]:
        path = folder / f"{status['workflow']}-{report['report_id'][:8]}.{report['format']}"
        path.write_bytes(client.raw("GET", report["url"]).content)
        paths.append(path)
    return paths


def show_plan(plan: dict[str, Any]) -> None:
    """On standard error: it is seen while the run goes on, and programs read it in the JSON."""
    for number, sentence in enumerate(plan.get("plan", ()), 1):
        note(f"  {number}. {sentence}")
    for remark in plan.get("notes", ()):
        note(f"  Note: {remark}")


def show_run(client: Client, status: dict[str, Any], paths: list[Path]) -> None:
    say(f"{status['workflow']}: {status['status']}")
    if status.get("error"):
        say(f"  {status['error'].get('detail', status['error'])}")
    for name, value in (status.get("outputs") or {}).items():
        listed = value if isinstance(value, list) else []
        say(f"  {name}: {len(listed) or _plain(value)}")
        for one in listed:
            say(f"    - {_sentence(one)}")
    for path in paths:
        say(f"  {path.absolute()}")
    if status["status"] == "waiting_approval":
        say("  Actions wait for approval. Type: weft approvals list")


def show_answer(answer: dict[str, Any]) -> None:
    say(answer["answer"])
    if answer.get("degraded"):
        say(f"({answer['degraded']})")
    for citation in answer["citations"]:
        say(f"  [{citation['n']}] {place(citation)}: “{' '.join(citation['quote'].split())[:140]}”")


def place(source: dict[str, Any]) -> str:
    """`ledger.xlsx, Payments!B7` or `guide.md, page 2`."""
    if source.get("sheet") and source.get("cells"):
        return f"{source['filename']}, {source['sheet']}!{source['cells']}"
    return f"{source['filename']}, page {source['page']}"


def _sentence(value: Any) -> str:
    """What an exception, an answer or any other thing says, on one line."""
    told = value if isinstance(value, dict) else {}
    text = next((str(told[key]) for key in ("message", "answer") if told.get(key)), _plain(value))
    name = str(told.get("filename") or "")
    return text if name in text else f"{name}: {text}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
