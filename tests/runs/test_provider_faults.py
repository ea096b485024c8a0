"""What becomes of a run whose provider misbehaves, over real HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from app.core.actor import Actor
from app.core.errors import ErrorCode
from app.core.text import storable
from app.llm.breaker import COOL_DOWN_SECONDS, OPENS_AFTER
from app.messages.values import LONGEST_CONTENT
from app.runs.following import CalledTool, Ended
from app.runs.models import Run
from app.runs.values import Failure, RunId, Wanted
from app.sessions.values import SessionId
from tests.conversations import rows
from tests.llm.provider_servers import (
    FOREVER,
    ProviderServer,
    Reply,
    Send,
    error,
    openai_answer,
    openai_chunk,
    openai_end,
    openai_tool_call,
)
from tests.runs.conftest import Process, a_process_asking
from tests.runs.scenes import SCRIPTED, agrees, ask, end_of, followed, ledger_of, message_of, text_of

TEN_WORDS = "one two three four five six seven eight nine ten"
GARBAGE = Send(b"data: {no\n\n")

PRICED = Wanted("openai:gpt-5.5")

AMOUNTS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


async def is_accounted(dsn: str, session_id: SessionId, run: Run) -> dict[str, Any]:
    """The one entry of the ledger, with which run, message and session agree."""
    [entry] = await ledger_of(dsn, run)
    message = await message_of(dsn, run)
    [session] = await rows(dsn, "SELECT * FROM chat_sessions WHERE id = $1", session_id)
    [others] = await rows(
        dsn, "SELECT sum(token_count) AS tokens FROM chat_messages WHERE role = 'user' AND session_id = $1", session_id
    )
    tokens = sum(entry[name] for name in AMOUNTS)
    assert (message["token_count"], message["token_count_estimated"]) == (tokens, entry["estimated"])
    assert session["total_tokens_used"] == tokens + others["tokens"]
    assert session["estimated_cost"] == (entry["cost"] or 0)
    assert session["total_duration_ms"] == message["processing_time_ms"]
    assert entry["status"] == (await end_status(dsn, run))
    await agrees(dsn, session_id)
    return entry


async def end_status(dsn: str, run: Run) -> str:
    """How a run ended."""
    [[found]] = await rows(dsn, "SELECT status FROM runs WHERE id = $1", run.id)
    return str(found)


FAULTS = {
    "bad key": (error(401, "no"), "authentication", "", False),
    "slow down, for ever": (error(429, "slow"), "rate_limited", "", True),
    "out of order": (error(500, "oops"), "unavailable", "", True),
    "too long": (error(400, "too long", code="context_length_exceeded"), "context_length", "", False),
    "unknown model": (error(404, "none"), "unknown_model", "", False),
    "no answer at all": (Reply([Send(b"data: [1, 2]\n\n")]), "malformed", "", True),
    "garbage after two words": (openai_answer(TEN_WORDS).broken(2, by=GARBAGE), "malformed", "one two", True),
    "no first word": (Reply([FOREVER]), "first_token_timeout", "", True),
    "silence after three words": (openai_answer(TEN_WORDS).broken(3, by=FOREVER), "silence", "one two three", True),
    "the end of the connection": (openai_answer(f"{TEN_WORDS} more").broken(10), "dropped", TEN_WORDS, True),
    "no end": (openai_answer("one two", finish=None), "dropped", "one two", True),
}


@pytest.mark.parametrize("fault", sorted(FAULTS))
async def test_run_ends_in_the_fault_of_its_provider(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str, fault: str
) -> None:
    reply, reason, text, retryable = FAULTS[fault]
    server.script(reply)
    patience = {"model_first_token_timeout_seconds": 0.5, "model_silence_timeout_seconds": 0.5}

    async with a_process_asking(dsn, server, **patience) as process:
        run = await ask(process, actor, session_id)
        told = await followed(process, actor, run)

    last = told[-1]
    assert isinstance(last, Ended)
    assert last.node_type == "CompletionFailed"
    found = last.run.error
    assert isinstance(found, Failure)
    timed_out = reason in ("first_token_timeout", "silence")
    assert found.code == (ErrorCode.PROVIDER_TIMEOUT if timed_out else ErrorCode.PROVIDER_ERROR)
    assert found.details == {"reason": reason, "provider": "compatible"}
    assert found.retryable == retryable
    assert found.hint
    message = await message_of(dsn, run)
    assert (message["status"], message["content"], message["error_code"]) == ("failed", text, found.code)
    assert message["error_message"] == found.message
    assert text_of(told) == text
    entry = await is_accounted(dsn, session_id, run)
    assert entry["estimated"] == (text != "")
    assert (entry["output_tokens"] > 0, entry["input_tokens"] > 0) == (text != "", text != "")


async def test_provider_that_asks_for_a_pause_is_asked_again_and_nobody_sees_it(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(error(429, "slow", headers={"Retry-After": "0"}), openai_answer(TEN_WORDS))

    async with a_process_asking(dsn, server, model_attempts=2) as process:
        run = await ask(process, actor, session_id)
        told = await followed(process, actor, run)

    assert text_of(told) == TEN_WORDS
    assert await end_status(dsn, run) == "completed"
    assert len(server.requests) == 2
    entry = await is_accounted(dsn, session_id, run)
    assert (entry["input_tokens"], entry["output_tokens"], entry["estimated"]) == (9, 3, False)


async def test_provider_that_never_takes_a_request_is_given_up_after_the_attempts(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(error(429, "slow"))

    async with a_process_asking(dsn, server, model_attempts=3) as process:
        end = await end_of(process, actor, await ask(process, actor, session_id))

    assert end.error is not None
    assert end.error.details == {"reason": "rate_limited", "provider": "compatible"}
    assert len(server.requests) == 3


async def test_what_an_answer_costs_is_entered_and_counted(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    counted = {
        "prompt_tokens": 1_000, "completion_tokens": 500, "total_tokens": 1_500,
        "prompt_tokens_details": {"cached_tokens": 400}, "completion_tokens_details": {"reasoning_tokens": 100},
    }  # fmt: skip
    server.script(openai_answer(TEN_WORDS, usage=counted), openai_answer(TEN_WORDS).broken(5))
    key = {"openai_api_key": "sk-test-1234567890abcdef", "openai_base_url": f"{server.url}/v1"}

    async with a_process_asking(dsn, server, **key) as process:
        run = await ask(process, actor, session_id, wanted=PRICED)
        await end_of(process, actor, run)
        entry = await is_accounted(dsn, session_id, run)
        broken = await ask(process, actor, None, wanted=PRICED)
        await end_of(process, actor, broken)
        estimated = await is_accounted(dsn, SessionId(broken.session_id), broken)

    assert [entry[name] for name in AMOUNTS] == [600, 400, 0, 400, 100]
    assert entry["cost"] > Decimal("0.001")
    assert not entry["estimated"]
    assert estimated["estimated"]
    assert estimated["cost"] > 0


async def test_empty_answer_ends_the_run(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(Reply(openai_end("stop", None)))

    run = await ask(asking, actor, session_id)
    end = await end_of(asking, actor, run)

    assert (end.status, end.stop_reason) == ("completed", "stop")
    assert (await message_of(dsn, run))["content"] == ""
    entry = await is_accounted(dsn, session_id, run)
    assert (entry["input_tokens"], entry["output_tokens"], entry["estimated"]) == (9, 3, False)


async def test_tool_that_is_called_is_stored_and_told(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_tool_call("weather", '{"city": "Rome"}'), openai_answer("It was not offered."))

    run = await ask(asking, actor, session_id)
    told = await followed(asking, actor, run)

    [called] = [event for event in told if isinstance(event, CalledTool)]
    [call] = await rows(dsn, "SELECT * FROM tool_calls WHERE message_id = $1", run.message_id)
    assert (call["id"], call["name"], call["arguments"]) == (called.tool_call_id, "weather", '{"city": "Rome"}')
    last = told[-1]
    assert isinstance(last, Ended)
    assert (last.run.status, last.run.turns) == ("completed", 2)


async def test_provider_that_fails_again_and_again_is_left_alone_for_a_while(
    server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    now = [0.0]
    server.script(*[error(500, "oops")] * OPENS_AFTER, openai_answer("back again"))

    async with a_process_asking(dsn, server, clock=lambda: now[0]) as process:
        ends = [await end_of(process, actor, await ask(process, actor, session_id)) for _ in range(OPENS_AFTER + 1)]
        asked = len(server.requests)
        now[0] = COOL_DOWN_SECONDS
        back = await end_of(process, actor, await ask(process, actor, session_id))

    reasons = [end.error and (end.error.details or {}).get("reason") for end in ends]
    assert reasons == ["unavailable"] * OPENS_AFTER + ["circuit_open"]
    assert asked == OPENS_AFTER
    assert ends[-1].error is not None
    assert ends[-1].error.retryable
    assert back.status == "completed"


async def test_what_postgresql_cannot_hold_does_not_end_the_answer(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    said = "nul \x00 and half a pair \ud83d and a pair \U0001f600"
    server.script(openai_answer(said))

    run = await ask(asking, actor, session_id)
    told = await followed(asking, actor, run)

    assert await end_status(dsn, run) == "completed"
    assert text_of(told) == storable(said)
    assert (await message_of(dsn, run))["content"] == storable(said)


async def test_answer_without_end_stops_at_the_bound_of_a_message(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    piece = "0123456789" * 3_000
    chunks = [openai_chunk({"content": piece}) for _ in range(LONGEST_CONTENT // len(piece) + 2)]
    server.script(Reply([*chunks, FOREVER]))

    run = await ask(asking, actor, session_id)
    told = await followed(asking, actor, run)

    last = told[-1]
    assert isinstance(last, Ended)
    assert (last.run.status, last.run.stop_reason) == ("completed", "length")
    content = (await message_of(dsn, run))["content"]
    assert len(content) == LONGEST_CONTENT
    assert content == text_of(told)
    assert server.left.wait(20)
    entry = await is_accounted(dsn, session_id, run)
    assert entry["estimated"]


async def test_last_run_of_a_provider_that_failed_can_be_asked_again(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_answer(TEN_WORDS).broken(2), openai_answer("all of it"))
    first = await ask(asking, actor, session_id, wanted=SCRIPTED)
    await end_of(asking, actor, first)

    second = (await asking.runs.retry(asking.database, actor, RunId(first.id), None)).run
    end = await end_of(asking, actor, second)

    assert end.status == "completed"
    assert [(await message_of(dsn, run))["content"] for run in (first, second)] == ["one two", "all of it"]
    assert server.requests[1].body["messages"] == server.requests[0].body["messages"]
