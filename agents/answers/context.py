"""A question that leans on an earlier one, asked so that it stands alone.

What an answer may come from is decided by the words of the question. So "and in 2024?" must become
the whole question of 2024 with nothing of 2025 left in it: asked beside the earlier question, that
one would be answered again. Where no rule fits, both are asked together.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from agents.answers import languages, pointing
from agents.answers.words import CODE

_CHAIN, _WORDS_MAX, _FRAGMENT_MAX = 10, 10, 6


def in_context(text: str, earlier: Sequence[str]) -> str:
    """`text`, with what it takes from the questions before it (the oldest first)."""
    before = ""
    for one in [*earlier[-_CHAIN:], text]:
        before = _after(one.strip(), before) if before else one
    return before


def _after(text: str, before: str) -> str:
    lead = pointing.LEAD.match(text)
    rest = _bare(lead["rest"] if lead else text)
    if len(rest.split()) > _WORDS_MAX:
        return text
    fragment = pointing.ASKS_AGAIN.sub("", rest, count=1) if lead and _is_short(rest) else rest
    if _is_fragment(fragment) and (lead or text.endswith("?")):
        changed = _changed(before, fragment, sure=lead is None)
        if changed or lead:
            return changed or f"{before} {text}"
    return _pointing(text, rest, before, led=lead is not None)


def _bare(text: str) -> str:
    return re.sub(r"(?:\s+aus)?[?!.\s]*$", "", text.strip("¿ "))


def _is_short(text: str) -> bool:
    return len(text.split()) <= _FRAGMENT_MAX


def _is_fragment(text: str) -> bool:
    """No sentence: nothing asks and nothing is done in it."""
    return _is_short(text) and not {word.lower() for word in text.split()} & (
        pointing.ASKING | pointing.VERBS
    )


def _changed(before: str, part: str, *, sure: bool) -> str | None:
    """The earlier question with `part` in the place of its like; None where it has none. `sure`:
    only where both are of one unmistakable kind, for `part` may be a question by itself."""
    for pattern in (CODE, pointing.YEAR, pointing.MONTH):
        new, old = pattern.findall(part), list(pattern.finditer(before))
        if new and old:
            kept = part if pattern is CODE or _is_lone(part, new[-1]) else None
            if kept:
                return _put(before, old[-1], new[-1])
    if found := _numbered(before, part):
        return found
    if _is_name(part, before) and (found := _named(before, part)):
        return found
    if sure:
        return _placed(before, part)
    return _phrased(before, part) or _placed(before, part) or _added(before, part)


def _put(text: str, old: re.Match[str], new: str) -> str:
    return f"{text[: old.start()]}{new}{text[old.end() :]}"


def _is_lone(part: str, word: str) -> bool:
    """Beside `word` nothing but a preposition or an article is said."""
    left = pointing.ARTICLE.sub(
        " ", pointing.PREPOSITION.sub(" ", part.replace(word, " ", 1)) + " "
    )
    return not re.search(r"\w{3,}", left)


def _numbered(before: str, part: str) -> str | None:
    """ "priority 2" for "priority 1"."""
    new = pointing.NUMBERED.search(part)
    old = [
        one
        for one in pointing.NUMBERED.finditer(before)
        if new and one[1].lower() == new[1].lower()
    ]
    return _put(before, old[-1], new[0]) if new and old else None


def _is_name(part: str, before: str) -> bool:
    """Nothing but a name, with a preposition or an article at most."""
    found = pointing.NAME.findall(part)
    if not found or not _is_lone(part, found[-1]):
        return False
    return not (pointing.ARTICLE.match(part) and languages.language(before) == "de")


def _named(before: str, part: str) -> str | None:
    new = pointing.NAME.findall(part)[-1]
    start = len(before) - len(before.split(maxsplit=1)[-1])  # a question's first word is no name
    old = [
        one for one in pointing.NAME.finditer(before, start) if not pointing.MONTH.fullmatch(one[0])
    ]
    if languages.language(before) == "de" and (at := pointing.PREPOSITION.match(part)):
        old = [one for one in old if before[: one.start()].endswith(f" {at[0]} ")]
    return _put(before, old[-1], new) if old else None


def _phrased(before: str, part: str) -> str | None:
    """ "the hotel limit in Germany" for the last thing with an article; what stood behind it stays,
    but where `part` has the same preposition."""
    if not pointing.ARTICLE.match(part) or (old := _thing(before)) is None:
        return None
    tail = before[old[1] :]
    for at in pointing.PREPOSITION.findall(part):
        same = re.search(rf"\s{at}\s+(?P<what>[^\s?]+)", tail, re.IGNORECASE)
        if same and bool(pointing.YEAR.search(same["what"])) == bool(pointing.YEAR.search(part)):
            tail = tail.replace(same[0], "", 1)
    return f"{before[: old[0]]}{part}{tail}"


def _placed(before: str, part: str) -> str | None:
    """ "for interns" for "for engineers"."""
    if (at := pointing.PREPOSITION.match(part)) is None:
        return None
    old = re.search(rf"\b{at[0]}\s+[^?]+?(?=\s+(?:{pointing.PREPOSITION.pattern})|\s*\?|$)", before)
    return _put(before, old, part) if old else None


def _added(before: str, part: str) -> str | None:
    return f"{_bare(before)} {part}?" if pointing.PREPOSITION.match(part) else None


def _thing(before: str) -> tuple[int, int] | None:
    """Where the last thing with an article begins and ends."""
    starts = [at for at in pointing.ARTICLE.finditer(before) if not _is_preposition(before, at)]
    if not starts:
        return None
    start = starts[-1].start()
    end = starts[-1].end()
    for word in re.finditer(r"[^\s?.,;]+", before[end:]):
        if word[0].lower() in pointing.VERBS or pointing.PREPOSITION.fullmatch(word[0]):
            break
        last = end + word.end()
    else:
        return start, len(_bare(before))
    return (start, last) if word.start() else None


def _is_preposition(text: str, at: re.Match[str]) -> bool:
    """`de` is an article in Dutch alone."""
    return at[0].strip().lower() in ("de", "des") and languages.language(text) not in ("nl", "de")


def _pointing(text: str, rest: str, before: str, *, led: bool) -> str:
    """A whole question with a word that stands for what was spoken of."""
    thing = _spoken_of(before)
    if thing and (pointing.ITS.search(rest) or pointing.THING.search(rest)):
        said = pointing.ITS.sub(f"{thing}'s", rest)
        said = re.sub(r"\bthere\b", f"in {thing}", said) if pointing.THING.search(said) else said
        return f"{pointing.THING.sub(thing, said)}?"
    lone = re.match(r"\s*(?:why|warum|wieso|pourquoi|waarom)\b", rest, re.IGNORECASE)
    if pointing.ITS.search(rest) or pointing.THING.search(rest) or pointing.VAGUE.search(rest):
        return f"{before} {text}"
    if lone and len(rest.split()) <= 3:
        return f"{before} {text}"
    if not led:
        return text
    if thing and not _says_of_what(rest):
        of = pointing.OF.get(languages.language(before) or "", "of")
        return f"{rest} {of} {thing}?"
    return f"{rest}?" if _says_of_what(rest) else f"{before} {text}"


def _says_of_what(text: str) -> bool:
    """A code, a year, a name, or a place of its own."""
    behind = text.split(maxsplit=1)[-1]
    return bool(CODE.search(text) or pointing.YEAR.search(text) or pointing.NAME.search(behind))


def _spoken_of(before: str) -> str | None:
    """A code, a thing with an article, or a name: the most telling one."""
    if codes := list(CODE.finditer(before)):
        return codes[-1][0]
    if (at := _thing(before)) is not None:
        whole = re.search(
            rf"(?:{pointing.ARTICLE.pattern})[\w-]+ (?:of|for) $", before[: at[0]], re.IGNORECASE
        )
        return before[whole.start() if whole else at[0] : at[1]]
    start = len(before) - len(before.split(maxsplit=1)[-1])
    names = list(pointing.NAME.finditer(before, start))
    return names[-1][0] if names else None
