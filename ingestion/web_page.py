"""A page of the web as the crawler needs it: its main part, its links, what it asks of robots.

Runs in the parser's child only. The main part is what is left when navigation, banners, side
columns and lists of links are taken out; landmarks (`main`, `article`) lead where a page has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from html import escape
from typing import Any

from core.documents import Attachment, Document
from ingestion import html
from ingestion.limits import Limits
from ingestion.page_text import one_line

LINKS_MAX = 3_000
_URL_MAX = 2_000
_NEVER = {
    "script", "style", "noscript", "template", "svg", "iframe", "object", "embed", "nav", "button",
    "select", "input", "canvas", "dialog",
}  # fmt: skip
_ROLES = {"navigation", "banner", "contentinfo", "search", "dialog", "alertdialog", "menu"}
_MAIN = ("main", "[role=main]", "[itemprop=articleBody]", "article")
_ASIDE = {"header", "footer", "aside"}  # of the page; within its text they are part of it
# What people call the parts around a text; asked of `class` and `id`, word by word.
_AROUND = re.compile(
    r"(?:^|[\s_-])(?:nav|navbar|navigation|menu|breadcrumbs?|sidebar|cookies?|consent|gdpr|banner|"
    r"share|sharing|social|newsletter|subscribe|related|recommended|promo|advert|ads?|sponsored|"
    r"pagination|pager|skip-?link|footer|header|masthead|toolbar|popup|modal|comments?)(?:$|[\s_-])",
    re.IGNORECASE,
)
_GROUPS = {"div", "section", "ul", "ol", "dl", "form"}
_ENOUGH = 200  # characters that make a landmark the text, whatever else stands around
_LINKY = 0.6  # share of a group's letters that stand in links: a menu, not a text
_SENTENCE = 300  # a group with that much text of its own stays even among links
_MONTHS = (
    r"jan\w*|feb\w*|mar\w*|mär\w*|apr\w*|ma[iy]|jun\w*|jul\w*|aug\w*|sep\w*|o[ck]t\w*|nov\w*|"
    r"de[cz]\w*|(?:mon|tues|wednes|thurs|fri|satur|sun)day|previous|next"
)
_TURNING = re.compile(rf"[\d\W_]+|\b(?:{_MONTHS})\b", re.IGNORECASE)


def read(data: bytes, limits: Limits) -> Document:
    """The page's main part is the only attachment, as HTML; `metadata` has the rest."""
    del limits
    parsed = html._parse(html.decoded(data))
    about = _about(parsed)
    title = parsed.css_first("title")
    name = one_line(title.text())[:300] if title is not None else ""
    root = _main(parsed)
    body = (root.html or "") if root is not None else ""
    kept = (
        f'<!doctype html><html><head><meta charset="utf-8"><title>{escape(name)}</title></head>'
        f"<body>{body}</body></html>"
    )
    page = html.page_from_text(kept, 1)
    about |= {
        "text": _hash(f"{name}\0{page.text}"),
        "shape": sha256(
            _TURNING.sub(" ", page.text.lower()).encode("utf-8", "replace")
        ).hexdigest(),
        "letters": len(page.text),
    }
    own = Attachment("page.html", "text/html", kept.encode("utf-8", "replace"))
    return Document("html", (page,), title=name or None, metadata=about, attachments=(own,))


def _about(parsed: Any) -> dict[str, Any]:
    """Before anything is taken out: menus are where most links stand."""
    robots = " ".join(
        one.attributes.get("content") or ""
        for one in parsed.css("meta[name]")
        if (one.attributes.get("name") or "").lower() in ("robots", "weft")
    )
    return {
        "robots": robots.lower()[:500],
        "base": _first(parsed, "base[href]", "href"),
        "canonical": _canonical(parsed),
        "refresh": _refresh(parsed),
        "links": list(_links(parsed)),
    }


def _canonical(parsed: Any) -> str:
    for one in parsed.css("link[rel][href]"):
        if "canonical" in (one.attributes.get("rel") or "").lower().split():
            return str(one.attributes.get("href") or "").strip()[:_URL_MAX]
    return ""


def _refresh(parsed: Any) -> str:
    """Where `<meta http-equiv=refresh>` leads."""
    for one in parsed.css("meta[http-equiv]"):
        if (one.attributes.get("http-equiv") or "").lower() == "refresh":
            _seconds, _, rest = (one.attributes.get("content") or "").partition(";")
            name, _, url = rest.strip().partition("=")
            if name.strip().lower() == "url":
                return url.strip().strip("'\"")[:_URL_MAX]
    return ""


