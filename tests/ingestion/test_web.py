"""A crawl asks politely, ends in every trap, takes each page once and only what changed again."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from connectors.egress import Egress
from core.clock import FakeClock
from core.errors import Unavailable
from ingestion.sources import Access, At, Cursor, Dead, Gone, Item, Pause, Pulled
from ingestion.sources.web import SOURCE, WebConfig
from ingestion.sources.web_robots import parse
from tests.fakes.site import Given, Site, shop


class Visitor:
    """One integration: keeps what is known of it as `agents.pulling` does."""

    def __init__(self, site: Site, **config: Any) -> None:
        self.site, self.clock = site, FakeClock()
        self.config = WebConfig(**{"urls": [f"{site.url}/"], **config})
        self.net = Egress(site.place, seconds_max=5.0)
        self.cursor: Cursor = {}
        self.items: dict[str, Item] = {}
        self.waited: list[float] = []
        self.came: list[Pulled] = []

    def access(self) -> Access:
        return Access(
            config=self.config, secrets={}, cursor=self.cursor, net=self.net, clock=self.clock,
            known=lambda key, version: key in self.items and self.items[key].version == version,
            keys=lambda: frozenset(self.items), stopped=lambda: False, bytes_max=1_000_000,
            inbox=Path(), wait=self.wait,
        )  # fmt: skip

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.clock.advance(seconds + 0.001)

    def pull(self, *deaths: int) -> list[Pulled]:
        """One crawl. It dies after so many things that came, once for each number given: what was
        not handed over is lost."""
        left = list(deaths)
        came: list[Pulled] = []
        again = True
        while again:
            again = False
            for n, one in enumerate(SOURCE.pull(self.access()), 1):
                self._keep(one)
                came.append(one)
                if isinstance(one, Pause):
                    self.clock.advance(one.seconds + 0.001)
                    again = True
                    break
                if left and n == left[0]:
                    left.pop(0)
                    again = True
                    break
        self.came = came
        return came

    def _keep(self, one: Pulled) -> None:
        if isinstance(one, Item):
            self.items[one.key] = one
        if isinstance(one, Gone):
            self.items.pop(one.key, None)
        self.cursor = one.cursor if one.cursor is not None else self.cursor

    def paths(self, kind: type[Any] = Item) -> list[str]:
        return [one.key.removeprefix(self.site.url) for one in self.came if isinstance(one, kind)]

    def text(self, path: str) -> str:
        return self.items[f"{self.site.url}{path}"].data.decode()


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


def linked(site: Site, paths: Sequence[str], start: str = "/") -> None:
    """A start that leads to pages of their own text."""
    site.page(start, "Start", "This is where everything begins, as it always did.", paths)
    for path in paths:
        site.page(path, f"Page {path}", f"What stands at {path} stands nowhere else.")


def test_a_whole_site_with_traps_is_read_once_whatever_dies(site: Site) -> None:
    wanted = shop(site, 18)
    visitor = Visitor(site, depth=3, pages_max=80)
    visitor.pull(*[6] * 4)
    found = set(visitor.paths())
    assert wanted <= found
    assert {path for path, count in site.counts().items() if count > 1} == set()
    assert "/private/secret" not in site.counts()
    trapped = found - wanted
    assert len(trapped) <= 12, sorted(trapped)
    site.forget()
    before = dict(visitor.items)
    visitor.pull()
    assert visitor.paths() == []
    assert {status for path, status in site.asked if path in wanted} == {304}
    assert visitor.items == before


def test_one_host_is_asked_once_a_second_and_slower_where_it_wants(site: Site) -> None:
    linked(site, ["/a", "/b"])
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    assert len(visitor.waited) == 3  # before /, /a and /b, after robots.txt
    assert all(0.5 < seconds <= 1 for seconds in visitor.waited)
    site.robots("User-agent: *\nCrawl-delay: 7\n")
    slow = Visitor(site, sitemap=False)
    slow.pull()
    assert [round(one.seconds) for one in slow.came if isinstance(one, Pause)] == [7, 7, 7]
    assert set(slow.paths()) == {"/", "/a", "/b"}


def test_retry_after_is_kept_to(site: Site) -> None:
    linked(site, ["/busy"])
    answers = [Given(429, headers={"retry-after": "120"}), Given(429)]
    page = site.pages.pop("/busy")
    site.else_ = lambda path: (answers.pop() if answers else page) if path == "/busy" else None
    visitor = Visitor(site, sitemap=False)
    begun = visitor.clock.now_ms()
    visitor.pull()
    assert visitor.paths() == ["/", "/busy"]
    assert visitor.clock.now_ms() - begun > 119_000


@pytest.mark.parametrize(("told", "taken"), [
    ("User-agent: *\nDisallow: /", set()),
    ("User-agent: *\nDisallow: /a", {"/", "/b", "/c.d"}),
    ("User-agent: *\nDisallow: /*.d$", {"/", "/a", "/b"}),
    ("User-agent: *\nDisallow: /\n\nUser-agent: Weft\nDisallow: /b", {"/", "/a", "/c.d"}),
    ("User-agent: *\nDisallow: /a\nAllow: /a", {"/", "/a", "/b", "/c.d"}),
    ("User-agent: other\nDisallow: /", {"/", "/a", "/b", "/c.d"}),
    ("\xff\x00 no robots at all", {"/", "/a", "/b", "/c.d"}),
])  # fmt: skip
def test_the_rules_of_robots_txt(told: str, taken: set[str]) -> None:
    rules = parse(told.encode("latin-1"))
    assert {path for path in ("/", "/a", "/b", "/c.d") if rules.allows(path)} == taken


def test_what_robots_txt_forbids_is_not_asked_for(site: Site) -> None:
    linked(site, ["/a", "/b"])
    site.robots("User-agent: *\nDisallow: /a")
    visitor = Visitor(site)
    visitor.pull()
    assert set(visitor.paths()) == set(site.counts()) == {"/", "/b"}
    site.robots("User-agent: *\nDisallow: /")
    visitor = Visitor(site)
    [dead] = [one for one in visitor.pull() if isinstance(one, Dead)]
    assert (dead.code, visitor.paths()) == ("robots_disallow", [])


@pytest.mark.parametrize("status", [500, 503, 429])
def test_without_an_answer_for_robots_txt_nothing_is_fetched(site: Site, status: int) -> None:
    linked(site, ["/a"])
    site.robots("", status)
    with pytest.raises(Unavailable, match="cannot be read"):
        Visitor(site).pull()
    assert not site.counts()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_robots_txt_that_is_not_there_forbids_nothing(site: Site, status: int) -> None:
    linked(site, ["/a"])
    site.robots("User-agent: *\nDisallow: /", status)
    visitor = Visitor(site)
    visitor.pull()
    assert set(visitor.paths()) == {"/", "/a"}


def test_one_page_has_one_spelling(site: Site) -> None:
    spellings = ["/a/?utm_source=x", "/a/index.html", "//{0}/a/", "/b/../a/", "/%61/#part",
                 "/a/;jsessionid=9F", "http://{0}:{1}/a/"]  # fmt: skip
    host, _, port = site.place.partition(":")
    links = [one.format(site.place if one.startswith("//") else host, port) for one in spellings]
    site.page("/", "Start", "All of these lead to one and the same page.", links)
    site.page("/a/", "A", "The one page that there is.")
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    assert site.counts() == {"/": 1, "/a/": 1}


def test_the_canonical_address_is_the_pages_name(site: Site) -> None:
    site.page("/", "Start", "Both of these are one.", ["/a?view=print", "/a"])
    head = '<link rel="canonical" href="/a">'
    site.page("/a?view=print", "A", "The article itself.", head=head)
    site.page("/a", "A", "The article itself.", head=head)
    elsewhere = '<link rel="canonical" href="http://elsewhere.example/a">'
    site.page("/", "Start", "Both are one.", ["/a?view=print", "/a", "/c"], head=elsewhere)
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    assert visitor.paths() == ["/", "/a"]
    assert site.counts()["/a"] == 0


def test_what_asks_not_to_be_kept_or_followed_is_not(site: Site) -> None:
    site.page("/", "Start", "Some pages want to be left alone.",
              ["/noindex", "/nofollow", "/header", "/none", '/rel" rel="nofollow'])  # fmt: skip
    site.page("/noindex", "N", "Not kept.", ["/x"], head='<meta name="robots" content="NoIndex">')
    site.page("/nofollow", "F", "Kept.", ["/y"], head='<meta name="robots" content="nofollow">')
    site.page("/header", "H", "By header.", headers={"x-robots-tag": "noindex, other: nofollow"})
    site.page("/none", "Z", "Nothing.", ["/z"], head='<meta name="weft" content="none">')
    for path in "xyz":
        site.page(f"/{path}", path, f"Behind {path}.")
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    assert set(visitor.paths()) == {"/", "/nofollow", "/x"}
    assert "/rel" not in site.counts()


def test_sitemaps_lead_to_pages_that_no_link_leads_to(site: Site) -> None:
    site.page("/", "Start", "No links at all.")
    for name in ("/one", "/two", "/three"):
        site.page(name, name, f"This is {name}.")
    site.robots(f"Sitemap: {site.url}/maps.xml")
    maps = [f"{site.url}/sitemap-{name}" for name in ("a.xml.gz", "b.txt", "bomb.gz")]
    rows = "".join(f"<sitemap><loc>{one}</loc></sitemap>" for one in maps)
    index = f"<sitemapindex>{rows}</sitemapindex>"
    row = "<url><loc>{0}{1}</loc><lastmod>{2}</lastmod></url>"
    rows = row.format(site.url, "/one", "2026-01-01") + row.format(site.url, "/two", "2026-02-01")
    other = "<url><loc>http://elsewhere.example/x</loc></url>"
    site.file("/maps.xml", index.encode(), "application/xml")
    site.file("/sitemap-a.xml.gz", gzip.compress(f"<urlset>{rows}{other}</urlset>".encode()),
              "application/gzip")  # fmt: skip
    site.file("/sitemap-b.txt", f"{site.url}/three\n".encode(), "text/plain")
    site.file("/sitemap-bomb.gz", gzip.compress(bytes(60_000_000), 1), "application/gzip")
    visitor = Visitor(site)
    visitor.pull()
    assert visitor.paths() == ["/", "/two", "/one", "/three"]  # the latest change first


def test_a_date_in_the_sitemap_saves_a_request_where_it_is_trusted(site: Site) -> None:
    site.page("/", "Start", "Home.", validators=False)
    site.page("/one", "One", "Number one.", validators=False)
    row = f"<urlset><url><loc>{site.url}/one</loc><lastmod>%s</lastmod></url></urlset>"
    site.file("/sitemap.xml", (row % "2026-01-01").encode(), "text/xml", validators=False)
    visitor = Visitor(site, trust_lastmod=True)
    visitor.pull()
    site.forget()
    visitor.pull()
    assert site.counts() == {"/": 1}
    site.page("/one", "One", "Number one is another.", validators=False)
    site.file("/sitemap.xml", (row % "2026-03-01").encode(), "text/xml", validators=False)
    visitor.pull()
    assert "is another" in visitor.text("/one")


def test_a_page_is_new_when_its_text_is_and_not_when_what_stands_around_it_is(site: Site) -> None:
    linked(site, ["/a"])
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    versions = {key: one.version for key, one in visitor.items.items()}
    linked(site, ["/a", "/b"])  # the start's menu is longer now
    visitor.pull()
    assert {visitor.items[key].version for key in versions} == set(versions.values())
    assert len(visitor.items) == 3
    site.page("/a", "Page /a", "It says something else now.")
    visitor.pull()
    assert visitor.items[f"{site.url}/a"].version != versions[f"{site.url}/a"]


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_vanished_is_gone_and_one_that_is_only_broken_stays(
    site: Site, status: int
) -> None:
    linked(site, ["/a", "/b"])
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    site.pages["/a"] = Given(status, validators=False)
    site.pages["/b"] = Given(500, validators=False)
    visitor.pull()
    assert visitor.paths(Gone) == ["/a"]
    assert f"{site.url}/b" in visitor.items
    assert not visitor.paths(Dead)


@pytest.mark.parametrize("status", [404, 410])
def test_a_start_where_nothing_ever_was_is_a_dead_letter(site: Site, status: int) -> None:
    site.pages["/"] = Given(status, validators=False)
    [dead] = [one for one in Visitor(site, sitemap=False).pull() if isinstance(one, Dead)]
    assert (dead.code, dead.key) == (f"http_{status}", f"{site.url}/")


def test_what_cannot_be_had_is_a_dead_letter_and_the_rest_goes_on(site: Site) -> None:
    linked(site, ["/locked", "/down", "/large", "/good"])
    site.pages["/locked"] = Given(403)
    site.pages["/down"] = Given(500)
    site.file("/large", b"<html>" + b"x" * 1_100_000, "text/html")
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    dead = {one.key.rpartition("/")[2]: one.code for one in visitor.came if isinstance(one, Dead)}
    assert dead == {"locked": "http_403", "down": "http_500", "large": "too_large"}
    assert set(visitor.paths()) == {"/", "/good"}
    assert site.counts()["/down"] == 3


def test_addresses_that_are_none_end_no_crawl(site: Site) -> None:
    linked(site, ["/a", "/b"])
    base = b'<html><head><base href="http://["></head><body><p>Words of /a.</p></body></html>'
    site.file("/a", base, "text/html")
    site.pages["/b"] = Given(302, headers={"location": "http://[127.0.0.1]/"})
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    assert set(visitor.paths()) == {"/", "/a"}


def test_files_are_documents_and_other_things_are_left_alone(site: Site) -> None:
    linked(site, ["/price list.pdf", "/get?id=5", "/film.mp4", "/style.css", "/data.bin"])
    site.file("/price%20list.pdf", b"%PDF-1.4", "application/octet-stream")
    site.file("/get?id=5", b"%PDF-1.5", "application/pdf")
    site.file("/data.bin", b"\0\1", "application/octet-stream")
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    names = {one.filename for one in visitor.items.values()}
    assert names == {"Start.html", "price list.pdf", "get.pdf"}
    assert not {"/film.mp4", "/style.css"} & set(site.counts())


def test_budgets_end_a_crawl(site: Site) -> None:
    linked(site, [f"/{n}" for n in range(16)])
    few = Visitor(site, pages_max=5)
    few.pull()
    assert len(few.items) == sum(site.counts().values()) == 5
    site.forget()
    site.page("/", "Start", "It goes on for pages and pages. " * 400, ["/0", "/1"])
    Visitor(site, bytes_max=10_000, sitemap=False).pull()
    assert site.counts() == {"/": 1}
    flat = Visitor(site, depth=0)
    flat.pull()
    assert flat.paths() == ["/"]


@pytest.mark.parametrize(("config", "taken"), [
    ({"include": ["/docs/*"]}, {"/", "/docs/a"}),
    ({"exclude": ["*shop*"]}, {"/", "/docs/a", "/x"}),
    ({"hosts": ["elsewhere.example"]}, set()),
])  # fmt: skip
def test_patterns_and_hosts_say_where_it_goes(
    site: Site, config: dict[str, Any], taken: set[str]
) -> None:
    linked(site, ["/docs/a", "/shop/b", "/x", "http://other.example/"])
    visitor = Visitor(site, sitemap=False, **config)
    visitor.pull()
    assert set(visitor.paths()) == taken


def test_redirects_are_followed_within_the_site_and_no_further(site: Site) -> None:
    linked(site, ["/old", "/out", "/file", "/round", "/meta", "/far"])
    site.moved("/old", "/new", 308)
    site.moved("/out", "http://elsewhere.example/")
    site.moved("/file", "file:///etc/passwd", 302)
    site.else_ = lambda path: (
        Given(302, headers={"location": path + "o"}, validators=False)
        if path.startswith("/round") else None
    )  # fmt: skip
    del site.pages["/round"]
    site.page("/meta", "M", "Moved.", head='<meta http-equiv="refresh" content="0;url=/there">')
    site.page("/far", "F", "Far.", head='<meta http-equiv="refresh" content="0;url=file:///etc/x">')
    site.page("/new", "New", "What moved is here.")
    site.page("/there", "There", "What was told is here.")
    visitor = Visitor(site, sitemap=False)
    visitor.pull()
    assert set(visitor.paths()) == {"/", "/new", "/there", "/far"}
    assert sum(path.startswith("/roundo") for path in site.counts()) == 5


def test_the_main_part_is_kept_and_what_stands_around_it_is_not(site: Site) -> None:
    site.page("/", "Terms", "Delivery takes two days, and returns are free for thirty days.")
    visitor = Visitor(site)
    visitor.pull()
    kept = visitor.text("/")
    assert "Delivery takes two days" in kept
    assert "<h1>Terms</h1>" in kept
    for around in ("cookies", "Imprint", "shop of everything"):
        assert around not in kept


def test_the_encoding_that_the_server_names_counts(site: Site) -> None:
    body = "<html><body><p>Größe und Maß der Straße</p></body></html>".encode("iso-8859-1")
    site.file("/", body, "text/html; charset=ISO-8859-1")
    visitor = Visitor(site)
    visitor.pull()
    assert "Größe und Maß" in visitor.text("/")


def test_a_position_is_all_that_a_crawl_needs_to_go_on(site: Site) -> None:
    linked(site, ["/a", "/b", "/c"])
    visitor = Visitor(site, sitemap=False)
    visitor.pull(1, 1, 1)
    assert site.counts() == {"/": 1, "/a": 1, "/b": 1, "/c": 1}
    assert isinstance(visitor.came[-1], At)


def test_landmarks_lead_and_a_page_of_links_is_its_links(site: Site) -> None:
    text = "The pump is to be greased once a month, before it is switched on. " * 5
    aside = "<div>Other people also bought these pumps and hoses from us last week.</div>" * 3
    body = f"<body>{aside}<main><header>By A. Smith</header><p>{text}</p></main>{aside}</body>"
    site.file("/", f"<html>{body}</html>".encode(), "text/html")
    links = "".join(f'<li><a href="/x{n}">Chapter {n} of the handbook</a></li>' for n in range(9))
    site.file("/toc", f"<html><body><ul>{links}</ul></body></html>".encode(), "text/html")
    visitor = Visitor(site, urls=[f"{site.url}/", f"{site.url}/toc"], depth=0)
    visitor.pull()
    kept = visitor.text("/")
    assert "greased once a month" in kept
    assert "By A. Smith" in kept
    assert "Other people" not in kept
    assert "Chapter 8" in visitor.text("/toc")
