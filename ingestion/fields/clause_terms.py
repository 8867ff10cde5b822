"""Which duration in a contract is its term, its renewal or its notice, and which is none."""

from __future__ import annotations

import re

from ingestion.fields.clause import THIS, Hit, words

_NOT_TERM = words(
    r"(?:notice|breach|cure|default|renew\w*|extend\w* (?:for|by)|extension|additional|successive"
    r"|further|surviv\w*|confiden\w*|compet\w*|thereafter|warrant\w*|audit\w*|records|within"
    r"|(?:after|following) (?:the |any |such )?(?:terminat|expir)\w*|less than|at least|royalt\w*"
    r"|more than|exceed\w*|payment\w*|invoice\w*|if |prior to|unable|inventory|purchase price)"
    r"[^.;]{0,60}$"
)
_NOT_TERM_BEHIND = words(
    r"^\W*(?:s )?(?:prior|written|advance|notice|before|thereafter|of (?:receipt|such|the date of)"
    r"|(?:after|following|from) (?:the |any |such |its )*"
    r"(?:date of )?(?:such )?(?:early )?(?:terminat|expir|receipt|notice|deliver|invoice)"
    r"|old|in advance|renewal|extension|(?:periods?|terms) each)"
)
_TERM_IS = words(
    r"(?<!long\s)(?<!short\s)(?<!long-)(?<!short-)(?<!this\s)(?<!single\s)\bterm\b[^.;]{0,120}\b(?:is|be|of|for|continue|extend|run|expire|terminate|end|last|remain"
    r"|mean)s?\W+(?:in (?:full )?(?:force|effect)(?: and effect)?\W+)?(?:(?:for|a|an|of|the|period"
    r"|term|initial|minimum|fixed|total|on)\W+)*$"
)
_DEED_RUNS = words(
    rf"{THIS}[^.;]{{0,200}}\b(?:effect|force|continue|remain|commence|begin|effective|valid"
    r"|terminate|expire|last)s?\b[^.;]{0,110}?\b(?:for|of|is|be|on|expire|terminate|end)s?"
    r"\W+(?:(?:for|a|an|of|the|period|term|initial|minimum|fixed|total)\W+)*$"
)
_FROM_START = words(
    r"^\s*,?\s*(?:from|after|following|commencing|beginning|starting)\W+"
    r"(?:and including |on |as of )*(?:the )?\W?(?:effective|commencement|launch|date|start|signing"
    r"|execution|first)"
)
_CALLED_TERM = words(r"^[^.;]{0,160}\(\W*(?:the |this )?\W*(?:initial )?(?:\w+ )?term\b")


_ALSO = words(
    r"\b(?:and|or) (?:continu\w+ )?for (?:an? )?(?:\w+ )?(?:period of )?$|\bmust\b[^.;]{0,60}$"
)


def term(hit: Hit) -> float:
    """How surely a duration is the term of the contract; 0 where it is not."""
    if _NOT_TERM_BEHIND.search(hit.behind) or _NOT_TERM.search(hit.before[-90:]):
        return 0.0
    runs = bool(_TERM_IS.search(hit.before)) or bool(_DEED_RUNS.search(hit.before))
    called = bool(_CALLED_TERM.search(hit.behind))
    from_start = bool(_FROM_START.search(hit.behind))
    if not runs or _ALSO.search(hit.before):
        return 0.0
    return 0.74 + 0.08 * called + 0.06 * from_start


_RENEWS = words(r"\b(?:renew|extend|extension)\w*\b[^.;]{0,140}$")
_RENEWAL_BEHIND = words(
    r"^\W*(?:s )?(?:renewal |extension |additional )?(?:periods?|terms?|each)\b"
    r"|^\W*(?:unless|until|$|\.|\(|,)"
)
_RENEWAL_BEFORE = words(
    r"\b(?:successive|additional|further|consecutive|subsequent|like|another|renewal|extended|each"
    r"|annual|periods?|terms?)\W+(?:[\w()]+ ){0,4}?(?:of |for )?(?:up to )?(?:an? )?"
    r"(?:additional |successive )?$"
)
_NOT_RENEWAL = words(
    r"\b(?:notice|prior|least|less than|within|deliver\w*|payment|warranty|cure|breach)\b"
    r"[^.;]{0,40}$"
)
_ROLLING = words(r"\b(?:year|month)(?:-to-| to |-by-)(?:year|month)\b(?: basis)?")


