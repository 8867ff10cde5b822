"""`/ask`: an answer with its proof, or none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from agents.answers import Question, ask, stream
from core.errors import WeftError
from gateway import streams
from gateway.house import Caller, permit
from gateway.references import own_documents
from gateway.schemas.search import AskAnswer, AskRequest

router = APIRouter(tags=["answers"])


@router.post("/ask", response_model=AskAnswer, responses=streams.EVENTS)
def answer(who: Annotated[Caller, permit("answers:read")], body: AskRequest) -> Response:
    """Sentence by sentence, each with its quotes; what the sources do not say is not said."""
    own_documents(who, body.filters or {})
    question = Question(body.question, session_id=body.session_id, filters=body.filters)
    if body.stream:
        return streams.stream(_events(who, question))
    found = AskAnswer.model_validate(ask(who.rt, who.ctx, question).to_json())
    return Response(found.model_dump_json(), media_type="application/json")


def _events(who: Caller, question: Question) -> Iterator[bytes]:
    """`token`, `citation`, `done`; a failure after the first byte is an event too."""
    try:
        for kind, data in stream(who.rt, who.ctx, question):
            yield streams.sse(kind, data)
    except WeftError as error:
        yield streams.sse("error", error.to_json())
