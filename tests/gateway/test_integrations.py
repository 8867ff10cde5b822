"""What comes by itself comes once, is told where it failed, and never leaves its tenant."""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agents.registry import AGENTS
from core import failpoints
from core.errors import Conflict
from core.ids import new_id
from database import integrations
from tests.engine import drained
from tests.gateway.people import Town
from workflows import sweeper

FOLDER = {"kind": "folder", "config": {"settle_seconds": 0}}


class Shop:
    """One integration with a folder, and a person who set it up."""

    def __init__(self, town: Town, name: str, slug: str = "acme", **more: Any) -> None:
        self.town, self.headers = town, town.as_role(slug)
        body = {**FOLDER, "name": name, **more}
        body["config"] = {"path": name, **body["config"]}
        self.folder = town.rt.settings.inbox_path / town.ctx(slug).tenant / name
        self.folder.mkdir(parents=True)
        answer = town.http.post("/integrations", json=body, headers=self.headers)
        assert answer.status_code == 201, answer.text
        self.url = f"/integrations/{answer.json()['integration_id']}"

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def pull(self) -> dict[str, Any]:
        """The pull's output, or its error."""
        answer = self.town.http.post(f"{self.url}/pull", headers=self.headers)
        assert answer.status_code == 202, answer.text
        return self.finished(answer.json()["workflow_id"])

    def finished(self, workflow_id: str) -> dict[str, Any]:
        drained(self.town.rt)
        url = f"/workflows/{workflow_id}/status"
        status = self.town.http.get(url, headers=self.headers).json()
        assert status["status"] in ("completed", "failed"), status
        [step] = status["steps"]
        logs = self.town.http.get(url.replace("status", "logs"), headers=self.headers).json()
        return {"status": status["status"], "error": step.get("error"), "logs": logs}

    def items(self, state: str | None = None) -> list[Mapping[str, Any]]:
        params = {"state": state} if state else {}
        answer = self.town.http.get(f"{self.url}/items", headers=self.headers, params=params)
        found: list[Mapping[str, Any]] = answer.json()["items"]
        return found

    def documents(self) -> dict[str, str]:
        """Names of the ready documents that came from here, and their ids."""
        answer = self.town.http.get("/documents", headers=self.headers, params={"limit": 200})
        own = self.url.rpartition("/")[2]
        return {
            one["filename"]: one["document_id"]
            for one in answer.json()["items"]
            if one["created_by"] == f"integration:{own}" and one["status"] == "ready"
        }

    def shown(self) -> dict[str, Any]:
        answer: dict[str, Any] = self.town.http.get(self.url, headers=self.headers).json()
        return answer


def test_files_of_a_watched_folder_become_documents_once(town: Town) -> None:
    shop = Shop(town, "once")
    shop.put("a.txt", "The lease ends in May 2027.")
    shop.put("deep/b.txt", "The rent is 900 EUR.")
    assert shop.pull()["status"] == "completed"
    assert set(shop.documents()) == {"a.txt", "b.txt"}
    assert shop.pull()["status"] == "completed"
    assert shop.shown()["items"] == {"taken": 2}
    [found] = [one for one in shop.items() if one["key"] == "deep/b.txt"]
    about = town.http.get(f"/documents/{found['document_id']}", headers=shop.headers).json()
    assert about["metadata"]["integration"] == "once"
    assert about["metadata"]["source_key"] == "deep/b.txt"


def test_the_same_content_in_two_places_is_one_document(town: Town) -> None:
    shop = Shop(town, "twins")
    shop.put("one.txt", "Twins are alike.")
    shop.put("two.txt", "Twins are alike.")
    shop.pull()
    assert shop.shown()["items"] == {"taken": 1, "duplicate": 1}
    assert len(shop.documents()) == 1


def test_a_changed_file_replaces_its_document(town: Town) -> None:
    shop = Shop(town, "changing")
    path = shop.put("price.txt", "The price is 10 EUR.")
    shop.pull()
    [before] = shop.documents().values()
    path.write_text("The price is 12 EUR now.")
    os.utime(path, ns=(1, 1))
    shop.pull()
    [after] = shop.documents().values()
    assert after != before
    hits = town.http.post("/search", json={"query": "price"}, headers=shop.headers).json()["hits"]
    told = [hit["text"] for hit in hits if "price is" in hit["text"]]
    assert told == ["The price is 12 EUR now."]


