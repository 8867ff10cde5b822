"""Records of an ERP or another REST API: each becomes a JSON document, or a file behind a URL."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net, Reply, joined
from ingestion.sources import Access, At, Config, Dead, Gone, Item, Pause, Pulled
from ingestion.sources.api import SECRETS, Api, Auth, at, check_base
from ingestion.sources.rest_pages import Course, Pages, State, query_of

_RECORDS_MAX = 100_000  # of one pull
_MISSED_MAX = 5  # files that could not be had for now
_NO_PAGE = frozenset({400, 404, 410, 422})  # what a place says to a page of yesterday
Path = Annotated[str, Field(max_length=200, description="in a record, such as customer.name")]
Short = Annotated[str, Field(max_length=200)]


class RestConfig(Config):
    base_url: Annotated[str, Field(max_length=500, description="such as https://erp.example/api")]
    path: Annotated[str, Field(max_length=500, description="below it, such as invoices")] = ""
    method: Annotated[
        Literal["GET", "POST"], Field(description="POST for searches only: nothing may change")
    ] = "GET"
    query: dict[Short, str | int | bool] = Field({}, max_length=30)
    body: Annotated[dict[Short, Any] | None, Field(description="of a POST, as JSON")] = None
    headers: dict[Short, Short] = Field({}, max_length=20, description="no secrets here")
    auth: Auth = Auth()
    pages: Pages = Pages()
    items_path: Annotated[
        str, Field(max_length=200, description="where the list lies: data.items; empty: the whole")
    ] = ""
    id_field: Path = "id"
    updated_field: Annotated[str, Field(max_length=200, description="when it last changed")] = ""
    since_param: Annotated[
        str,
        Field(max_length=100, description="of the query: only what changed since; its value is "
              "the greatest `updated_field` that was seen"),
    ] = ""  # fmt: skip
    since_start: Annotated[str, Field(max_length=64, description="its first value")] = ""
    title_field: Annotated[str, Field(max_length=200, description="names the document")] = ""
    text_fields: list[Path] = Field(
        [], max_length=20, description="what the document says; none: all of it"
    )
    metadata_fields: dict[Short, Path] = Field(
        {}, max_length=20, description="name → where it lies in a record"
    )
    file_url_field: Annotated[
        str, Field(max_length=200, description="the document is the file at this address")
    ] = ""


class Rest:
    kind = "rest"
    config: type[Config] = RestConfig
    secrets: Mapping[str, str] = SECRETS

    def check(self, config: RestConfig, net: Net) -> None:
        check_base(config.base_url, config.auth, net)
        if config.since_param and not config.updated_field:
            raise InvalidInput(
                "`since_param` needs `updated_field`: its value is taken from there.",
                code="bad_config", field="config.updated_field",
            )  # fmt: skip
        if config.pages.style in ("cursor", "next") and not config.pages.path:
            raise InvalidInput(
                "This style of pages needs `pages.path`: where the answer says what comes next.",
                code="bad_config", field="config.pages.path",
            )  # fmt: skip

    def test(self, access: Access) -> str:
        feed = _Feed(access)
        records, reply, body = feed.page({})
        names = ", ".join(sorted({str(name) for one in records[:5] for name in one})[:20])
        if records and at(records[0], access.config.id_field) is None:
            raise InvalidInput(
                f"A record has no {access.config.id_field!r}. It has: {names[:300]}.",
                code="no_id", field="config.id_field",
            )  # fmt: skip
        feed.course.after({}, reply, body, records, 1)
        count = len(records)
        return f"Signed in. The first page has {count} record{'' if count == 1 else 's'}" + (
            f", each with {names[:300]}." if names else "."
        )

    def pull(self, access: Access) -> Iterator[Pulled]:
        with access.net.keeping() as net:
            yield from _Feed(replace(access, net=net)).pulled()


class _Feed:
    """One pull. Its position: `since`, `seen` (the greatest so far) and `at` (the page)."""

    def __init__(self, access: Access) -> None:
        self._access, self._config = access, access.config
        self._api = Api(access, self._config.base_url, self._config.auth, self._config.headers)
        self._since = access.cursor.get("since") or self._config.since_start or None
        self._seen = access.cursor.get("seen") or self._since
        self._keys: set[str] = set()
        self.course = Course(self._config.pages, access.cursor.get("paged") is True)
        self._missed: list[Unavailable] = []
        self._kept = access.cursor
        # What is read differently is another version of the same record.
        mapping = self._config.model_dump(include={
            "title_field", "text_fields", "metadata_fields", "file_url_field",
        })  # fmt: skip
        self._reading = _digest(mapping)[:8]

    def pulled(self) -> Iterator[Pulled]:
        """A long limit of rate is waited for outside: nobody's thread is held."""
        try:
            for one in self._all():
                if isinstance(one, At):
                    self._kept = one.cursor
                yield one
        except Unavailable as error:
            if error.slug != "rate_limited":
                raise
            seconds = float(error.extra.get("retry_after") or 60.0)
            yield Pause(seconds, self._kept, f"{self._api.place} takes no more requests for now")

    def _all(self) -> Iterator[Pulled]:
        begun: State = self._access.cursor.get("at") or {}
        state: State | None = begun
        count = pages = 0
        while state is not None:
            if self._access.stopped() or pages >= self._config.pages.pages_max:
                return
            try:
                records, reply, body = self._page_or_end(state)
            except Unfinishable as error:
                if not (state is begun and state and error.extra.get("status") in _NO_PAGE):
                    raise
                begun = state = {}  # where the last pull ended is not there any more
                continue
            for record in records:
                yield from self._record(record)
            count, pages = count + len(records), pages + 1
            if count > _RECORDS_MAX:
                raise Unfinishable(
                    f"More than {_RECORDS_MAX:,} records. Narrow `query`.", code="too_many_parts"
                )
            state = self.course.after(state, reply, body, records, pages)
            if state is not None and not self._missed:
                yield At(self._position(state))
        yield from self._ended(whole=not begun)

    def _ended(self, whole: bool) -> Iterator[Pulled]:
        if self._missed:  # the position stays before them
            raise self._missed[0]
        if whole and not self._config.since_param:
            for key in sorted(self._access.keys() - self._keys):
                yield Gone(key)
        since = self._seen if self._config.since_param else None
        yield At({**({"since": since} if since is not None else {}), **self._paged})

    @property
    def _paged(self) -> dict[str, Any]:
        return {"paged": True} if self.course.proved else {}

    def page(self, state: State) -> tuple[list[Any], Reply, Any]:
        """Raises like `test`."""
        config = self._config
        url, query = self._api.url(config.path), dict(config.query)
        query |= query_of(config.pages, state)
        if config.since_param and self._since is not None:
            query[config.since_param] = self._since
        if "url" in state:
            url, query = str(state["url"]), {}
            if not self._api.ours(url):
                raise Unfinishable(
                    "The next page's address leads to another place. Correct `pages`.",
                    code="pages_elsewhere",
                )
        told = config.body if config.method == "POST" else None
        reply = self._api.ask(config.method, url, query, body=told)
        body = self._api.json(reply)
        return self._list(body), reply, body

    def _page_or_end(self, state: State) -> tuple[list[Any], Reply, Any]:
        try:
            return self.page(state)
        except Unfinishable as error:
            numbered = self._config.pages.style in ("page", "offset")
            if numbered and state and error.extra.get("status") == 404:
                return [], Reply(404, {}, b"", ""), None  # some say so after the last page
            raise

    def _list(self, body: Any) -> list[Any]:
        found = at(body, self._config.items_path)
        if isinstance(found, dict) and self._config.pages.style == "none":
            found = [found]
        if not isinstance(found, list):
            where = self._config.items_path
            told = found if isinstance(found, dict) else body
            keys = ", ".join(list(told)[:20])[:300] if isinstance(told, dict) else ""
            raise Unfinishable(
                f"The answer has no list at {where or 'its top'!r}"
                + (f"; the keys {'there' if told is found else 'it has'} are: {keys}" if keys
                   else "") + ". Correct `items_path`.",
                code="no_items",
            )  # fmt: skip
        return [one for one in found if isinstance(one, dict)]

    def _record(self, record: Mapping[str, Any]) -> Iterator[Pulled]:
        updated = at(record, self._config.updated_field) if self._config.updated_field else None
        found = at(record, self._config.id_field)
        plain = isinstance(found, str | int) and found != ""
        key = str(found)[:400] if plain else _digest(record)
        mark = str(updated)[:100] if updated is not None else _digest(record)[:32]
        version = f"{mark}-{self._reading}"
        self._keys.add(key)
        if not self._access.known(key, version):
            try:
                yield self._file(record, key, version) if self._config.file_url_field else (
                    self._document(record, key, version))  # fmt: skip
            except (InvalidInput, Unfinishable) as error:
                yield Dead(key, version, error.slug, error.detail)
            except Unavailable as error:  # one file keeps nobody else waiting
                self._missed.append(error)
                if error.slug == "rate_limited" or len(self._missed) >= _MISSED_MAX:
                    raise
        if updated is not None and (self._seen is None or _order(updated) > _order(self._seen)):
            self._seen = updated if isinstance(updated, int) else str(updated)[:100]

    def _document(self, record: Mapping[str, Any], key: str, version: str) -> Item:
        title, config = self._title(record), self._config
        content: Any = record
        if config.text_fields:
            content = {"title": title} if title else {}
            content |= {name: at(record, name) for name in config.text_fields}
            content |= {name: at(record, path) for name, path in config.metadata_fields.items()}
        data = json.dumps(content, ensure_ascii=False, indent=1).encode()
        if len(data) > self._access.bytes_max:
            raise Unfinishable(
                f"It is larger than {self._access.bytes_max:,} bytes.", code="too_large"
            )
        name = f"{title or key}"[:120]
        return Item(key, version, f"{name}.json", "application/json", data, self._told(record))

    def _file(self, record: Mapping[str, Any], key: str, version: str) -> Item:
        where = at(record, self._config.file_url_field)
        if not isinstance(where, str) or not where:
            raise Unfinishable("The record names no file.", code="no_file")
        url = joined(self._api.url(self._config.path), where)
        reply = self._api.ask("GET", url, headers={"accept": "*/*"})
        if len(reply.body) > self._access.bytes_max:
            raise Unfinishable(
                f"It is larger than {self._access.bytes_max:,} bytes.", code="too_large"
            )
        name = unquote(posixpath.basename(urlsplit(url).path)) or self._title(record) or key
        kind = reply.headers.get("content-type", "application/octet-stream").partition(";")[0]
        return Item(key, version, name, kind.strip(), reply.body, self._told(record))

    def _title(self, record: Mapping[str, Any]) -> str:
        found = at(record, self._config.title_field) if self._config.title_field else None
        return str(found) if isinstance(found, str | int) else ""

    def _told(self, record: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: at(record, path) for name, path in self._config.metadata_fields.items()}
        title = self._title(record)
        return {**({"title": title} if title else {}), **found}

    def _position(self, state: State) -> dict[str, Any]:
        return {"since": self._since, "seen": self._seen, "at": dict(state), **self._paged}


def _order(value: Any) -> tuple[int, Any]:
    """Numbers by size, moments by time, other texts as they are."""
    if isinstance(value, int):
        return 0, value
    try:
        moment = datetime.fromisoformat(str(value))
        return 1, (moment.timestamp() if moment.tzinfo else moment.replace(tzinfo=UTC).timestamp())
    except ValueError:
        return 2, str(value)


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


SOURCE = Rest()
