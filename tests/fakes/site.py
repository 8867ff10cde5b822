"""A web site on loopback: pages by path, with validators, and whatever else a test puts there.

In a test: `with Site() as site: site.page("/", "Home", "…", links=["/a"])`. As a process that
outlives kills: `python -m tests.fakes.site PORT PAGES`, which serves `shop(PAGES)` and counts at
`/_asked`.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Given:
    """An answer. `validators`: with `ETag`, so that an unchanged page is a 304."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    validators: bool = True


Make = Callable[[str], Given | None]


class Site:
    """`asked` are the requests as (path, status), in their order."""

    def __init__(self, port: int = 0) -> None:
        self.pages: dict[str, Given] = {}
        self.else_: Make = lambda _path: None  # asked for what is not in `pages`
        self.asked: list[tuple[str, int]] = []
        self.agents: set[str] = set()
        self._lock = threading.Lock()
        site = self

        class Handler(_Handler):
            owner = site

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 64

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hung up."""

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = int(self._server.server_address[1])
        self.place = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.place}"

    def __enter__(self) -> Site:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def page(
        self, path: str, title: str, text: str, links: Sequence[str] = (), *, head: str = "",
        **given: Any,
    ) -> None:  # fmt: skip
        self.pages[path] = Given(body=html(title, text, links, head=head).encode(), **given)

    def file(self, path: str, body: bytes, content_type: str, **given: Any) -> None:
        self.pages[path] = Given(body=body, content_type=content_type, **given)

    def robots(self, text: str, status: int = 200) -> None:
        self.file("/robots.txt", text.encode(), "text/plain", status=status)

    def moved(self, path: str, there: str, status: int = 301) -> None:
        self.pages[path] = Given(status, headers={"location": there}, validators=False)

    def counts(self) -> Counter[str]:
        """How often each page was asked for, but for robots.txt and sitemaps."""
        aside = ("/robots.txt", "/sitemap")
        return Counter(path for path, _ in self.asked if not path.startswith(aside))

    def forget(self) -> None:
        self.asked.clear()

    def answer(self, path: str, etag: str) -> Given:
        given = self.pages.get(path) or self.else_(path) or Given(404, validators=False)
        mark = _mark(given.body)
        if given.status == 200 and given.validators:
            headers = {**given.headers, "etag": mark}
            given = (
                Given(304, headers={"etag": mark})
                if etag == mark
                else Given(200, given.body, given.content_type, headers)
            )
        with self._lock:
            self.asked.append((path, given.status))
        return given


def _mark(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


class _Handler(BaseHTTPRequestHandler):
    owner: Site

    def do_GET(self) -> None:
        if self.path == "/_asked":
            given = Given(body=json.dumps(self.owner.asked).encode(), validators=False)
        else:
            self.owner.agents.add(self.headers.get("user-agent") or "")
            given = self.owner.answer(self.path, self.headers.get("if-none-match") or "")
        with contextlib.suppress(OSError):
            self.send_response(given.status)
            for name, value in given.headers.items():
                self.send_header(name, value)
            if given.status != 304:
                self.send_header("content-type", given.content_type)
                self.send_header("content-length", str(len(given.body)))
            self.end_headers()
            if given.status != 304:
                self.wfile.write(given.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `asked`, not the console."""


def html(title: str, text: str, links: Sequence[str] = (), *, head: str = "") -> str:
    """With everything around the text that real pages have."""
    menu = "".join(f'<li><a href="{link}">{link}</a></li>' for link in links)
    return (
        f"<!doctype html><html><head><title>{title}</title>{head}</head><body>"
        '<header>The shop of everything <form role="search"><input></form></header>'
        f"<nav><ul>{menu}</ul></nav>"
        '<div id="cookie-banner">We use cookies. Accept all of them?</div>'
        f"<div class='content'><h1>{title}</h1><p>{text}</p></div>"
        "<footer>Imprint, privacy, all rights reserved</footer></body></html>"
    )


def shop(site: Site, pages: int) -> set[str]:
    """A site of so many pages, each linked and some in the sitemap, with traps beside them. Gives
    the paths that a crawl of depth 6 comes to."""
    names = [f"/part{n % 7}/item-{n}" for n in range(pages - 8)]
    groups = [f"/part{n}/" for n in range(7)]
    site.page("/", "The shop", "Everything that a workshop needs, sent within two days.",
              [*groups, "/calendar/2026/11", "/deep/", "/private/secret", "/?sid=1"])  # fmt: skip
    for n, group in enumerate(groups):
        own = [name for name in names if name.startswith(group)]
        site.page(group, f"Part {n}", f"Part number {n} has {len(own)} items.",
                  [*own, "/", "/index.html?utm_source=menu"])  # fmt: skip
    for n, name in enumerate(names):
        nearby = [names[(n + 1) % len(names)] + "#reviews", "/", f"{name}?utm_medium=mail"]
        site.page(name, f"Item {n}", f"Item {n} weighs {n * 3} grams and costs {n}.90 EUR.", nearby)
    site.robots(f"User-agent: *\nDisallow: /private/\nSitemap: {site.url}/sitemap.xml\n")
    rows = "".join(f"<url><loc>{site.url}{name}</loc></url>" for name in names[::3])
    site.file("/sitemap.xml", f"<urlset>{rows}</urlset>".encode(), "application/xml")
    site.else_ = trap
    return {"/", *groups, *names}


def trap(path: str) -> Given | None:
    """A calendar without an end, folders without a bottom, a session in each link."""
    if path.startswith("/calendar/"):
        year, month = map(int, path.split("/")[2:4])
        there = f"/calendar/{year + month // 12}/{month % 12 + 1}"
        text = f"Nothing is planned for month {month} of {year}."
        return Given(body=html(f"{month}/{year}", text, [there]).encode())
    if path.startswith("/deep/"):
        text = html("Deep", "It goes on and on.", [f"{path}down/", f"{path}again/"])
        return Given(body=text.encode())
    if path.startswith("/?sid="):
        return Given(body=html("The shop", "Welcome again.", [f"/?sid={len(path)}2"]).encode())
    return None


if __name__ == "__main__":
    with Site(int(sys.argv[1])) as served:
        shop(served, int(sys.argv[2]))
        sys.stdout.write(f"{served.url}\n")
        sys.stdout.flush()
        threading.Event().wait()
