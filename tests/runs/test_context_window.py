"""What of a conversation the model of a run has in view, and what is told of it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest

from app.core.actor import Actor
from app.core.ids import global_id
from app.messages import service as messages
from app.messages.values import MessageId
from app.runs.graphql import run_id
from app.runs.values import Wanted
from app.sessions.values import SessionId
from tests.branches.trees import chain, of_message, of_session, plant
from tests.client import GraphQLClient, client_of
from tests.conversations import rows
from tests.llm.provider_servers import ProviderServer, openai_answer
from tests.runs.conftest import Process, a_process_asking
from tests.runs.scenes import SCRIPTED, agrees, ask, contents, end_of, heard_by, row_of
from tests.runs.turning import WEATHER, calls_weather, executions, report, waits

WINDOW = 1_000
BUDGET = (WINDOW - 100) * 4 // 5
"""With 100 kept for the answer, and a fifth spared: nobody knows how the scripted model counts."""

SMALL = {"context_windows": f"compatible:scripted={WINDOW}", "output_reserve_tokens": 100}
PER_MESSAGE = 6
"""Tokens of `message 123`, with what is around it."""

NOTE = "contextWindow { budgetTokens usedTokens messages leftOutMessages leftOutTokens }"
RUN = f"query ($id: ID!) {{ run(id: $id) {{ status {NOTE} error {{ code message hint details }} }} }}"


@pytest.fixture
async def small(dsn: str, server: ProviderServer) -> AsyncIterator[Process]:
    """A process whose scripted model has little in view."""
    async with a_process_asking(dsn, server, **SMALL) as process:
        yield process


@asynccontextmanager
async def at_the_edge(process: Process, actor: Actor) -> AsyncIterator[GraphQLClient]:
    """A client of the process."""
    async with client_of(process.database, process.services, actor.user_id) as client:
        yield client


async def instructed(dsn: str, actor: Actor, session_id: SessionId, length: int) -> list[UUID]:
    """The ids of a long conversation that begins with an instruction and ends with an answer."""
    ids = await plant(dsn, actor, session_id, chain(length))
    await rows(dsn, "UPDATE chat_messages SET role = 'system', content = 'Be brief.' WHERE id = $1", ids[0])
    await rows(dsn, "UPDATE chat_sessions SET system_messages = 1, user_messages = user_messages - 1")
    return ids


def spoken(numbers: Iterator[int] | range) -> list[tuple[str, str]]:
    """What `plant` had people and models say."""
    return [("user" if number % 2 else "assistant", f"message {number}") for number in numbers]


async def test_model_sees_the_instruction_and_the_newest_exchanges(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await instructed(dsn, actor, session_id, 3_000)
    server.script(openai_answer("Fine."))

    async with at_the_edge(small, actor) as client:
        input_ = {"sessionId": of_session(session_id), "content": "And now?", "model": "compatible:scripted"}
        sent = await client.mutate("sendMessage", f"run {{ id {NOTE} }}", input_)
        await end_of(small, actor, run_id(sent["run"]["id"]))
        note = (await client.data(RUN, {"id": sent["run"]["id"]}))["run"]["contextWindow"]

    heard = heard_by(server)
    history = heard[1:-1]
    assert (heard[0], heard[-1]) == (("system", "Be brief."), ("user", "And now?"))
    assert history == spoken(range(3_001 - len(history), 3_001))
    assert history[0][0] == "user"
    assert note["budgetTokens"] == BUDGET
    # No other exchange would have fitted.
    assert BUDGET - 2 * PER_MESSAGE - 2 < note["usedTokens"] <= BUDGET
    assert (note["messages"], note["leftOutMessages"]) == (len(heard), 3_001 - len(heard))
    assert note["leftOutTokens"] == pytest.approx((3_001 - len(heard)) * PER_MESSAGE, rel=0.2)


async def test_nothing_is_noted_before_a_worker_takes_the_run(client: GraphQLClient) -> None:
    sent = await client.mutate("sendMessage", f"run {{ {NOTE} }}", {"content": "Hello?"})

    assert sent["run"] == {"contextWindow": None}


async def test_short_conversation_is_in_view_whole(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await instructed(dsn, actor, session_id, 20)
    server.script(openai_answer("Fine."))

    run = await ask(small, actor, session_id, "And now?")
    end = await end_of(small, actor, run)

    assert len(heard_by(server)) == 21
    assert end.context_window is not None
    assert end.context_window[2:] == (21, 0, 0)
    assert end.context_window.used_tokens == end.prompt_tokens


async def test_longer_answer_that_was_asked_for_leaves_less_for_the_conversation(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await instructed(dsn, actor, session_id, 400)
    server.script(openai_answer("Fine."))

    run = await ask(small, actor, session_id, wanted=Wanted("compatible:scripted", max_output_tokens=4_000))
    end = await end_of(small, actor, run)

    assert end.context_window is not None
    assert end.context_window.budget_tokens == WINDOW // 2 * 4 // 5 >= end.context_window.used_tokens


async def test_calls_of_the_run_stay_in_view_and_each_turn_is_noted_anew(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    await instructed(dsn, actor, session_id, 400)
    server.script(calls_weather("Rome", text="Let me look."), openai_answer("Sunny."))

    run = await ask(small, actor, session_id, "Weather?", tools=(WEATHER,))
    await waits(dsn, run)
    [execution] = await executions(dsn, run)
    before = await row_of(dsn, run)
    await report(small, actor, execution["id"], "sunny " * 400)
    end = await end_of(small, actor, run)

    first, second = ([part["role"] for part in request.body["messages"]] for request in server.requests)
    assert second[-3:] == ["user", "assistant", "tool"]
    assert heard_by(server, 0)[0] == heard_by(server, 1)[0] == ("system", "Be brief.")
    assert len(first) > len(second) > 4
    assert end.status == "completed"
    assert end.context_window is not None
    assert (before["window_messages"], end.context_window.messages) == (len(first), len(second))
    assert (before["left_out_messages"], end.context_window.left_out_messages) == (
        401 - len(first), 403 - len(second)
    )  # fmt: skip


async def test_calls_of_earlier_runs_are_in_view_with_their_results_or_not_at_all(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    result = "sunny " * 150
    for city in ("Rome", "Oslo", "Lima", "Bern", "Kyiv"):
        server.script(calls_weather(city), openai_answer(f"Fine in {city}."))
        run = await ask(small, actor, session_id, f"Weather in {city}?", tools=(WEATHER,))
        await waits(dsn, run)
        [execution] = await executions(dsn, run)
        await report(small, actor, execution["id"], result)
        end = await end_of(small, actor, run)
        assert end.status == "completed"

    asked = [part["role"] for part in server.requests[-1].body["messages"]]
    assert asked == ["user", "assistant", "tool", "assistant"] * (len(asked) // 4) + ["user", "assistant", "tool"]
    assert len(asked) // 4 in (2, 3)
    assert end.context_window is not None
    assert end.context_window.left_out_messages == 4 * (4 - len(asked) // 4)
    await agrees(dsn, session_id)


async def test_other_versions_of_a_question_are_neither_seen_nor_counted(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    parents = [None, 1, 2, 3, 4, 5, *range(6, 299)]
    ids = await plant(dsn, actor, session_id, parents)
    server.script(openai_answer("Fine."))

    run = await ask(small, actor, session_id, "Another way.", edited_message_id=MessageId(ids[4]))
    end = await end_of(small, actor, run)

    assert heard_by(server) == [*spoken(range(1, 5)), ("user", "Another way.")]
    assert end.context_window is not None
    assert end.context_window[2:] == (5, 0, 0)


async def test_deleted_messages_take_no_room(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    ids = await plant(dsn, actor, session_id, chain(6))
    async with small.database.unit_of_work() as uow:
        await messages.delete(uow, actor, MessageId(ids[1]), None)
    server.script(openai_answer("Fine."))

    run = await ask(small, actor, session_id, "And now?")
    end = await end_of(small, actor, run)

    assert heard_by(server) == [*spoken(iter((1, 3, 4, 5, 6))), ("user", "And now?")]
    assert end.context_window is not None
    assert end.context_window[2:] == (6, 0, 0)


@pytest.mark.parametrize(
    ("content", "items"), [("word " * 800, None), ("Why?", {"insights": [{"text": "word " * 800}]})]
)
async def test_question_that_cannot_fit_is_refused_and_nothing_is_stored(
    small: Process, actor: Actor, session_id: SessionId, dsn: str, content: str, items: dict[str, Any] | None
) -> None:
    before = await contents(dsn)

    async with at_the_edge(small, actor) as client:
        input_ = {
            "sessionId": of_session(session_id), "content": content, "model": "compatible:scripted",
            "contextItems": items, "clientKey": "once",
        }  # fmt: skip
        refused = await client.mutate("sendMessage", "run { id }", input_)
        anew = {"content": content, "model": "compatible:scripted", "contextItems": items}
        of_none = await client.mutate("sendMessage", "run { id }", anew)

    assert refused["run"] is of_none["run"] is None
    assert [(payload["error"]["code"], payload["error"]["field"]) for payload in (refused, of_none)] == [
        ("LIMIT_EXCEEDED", "content")
    ] * 2
    assert f"has room for {BUDGET}" in refused["error"]["message"]
    assert "shorten" in refused["error"]["hint"]
    assert await contents(dsn) == before


async def test_tools_that_leave_no_room_for_the_question_are_refused(
    small: Process, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    before = await contents(dsn)

    async with at_the_edge(small, actor) as client:
        tools = [{"name": f"tool_{number}", "description": "word " * 200} for number in range(4)]
        input_ = {"sessionId": of_session(session_id), "content": "Hm?", "model": "compatible:scripted"}
        refused = await client.mutate("sendMessage", "run { id }", {**input_, "tools": tools})

    assert (refused["error"]["code"], refused["error"]["field"]) == ("LIMIT_EXCEEDED", "content")
    assert await contents(dsn) == before


async def test_long_question_is_not_asked_again_of_a_model_that_sees_less(
    asking: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    server.script(openai_answer("Fine."))
    run = await ask(asking, actor, session_id, "word " * 20_000)
    await end_of(asking, actor, run)
    await rows(dsn, "UPDATE runs SET status = 'failed'")
    before = await contents(dsn)

    async with a_process_asking(dsn, server, **SMALL) as small, at_the_edge(small, actor) as client:
        again = {"messageId": of_message(run.message_id), "model": "compatible:scripted"}
        anew = await client.mutate("regenerateMessage", "run { id }", again)
        retried = await client.mutate("retryRun", "run { id }", {"runId": global_id("Run", run.id)})

    assert (anew["error"]["code"], anew["error"]["field"]) == ("LIMIT_EXCEEDED", "messageId")
    assert (retried["error"]["code"], retried["error"]["field"]) == ("LIMIT_EXCEEDED", "runId")
    assert await contents(dsn) == before


async def test_run_fails_and_says_why_where_instructions_and_question_do_not_fit_together(
    small: Process, server: ProviderServer, actor: Actor, session_id: SessionId, dsn: str
) -> None:
    ids = await instructed(dsn, actor, session_id, 10)
    await rows(dsn, "UPDATE chat_messages SET content = repeat('word ', 700) WHERE id = $1", ids[0])

    run = await ask(small, actor, session_id, "word " * 100, wanted=SCRIPTED)
    await end_of(small, actor, run)
    async with at_the_edge(small, actor) as client:
        shown = (await client.data(RUN, {"id": global_id("Run", run.id)}))["run"]

    assert (shown["status"], shown["error"]["code"]) == ("FAILED", "LIMIT_EXCEEDED")
    assert shown["error"]["details"]["budgetTokens"] == BUDGET
    assert shown["error"]["details"]["neededTokens"] > BUDGET
    left_out = shown["contextWindow"].pop("leftOutTokens")
    assert shown["contextWindow"] == {
        "budgetTokens": BUDGET, "usedTokens": 0, "messages": 0, "leftOutMessages": 11
    }  # fmt: skip
    assert left_out > BUDGET
    assert server.requests == []
    assert (await row_of(dsn, run))["cost"] == 0
