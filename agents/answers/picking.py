"""Of the passages that answer, the few that are shown: no sentence that adds nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from agents.answers.enough import Evidence
from agents.answers.evidence import answering
from agents.answers.kinds import answers_well
from agents.answers.passages import Passage, passages
from agents.answers.question import Asked
from agents.answers.rows import read
from agents.answers.scoring import (
    answers_its_question,
    explains,
    is_labelled,
    is_under_its_title,
    matches,
)
from agents.answers.words import codes, stems
from core.documents import Hit
from core.ports import Embedder

PICKS_MAX = 4
_SECTION_MAX = 3
_STEPS_MAX = 6
_SAME_QUESTION = 0.5
_LISTED = ("steps", "text")


def found(asked: Asked, hits: Sequence[Hit], embedder: Embedder | None) -> list[Evidence]:
    """What answers the question, or each of the questions that it is made of."""
    each = [picked(part, answering(part, hits, embedder)) for part in asked.parts]
    shown = {one.passage.key: one for part in each for one in part}
    return list(shown.values()) or picked(asked, answering(asked, hits, embedder))


def picked(asked: Asked, enough: Sequence[Evidence]) -> list[Evidence]:
    """What is shown, cells of tables with their names."""
    return [replace(one, said=read(asked, one.passage.cells)) for one in _chosen(asked, enough)]


def _chosen(asked: Asked, enough: Sequence[Evidence]) -> list[Evidence]:
    """The best and those that speak of what it leaves out; with the list below it when it
    announces one, and the line that names the code when a code was asked about."""
    if not enough:
        return []
    best = enough[0]
    picks = [best]
    for one in enough[1:]:
        if len(picks) < PICKS_MAX and one.score >= 0.8 * best.score and _adds(asked, one, picks):
            picks.append(one)
    if asked.codes:
        return _entry(asked, best, enough) or picks
    if best.passage.text.rstrip().endswith(":"):
        return _with_list(best, picks, asked.wants in _LISTED)
    if asked.wants == "steps" and best.passage.bulleted:
        return _list(best) or picks
    if asked.wants == "steps" and (way := _way_to(best.passage)):
        return [replace(best, passage=passage) for passage in (*way, best.passage)]
    if asked.wants == "text" and asked.intents & stems(best.passage.heading):
        return _section(best)
    if asked.wants in _LISTED and is_under_its_title(asked, best.passage):
        return _titled(best)
    if answers_its_question(asked, best.passage) >= _SAME_QUESTION:
        return _under_question(best)
    if asked.wants == "steps" and len(picks) == 1:
        return _steps(best)
    return picks


def _titled(best: Evidence) -> list[Evidence]:
    """`Password requirements`: what stands below it, from its first sentence."""
    own = best.passage
    same = [p for p in passages([own.hit]) if p.heading == own.heading][: PICKS_MAX + 1]
    keys = [passage.key for passage in same]
    chosen = same if own.key in keys else [*same[:PICKS_MAX], own]
    return [replace(best, passage=passage) for passage in chosen]


def _under_question(best: Evidence) -> list[Evidence]:
    """What stands below the same question, from its first sentence."""
    own = best.passage
    same = [p for p in passages([own.hit]) if p.question == own.question]
    chosen = same[:_SECTION_MAX]
    if own.key not in [p.key for p in chosen]:
        chosen = [*chosen[:-1], own]
    return [replace(best, passage=passage) for passage in chosen]


def _steps(best: Evidence) -> list[Evidence]:
    """How it is done goes on to the end of its section, where that is short."""
    own = best.passage
    same = [p for p in passages([own.hit]) if p.heading == own.heading and p.order >= own.order]
    if not own.heading or len(same) > _STEPS_MAX:
        return [best]
    return [replace(best, passage=p) for p in same[:PICKS_MAX]]


def _way_to(option: Passage) -> list[Passage]:
    """`From Settings, tap Security for the following options:`, and what stands before it in its
    section: how one comes to the labelled option below."""
    if not (option.heading and option.item) or option.cells:
        return []
    same = [p for p in passages([option.hit]) if p.heading == option.heading]
    lead = list(takewhile(lambda passage: not passage.item, same))
    return lead[-_SECTION_MAX:] if option not in lead else []


def _entry(asked: Asked, best: Evidence, enough: Sequence[Evidence]) -> list[Evidence]:
    """From a list of codes: the line that names the code, and the lines asked for below it."""
    home = next((one.passage for one in enough if explains(asked, one.passage)), None)
    if home is None:
        return []
    block = []
    for passage in passages([home.hit]):
        if passage.order > home.order and codes(passage.plain.split(" ")[0]):
            break
        if passage.order > home.order:
            block.append(passage)
    if asked.wants in ("number", "duration", "when", "money"):
        wanted = [p for p in block if answers_well(asked, p.text)]
        if not wanted:
            return []
    else:
        wanted = [p for p in block if is_labelled(asked, p)]
    rest = block[:2] if asked.intents or not asked.rest else []
    chosen = [home, *(wanted or rest)][: PICKS_MAX + 1]
    if not wanted and best.passage.hit.chunk.id != home.hit.chunk.id:
        return []
    return [replace(best, passage=passage) for passage in chosen]


def _list(best: Evidence) -> list[Evidence]:
    """The items of the list that the best one belongs to, from its first."""
    run: list[Passage] = []
    for passage in passages([best.passage.hit]):
        if passage.bulleted and passage.heading == best.passage.heading:
            run.append(passage)
        elif not passage.bulleted and any(p.key == best.passage.key for p in run):
            break
        elif passage.heading != best.passage.heading:
            run = []
    items = [replace(best, passage=item) for item in run[: PICKS_MAX + 1]]
    return items if len(items) > 1 and any(p.key == best.passage.key for p in run) else []


def _section(best: Evidence) -> list[Evidence]:
    """What stands under `Cause` when the cause is asked for."""
    own = best.passage
    same = [p for p in passages([own.hit]) if p.heading == own.heading and not p.names_its_code]
    return [replace(best, passage=passage) for passage in same[:_SECTION_MAX]]


def _adds(asked: Asked, one: Evidence, picks: Sequence[Evidence]) -> bool:
    """It speaks of something asked that the others leave out, and is an answer as they are."""
    if answers_well(asked, picks[0].passage.plain) > answers_well(asked, one.passage.plain):
        return False
    if one.similar < 0.9 * picks[0].similar:
        return False
    said = {term for pick in picks for term in _own(asked, pick.passage)}
    return any(asked.terms[term] >= 1 for term in _own(asked, one.passage) - said)


def _own(asked: Asked, passage: Passage) -> set[str]:
    words = matches(asked, stems(f"{passage.text} {passage.heading}", asked.language))
    return {term for term, share in words.items() if share}


def _with_list(best: Evidence, picks: list[Evidence], whole: bool) -> list[Evidence]:
    """The best with what it announces, the list right below it or the one line, then the others."""
    listed = [best]
    for passage in passages([best.passage.hit]):
        follows = passage.order == listed[-1].passage.order + 1
        if follows and ((passage.item and whole) or (len(listed) == 1 and not passage.item)):
            listed.append(replace(best, passage=passage))
    rest = [one for one in picks if all(one.passage.key != p.passage.key for p in listed)]
    return (listed[: PICKS_MAX + 1] + rest)[: max(len(picks), PICKS_MAX + 1)]