@pytest.mark.parametrize(("on_gone", "left"), [("keep", 1), ("remove", 0)])
def test_a_file_that_goes_takes_its_document_along_only_when_asked(
    town: Town, on_gone: str, left: int
) -> None:
    shop = Shop(town, f"gone-{on_gone}", on_gone=on_gone)
    path = shop.put("x.txt", f"Here today, {on_gone} tomorrow.")
    shop.pull()
    path.unlink()
    shop.pull()
    assert [one["state"] for one in shop.items()] == ["gone"]
    assert len(shop.documents()) == left


def test_a_file_that_is_renamed_keeps_its_document(town: Town) -> None:
    shop = Shop(town, "renamed", on_gone="remove")
    path = shop.put("draft.txt", "The contract that is renamed runs until 2033.")
    shop.pull()
    path.rename(shop.folder / "final.txt")
    shop.pull()
    assert len(shop.documents()) == 1
    assert [one["state"] for one in shop.items() if one["key"] == "final.txt"] == ["taken"]
    (shop.folder / "final.txt").unlink()
    shop.pull()
    assert not shop.documents()


def test_what_goes_in_one_place_stays_for_the_other(town: Town) -> None:
    one, two = Shop(town, "first-place", on_gone="remove"), Shop(town, "second-place")
    path = one.put("a.txt", "A paper that lies in two places.")
    two.put("b.txt", "A paper that lies in two places.")
    one.pull(), two.pull()
    path.write_text("Another paper, in the first place only.")
    one.pull()
    path.unlink()
    one.pull()
    [left] = one.documents().values()  # the other place's paper came by this one
    assert [item["document_id"] for item in two.items()] == [left]


def test_a_file_that_is_touched_makes_no_second_document_of_its_twin(town: Town) -> None:
    shop = Shop(town, "touched", on_gone="remove")
    path = shop.put("a.txt", "The same paper, under two names.")
    shop.put("b.txt", "The same paper, under two names.")
    shop.pull()
    os.utime(path, (1, 1))
    shop.pull()
    assert len(shop.documents()) == 1
    assert len({one["document_id"] for one in shop.items()}) == 1


def test_what_cannot_be_read_is_a_dead_letter_and_the_rest_goes_on(town: Town) -> None:
    shop = Shop(town, "broken")
    shop.put("bad.exe", "MZ\x00\x01\x02\x03")
    shop.put("good.txt", "Good news.")
    shop.pull()
    assert set(shop.documents()) == {"good.txt"}
    [dead] = shop.items("dead")
    assert (dead["key"], dead["error"]["code"]) == ("bad.exe", "unsupported_format")
    again = f"{shop.url}/items/{dead['item_id']}/retry"
    shop.put("bad.exe", "now plain")
    assert town.http.post(again, headers=shop.headers).status_code == 204
    assert shop.items("again")
    (shop.folder / "bad.exe").rename(shop.folder / "fine.txt")
    shop.pull()
    assert set(shop.documents()) == {"good.txt", "fine.txt"}


@pytest.fixture(autouse=True)
def _no_failpoints() -> Iterator[None]:
    yield
    failpoints.reset("")


def test_a_pull_that_dies_anywhere_loses_and_repeats_nothing(town: Town) -> None:
    shop = Shop(town, "dying")
    for n in range(24):
        shop.put(f"{n}.txt", f"Note number {n} of many.")
    failpoints.reset("upload.commit:after:1=error,upload.commit:before:2=error")
    town.http.post(f"{shop.url}/pull", headers=shop.headers)
    drained(town.rt)  # it is retried after its pause; on a slow machine already in here
    assert shop.shown()["items"]["taken"] > 0
    failpoints.reset("")
    shop.pull()
    assert shop.shown()["items"] == {"taken": 24}
    assert len(shop.documents()) == 24