def renewal(hit: Hit) -> float:
    """How surely it is for this long that the contract is renewed."""
    if not _RENEWS.search(hit.before) or _NOT_RENEWAL.search(hit.before[-60:]):
        return 0.0
    if re.search(r"\bif\b[^.;]{0,140}$", hit.before, re.IGNORECASE):
        return 0.0
    if re.match(
        r"\W*(?:prior|before|written|advance|notice|in advance|commencing|after|following|from)",
        hit.behind,
        re.IGNORECASE,
    ):
        return 0.0
    sure = bool(_RENEWAL_BEFORE.search(hit.before[-90:]))
    ends = bool(_RENEWAL_BEHIND.search(hit.behind))
    of_deed = bool(re.search(r"\b(?:agreement|contract|lease|term)\b", hit.before, re.I))
    return 0.66 + 0.12 * sure + 0.04 * ends + 0.04 * of_deed if sure or (ends and of_deed) else 0.0


_CAUSE = words(
    r"\b(?:breach\w*|default\w*|fail\w*|cure\w*|remed\w*|material\w*|insolv\w*|bankrupt\w*|insur\w*"
    r"|audit\w*|inspect\w*|polic(?:y|ies)|price\w*|rates?|disclos\w*|change of control"
    r"|force majeure|violat\w*|infring\w*|non-?payment|past due"
    r"|reopen\w*|regulatory|acquir\w*|for cause"
    r"|with cause|ceas\w*|unable)\b"
)
_FREELY = words(r"\b(?:without cause|any reason|no reason|convenience|with or without)\b")
_ANY_TIME = words(r"\b(?:any time|at will|sole discretion|either party may terminate)\b")
_IN_CASE = words(r"^[^.;]{0,70}\b(?:if|in the event|in case|occurrence|due to|as a result)\b")
_OPTION = words(
    r"\b(?:choice|desires?|wish\w*|option|right|request\w*|exercise) to (?:renew|extend)\b"
)
_ENDS = words(
    r"\b(?:terminat\w*|cancel\w*|not (?:to )?(?:renew|extend)|non-?renew\w*|elects? not|renew\w*"
    r"|intent\w*)\b"
)
_NOTICE_BEHIND = words(r"^\W*(?:s\W)?\s*(?:(?:prior|advance|written|of|in|the)\W+){0,4}notice")
_NOTICE_BEFORE = words(
    r"\bnoti(?:ce|fi\w+|fy)\b[^.;]{0,140}\b(?:least|less than|fewer than|later than|of)"
    r"\W+(?:an? )?$"
)
_PERIOD_IS = words(
    r"\bnotice period (?:for (?:termination|cancellation|terminating this agreement) )?"
    r"(?:of|is|shall be|will be)\W+(?:an? )?$|\btermination requires (?:an? )?$"
)
_AHEAD = words(r"^\W*(?:s\W)?\s*(?:prior to|before|in advance|preceding|written)")


def notice(hit: Hit) -> float:
    """How surely it is the notice that ends the contract without a cause."""
    if _PERIOD_IS.search(hit.before):
        return 0.84
    behind = bool(_NOTICE_BEHIND.search(hit.behind))
    before = bool(_NOTICE_BEFORE.search(hit.before)) and bool(_AHEAD.search(hit.behind))
    if not (behind or before) or not re.search(
        THIS + r"|\b(?:initial|renewal|then.current|any|the) "
        r"(?:[\w\-]+ )?term\b",
        hit.segment.text,
        re.I,
    ):
        return 0.0
    near = hit.before[-200:] + " | " + hit.behind[:110]
    if not _ENDS.search(near):
        return 0.0
    if _FREELY.search(near):
        return 0.82
    if _CAUSE.search(near) or _IN_CASE.search(hit.behind) or _OPTION.search(near):
        return 0.0
    renewing = bool(re.search(r"renew|extend|expir|end of", near, re.IGNORECASE))
    return 0.8 if _ANY_TIME.search(near) else 0.78 if renewing else 0.72
