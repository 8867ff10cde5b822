"""Chat and embeddings, shaped as OpenAI's clients send and read them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from core.plain import check_plain
from gateway.schemas.base import Answer
from gateway.schemas.search import Usage

TOOLS_MAX = 64
STOPS_MAX = 4
SECONDS_MAX = 120.0
ToolName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9_.-]{1,64}$")]
Words = Annotated[str, Field(max_length=100_000)]


class Lenient(BaseModel):
    """OpenAI's clients send more than we read; what we read is checked all the same."""

    model_config = ConfigDict(extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        return check_plain(value)


class TextPart(Lenient):
    type: Literal["text"]
    text: Words


class CalledFunction(Lenient):
    name: ToolName
    arguments: Words = "{}"


class Call(Lenient):
    """A tool that the assistant called; `id` is a name within this conversation."""

    id: Annotated[str, Field(min_length=1, max_length=128)]
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(Lenient):
    role: Literal["system", "user", "assistant", "tool", "developer"]
    content: Words | list[TextPart] | None = None
    tool_calls: Annotated[list[Call] | None, Field(max_length=TOOLS_MAX)] = None
    tool_call_id: Annotated[str | None, Field(max_length=128)] = None

    @field_validator("content", mode="before")
    @classmethod
    def _text_only(cls, value: Any) -> Any:
        for part in value if isinstance(value, list) else ():
            kind = part.get("type") if isinstance(part, dict) else None
            if kind != "text":
                raise ValueError(f"parts are of type text, not {str(kind)[:40]}")
        return value

    @model_validator(mode="after")
    def _says_something(self) -> ChatMessage:
        if self.content is None and self.role != "assistant":
            raise ValueError("content must be a text; null is for an assistant's tool calls")
        return self

    @property
    def text(self) -> str:
        if isinstance(self.content, list):
            return "".join(part.text for part in self.content)
        return self.content or ""


class Function(Lenient):
    name: ToolName
    description: Annotated[str | None, Field(max_length=4_000)] = None
    parameters: dict[str, Any] | None = None


class FunctionTool(Lenient):
    type: Literal["function"]
    function: Function


class ChosenFunction(Lenient):
    name: ToolName


class ChosenTool(Lenient):
    type: Literal["function"]
    function: ChosenFunction


class StreamOptions(Lenient):
    include_usage: bool = False


class ChatRequest(Lenient):
    """`model`: a name of `/v1/models`, `auto` for the router's choice, or nothing for the first.
    `response_format` of type `json_schema` makes the answer JSON of that shape."""

    model: Annotated[str, Field(max_length=128)] = ""
    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=200)]
    max_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    max_completion_tokens: Annotated[int | None, Field(ge=1, le=8192)] = None
    temperature: Annotated[float | None, Field(ge=0, le=2)] = None
    top_p: Annotated[float | None, Field(gt=0, le=1)] = None
    seed: int | None = None
    stop: (
        Annotated[str, Field(min_length=1, max_length=256)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=256)]], Field(max_length=STOPS_MAX)
        ]
        | None
    ) = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    tools: Annotated[list[FunctionTool] | None, Field(max_length=TOOLS_MAX)] = None
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | None = None
    parallel_tool_calls: bool | None = None
    deadline_seconds: Annotated[
        float, Field(ge=0.1, le=SECONDS_MAX, description="of our own: how long to try")
    ] = SECONDS_MAX
    # Refused in words where they ask for something: see `gateway.openai`.
    n: Annotated[int | None, Field(ge=1)] = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, Any] | None = None
    functions: list[Any] | None = None
    function_call: Any = None
    best_of: int | None = None
    audio: dict[str, Any] | None = None


class ChatAnswer(Answer):
    text: str
    model: str
    finish_reason: str
    usage: Usage


class EmbeddingsRequest(Lenient):
    model: Annotated[str, Field(max_length=128)] = ""
    input: (
        Annotated[str, Field(min_length=1, max_length=32_000)]
        | Annotated[
            list[Annotated[str, Field(min_length=1, max_length=32_000)]],
            Field(min_length=1, max_length=256),
        ]
    )
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None


class OpenAiAnswer(Answer):
    """Shaped as OpenAI's API has it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    object: str
