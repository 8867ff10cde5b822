"""Messages from Kafka that bring a document, beside those that start a workflow.

A document is there once for a message and once for its bytes: a twin is the same document, and what
is asked for it starts all the same.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Any

from pydantic import Field

from agents.quotas import within_quota
from agents.registry import AGENTS
from agents.uploads import READING, Received, Upload, ring
from agents.uploads import receive as receive_files
from core.context import Ctx
from core.errors import InvalidInput, TooLarge
from core.messages import Message, Taken, Verdict
from database import Tx, documents
from database.inserts import one_by_one
from runtime import Runtime
from workflows import admission, intake, references
from workflows.intake import Kind, Once, Shape
from workflows.submission import Submission, submit_in
from workflows.turn import turn

# Of the whole message: what a broker takes that nobody set up otherwise. By base64 a file of
# about 780 KB.
BYTES_MAX = 2**20
_ELSEWHERE = (
    "A larger file goes in by HTTP (POST /documents), or lies in a bucket or on a server that an "
    "integration (s3, sftp) looks at."
)
_BYTES = "application/octet-stream"

_Text = Annotated[str, Field(min_length=1, max_length=255)]
_Metadata = Annotated[dict[Annotated[str, Field(max_length=64)], Any], Field(max_length=50)]


class Arrival(Shape):
    """One file, as `content` (base64) or `text`."""

    filename: _Text
    content_type: Annotated[str, Field(max_length=127)] = ""
    content: str | None = None
    text: str | None = None
    metadata: _Metadata = Field({})
    tags: Annotated[list[_Text], Field(max_length=50)] = Field([])
    workflow: Annotated[str, Field(max_length=80)] | None = None
    inputs: intake.Plain = Field({})


def receive(rt: Runtime, message: Message) -> Verdict:
    """Every type of message that Weft takes."""
    return intake.receive(rt, AGENTS.catalog, message, _KINDS)


class _TwinError(Exception):
    """Another message brought these bytes while this one was on its way."""


@dataclass(slots=True)
class _Taking:
    """One message: the runs that it starts, in the transaction that keeps its document."""

    rt: Runtime
    once: Once
    data: Arrival
    digest: str  # of the bytes
    run_id: str = ""

    @property
    def ctx(self) -> Ctx:
        return self.once.ctx

    def read(self, rt: Runtime, tx: Tx, ctx: Ctx, document_id: str) -> None:
        reading = Submission(workflow=READING, inputs={"document_id": document_id},
                             documents=(document_id,))  # fmt: skip
        self.run_id = submit_in(rt, tx, ctx, reading).id

    def new(self, tx: Tx, made: list[Received]) -> None:
        """Raises `_TwinError`."""
        _alone(tx, self.ctx, self.digest)
        first = documents.by_hash(tx, self.ctx, self.digest)
        if first is not None and first.id != made[0].document_id:
            raise _TwinError
        self._started(tx, made[0].document_id)

    def known(self) -> Taken | None:
        """The twin is what this message brings; None when there is none (any more)."""
        self.run_id = ""
        with turn(self.rt, self.ctx, "submit.commit") as t:
            _alone(t.tx, self.ctx, self.digest)
            first = documents.by_hash(t.tx, self.ctx, self.digest)
            if first is None:
                return None
            taken = self._started(t.tx, first.id)
        ring(self.rt)
        return taken

    def _started(self, tx: Tx, document_id: str) -> Taken:
        if self.data.workflow is not None:
            self.run_id = submit_in(self.rt, tx, self.ctx, Submission(
                workflow=self.data.workflow, inputs=self.data.inputs, documents=(document_id,)
            )).id  # fmt: skip
        taken = Taken(self.run_id, document_id=document_id)
        self.once.keep(tx, taken)
        return taken


def take(rt: Runtime, once: Once, data: Arrival) -> Taken:
    """The document, the run that reads it, the workflow asked for and the memory of the message
    are one commit. Raises like an upload."""
    content = _content(rt, data)
    if data.workflow is None and data.inputs:
        raise InvalidInput("`inputs` are a workflow's: name it.", code="bad_envelope")
    references.own_documents(rt, once.ctx, data.inputs)
    if data.workflow is not None:
        admission.admit_run(rt, once.ctx, once.tenant.tier)
    one = _Taking(rt, once, data, sha256(content).hexdigest())
    with rt.db.read(once.ctx) as tx:
        there = documents.by_hash(tx, once.ctx, one.digest) is not None
    if there and (found := one.known()) is not None:
        return found
    within_quota(rt, once.ctx, once.tenant.tier, 1, len(content))
    kind = data.content_type or ("text/plain" if data.text is not None else _BYTES)
    upload = Upload(data.filename, kind, content, metadata=data.metadata, tags=tuple(data.tags))
    try:
        made = receive_files(rt, once.ctx, [upload], one.read, one.new)
    except _TwinError:
        return one.known() or take(rt, once, data)
    return Taken(one.run_id, document_id=made[0].document_id)


def _content(rt: Runtime, data: Arrival) -> bytes:
    if (data.content is None) == (data.text is None):
        raise InvalidInput("Give either `content` (base64) or `text`.", code="bad_envelope")
    if data.text is not None:
        found = data.text.encode()
    else:
        try:
            found = base64.b64decode("".join((data.content or "").split()), validate=True)
        except ValueError as error:
            raise InvalidInput("data.content is no base64.", code="bad_envelope") from error
    if len(found) > rt.settings.upload_bytes_max:
        raise TooLarge(f"A file may have at most {rt.settings.upload_bytes_max} bytes.")
    return found


def _alone(tx: Tx, ctx: Ctx, digest: str) -> None:
    """Messages with the same bytes come one after another: each then sees the one before."""
    one_by_one(tx, f"{ctx.tenant} content {digest}")


_KINDS = {"document.ingest": Kind(Arrival, take, BYTES_MAX, _ELSEWHERE)}