def test_a_pull_that_breaks_on_our_side_is_told_at_the_integration(town: Town) -> None:
    shop = Shop(town, "breaking")
    shop.put("a.txt", "A note.")
    failpoints.reset(",".join(f"upload.commit:before:{n}=error" for n in range(1, 9)))
    town.http.post(f"{shop.url}/pull", headers=shop.headers)
    drained(town.rt)
    told = shop.shown()
    assert (told["status"], told["error"]["code"]) == ("failing", "internal_error")
    failpoints.reset("")
    shop.pull()
    assert (shop.shown()["status"], shop.shown()["error"]) == ("ok", None)
    assert set(shop.documents()) == {"a.txt"}


def test_one_content_that_two_pulls_see_at_once_is_one_document(town: Town) -> None:
    shops = [Shop(town, f"side-{n}") for n in range(2)]
    for n in range(12):
        for shop in shops:
            shop.put(f"{n}.txt", f"Note number {n} lies on either side.")
    for shop in shops:
        assert town.http.post(f"{shop.url}/pull", headers=shop.headers).status_code == 202
    sides = [threading.Thread(target=drained, args=(town.rt,)) for _ in shops]
    for side in sides:
        side.start()
    for side in sides:
        side.join(60)
    drained(town.rt)  # what one side left because the other one was at it
    counts = [Counter(shop.shown()["items"]) for shop in shops]
    assert counts[0] + counts[1] == {"taken": 12, "duplicate": 12}
    assert sum(len(shop.documents()) for shop in shops) == 12


def test_a_schedule_pulls_by_itself(town: Town) -> None:
    shop = Shop(town, "timed", schedule={"every_seconds": 5})
    shop.put("t.txt", "It came by itself.")
    sweeper.sweep(town.rt, AGENTS)
    drained(town.rt)
    assert set(shop.documents()) == {"t.txt"}
    assert shop.shown()["due_at"] > shop.shown()["pulled_at"]
    changed = town.http.patch(shop.url, json={"schedule": None}, headers=shop.headers)
    assert (changed.json()["schedule"], changed.json()["due_at"]) == (None, None)


@pytest.mark.parametrize(("body", "field"), [
    ({"kind": "gopher"}, "kind"),
    ({"config": {"path": "../other"}}, "config.path"),
    ({"config": {"path": "/etc"}}, "config.path"),
    ({"config": {"speed": 1}}, "config.speed"),
    ({"secrets": {"password": "x"}}, "secrets.password"),
    ({"schedule": {"every_seconds": 1}}, "schedule"),
    ({"schedule": {"cron": "61 * * * *"}}, "cron"),
    ({"schedule": {"cron": "0 7 * * *", "zone": "Europe/Atlantis"}}, "zone"),
])  # fmt: skip
def test_a_wrong_setting_is_named(town: Town, body: dict[str, Any], field: str) -> None:
    answer = town.http.post(
        "/integrations", json={**FOLDER, "name": "wrong", **body}, headers=town.as_role("acme")
    )
    assert answer.status_code == 422, answer.text
    told = answer.json()
    assert field in (told.get("field"), *(one.get("field") for one in told.get("errors", [])))


def test_one_name_that_is_no_text_keeps_no_other_from_being_read(town: Town) -> None:
    shop = Shop(town, "names")
    shop.put("plain.txt", "This one has a plain name.")
    Path(os.fsdecode(os.fsencode(shop.folder) + b"/caf\xe9.txt")).write_text("This one has not.")
    assert shop.pull()["status"] == "completed"
    assert set(shop.documents()) == {"plain.txt"}
    [dead] = shop.items("dead")
    assert dead["key"] == "caf\\xe9.txt"
    assert "Rename it" in dead["error"]["detail"]


def test_files_of_a_part_that_cannot_be_listed_do_not_count_as_gone(town: Town) -> None:
    shop = Shop(town, "unlisted", on_gone="remove")
    shop.put("part/a.txt", "It is there, though nobody can look.")
    shop.pull()
    _deeper(shop.folder / "part")
    shop.folder.joinpath("part", "a.txt").rename(shop.folder / "part" / ("d" * 200) / "a.txt")
    town.http.post(f"{shop.url}/pull", headers=shop.headers)
    drained(town.rt)
    assert shop.shown()["error"]["code"] == "folder_unreadable"
    assert len(shop.documents()) == 1


