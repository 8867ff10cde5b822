"""A tenant's policy for personal data, and the one place where a reader's sight is narrowed.

`leave`: nothing is done. `mask`: who has not the scope `pii:reveal` sees dots of the same length,
so that citations by offset still fit. `redact`: the dots are stored, and the original is not kept.
What is read for a person or a run goes through here; what reads for the index does not.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from weakref import WeakKeyDictionary

from agents.stored import whole_text_of
from core import codec
from core.context import Ctx
from core.documents import Document, Fields, FieldValue, Hit
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unfinishable
from core.vault import Vault
from database import audit, tenants
from ingestion import pii
from runtime import Runtime

MODES = ("leave", "mask", "redact")
REVEAL = "pii:reveal"
MARKS = "pii"  # kind of object in the vault, named by document id
_BELIEVED_SECONDS = 1.0
_TENANTS_HELD = 10_000
_HELD = 256  # documents' marks in memory
_NAMED_MAX = 100  # documents whose values are looked for in one answer
_TEXT_MIN = 5  # characters: nothing shorter tells who somebody is
_ID = re.compile(r"[0-9a-f-]{36}")
# Keys whose texts are ours: ids, places, times and hashes.
_OURS = re.compile(
    r"(?:.*_)?(?:id|ids|at|cursor|url|sha256|digest|hash|key|href|status|format|code|type|version)"
    r"|links|documents|created_by|actor"
)


@dataclass(frozen=True, slots=True)
class Policy:
    mode: str = "leave"
    kinds: frozenset[str] = pii.BY_DEFAULT

    @property
    def name(self) -> str:
        """Equal for equal sight: a part of what is kept for a reader is kept by."""
        return f"mask {' '.join(sorted(self.kinds))}" if self.masks else ""

    @property
    def masks(self) -> bool:
        """Also by `redact`: what was read before it holds everything."""
        return self.mode != "leave"


_POLICIES: WeakKeyDictionary[Vault, dict[str, tuple[Policy, float]]] = WeakKeyDictionary()


def policy_of(config: Mapping[str, Any]) -> Policy:
    told = config.get("pii") or {}
    return Policy(told.get("mode", "leave"), frozenset(told.get("kinds") or pii.BY_DEFAULT))


def policy(rt: Runtime, ctx: Ctx) -> Policy:
    """Believed for a second: a question asks it of every table. A change made by this process is
    in force at once."""
    held, now = _POLICIES.setdefault(rt.vault, {}), time.monotonic()
    known = held.get(ctx.tenant)
    if known is not None and now < known[1]:
        return known[0]
    with rt.db.read(ctx) as tx:
        found = policy_of(tenants.own(tx, ctx).config)
    if len(held) > _TENANTS_HELD:
        held.clear()
    held[ctx.tenant] = (found, now + _BELIEVED_SECONDS)
    return found


def choose(rt: Runtime, ctx: Ctx, mode: str, kinds: Sequence[str] | None) -> Policy:
    """Changes the tenant's policy; audited. `redact` is for what is read from now on,
    and masks what was read before."""
    if mode not in MODES:
        raise InvalidInput(f"mode is one of {', '.join(MODES)}.", field="mode")
    wanted = sorted(pii.BY_DEFAULT if kinds is None else set(kinds))
    if not wanted or not set(wanted) <= set(pii.KINDS):
        raise InvalidInput(f"kinds are some of {', '.join(pii.KINDS)}.", field="kinds")
    told = {"mode": mode, "kinds": wanted}
    with rt.db.transaction(ctx) as tx:
        tenants.patch(tx, ctx, ctx.tenant, config={"pii": told})
        audit.record(tx, ctx, "pii.policy", ctx.tenant, told)
    _POLICIES.get(rt.vault, {}).pop(ctx.tenant, None)
    return policy_of({"pii": told})


def hides(rt: Runtime, ctx: Ctx) -> Policy | None:
    """The policy by which something is hidden from this reader; None when nothing is."""
    if REVEAL in ctx.scopes:
        return None
    found = policy(rt, ctx)
    return found if found.masks else None


def sight(rt: Runtime, ctx: Ctx) -> str:
    """What is kept for readers is kept apart by this: equal for those who see the same."""
    found = policy(rt, ctx)
    return f"{found.name} {REVEAL in ctx.scopes}" if found.masks else ""


def document(rt: Runtime, ctx: Ctx, document_id: str, whole: Document) -> Document:
    """As this reader may see it; a reveal is audited."""
    found = policy(rt, ctx)
    if not found.masks:
        return whole
    marks = _marks(rt, ctx, document_id, lambda: whole).of(found.kinds)
    if not marks:
        return whole
    if REVEAL in ctx.scopes:
        revealed(rt, ctx, [document_id])
        return whole
    return pii.document_shown(whole, marks, found.kinds)


def hits(rt: Runtime, ctx: Ctx, found: list[Hit]) -> list[Hit]:
    """Passages as this reader may see them."""
    chosen = policy(rt, ctx)
    if not chosen.masks or not found:
        return found
    if REVEAL in ctx.scopes:
        ids = {hit.chunk.document_id for hit in found}
        revealed(rt, ctx, [one for one in sorted(ids) if _known(rt, ctx, one).of(chosen.kinds)])
        return found
    return [_hit(rt, ctx, hit, chosen.kinds) for hit in found]


def _hit(rt: Runtime, ctx: Ctx, hit: Hit, kinds: frozenset[str]) -> Hit:
    chunk, marks = hit.chunk, _known(rt, ctx, hit.chunk.document_id)
    text = pii.slice_shown(chunk.text, chunk.page, chunk.start, marks, kinds)
    context = pii.shown(chunk.context, marks, kinds)
    about = {name: pii.shown(one, marks, kinds) if isinstance(one, str) else one
             for name, one in hit.metadata.items()}  # fmt: skip
    return replace(hit, chunk=replace(chunk, text=text, context=context), metadata=about)


def fields(rt: Runtime, ctx: Ctx, document_id: str, found: Fields) -> Fields:
    """Values by where they stand: one that was written anew (a date, an IBAN without its blanks) is
    hidden because its source is."""
    chosen = hides(rt, ctx)
    if chosen is None:
        return found
    marks = _known(rt, ctx, document_id)
    named = {name: _field(value, marks, chosen.kinds) for name, value in found.fields.items()}
    items = tuple({name: _field(value, marks, chosen.kinds) for name, value in row.items()}
                  for row in found.line_items)  # fmt: skip
    return replace(found, fields=named, line_items=items)


def _field(value: FieldValue, marks: pii.Marks, kinds: frozenset[str]) -> FieldValue:
    source = value.source
    if value.value is None:
        return value
    text = pii.shown(value.value, marks, kinds)
    if source is None:
        return replace(value, value=text)
    quote = pii.slice_shown(source.quote, source.page, source.start, marks, kinds)
    if quote != source.quote and text == value.value:
        spans = marks.of(kinds).spans.get(source.page, ())
        if any(start < source.end and source.start < end for _, start, end in spans):
            text = pii.hidden(text, [(0, len(text))])
    return replace(value, value=text, source=replace(source, quote=quote))


def content(rt: Runtime, ctx: Ctx, document_id: str) -> None:
    """The bytes of an original cannot be masked. Raises `Forbidden` where they hold something that
    this reader may not see."""
    chosen = policy(rt, ctx)
    if not chosen.masks or not _known(rt, ctx, document_id).of(chosen.kinds):
        return
    if REVEAL not in ctx.scopes:
        raise Forbidden(
            f"This file holds personal data: its original needs the scope {REVEAL!r}. Its text is "
            "shown without them.", scope=REVEAL,
        )  # fmt: skip
    revealed(rt, ctx, [document_id])


def plain(rt: Runtime, ctx: Ctx, value: Any, kinds: Iterable[str]) -> Any:
    """Any JSON without what is found in its texts, by itself or in the documents that it names."""
    wanted = frozenset(kinds)
    ids = list(dict.fromkeys(_named(value)))[:_NAMED_MAX]
    known = [one for name in ids for one in _known(rt, ctx, name).of(wanted).values]
    return _plain(value, pii.Sight(pii.Marks(values=tuple(known)), wanted))


def _plain(value: Any, sight: pii.Sight, key: str = "") -> Any:
    """Every text but our own ids, places and times."""
    if isinstance(value, str):
        return value if len(value) < _TEXT_MIN or _OURS.fullmatch(key) else sight.shown(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 1e12 <= value < 1e19:
        text = str(int(value))  # a card's number, out of a sheet
        return value if _OURS.fullmatch(key) or sight.shown(text) == text else sight.shown(text)
    if isinstance(value, Mapping):
        return {name: _plain(one, sight, str(name)) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one, sight, key) for one in value]
    return value


def _named(value: Any, key: str = "") -> Iterator[str]:
    """Ids of the documents that JSON speaks of."""
    if isinstance(value, str):
        if key in ("document_id", "documents") and _ID.fullmatch(value):
            yield value
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _named(one, str(name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _named(one, key)


def redacted(rt: Runtime, ctx: Ctx, whole: Document) -> Document | None:
    """What is to be stored instead, by the policy `redact`; None by the others."""
    chosen = policy(rt, ctx)
    if chosen.mode != "redact":
        return None
    return pii.document_shown(whole, pii.marks_of(whole), chosen.kinds)


def revealed(rt: Runtime, ctx: Ctx, document_ids: Sequence[str]) -> None:
    """Written down: who saw the personal data of which document."""
    if not document_ids:
        return
    with rt.db.transaction(ctx) as tx:
        for one in document_ids:
            audit.record(tx, ctx, "pii.reveal", one)


_HELD_MARKS: WeakKeyDictionary[Vault, OrderedDict[tuple[str, str], pii.Marks]] = WeakKeyDictionary()
_LOCK = threading.Lock()


def forget(rt: Runtime, ctx: Ctx, document_id: str) -> None:
    """The document goes, or is read anew."""
    with _LOCK:
        _HELD_MARKS.get(rt.vault, OrderedDict()).pop((ctx.tenant, document_id), None)
    rt.vault.delete(ctx, MARKS, document_id)


def _known(rt: Runtime, ctx: Ctx, document_id: str) -> pii.Marks:
    """None of a document that has no text (any more)."""
    try:
        return _marks(rt, ctx, document_id, lambda: whole_text_of(rt, ctx, document_id))
    except (Conflict, NotFound, Unfinishable):
        return pii.Marks()


def _marks(rt: Runtime, ctx: Ctx, document_id: str, read: Callable[[], Document]) -> pii.Marks:
    """Held in memory, else in the vault, else made from the document and kept."""
    key = (ctx.tenant, document_id)
    with _LOCK:
        held = _HELD_MARKS.setdefault(rt.vault, OrderedDict())
        if key in held:
            held.move_to_end(key)
            return held[key]
    try:
        found = codec.decode(pii.Marks, rt.vault.get(ctx, MARKS, document_id))
    except NotFound:
        found = pii.marks_of(read())
        rt.vault.put(ctx, MARKS, document_id, codec.encode(pii.Marks, found))
    with _LOCK:
        held[key] = found
        while len(held) > _HELD:
            held.popitem(last=False)
    return found
