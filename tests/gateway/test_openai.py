"""OpenAI's own library against `/v1`, over a scripted Ollama: unchanged clients work, and what is
not done here is refused by name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from starlette.testclient import TestClient

from gateway.app import create_app
from tests.fakes.ollama import FAULTS, MODEL, FakeOllama, fake_ollama
from tests.gateway.people import Town
from tests.gateway.platform import opened

ASK: Any = [{"role": "user", "content": "What is the weather in Bonn?"}]
SHAPE = {
    "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
    "additionalProperties": False,
}  # fmt: skip
WEATHER: Any = {
    "type": "function",
    "function": {"name": "weather", "description": "The weather.", "parameters": SHAPE},
}
CLOCK: Any = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object"}}}


@dataclass
class Desk:
    town: Town
    server: FakeOllama
    client: Any  # openai.OpenAI; its types are too narrow for what is sent on purpose here


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Town, FakeOllama]]:
    folder: Path = tmp_path_factory.mktemp("openai")
    with (
        fake_ollama() as server,
        opened(folder, models_url=f"ollama:{server.url[5:]}", embedding=f"ollama:{MODEL}") as rt,
    ):
        app = create_app(rt)
        with TestClient(app, raise_server_exceptions=False) as http:
            town = Town(rt, app, http)
            town.tenant("acme")
            yield town, server


@pytest.fixture
def desk(house: tuple[Town, FakeOllama]) -> Desk:
    town, server = house
    server.reply, server.fault, server.calls, server.capabilities = "All is well.", None, (), ()
    server.replies, server.chats = [], 0
    server.asked.clear()
    town.rt.models._chats.clear()  # no rest and no knowledge from the test before
    key = town.key("acme", "models:use")["X-API-Key"]
    client = openai.OpenAI(
        api_key=key, base_url=f"{town.http.base_url}/v1", http_client=town.http, max_retries=0
    )
    return Desk(town, server, client)


def test_a_completion_with_what_was_set(desk: Desk) -> None:
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK, stop=["END"], seed=7, top_p=0.5, max_completion_tokens=9,
        temperature=0.2,
    )  # fmt: skip
    assert made.choices[0].message.content == "All is well."
    assert made.usage is not None
    assert (made.usage.prompt_tokens, made.usage.completion_tokens) == (12, 5)
    options = desk.server.asked[0]["options"]
    assert options == {
        "num_predict": 9, "temperature": 0.2, "stop": ["END"], "top_p": 0.5, "seed": 7
    }  # fmt: skip


def test_the_same_at_temperature_0_is_asked_once_and_told_as_kept(desk: Desk) -> None:
    headers = desk.town.key("acme", "models:use")
    body = {"model": MODEL, "messages": [{"role": "user", "content": "Once"}], "temperature": 0}

    def say(path: str, **more: str) -> Any:
        answer = desk.town.http.post(path, json=body, headers={**headers, **more})
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]

    assert "cached" not in say("/v1/chat/completions")
    kept = say("/v1/chat/completions")
    assert (kept["total_tokens"], kept["cached"], kept["saved_tokens"]) == (0, True, 17)
    plain = say("/v1/chat")
    assert (plain["prompt_tokens"], plain["cached"], plain["saved_tokens"]) == (0, True, 17)
    assert desk.server.chats == 1
    assert not say("/v1/chat", **{"Cache-Control": "no-cache"})["cached"]
    assert desk.server.chats == 2


def test_a_stream_is_kept_too_and_with_a_whole_reply_of_the_same(desk: Desk) -> None:
    def say(**more: Any) -> tuple[str, str | None, Any]:
        pieces = list(desk.client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "A stream"}], temperature=0,
            stream=True, stream_options={"include_usage": True}, **more,
        ))  # fmt: skip
        text = "".join(one.choices[0].delta.content or "" for one in pieces[:-1])
        return text, pieces[-2].choices[0].finish_reason, pieces[-1].usage

    first, again = say(), say()
    assert first[:2] == again[:2] == ("All is well.", "stop")
    assert (first[2].total_tokens, again[2].total_tokens, again[2].saved_tokens) == (17, 0, 17)
    whole = desk.client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "A stream"}], temperature=0
    )
    assert (whole.choices[0].message.content, whole.usage.saved_tokens) == ("All is well.", 17)
    assert desk.server.chats == 1
    say(extra_headers={"Cache-Control": "no-cache"})
    assert desk.server.chats == 2


def test_a_stream_that_was_left_or_cut_is_not_kept(desk: Desk) -> None:
    def say() -> Any:
        return desk.client.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": "Cut"}], temperature=0, stream=True
        )

    desk.server.fault = "truncated_json"
    for _ in range(2):
        assert list(say())[-1].choices[0].finish_reason == "length"
    assert desk.server.chats == 2
    desk.server.fault = None
    assert list(say())[-1].choices[0].finish_reason == "stop"
    assert desk.server.chats == 3


def test_a_stream_ends_with_the_usage_that_was_asked_for(desk: Desk) -> None:
    chunks = list(desk.client.chat.completions.create(
        model=MODEL, messages=ASK, stream=True, stream_options={"include_usage": True}
    ))  # fmt: skip
    assert "".join(c.choices[0].delta.content or "" for c in chunks[:-1]) == "All is well."
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage and chunks[-1].usage.total_tokens) == ([], 17)


@pytest.mark.parametrize("native", [True, False])
def test_a_tool_is_called_and_its_result_is_read(desk: Desk, native: bool) -> None:
    if native:
        desk.server.capabilities = ("completion", "tools")
        desk.server.calls = (("weather", {"city": "Bonn"}),)
    desk.server.reply = '{"tool": "weather", "arguments": {"city": "Bonn"}}'
    made = desk.client.chat.completions.create(model=MODEL, messages=ASK, tools=[WEATHER, CLOCK])
    choice = made.choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather", {"city": "Bonn"}
    )  # fmt: skip
    assert bool(desk.server.asked[0].get("tools")) is native
    desk.server.calls, desk.server.reply = (), "It rains." if native else '{"answer": "It rains."}'
    told: Any = [*ASK, choice.message, {
        "role": "tool", "tool_call_id": call.id, "content": "rain, 9 degrees"
    }]  # fmt: skip
    after = desk.client.chat.completions.create(model=MODEL, messages=told, tools=[WEATHER])
    assert after.choices[0].message.content == "It rains."
    last = desk.server.asked[1]["messages"][-1]
    if native:
        assert (last["role"], last["tool_name"]) == ("tool", "weather")
    else:
        assert last == {"role": "user", "content": "Result of weather: rain, 9 degrees"}


def test_a_forced_tool_gets_arguments_of_its_shape(desk: Desk) -> None:
    desk.server.capabilities = ("completion", "tools")
    desk.server.replies = ['{"town": 1}', '{"city": "Bonn"}']
    choice: Any = {"type": "function", "function": {"name": "weather"}}
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK, tools=[WEATHER, CLOCK], tool_choice=choice,
        parallel_tool_calls=False,
    )  # fmt: skip
    (call,) = made.choices[0].message.tool_calls
    assert call.type == "function"
    assert call.function.arguments == '{"city": "Bonn"}'
    assert desk.server.chats == 2, "what did not fit was asked for again"
    assert desk.server.asked[0]["format"] == SHAPE


def test_required_takes_any_tool_and_none_takes_no_tool(desk: Desk) -> None:
    desk.server.reply = '{"tool": "clock", "arguments": {}}'
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK, tools=[WEATHER, CLOCK], tool_choice="required"
    )
    (call,) = made.choices[0].message.tool_calls
    assert call.type == "function"
    assert call.function.name == "clock"
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK, tools=[WEATHER], tool_choice="none"
    )
    assert made.choices[0].message.tool_calls is None
    assert "format" not in desk.server.asked[-1] or desk.server.asked[-1]["format"] is None


def test_a_model_that_wants_no_tool_answers(desk: Desk) -> None:
    desk.server.reply = '{"answer": "I do not know."}'
    made = desk.client.chat.completions.create(model=MODEL, messages=ASK, tools=[WEATHER])
    assert made.choices[0].message.content == "I do not know."
    assert made.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("native", [True, False])
def test_one_call_at_a_time_where_that_was_asked_for(desk: Desk, native: bool) -> None:
    desk.server.capabilities = ("tools",) if native else ()
    desk.server.calls = (("clock", {}), ("weather", {"city": "Bonn"})) if native else ()
    desk.server.reply = '{"tool": "clock", "arguments": {}}'
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK, tools=[WEATHER, CLOCK], parallel_tool_calls=False
    )
    assert len(made.choices[0].message.tool_calls or ()) == 1


def test_a_tool_call_in_a_stream(desk: Desk) -> None:
    desk.server.reply = '{"tool": "weather", "arguments": {"city": "Bonn"}}'
    with desk.client.chat.completions.stream(model=MODEL, messages=ASK, tools=[WEATHER]) as stream:
        for _ in stream:
            pass
        choice = stream.get_final_completion().choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    assert json.loads(call.function.arguments) == {"city": "Bonn"}


def test_a_stop_word_ends_the_text_of_a_model_that_may_call_tools(desk: Desk) -> None:
    desk.server.reply = '{"answer": "It rains. END of it, and more."}'
    for more in ({}, {"stream": True}):
        made = desk.client.chat.completions.create(
            model=MODEL, messages=ASK, tools=[WEATHER], stop=["END"], seed=3, **more
        )
        parts = [one.choices[0].delta.content for one in made] if more else [
            made.choices[0].message.content
        ]  # fmt: skip
        assert "".join(part or "" for part in parts) == "It rains. "
        assert "stop" not in desk.server.asked[-1]["options"]


def test_a_tool_that_was_not_offered_is_no_call(desk: Desk) -> None:
    desk.server.capabilities = ("tools",)
    desk.server.calls = (("rm", {"path": "/"}),)
    with pytest.raises(openai.InternalServerError) as caught:
        desk.client.chat.completions.create(model=MODEL, messages=ASK, tools=[WEATHER])
    assert (caught.value.status_code, caught.value.code) == (503, "model_output")
    assert desk.server.chats == 3


def test_json_of_a_schema_with_references(desk: Desk) -> None:
    desk.server.replies = ['{"at": {"city": 7}}', '{"at": {"city": "Bonn"}}']
    schema = {
        "type": "object", "properties": {"at": {"$ref": "#/$defs/Place"}}, "required": ["at"],
        "$defs": {"Place": SHAPE},
    }  # fmt: skip
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK,
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": schema}},
    )  # fmt: skip
    assert json.loads(made.choices[0].message.content or "") == {"at": {"city": "Bonn"}}


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"frequency_penalty": 1.0}, "frequency_penalty"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "x"}}},
         "tool_choice"),
        ({"tools": [{"type": "function", "function": {"name": "x", "parameters": {"type": "?"}}}]},
         "tools[0].function.parameters"),
        ({"response_format": {"type": "json_schema", "json_schema": {
            "name": "x", "schema": {"$ref": "#/$defs/Loop", "$defs": {"Loop": {"$ref":
            "#/$defs/Loop"}}}}}}, "response_format.json_schema.schema"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": "}", "response_format": {"type": "json_object"}}, "stop"),
        ({"n": 0}, "n"),
        ({"extra_body": {"best_of": 3}}, "best_of"),
        ({"function_call": "auto"}, "function_call"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
         "messages.0.content"),
    ],
)  # fmt: skip
def test_what_is_not_done_here_is_refused_by_name(
    desk: Desk, more: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.UnprocessableEntityError) as caught:
        desk.client.chat.completions.create(**{"model": MODEL, "messages": ASK, **more})
    assert caught.value.param == param
    assert caught.value.type == "invalid_request_error"
    assert desk.server.chats == 0


def test_what_asks_for_nothing_is_no_reason_to_refuse(desk: Desk) -> None:
    made = desk.client.chat.completions.create(
        model=MODEL, messages=ASK, n=1, logprobs=False, presence_penalty=0, frequency_penalty=0,
        logit_bias={}, user="u", store=False, stream=False,
    )  # fmt: skip
    assert made.choices[0].message.content


def test_errors_are_what_their_clients_read_and_problems_too(desk: Desk) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        desk.client.chat.completions.create(model="gpt-none", messages=ASK)
    assert (caught.value.code, caught.value.type) == ("model_not_found", "invalid_request_error")
    wrong = openai.OpenAI(
        api_key="wk_no", base_url=f"{desk.town.http.base_url}/v1", http_client=desk.town.http,
        max_retries=0,
    )  # fmt: skip
    with pytest.raises(openai.AuthenticationError):
        wrong.models.list()
    answer = desk.town.http.get("/v1/models", headers={"X-API-Key": "wk_no"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == answer.json()["error"]["code"] == "unauthenticated"
    assert "error" not in desk.town.http.get("/auth/verify").json()


def test_models_and_embeddings(desk: Desk) -> None:
    assert MODEL in [model.id for model in desk.client.models.list()]
    texts = ["one", "two"]
    coded = desk.client.embeddings.create(model=MODEL, input=texts)  # their client asks for base64
    plain = desk.client.embeddings.create(model=MODEL, input=texts, encoding_format="float")
    for one, other in zip(coded.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding)
    long = desk.client.embeddings.create(model=MODEL, input="one two three four")
    assert (plain.usage.prompt_tokens, long.usage.total_tokens) == (2, 4)


# Rows A8: the model's faults, seen through the API


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_ends_as_an_error_that_says_what_to_do(desk: Desk, fault: str) -> None:
    desk.server.fault = fault
    more: Any = {} if fault == "loop" else {"response_format": {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": {"type": "object", "required": ["answer"]}},
    }}  # fmt: skip
    body = {"model": MODEL, "messages": ASK, "deadline_seconds": 1, **more}
    headers = desk.town.key("acme", "models:use")
    answer = desk.town.http.post("/v1/chat/completions", json=body, headers=headers)
    if fault == "loop":
        assert answer.json()["choices"][0]["finish_reason"] == "length"
    else:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json()["error"]["type"] == "server_error"
    assert desk.server.chats <= 3


def test_a_stream_that_breaks_before_its_first_word_is_a_problem(desk: Desk) -> None:
    desk.server.fault = "http_500"
    with pytest.raises(openai.InternalServerError) as caught:
        desk.client.chat.completions.create(model=MODEL, messages=ASK, stream=True)
    assert caught.value.code == "model_server"