def _deeper(folder: Path) -> None:
    """Folders in it down to where a path is longer than the system takes."""
    at = os.open(folder, os.O_RDONLY)
    for _ in range(25):
        os.mkdir("d" * 200, dir_fd=at)
        below = os.open("d" * 200, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = below
    os.close(at)


def test_a_link_out_of_the_inbox_is_not_followed(town: Town, tmp_path: Path) -> None:
    shop = Shop(town, "links")
    (tmp_path / "secret.txt").write_text("Nobody of the tenant may read this.")
    (shop.folder / "way-out.txt").symlink_to(tmp_path / "secret.txt")
    (shop.folder / "folder").symlink_to(tmp_path, target_is_directory=True)
    shop.pull()
    assert shop.items() == []
    outside = Shop(town, "outside")
    outside.folder.rmdir()
    outside.folder.symlink_to(tmp_path, target_is_directory=True)
    assert outside.pull()["error"]["code"] == "bad_path"
    assert outside.shown()["status"] == "failing"


def test_a_test_says_in_words_what_is_there_or_missing(town: Town) -> None:
    shop = Shop(town, "tested")
    shop.put("a.txt", "a")
    told = town.http.post(f"{shop.url}/test", headers=shop.headers).json()
    assert told == {"ok": True, "detail": "The folder has 1 file that match.", "code": None}
    (shop.folder / "a.txt").unlink()
    shop.folder.rmdir()
    told = town.http.post(f"{shop.url}/test", headers=shop.headers).json()
    assert (told["ok"], told["code"]) == (False, "no_folder")


def test_another_tenants_integration_is_not_there(town: Town) -> None:
    shop = Shop(town, "private")
    other = town.as_role("other")
    for method, path in (("get", ""), ("patch", ""), ("delete", ""), ("post", "/test"),
                         ("post", "/pull"), ("get", "/items")):  # fmt: skip
        more: dict[str, Any] = {"json": {}} if method == "patch" else {}
        answer = getattr(town.http, method)(f"{shop.url}{path}", headers=other, **more)
        assert answer.status_code == 404, (method, path)
    assert shop.shown()["name"] == "private"


def test_a_name_is_taken_once(town: Town) -> None:
    Shop(town, "named")
    body = {**FOLDER, "name": "named"}
    again = town.http.post("/integrations", json=body, headers=town.as_role("acme"))
    assert (again.status_code, again.json()["code"]) == (409, "name_taken")


def test_an_attempt_that_lost_its_step_keeps_nothing_more(town: Town) -> None:
    """Its worker was too slow: another one pulls on, and no item of the slow one comes twice."""
    shop = Shop(town, "zombie")
    shop.put("a.txt", "The first of two notes that come by one step.")
    shop.put("b.txt", "The second of two notes that come by one step.")
    ctx, own = town.ctx("acme"), shop.url.rpartition("/")[2]
    step, rt = new_id(), town.rt
    with rt.db.transaction(ctx) as tx:
        assert integrations.claim(tx, ctx, own, f"{step}:slow", 60)
        assert not integrations.claim(tx, ctx, own, f"{new_id()}:other", 60, before="other")
        assert integrations.claim(tx, ctx, own, f"{step}:new", 60, before=f"{step}:")
        assert not integrations.claim(tx, ctx, own, f"{step}:slow", 60)

    def kept(cursor: dict[str, Any] | None) -> None:
        with rt.db.transaction(ctx) as tx:
            integrations.note_item(tx, ctx, own, "a.txt", "1", "taken")
            integrations.moved(tx, ctx, own, f"{step}:slow", cursor)

    for cursor in ({"at": 1}, None):
        with pytest.raises(Conflict):
            kept(cursor)
    assert shop.items() == []
    with rt.db.transaction(ctx) as tx:
        integrations.release(tx, ctx, own, f"{step}:new")
    shop.pull()
    assert shop.shown()["items"] == {"taken": 2}
