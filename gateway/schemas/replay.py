"""A recorded run put to another model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gateway.schemas.base import Answer, Request


class ReplayRequest(Request):
    """`order` stands for every call's system message; `judge`: a model that passed as one."""

    model: Annotated[str, Field(min_length=1, max_length=128)]
    order: Annotated[str | None, Field(min_length=1, max_length=20_000)] = None
    judge: Annotated[str | None, Field(min_length=1, max_length=128)] = None


class Said(Answer):
    text: str
    model: str
    prompt_tokens: int
    completion_tokens: int
    ms: int
    faults: list[str]


class ReplayedCall(Answer):
    run_id: str
    step: str
    key: str
    task: str
    old: Said
    new: Said | None
    error: str | None
    same: bool
    diff: list[str]
    judged: str | None


class ReplayAnswer(Answer):
    workflow_id: str
    model: str
    calls: list[ReplayedCall]
    same: int
    old_faults: int
    new_faults: int
