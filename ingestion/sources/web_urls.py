"""One spelling for each page, and which pages a crawl may ask for."""

from __future__ import annotations

import posixpath
import re
from fnmatch import fnmatch
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urljoin, urlsplit

URL_MAX = 1_000
_DEEPEST = 12  # folders; no honest page lies deeper
_PORTS = {"http": 80, "https": 443}
_TRACKING = re.compile(
    r"utm_\w+|gclid|gbraid|wbraid|dclid|fbclid|msclkid|yclid|twclid|igshid|mc_[ce]id|_ga|_gl|"
    r"_hs(?:enc|mi)|mkt_tok|ref_src|wt_mc|cmpid|"
    r"phpsessid|jsessionid|aspsessionid\w*|sid|session_?id|sessid|cfid|cftoken|zenid|oscsid",
    re.IGNORECASE,
)
_INDEX = re.compile(r"/(?:index|default)\.(?:html?|php|aspx?|jsp|shtml)$", re.IGNORECASE)
_SESSION = re.compile(r";(?:jsessionid|phpsessid|sid)=[^/?#;]*", re.IGNORECASE)
_NUMBER = re.compile(r"\d+|[0-9a-f]{16,}")
_BAD = re.compile(r"[\x00-\x1f\x7f\\]")
# What is no text and no document, told by its name, is not even asked for.
_MEDIA = frozenset({
    "css", "js", "mjs", "map", "ico", "woff", "woff2", "ttf", "otf", "eot", "mp3", "mp4", "m4a",
    "m4v", "webm", "ogg", "oga", "ogv", "wav", "avi", "mov", "mkv", "flv", "swf", "exe", "msi",
    "dmg", "pkg", "deb", "rpm", "apk", "iso", "img", "bin", "jar", "war", "tar", "gz", "tgz", "bz2",
    "xz", "7z", "rar", "svg", "rss", "atom",
})  # fmt: skip


def canonical(url: str, base: str = "") -> str | None:
    """The one spelling of a page's address; None for what is no page of the web."""
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        host, port = (parts.hostname or "").lower().rstrip("."), parts.port
        host = host if host.isascii() else host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        return None
    scheme = parts.scheme.lower()
    if scheme not in _PORTS or not host or "@" in parts.netloc or _BAD.search(url):
        return None
    host = f"[{host}]" if ":" in host else host
    place = host if port in (None, _PORTS[scheme]) else f"{host}:{port}"
    found = f"{scheme}://{place}{_path(parts.path)}{_query(parts.query)}"
    return found if len(found) <= URL_MAX else None


def _path(path: str) -> str:
    path = _SESSION.sub("", path)
    plain = quote(unquote_to_bytes(path), safe="/:@!$&'()*+,;=~-._")
    if "%2f" in path.lower():  # an escaped slash is a letter of its folder's name
        plain = "/".join(quote(unquote_to_bytes(part), safe=":@!$&'()*+,;=~-._")
                         for part in path.split("/"))  # fmt: skip
    slash = "/" if plain.endswith(("/", "/.", "/..")) else ""
    plain = posixpath.normpath("/" + plain.lstrip("/")) if plain else "/"
    plain = plain if plain == "/" else plain + slash
    return _INDEX.sub("/", plain)


def _query(query: str) -> str:
    kept = [(name, value) for name, value in parse_qsl(query, keep_blank_values=True,
                                                       encoding="utf-8", errors="surrogateescape",
                                                       max_num_fields=None)
            if not _TRACKING.fullmatch(name)]  # fmt: skip
    if not kept:
        return ""
    return "?" + urlencode(sorted(kept), encoding="utf-8", errors="surrogateescape")


def place_of(url: str) -> str:
    """`host`, or `host:port` where the port is not the usual one."""
    return urlsplit(url).netloc


def bare(place: str) -> str:
    return place.removeprefix("www.")


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def path_of(url: str) -> str:
    """With its query: what robots.txt and the patterns speak of."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def extension(url: str) -> str:
    return posixpath.splitext(urlsplit(url).path)[1].lower().lstrip(".")


def shape(url: str) -> str:
    """Addresses that differ in numbers only are of one shape: pages of one template."""
    parts = urlsplit(url)
    names = sorted({name for name, _ in parse_qsl(parts.query, keep_blank_values=True)})
    return f"{parts.netloc}{_NUMBER.sub('#', parts.path.lower())}?{','.join(names)}"


def trap(url: str) -> bool:
    """Ever deeper paths, and paths that go in circles."""
    folders = [part for part in urlsplit(url).path.split("/") if part]
    if len(folders) > _DEEPEST:
        return True
    return any(folders.count(part) > 2 for part in set(folders) if not part.isdecimal())


def media(url: str) -> bool:
    """What is neither text nor document, by its name."""
    return extension(url) in _MEDIA


def matches(url: str, patterns: list[str]) -> bool:
    """Patterns with `*` and `?`: of the whole address when they begin with `http`, else of the
    path with its query."""
    told = path_of(url)
    return any(fnmatch(url if one.startswith("http") else told, one) for one in patterns)
