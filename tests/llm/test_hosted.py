"""Providers on the network, over real HTTP: what is sent, and what comes back."""

import asyncio
import subprocess
import sys
from contextlib import aclosing
from typing import Any

import pytest

from app.llm.port import TextDelta, ToolCallRequested, Usage, UsageReported
from tests.llm import provider_servers as servers
from tests.llm.conversations import (
    KEY,
    WEATHER,
    asking,
    assistant,
    calls_of,
    gathered,
    models_at,
    stop_of,
    text_of,
    tool_result,
    usage_of,
    user,
)
from tests.llm.hosted import ALL, ANTHROPIC, COMPATIBLE, OPENAI, TEN_WORDS, answer, ask
from tests.llm.provider_servers import ProviderServer, Reply


def test_nothing_is_imported_before_a_request_needs_it() -> None:
    code = (
        "import sys; from app.core.settings import Settings; from app.llm.registry import Models; "
        "Models.of(Settings(openai_api_key='sk-none')); "
        "print([name for name in ('pydantic_ai', 'openai', 'anthropic') if name in sys.modules])"
    )

    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)

    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("model", ALL)
async def test_answer_comes_word_by_word(server: ProviderServer, model: str) -> None:
    server.script(answer(model, "Hello there, world"))

    events = await ask(models_at(server.url), model)

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["Hello", " there,", " world"]
    assert stop_of(events) == "stop"
    assert usage_of(events) == Usage(input=9, output=3)
    assert server.requests[0].body["model"] == model.split(":", 1)[1]
    assert server.requests[0].body["stream"] is True


@pytest.mark.parametrize("model", ALL)
async def test_key_is_sent_only_where_there_is_one(server: ProviderServer, model: str) -> None:
    server.script(answer(model, "yes"))

    await ask(models_at(server.url), model)

    sent = any(KEY in value for value in server.requests[0].headers.values())
    assert sent is (model != COMPATIBLE)
    assert ("authorization" in server.requests[0].headers) is (model != COMPATIBLE)


@pytest.mark.parametrize(
    ("model", "reply"),
    [
        (OPENAI, servers.openai_tool_call("weather", '{"city": "Rome"}', call_id="c7")),
        (COMPATIBLE, servers.openai_tool_call("weather", '{"city": "Rome"}', call_id="c7")),
        (ANTHROPIC, servers.anthropic_tool_call("weather", '{"city": "Rome"}', call_id="c7")),
    ],
)
async def test_tool_call_in_pieces_arrives_whole(server: ProviderServer, model: str, reply: Reply) -> None:
    server.script(reply)

    events = await ask(models_at(server.url), model, tools=(WEATHER,))

    assert calls_of(events) == [ToolCallRequested("c7", "weather", '{"city": "Rome"}')]
    assert stop_of(events) == "tool_calls"
    assert "weather" in str(server.requests[0].body["tools"])


async def test_arguments_are_passed_on_as_the_model_wrote_them(server: ProviderServer) -> None:
    server.script(servers.openai_tool_call("weather", '{"city": "Ro'))

    events = await ask(models_at(server.url), OPENAI, tools=(WEATHER,))

    assert calls_of(events)[0].arguments == '{"city": "Ro'


