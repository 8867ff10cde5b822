"""A web site, read like a polite visitor reads it: robots.txt, one request a second, budgets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

from pydantic import Field

from core.errors import InvalidInput, Unavailable, Unfinishable
from core.net import Net
from ingestion.sources import Access, Config, Pulled
from ingestion.sources.web_content import FILES, is_page, read_page
from ingestion.sources.web_crawl import Crawl
from ingestion.sources.web_fetch import Polite, TooSoon
from ingestion.sources.web_state import State, of_cursor
from ingestion.sources.web_urls import canonical, path_of, place_of

_KINDS = frozenset(FILES.values())
_USUAL = ("pdf", "docx", "xlsx", "pptx", "odt", "ods", "csv")
Patterns = list[Annotated[str, Field(min_length=1, max_length=500)]]


class WebConfig(Config):
    urls: Annotated[
        list[Annotated[str, Field(max_length=1_000)]],
        Field(min_length=1, max_length=20, description="where it starts"),
    ]
    hosts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=260)]],
        Field(
            default_factory=list, max_length=50,
            description="hosts it may enter, such as docs.example.org or *.example.org; empty: "
            "those of the start",
        ),
    ]  # fmt: skip
    depth: Annotated[
        int, Field(ge=0, le=20, description="links between the start and a page; 0: the start only")
    ] = 3
    pages_max: Annotated[
        int, Field(ge=1, le=5_000, description="requests for pages and files in one crawl")
    ] = 200
    bytes_max: Annotated[
        int, Field(ge=10_000, le=2_000_000_000, description="bytes fetched in one crawl")
    ] = 100_000_000
    include: Annotated[
        Patterns,
        Field(default_factory=list, max_length=50,
              description="only pages like these, such as /docs/*"),
    ]  # fmt: skip
    exclude: Annotated[
        Patterns,
        Field(default_factory=list, max_length=50,
              description="no pages like these, such as /shop/*"),
    ]  # fmt: skip
    files: Annotated[
        list[Annotated[str, Field(max_length=8)]],
        Field(default_factory=lambda: list(_USUAL), max_length=20,
              description="linked files that are taken as documents, by ending"),
    ]  # fmt: skip
    seconds_between: Annotated[
        float, Field(ge=1, le=3_600, description="between two requests to one host, at least")
    ] = 1.0
    sitemap: Annotated[bool, Field(description="also pages that the site's sitemap lists")] = True
    trust_lastmod: Annotated[
        bool, Field(description="a page whose date in the sitemap is the same is not asked for")
    ] = False


class Web:
    kind = "web"
    config: type[Config] = WebConfig
    secrets: Mapping[str, str] = {}

    def check(self, config: WebConfig, net: Net) -> None:
        for url in config.urls:
            if canonical(url) is None:
                raise InvalidInput(
                    "A start is a web address such as https://example.org/docs.",
                    code="bad_url", field="config.urls",
                )  # fmt: skip
            try:
                net.check(url)
            except InvalidInput as error:
                raise InvalidInput(error.detail, code=error.slug, field="config.urls") from error
        if unknown := sorted(set(config.files) - _KINDS):
            raise InvalidInput(
                f"Files that end with .{unknown[0]} are not taken from the web: "
                f"{', '.join(sorted(_KINDS))} are.",
                code="bad_config", field="config.files",
            )  # fmt: skip

    def test(self, access: Access) -> str:
        polite = Polite(access, State(), 1.0)
        url = canonical(access.config.urls[0]) or ""
        place = place_of(url)
        try:
            robots = polite.robots(url)
            if not robots.open:
                raise Unavailable(
                    f"The robots.txt of {place} cannot be read, so nothing is fetched there.",
                    code="robots_unreachable",
                )
            if not robots.allows(path_of(url)):
                raise Unfinishable(
                    f"The robots.txt of {place} forbids to fetch this address.",
                    code="robots_disallow",
                )
            reply = polite.get(url)
        except TooSoon as error:
            return f"{place} wants {error.seconds:g} seconds between two requests."
        if reply.status >= 400:
            raise Unfinishable(f"{place} answers {reply.status}.", code=f"http_{reply.status}")
        if reply.status != 200 or not is_page(reply):
            return f"{place} answers {reply.status}."
        read = read_page(url, reply)
        return f"The start is {read.title or 'a page without a title'!r}, {len(read.links)} links."

    def pull(self, access: Access) -> Iterator[Pulled]:
        return Crawl(access, of_cursor(access.cursor)).run()


SOURCE = Web()
