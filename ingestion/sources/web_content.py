"""What an answer holds: a page, read in the parser's child, or a file that is a document."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from core.net import Reply, joined
from ingestion import sandbox
from ingestion.limits import MIB, Limits
from ingestion.sources.web_robots import AGENT
from ingestion.sources.web_urls import extension

FILES = {
    "application/pdf": "pdf",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "pptx",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.spreadsheet": "ods",
    "application/vnd.ms-excel": "xls", "text/csv": "csv", "text/plain": "txt",
    "text/markdown": "md", "application/json": "json", "application/xml": "xml", "text/xml": "xml",
    "message/rfc822": "eml", "application/zip": "zip",
}  # fmt: skip
_LIMITS = Limits(seconds=15.0, memory_bytes=512 * MIB, output_bytes=48 * MIB)
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w-]{1,40})", re.IGNORECASE)
_UNSAFE = re.compile(r"[\\/:*?\"<>|\x00-\x1f]+")


@dataclass(frozen=True, slots=True)
class Read:
    """A page. `base` is what its links are relative to; `text` and `shape` are hashes of its main
    part, with and without numbers."""

    title: str
    filename: str
    data: bytes
    text: str
    shape: str
    letters: int
    base: str
    canonical: str
    refresh: str
    links: Sequence[str]
    noindex: bool
    nofollow: bool


@dataclass(frozen=True, slots=True)
class File:
    filename: str
    content_type: str
    version: str


def is_page(reply: Reply) -> bool:
    kind = _kind(reply)
    if kind in ("text/html", "application/xhtml+xml"):
        return True
    head = reply.body[:200].lstrip().lower()
    return not kind and head.startswith((b"<!doctype html", b"<html"))


def read_page(url: str, reply: Reply) -> Read:
    """Raises `Unfinishable` for what the child cannot read."""
    charset = _CHARSET.search(reply.headers.get("content-type", ""))
    # What the server says of the encoding goes before what the page says.
    mark = f'<meta charset="{charset[1]}">'.encode() if charset else b""
    found = sandbox.parse(mark + reply.body, "page.html", "webpage", limits=_LIMITS)
    about, title = found.metadata, found.title or ""
    rules = f"{about['robots']},{_robots_header(reply)}"
    words = {word.strip() for word in rules.split(",")}
    return Read(
        title=title, filename=_name(title or unquote(urlsplit(url).path)),
        data=found.attachments[0].data, text=about["text"], shape=about["shape"],
        letters=about["letters"], base=joined(url, about["base"]) if about["base"] else url,
        canonical=about["canonical"], refresh=about["refresh"], links=about["links"],
        noindex=bool({"noindex", "none"} & words), nofollow=bool({"nofollow", "none"} & words),
    )  # fmt: skip


def read_sitemap(data: bytes) -> tuple[list[tuple[str, str]], list[str]]:
    """Pages with what is said of their last change, and further lists. Raises `Unfinishable`."""
    found = sandbox.parse(data, "sitemap.xml", "sitemap", limits=_LIMITS).metadata
    return [(url, at) for url, at in found["pages"]], [url for url, _at in found["maps"]]


def file_of(url: str, reply: Reply, wanted: Sequence[str]) -> File | None:
    """None for what is no document, or none that is wanted."""
    named, kind = extension(url), _kind(reply)
    found = named if named in wanted else FILES.get(kind, "")
    words = {word.strip() for word in _robots_header(reply).split(",")}
    if found not in wanted or not reply.body or {"noindex", "none"} & words:
        return None
    last = unquote(urlsplit(url).path).rstrip("/").rpartition("/")[2] or "file"
    name = last if last.lower().endswith(f".{found}") else f"{last}.{found}"
    return File(name, kind or "application/octet-stream",
                hashlib.sha256(reply.body).hexdigest()[:32])  # fmt: skip


def _kind(reply: Reply) -> str:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def _robots_header(reply: Reply) -> str:
    """`X-Robots-Tag`; `otherbot: noindex` is not meant for us."""
    told = []
    for part in reply.headers.get("x-robots-tag", "").lower().split(","):
        agent, colon, rule = part.partition(":")
        if not colon or agent.strip() == AGENT:
            told.append(rule if colon else part)
    return ",".join(told)


def _name(title: str) -> str:
    plain = " ".join(_UNSAFE.sub(" ", title).split())[:120].strip(". ")
    return f"{plain or 'page'}.html"