def _links(parsed: Any) -> Iterator[str]:
    """As they stand there, each once; those that ask not to be followed are left out."""
    seen: set[str] = set()
    for one in parsed.css("a[href],area[href]"):
        href = (one.attributes.get("href") or "").strip()
        rel = (one.attributes.get("rel") or "").lower().split()
        if not href or href.startswith("#") or len(href) > _URL_MAX or href in seen:
            continue
        if {"nofollow", "sponsored", "ugc"} & set(rel):
            continue
        seen.add(href)
        yield href
        if len(seen) >= LINKS_MAX:
            return


def _first(parsed: Any, selector: str, attribute: str) -> str:
    found = parsed.css_first(selector)
    told = (found.attributes.get(attribute) or "") if found is not None else ""
    return str(told).strip()[:_URL_MAX]


@dataclass(slots=True)
class _Weight:
    """Letters without spaces, those of them in links, and how many links."""

    letters: int = 0
    linked: int = 0
    links: int = 0


def _main(parsed: Any) -> Any:
    body = parsed.body or parsed.root
    if body is None:
        return None
    weights = _weighed(body)
    root = _landmark(body, weights) or body
    whole = weights[root.mem_id].letters
    gone = [one for one in _around(root, weights) if one.mem_id != root.mem_id]
    if sum(weights[one.mem_id].letters for one in gone if one.mem_id in weights) >= whole:
        # A page of nothing but links is its list of links.
        gone = [one for one in gone if _never(one)]
    for one in gone:  # none of them within another
        one.decompose()
    return root


def _weighed(body: Any) -> dict[int, _Weight]:
    """By `mem_id`. A walk without recursion: hostile pages nest deeper than any stack."""
    weights: dict[int, _Weight] = {}
    stack: list[tuple[Any, _Weight, bool, bool]] = [(body, _Weight(), False, False)]
    while stack:
        node, above, linked, leaving = stack.pop()
        if leaving:
            own = weights[node.mem_id]
            above.letters += own.letters
            above.linked += own.linked
            above.links += own.links
        elif node.tag == "-text":
            letters = len("".join((node.text_content or "").split()))
            above.letters += letters
            above.linked += letters if linked else 0
        elif node.tag and not node.tag.startswith(("-", "_", "!")) and not _never(node):
            link = node.tag == "a" and "href" in node.attributes
            own = weights[node.mem_id] = _Weight(links=int(link))
            stack.append((node, above, linked, True))
            stack += [(child, own, linked or link, False) for child in _children(node)]
    return weights


def _children(node: Any) -> Iterator[Any]:
    child = node.first_child
    while child is not None:
        yield child
        child = child.next


def _landmark(body: Any, weights: dict[int, _Weight]) -> Any:
    whole = weights[body.mem_id].letters
    for selector in _MAIN:
        found = [one for one in body.css(selector) if one.mem_id in weights]
        if len(found) == 1 and weights[found[0].mem_id].letters >= min(_ENOUGH, whole * 0.3):
            return found[0]
    return None


def _around(root: Any, weights: dict[int, _Weight]) -> Iterator[Any]:
    """The topmost nodes to be taken out."""
    whole = weights[root.mem_id].letters
    stack = [root]
    while stack:
        node = stack.pop()
        if node.tag is None or node.tag.startswith(("-", "!")):
            continue
        own = weights.get(node.mem_id)
        if own is None or (own.letters < whole * 0.5 and _beside(node, own, root)):
            yield node
        else:
            stack += _children(node)


def _never(node: Any) -> bool:
    if node.tag in _NEVER:
        return True
    told = node.attributes
    if "hidden" in told or (told.get("aria-hidden") or "").lower() == "true":
        return True
    return (told.get("role") or "").lower() in _ROLES


def _beside(node: Any, own: _Weight, root: Any) -> bool:
    """Called, or looking like, what stands around a text."""
    if node.tag in _ASIDE and root.tag == "body":
        return True
    told = node.attributes
    if (told.get("role") or "").lower() == "complementary":
        return True
    if node.tag not in _GROUPS:
        return False
    if any(_AROUND.search(told.get(name) or "") for name in ("class", "id")):
        return True
    alone = own.letters - own.linked
    return own.links >= 3 and alone < _SENTENCE and own.linked > own.letters * _LINKY


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()
