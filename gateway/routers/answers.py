"""`/ask`: an answer with its proof, or none."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter
from starlette.responses import Response

from agents.answers import Question, ask, stream
from core.errors import WeftError
from gateway import streams
from gateway.house import Caller, Fresh, permit, wants_fresh
from gateway.references import own_documents
from gateway.schemas.search import AskAnswer, AskRequest

router = APIRouter(tags=["answers"])
Event: TypeAlias = tuple[str, dict[str, Any]]


@router.post("/ask", response_model=AskAnswer, responses=streams.EVENTS)
def answer(
    who: Annotated[Caller, permit("answers:read")], body: AskRequest, cache_control: Fresh = None
) -> Response:
    """Sentence by sentence, each with its quotes; what the sources do not say is not said."""
    own_documents(who, body.filters or {})
    question = Question(
        body.question, session_id=body.session_id, filters=body.filters,
        fresh=wants_fresh(cache_control),
    )  # fmt: skip
    if body.stream:
        events = stream(who.rt, who.ctx, question)
        return streams.stream(_written(next(events), events))
    found = AskAnswer.model_validate(ask(who.rt, who.ctx, question).to_json())
    return Response(found.model_dump_json(), media_type="application/json")


def _written(first: Event, rest: Iterator[Event]) -> Iterator[bytes]:
    """`token`, `citation`, `done`. What fails before the first one is a problem like any other;
    what fails later is an event too."""
    try:
        for kind, data in itertools.chain([first], rest):
            yield streams.sse(kind, data)
    except WeftError as error:
        yield streams.sse("error", error.to_json())
