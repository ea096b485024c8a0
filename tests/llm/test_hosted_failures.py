"""What becomes of the failures of providers on the network, over real HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from app.llm.errors import FailureReason, ProviderFailure, ProviderTimeout
from app.llm.port import ModelEvent
from tests.llm import provider_servers as servers
from tests.llm.conversations import (
    KEY,
    asking,
    models_at,
    text_of,
)
from tests.llm.hosted import ALL, ANTHROPIC, OPENAI, TEN_WORDS, answer, refused
from tests.llm.provider_servers import ProviderServer, Reply, Send


def failing(make: Callable[[str], Reply], reason: FailureReason, retryable: bool) -> list[Any]:
    """The same failure of every provider."""
    return [pytest.param(model, make(model), reason, retryable, id=f"{reason.value}-{model}") for model in ALL]


GARBAGE = Send(b"event: content_block_delta\ndata: {no\n\n")


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


@pytest.mark.parametrize(
    ("model", "event", "reason"),
    [
        (OPENAI, b'data: {"error": {"message": "oops", "type": "server_error"}}\n\n', FailureReason.UNAVAILABLE),
        (OPENAI, b'data: {"error": {"message": "hm"}}\n\n', FailureReason.UNAVAILABLE),
        (OPENAI, b'data: {"error": {"message": "no", "code": "rate_limit_exceeded"}}\n\n', FailureReason.RATE_LIMITED),
        (
            ANTHROPIC,
            b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}\n\n',
            FailureReason.UNAVAILABLE,
        ),
    ],
)
async def test_error_inside_a_stream_is_told_like_one_before_it(
    server: ProviderServer, model: str, event: bytes, reason: FailureReason
) -> None:
    server.script(answer(model, TEN_WORDS).broken(3, by=Send(event)))

    found = await refused(models_at(server.url), model)

    assert found.reason is reason


async def test_page_of_a_proxy_is_no_answer(server: ProviderServer) -> None:
    server.script(Reply([Send(b"<html>Welcome</html>")], content_type="text/html"))

    for model in ALL:
        found = await refused(models_at(server.url), model)

        assert found.reason in (FailureReason.MALFORMED, FailureReason.DROPPED)


async def test_key_does_not_follow_a_redirect(server: ProviderServer) -> None:
    with ProviderServer() as elsewhere:
        elsewhere.script(answer(OPENAI, "stolen"))
        server.script(Reply([], 307, headers={"Location": f"{elsewhere.url}/v1/chat/completions"}))

        for model in ALL:
            await refused(models_at(server.url), model)

        assert elsewhere.requests == []
