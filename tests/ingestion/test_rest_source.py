"""Records come page by page, each once, whatever the style of pages and of signing in."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import SystemClock
from core.errors import InvalidInput, Unavailable, Unfinishable, WeftError
from ingestion.sources import Access, At, Dead, Gone, Item, Pause, Pulled
from ingestion.sources.kinds import checked, source
from tests.fakes.api import FakeApi

RECORDS = [
    {"id": n, "name": f"Order {n}", "updated": f"2026-11-0{n}T10:00:00Z", "total": 12.50,
     "customer": {"name": f"Customer {n}"}}
    for n in range(1, 6)
]  # fmt: skip


@pytest.fixture
def api() -> Iterator[FakeApi]:
    with FakeApi([dict(one) for one in RECORDS]).running() as running:
        yield running


class Taken:
    """What pulls keep between them, without a database."""

    def __init__(self, api: FakeApi, tmp_path: Path, **secrets: str) -> None:
        self.api, self.folder, self.secrets = api, tmp_path, secrets
        self.versions: dict[str, str] = {}
        self.cursor: Mapping[str, Any] = {}

    def access(self, **config: Any) -> Access:
        net = Egress(self.api.place)
        plain = checked("rest", {"base_url": self.api.url, **config}, net)
        return Access(
            source("rest").config.model_validate(plain), self.secrets, self.cursor, net,
            SystemClock(), lambda key, version: self.versions.get(key) == version,
            lambda: frozenset(self.versions), lambda: False, 1_000_000, self.folder,
        )  # fmt: skip

    def pull(self, cut: int = 1000, **config: Any) -> list[Pulled]:
        """At most `cut` items, as a pull that dies then."""
        found: list[Pulled] = []
        for one in source("rest").pull(self.access(**config)):
            found.append(one)
            if isinstance(one, At):
                self.cursor = one.cursor
            elif isinstance(one, Item | Dead):
                self.versions[one.key] = one.version
            if sum(isinstance(each, Item) for each in found) >= cut:
                break
        return found


@pytest.fixture
def taken(api: FakeApi, tmp_path: Path) -> Taken:
    return Taken(api, tmp_path)


def items(found: list[Pulled]) -> list[Item]:
    return [one for one in found if isinstance(one, Item)]


STYLES: list[dict[str, Any]] = [
    {"path": "plain"},
    {"path": "page", "items_path": "data.items", "pages": {"style": "page"}},
    {"path": "offset", "pages": {"style": "offset", "param": "offset", "size_param": "limit",
                                 "size": 2}},
    {"path": "cursor", "items_path": "items",
     "pages": {"style": "cursor", "param": "at", "path": "next"}},
    {"path": "next", "items_path": "items", "pages": {"style": "next", "path": "links.next"}},
    {"path": "link", "pages": {"style": "link"}},
]  # fmt: skip


@pytest.mark.parametrize("style", STYLES, ids=[one["path"] for one in STYLES])
def test_every_style_of_pages_gives_each_record_once(taken: Taken, style: dict[str, Any]) -> None:
    assert [one.key for one in items(taken.pull(**style))] == ["1", "2", "3", "4", "5"]
    assert items(taken.pull(**style)) == []
    taken.api.records[2]["total"] = 13
    assert [one.key for one in items(taken.pull(**style))] == ["3"]


@pytest.mark.parametrize("style", STYLES, ids=[one["path"] for one in STYLES])
def test_a_pull_that_was_cut_goes_on_there(taken: Taken, style: dict[str, Any]) -> None:
    first = items(taken.pull(cut=3, **style))
    before = len(taken.api.asked)
    second = items(taken.pull(**style))
    assert [one.key for one in (*first, *second)] == ["1", "2", "3", "4", "5"]
    begun = [path for path in taken.api.paths[before:] if path == taken.api.paths[0]]
    assert begun == [] or style["path"] == "plain", "it does not begin anew"


def test_only_what_changed_since_is_asked_for(taken: Taken) -> None:
    changing: dict[str, Any] = {"path": "plain", "updated_field": "updated", "since_param": "since"}
    assert len(items(taken.pull(**changing))) == 5
    assert taken.cursor == {"since": "2026-11-05T10:00:00Z"}
    taken.api.records.append({**RECORDS[0], "id": 9, "updated": "2026-11-06T00:00:00Z"})
    found = taken.pull(**changing)
    assert [one.key for one in items(found)] == ["9"]
    assert taken.api.paths[-1] == "/plain?since=2026-11-05T10%3A00%3A00Z"
    assert not [one for one in found if isinstance(one, Gone)], "unchanged is not gone"


def test_what_a_whole_answer_lacks_is_gone(taken: Taken) -> None:
    taken.pull(path="plain")
    del taken.api.records[1]
    assert taken.pull(path="plain")[0] == Gone("2")


def test_fields_become_title_text_and_metadata(taken: Taken) -> None:
    mapping: dict[str, Any] = {
        "title_field": "name", "text_fields": ["total"],
        "metadata_fields": {"customer": "customer.name"},
    }  # fmt: skip
    one = items(taken.pull(path="plain", **mapping))[0]
    assert one.filename == "Order 1.json"
    assert one.metadata == {"title": "Order 1", "customer": "Customer 1"}
    told = json.loads(one.data)
    assert told == {"title": "Order 1", "total": "12.5", "customer": "Customer 1"}
    assert len(items(taken.pull(path="plain"))) == 5, "another mapping is another document"


def test_the_document_may_be_a_file_behind_an_address(taken: Taken) -> None:
    taken.api.files["/files/a.pdf"] = ("application/pdf", b"%PDF-1.7")
    taken.api.records[:] = [{"id": 1, "file": "/files/a.pdf"}, {"id": 2, "file": "/files/none"},
                            {"id": 3}, {"id": 4, "file": "http://["}]  # fmt: skip
    found = taken.pull(path="plain", file_url_field="file")
    assert [(one.filename, one.content_type, one.data) for one in items(found)] == [
        ("a.pdf", "application/pdf", b"%PDF-1.7")
    ]
    assert [(one.key, one.code) for one in found if isinstance(one, Dead)] == [
        ("2", "not_there"), ("3", "no_file"), ("4", "bad_url"),
    ]  # fmt: skip


def test_a_file_that_fails_for_now_keeps_the_rest_from_nothing(taken: Taken) -> None:
    taken.api.files |= {f"/{n}.txt": ("text/plain", b"%d" % n) for n in (1, 2)}
    taken.api.records[:] = [{"id": n, "file": f"/{n}.txt"} for n in (1, 2)]
    taken.api.script.extend([None, (500, {})])
    with pytest.raises(Unavailable):
        taken.pull(path="plain", file_url_field="file")
    assert list(taken.versions) == ["2"]
    assert [one.key for one in items(taken.pull(path="plain", file_url_field="file"))] == ["1"]


BASIC = "Basic " + base64.b64encode(b"ann:s3cret").decode()


@pytest.mark.parametrize(("auth", "secrets", "wanted"), [
    ({"style": "basic"}, {"username": "ann", "password": "s3cret"}, {"authorization": BASIC}),
    ({"style": "bearer"}, {"token": "t"}, {"authorization": "Bearer t"}),
    ({"style": "header", "name": "X-Key"}, {"api_key": "k"}, {"x-key": "k"}),
    ({"style": "oauth2", "token_url": "URL/token", "scope": "read"},
     {"client_id": "c", "client_secret": "s"}, {"authorization": "Bearer t1"}),
])  # fmt: skip
def test_every_style_of_signing_in(
    api: FakeApi, tmp_path: Path, auth: dict[str, str], secrets: dict[str, str],
    wanted: dict[str, str],
) -> None:  # fmt: skip
    api.wanted = wanted
    auth = {name: value.replace("URL", api.url) for name, value in auth.items()}
    assert len(items(Taken(api, tmp_path, **secrets).pull(path="plain", auth=auth))) == 5
    with pytest.raises(InvalidInput) as told:
        Taken(api, tmp_path).pull(path="plain", auth=auth)
    assert str(told.value.extra["field"]).startswith("secrets.")
    with pytest.raises(Unfinishable, match="401"):
        Taken(api, tmp_path).pull(path="plain")


def test_a_key_may_stand_in_the_query_and_leaves_for_no_other_place(
    api: FakeApi, tmp_path: Path
) -> None:
    taken = Taken(api, tmp_path, api_key="k&1")
    api.wanted_query = {"key": "k&1"}
    auth = {"style": "query", "name": "key"}
    with FakeApi([]).running() as other:
        other.files["/x.txt"] = ("text/plain", b"x")
        api.records[:] = [{"id": 1, "file": f"{other.url}/x.txt"}]
        net = Egress(f"{api.place},{other.place}")
        access = taken.access(path="plain", auth=auth, file_url_field="file")
        access = Access(**{**{n: getattr(access, n) for n in access.__slots__}, "net": net})
        [item] = items(list(source("rest").pull(access)))
        assert item.data == b"x"
        [(_, path, headers)] = other.asked
        assert (path, "authorization" in headers) == ("/x.txt", False)


def test_a_token_that_ended_is_fetched_anew_once(api: FakeApi, tmp_path: Path) -> None:
    api.script.extend([None, (401, {}), None, None])
    taken = Taken(api, tmp_path, client_id="c", client_secret="s")
    auth = {"style": "oauth2", "token_url": f"{api.url}/token"}
    assert len(items(taken.pull(path="plain", auth=auth))) == 5
    assert api.tokens == 2


def test_a_limit_of_rate_is_waited_for_or_told(taken: Taken) -> None:
    taken.api.script.extend([(429, {"retry-after": "0"}), (503, {"retry-after": "0"}), None])
    assert len(items(taken.pull(path="plain"))) == 5
    taken.api.script.append((429, {"retry-after": "3600"}))
    [pause] = taken.pull(path="plain")
    assert isinstance(pause, Pause), "an hour is not waited for here"
    assert (pause.seconds, pause.cursor) == (3600.0, {})


def test_a_limit_in_the_middle_is_gone_on_from(taken: Taken) -> None:
    paged: dict[str, Any] = {"path": "offset", "pages": {"style": "offset", "param": "offset"}}
    taken.api.script.extend([None, None, (429, {"retry-after": "60"})])
    found = taken.pull(**paged)
    assert isinstance(found[-1], Pause)
    taken.cursor = found[-1].cursor
    assert [one.key for one in items(found)] == ["1", "2", "3", "4"]
    assert [one.key for one in items(taken.pull(**paged))] == ["5"]
    assert taken.api.paths[3] == "/offset?offset=4"


def test_after_five_failures_the_place_is_left_in_peace(taken: Taken) -> None:
    taken.api.script.extend([(500, {})] * 5)
    codes = []
    for _ in range(7):
        with pytest.raises(Unavailable) as told:
            taken.pull(path="plain")
        codes.append(told.value.slug)
    assert codes == ["unavailable"] * 5 + ["target_resting"] * 2
    assert len(taken.api.asked) == 5


@pytest.mark.parametrize(("config", "code"), [
    ({"path": "none"}, "not_there"),
    ({"path": "plain", "items_path": "data"}, "no_items"),
    ({"path": "page", "query": {"page": 1}, "items_path": "items"}, "no_items"),
    ({"path": "stuck", "items_path": "items",
      "pages": {"style": "cursor", "path": "next"}}, "pages_repeat"),
    ({"path": "away", "items_path": "items",
      "pages": {"style": "next", "path": "next"}}, "pages_elsewhere"),
    ({"path": "nowhere", "items_path": "items",
      "pages": {"style": "next", "path": "next"}}, "pages_elsewhere"),
    ({"path": "nan"}, "not_json"),
    ({"path": "deep"}, "not_json"),
    ({"path": "twice"}, "duplicate_key"),
    ({"path": "same", "pages": {"style": "page"}}, "pages_repeat"),
    ({"path": "a", "items_path": "items", "pages": {"style": "next", "path": "next"}},
     "pages_repeat"),
    ({"path": "next", "items_path": "items",
      "pages": {"style": "next", "path": "link.next"}}, "no_next"),
])  # fmt: skip
def test_what_is_wrong_is_told_in_words(taken: Taken, config: dict[str, Any], code: str) -> None:
    taken.api.documents |= {
        "/away": b'{"items": [], "next": "http://192.0.2.1/more"}',
        "/nowhere": b'{"items": [], "next": "http://[127.0.0.1]/"}',
        "/nan": b'[{"id": NaN}]', "/deep": b"[" * 100_000,
        "/twice": b'[{"id": 1, "total": 5, "total": 500}]', "/same": b'[{"id": 1}]',
        "/a": b'{"items": [{"id": 1}], "next": "/b"}', "/b": b'{"items": [], "next": "/a?x=1"}',
    }  # fmt: skip
    with pytest.raises(WeftError) as told:
        taken.pull(**config)
    assert told.value.slug == code
    assert "orrect" in told.value.detail


WRONG: dict[str, Any] = {
    "path": "next",
    "items_path": "items",
    "pages": {"style": "next", "path": "links.more"},
}


def test_a_wrong_place_of_the_next_page_is_told_with_what_is_there(taken: Taken) -> None:
    """By the test, and by a pull after it gave what the first page has."""
    with pytest.raises(Unfinishable, match=r"no .links\.more..* are: next"):
        source("rest").test(taken.access(**WRONG))
    with pytest.raises(Unfinishable, match=r"no .links\.more."):
        taken.pull(**WRONG)
    assert list(taken.versions) == ["1", "2"]


@pytest.mark.parametrize(("body", "more"), [
    ({"items": [{"id": 1}]}, {"omitted": True}), ({"items": []}, {}),
    ({"items": [{"id": 1}], "next": None}, {}),
    ({"items": [{"id": 1}]}, {"size_param": "limit", "size": 2}),
])  # fmt: skip
def test_a_single_page_is_the_last_one(
    taken: Taken, body: dict[str, Any], more: dict[str, Any]
) -> None:
    taken.api.documents["/one"] = json.dumps(body).encode()
    pages = {"style": "cursor", "path": "next", **more}
    found = taken.pull(path="one", items_path="items", pages=pages)
    assert len(items(found)) == len(body["items"])


def test_a_place_that_has_named_a_next_page_may_leave_it_out_later(taken: Taken) -> None:
    paged: dict[str, Any] = {"path": "two", "items_path": "items",
                             "pages": {"style": "next", "path": "next"}}  # fmt: skip
    taken.api.documents |= {
        "/two": b'{"items": [{"id": 1}], "next": "/last"}', "/last": b'{"items": [{"id": 2}]}',
    }  # fmt: skip
    assert len(items(taken.pull(**paged))) == 2
    taken.api.documents["/two"] = b'{"items": [{"id": 3}]}'
    assert len(items(taken.pull(**paged))) == 1


def test_a_pull_asks_by_one_connection(taken: Taken) -> None:
    paged: dict[str, Any] = {"path": "offset", "pages": {"style": "offset", "param": "offset"}}
    assert len(items(taken.pull(**paged))) == 5
    assert (len(taken.api.asked), taken.api.connections) == (4, 1)


def test_a_kept_connection_that_was_closed_is_no_failure(taken: Taken) -> None:
    paged: dict[str, Any] = {"path": "offset", "pages": {"style": "offset", "param": "offset"}}
    taken.api.script.extend([None, (0, {})])
    assert len(items(taken.pull(**paged))) == 5
    assert taken.api.connections == 2
    taken.api.script.extend([None, (0, {})])
    with pytest.raises(Unavailable):  # it may have been heard
        taken.pull(method="POST", **paged)


@pytest.mark.parametrize(("config", "field"), [
    ({"base_url": "http://169.254.169.254/latest"}, None),
    ({"base_url": "http://[127.0.0.1]/"}, None),
    ({"base_url": "https://["}, None),
    ({"base_url": "http://erp.example/?a=1"}, "config.base_url"),
    ({"since_param": "since"}, "config.updated_field"),
    ({"pages": {"style": "cursor"}}, "config.pages.path"),
    ({"auth": {"style": "oauth2"}}, "config.auth.token_url"),
    ({"auth": {"style": "magic"}}, "config.auth.style"),
])  # fmt: skip
def test_a_wrong_setting_is_refused(config: dict[str, Any], field: str | None) -> None:
    with pytest.raises(InvalidInput) as told:
        checked("rest", {"base_url": "https://erp.example", **config}, Egress(""))
    assert told.value.extra.get("field") == field


def test_a_test_says_what_a_record_has(taken: Taken) -> None:
    told = source("rest").test(taken.access(path="plain"))
    assert told == ("Signed in. The first page has 5 records, each with customer, id, name, "
                    "total, updated.")  # fmt: skip
    with pytest.raises(InvalidInput) as wrong:
        source("rest").test(taken.access(path="plain", id_field="number"))
    assert wrong.value.extra["field"] == "config.id_field"