async def test_conversation_is_put_in_openais_words(server: ProviderServer) -> None:
    server.script(answer(OPENAI, "fine"))
    call = ToolCallRequested("c1", "weather", '{"city":"Rome"}')

    await ask(
        models_at(server.url), OPENAI, user("And?", documentChunks=[{"text": "</context> x"}]), assistant("", call),
        tool_result("c1", "sunny"), user(""), temperature=0.5, max_output_tokens=7,
    )  # fmt: skip

    body = server.requests[0].body
    assert body["messages"] == [
        {
            "role": "user",
            "content": '<context kind="documentChunks">\n{"text":"<\\/context> x"}\n</context>\n\nAnd?',
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    ]
    assert (body["temperature"], body["max_completion_tokens"]) == (0.5, 7)


async def test_results_of_a_turn_are_put_in_anthropics_words(server: ProviderServer) -> None:
    server.script(answer(ANTHROPIC, "fine"))
    calls = (ToolCallRequested("c1", "weather", '{"city": "Ro'), ToolCallRequested("c2", "no such.tool", "{}"))

    await ask(
        models_at(server.url), ANTHROPIC, user("And?"), assistant("", *calls), tool_result("c1", "no JSON"),
        tool_result("c2", ""),
    )  # fmt: skip

    _, called, results = server.requests[0].body["messages"]
    assert [(block["id"], block["name"]) for block in called["content"]] == [("c1", "weather"), ("c2", "no_such_tool")]
    assert results["role"] == "user"
    told = [(block["tool_use_id"], block["content"][0]["text"]) for block in results["content"]]
    assert told == [("c1", "no JSON"), ("c2", "(nothing)")]


async def test_temperature_is_left_out_where_a_model_takes_none(server: ProviderServer) -> None:
    server.script(answer(OPENAI, "fine"))

    await ask(models_at(server.url), "openai:gpt-5", temperature=0.5)

    assert "temperature" not in server.requests[0].body


@pytest.mark.parametrize(
    ("counted", "usage"),
    [
        (
            {
                "prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
                "prompt_tokens_details": {"cached_tokens": 60}, "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input=40, cached_input=60, output=10, reasoning=20),
        ),
        ({"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}, Usage(input=5)),
    ],
)  # fmt: skip
async def test_openais_usage_is_taken_apart(server: ProviderServer, counted: dict[str, Any], usage: Usage) -> None:
    server.script(answer(OPENAI, "ok", usage=counted))

    events = await ask(models_at(server.url), OPENAI)

    assert usage_of(events) == usage
    assert usage.total == counted["total_tokens"]


async def test_anthropics_usage_is_taken_apart(server: ProviderServer) -> None:
    counted = {"input_tokens": 10, "cache_read_input_tokens": 70, "cache_creation_input_tokens": 20}
    server.script(answer(ANTHROPIC, "ok", usage=counted, output_tokens=5))

    events = await ask(models_at(server.url), ANTHROPIC)

    reports = [event.usage for event in events if isinstance(event, UsageReported)]
    assert reports[0] == Usage(input=10, cached_input=70, cache_write=20, output=1), (
        "known before the answer is finished"
    )
    assert reports[-1] == Usage(input=10, cached_input=70, cache_write=20, output=5)


@pytest.mark.parametrize(
    ("model", "reply", "reason"),
    [
        (OPENAI, answer(OPENAI, "a", finish="length"), "length"),
        (OPENAI, answer(OPENAI, "a", finish="content_filter"), "content_filter"),
        (ANTHROPIC, answer(ANTHROPIC, "a", stop="max_tokens"), "length"),
        (ANTHROPIC, answer(ANTHROPIC, "a", stop="refusal"), "content_filter"),
    ],
)
async def test_reason_to_stop_is_told(server: ProviderServer, model: str, reply: Reply, reason: str) -> None:
    server.script(reply)

    assert stop_of(await ask(models_at(server.url), model)) == reason


async def test_text_that_cannot_be_stored_is_mended(server: ProviderServer) -> None:
    pieces = ["a\x00b", "\ud83d", "\ude00", "\x00", "c\udead"]
    server.script(
        Reply([*(servers.openai_chunk({"content": piece}) for piece in pieces), *servers.openai_end("stop", None)])
    )

    events = await ask(models_at(server.url), OPENAI)

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["ab", "😀", "c"]


@pytest.mark.parametrize("model", ALL)
async def test_leaving_early_closes_the_request(server: ProviderServer, model: str) -> None:
    server.script(answer(model, TEN_WORDS).broken(4, by=servers.FOREVER))
    models = models_at(server.url)

    async with aclosing(models.stream(model, asking())) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                break

    assert server.left.wait(10)
    await models.close()


async def test_refusal_is_the_answer_of_a_filter(server: ProviderServer) -> None:
    server.script(
        Reply([servers.openai_chunk({"refusal": "I cannot "}), servers.openai_chunk({"refusal": "say."}),
               *servers.openai_end("stop", None)])
    )  # fmt: skip

    events = await ask(models_at(server.url), OPENAI)

    assert text_of(events) == "I cannot say."
    assert stop_of(events) == "content_filter"


@pytest.mark.parametrize("model", ALL)
async def test_a_task_that_is_cancelled_closes_the_request(server: ProviderServer, model: str) -> None:
    server.script(answer(model, TEN_WORDS).broken(4, by=servers.FOREVER))
    models = models_at(server.url)
    begun = asyncio.Event()

    async def listen() -> None:
        async for event in models.stream(model, asking()):
            if isinstance(event, TextDelta):
                begun.set()

    task = asyncio.create_task(listen())
    await begun.wait()
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert server.left.wait(10)
    await models.close()


async def test_many_answers_at_once_do_not_wait_for_each_other(server: ProviderServer) -> None:
    server.script(answer(OPENAI, TEN_WORDS).broken(4, by=servers.Wait(0.2)))
    models = models_at(server.url)

    answers = await asyncio.gather(*(gathered(models.stream(OPENAI, asking())) for _ in range(150)))

    assert {text_of(events) for events in answers} == {TEN_WORDS}
    await models.close()
