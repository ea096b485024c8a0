"""Providers are sent the correlation id of a request, in each attempt, and nothing else of who asks."""

import pytest
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from app.core.actor import CorrelationId
from app.core.logging import correlated
from tests.llm import provider_servers as servers
from tests.llm.conversations import models_at
from tests.llm.hosted import ALL, ANTHROPIC, COMPATIBLE, OPENAI, answer, ask
from tests.llm.provider_servers import ProviderServer

TRIP = CorrelationId("trip-1")
LONGEST = CorrelationId("x" * 128)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (OPENAI, {"x-correlation-id": TRIP, "x-client-request-id": TRIP}),
        (COMPATIBLE, {"x-correlation-id": TRIP}),
        (ANTHROPIC, {"x-correlation-id": TRIP}),
    ],
)
async def test_each_provider_finds_the_id_in_its_headers(
    server: ProviderServer, model: str, expected: dict[str, str]
) -> None:
    server.script(answer(model, "yes"))

    await ask(models_at(server.url), model, correlation_id=TRIP)

    [request] = server.requests
    names = ("x-correlation-id", "x-client-request-id")
    assert {name: request.headers[name] for name in names if name in request.headers} == expected
    assert "trip-1" not in str(request.body)


@pytest.mark.parametrize("model", ALL)
async def test_request_without_an_id_has_no_header_for_it(server: ProviderServer, model: str) -> None:
    server.script(answer(model, "yes"))

    await ask(models_at(server.url), model)

    [request] = server.requests
    assert {"x-correlation-id", "x-client-request-id"}.isdisjoint(request.headers)


async def test_longest_id_is_sent_whole(server: ProviderServer) -> None:
    server.script(answer(OPENAI, "yes"))

    await ask(models_at(server.url), OPENAI, correlation_id=LONGEST)

    assert server.requests[0].headers["x-client-request-id"] == LONGEST


async def test_each_attempt_and_what_is_logged_of_it_bear_the_id(server: ProviderServer) -> None:
    server.script(servers.error(503, "not now", headers={"Retry-After": "0"}), answer(OPENAI, "yes"))

    with correlated(TRIP), capture_logs(processors=[merge_contextvars]) as lines:
        await ask(models_at(server.url, model_attempts=2), OPENAI, correlation_id=TRIP)

    assert [request.headers["x-correlation-id"] for request in server.requests] == [TRIP, TRIP]
    [failed] = [line for line in lines if line["event"] == "model_attempt_failed"]
    assert failed["correlation_id"] == TRIP
