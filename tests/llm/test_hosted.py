"""Providers on the network, over real HTTP: what is sent, what comes back, and what becomes of failures."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import pytest

from app.llm.errors import FailureReason, ProviderFailure, ProviderTimeout
from app.llm.port import ModelEvent, TextDelta, ToolCallRequested, Usage
from app.llm.registry import Models
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
from tests.llm.provider_servers import ProviderServer, Reply, Send

OPENAI, COMPATIBLE, ANTHROPIC = "openai:gpt-4o", "compatible:llama3:8b", "anthropic:claude-sonnet-5-5"
ALL = [OPENAI, COMPATIBLE, ANTHROPIC]


def answer(model: str, text: str, **rest: Any) -> Reply:
    """The reply of the model's provider."""
    return servers.anthropic_answer(text, **rest) if model == ANTHROPIC else servers.openai_answer(text, **rest)


async def ask(models: Models, model: str, *parts: Any, **rest: Any) -> list[ModelEvent]:
    """The whole answer."""
    try:
        return await gathered(models.stream(model, asking(*parts, **rest)))
    finally:
        await models.close()


async def refused(models: Models, model: str) -> ProviderFailure:
    """The failure of a request that has to fail."""
    with pytest.raises(ProviderFailure) as caught:
        await ask(models, model)
    return caught.value


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

    assert usage_of(events) == Usage(input=10, cached_input=70, cache_write=20, output=5)


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


def failing(make: Callable[[str], Reply], reason: FailureReason, retryable: bool) -> list[Any]:
    """The same failure of every provider."""
    return [pytest.param(model, make(model), reason, retryable, id=f"{reason.value}-{model}") for model in ALL]


GARBAGE = Send(b"event: content_block_delta\ndata: {no\n\n")
TEN_WORDS = "one two three four five six seven eight nine ten"


@pytest.mark.parametrize(
    ("model", "reply", "reason", "retryable"),
    [
        *failing(lambda _: servers.error(401, f"bad key {KEY}"), FailureReason.AUTHENTICATION, False),
        *failing(lambda _: servers.error(403, f"bad key {KEY}"), FailureReason.AUTHENTICATION, False),
        *failing(lambda _: servers.error(404, "no such model"), FailureReason.UNKNOWN_MODEL, False),
        *failing(lambda _: servers.error(400, "bad shape"), FailureReason.REFUSED, False),
        *failing(lambda _: servers.error(429, "slow", kind="rate_limit_error"), FailureReason.RATE_LIMITED, True),
        *failing(lambda _: servers.error(500, "oops"), FailureReason.UNAVAILABLE, True),
        *failing(lambda _: servers.error(503, "oops"), FailureReason.UNAVAILABLE, True),
        *failing(lambda model: answer(model, TEN_WORDS).broken(2, by=GARBAGE), FailureReason.MALFORMED, True),
        *failing(lambda _: Reply([Send(b"data: [1, 2]\n\n")]), FailureReason.MALFORMED, True),
        *failing(lambda model: answer(model, TEN_WORDS).broken(0), FailureReason.DROPPED, True),
        pytest.param(
            OPENAI, servers.error(400, "too long", code="context_length_exceeded"), FailureReason.CONTEXT_LENGTH, False,
            id="context_length-openai",
        ),
        pytest.param(
            ANTHROPIC, servers.error(400, "prompt is too long: 9 > 8", kind="invalid_request_error"),
            FailureReason.CONTEXT_LENGTH, False, id="context_length-anthropic",
        ),
        pytest.param(
            OPENAI, servers.error(429, "pay", code="insufficient_quota"), FailureReason.QUOTA, False, id="quota"
        ),
        pytest.param(OPENAI, answer(OPENAI, "a b", finish=None), FailureReason.DROPPED, True, id="no finish"),
    ],
)  # fmt: skip
async def test_failure_is_told_by_its_reason_and_never_with_the_key(
    server: ProviderServer, model: str, reply: Reply, reason: FailureReason, retryable: bool
) -> None:
    server.script(reply)

    found = await refused(models_at(server.url, compatible_api_key=KEY), model)

    assert (found.reason, found.retryable) == (reason, retryable)
    assert found.details == {"reason": reason.value, "provider": model.split(":")[0]}
    assert KEY not in f"{found.message} {found.hint} {found!r} {found.__cause__!r}"
    assert len(server.requests) == 1, "the libraries' own retries are off"


@pytest.mark.parametrize("model", ALL)
async def test_stream_that_breaks_keeps_what_was_said(server: ProviderServer, model: str) -> None:
    words_start = 2 if model == ANTHROPIC else 0
    server.script(answer(model, f"{TEN_WORDS} eleven twelve").broken(words_start + 10))
    models = models_at(server.url, model_attempts=3)
    heard: list[ModelEvent] = []

    async def listen() -> None:
        async for event in models.stream(model, asking()):
            heard.append(event)

    with pytest.raises(ProviderFailure) as caught:
        await listen()
    await models.close()

    assert caught.value.reason is FailureReason.DROPPED
    assert text_of(heard) == TEN_WORDS
    assert len(server.requests) == 1, "nothing is tried again once a piece was shown"


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


@pytest.mark.parametrize("model", ALL)
async def test_connection_that_nobody_takes_is_given_up(model: str) -> None:
    with servers.unreachable_url() as url:
        found = await refused(models_at(url, model_connect_timeout_seconds=0.2), model)

    assert found.reason is FailureReason.CONNECT_TIMEOUT
    assert isinstance(found, ProviderTimeout)


@pytest.mark.parametrize("model", ALL)
async def test_server_that_is_not_there_is_unavailable(model: str) -> None:
    with ProviderServer() as gone:
        url = gone.url

    found = await refused(models_at(url), model)

    assert (found.reason, found.retryable) == (FailureReason.UNAVAILABLE, True)


@pytest.mark.parametrize("model", ALL)
async def test_slow_start_is_given_up(server: ProviderServer, model: str) -> None:
    server.script(Reply([], pause_before_headers=servers.FOREVER))

    found = await refused(models_at(server.url, model_first_token_timeout_seconds=0.2), model)

    assert found.reason is FailureReason.FIRST_TOKEN_TIMEOUT
    assert server.left.wait(10)


@pytest.mark.parametrize("model", ALL)
async def test_silence_in_the_middle_is_given_up(server: ProviderServer, model: str) -> None:
    server.script(answer(model, TEN_WORDS).broken(5, by=servers.FOREVER))

    found = await refused(models_at(server.url, model_silence_timeout_seconds=0.2), model)

    assert found.reason is FailureReason.SILENCE
    assert server.left.wait(10)


async def test_providers_own_words_are_passed_on_without_secrets(server: ProviderServer) -> None:
    server.script(servers.error(400, f"field x is bad\n{KEY} Bearer abcdefghijkl see https://host/?key=1 {'y' * 500}"))

    found = await refused(models_at(server.url), OPENAI)

    assert found.message == (
        "the provider openai does not take the request as it is: field x is bad […] […] see […] […]"
    )
