"""An answer that the application generates over time: begun, written, and ended once."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.llm.tokens import TokenCount
from app.messages.pipeline import MessagePipeline
from app.messages.values import Completion, MessageId, MessageRole, MessageStatus
from tests.client import GraphQLClient
from tests.conversations import broken_rules, counters, new_session, recounted, rows, say, value
from tests.fakes import StatementRecorder
from tests.worlds import add_call, stored

MESSAGE = """message { id sequenceNumber role status content tokenCount tokenCountEstimated errorCode errorMessage
metadata intent { name } contextItems { metrics } parent { id } toolCalls { id }
generation { model temperature source processingTimeMs streaming } pipeline { warnings { code } }
session { totalTokensUsed totalDurationMs estimatedCost } }"""


async def begin(client: GraphQLClient, session: str, **input_: Any) -> dict[str, Any]:
    """The payload of an answer that is begun."""
    return await client.mutate("createStreamingContext", MESSAGE, {"sessionId": session, **input_})


async def complete(client: GraphQLClient, message: str, **input_: Any) -> dict[str, Any]:
    """The payload of its end."""
    selection = f"messageId tokensUsed {MESSAGE}"
    return await client.mutate("completeStreamingMessage", selection, {"messageId": message, **input_})


@pytest.fixture
async def session(client: GraphQLClient) -> str:
    """A session with a question."""
    found = await client.create_session()
    await client.say(found)
    return found


@pytest.fixture
async def begun(client: GraphQLClient, session: str) -> str:
    """The id of an answer that is begun."""
    return str((await begin(client, session, model="gpt-4o"))["message"]["id"])


async def test_an_answer_is_begun_with_all_that_is_known_of_it(client: GraphQLClient, session: str) -> None:
    payload = await begin(
        client, session, model="gpt-4o", temperature=0.2, generationSource="agent", metadata={"a": 1},
        intent={"name": "SUMMARY"}, contextItems={"metrics": [{"clicks": 3}]},
    )  # fmt: skip

    message = payload["message"]
    assert (payload["success"], payload["deduplicated"]) == (True, False)
    assert (message["status"], message["content"], message["tokenCount"]) == ("PROCESSING", "", 0)
    assert (message["role"], message["sequenceNumber"], message["metadata"]) == ("ASSISTANT", 2, {"a": 1})
    assert message["generation"] == {
        "model": "gpt-4o", "temperature": 0.2, "source": "agent", "processingTimeMs": None, "streaming": {},
    }  # fmt: skip
    assert (message["intent"], message["contextItems"]) == ({"name": "SUMMARY"}, {"metrics": [{"clicks": 3}]})


async def test_a_completed_answer_has_what_it_was_begun_and_ended_with(client: GraphQLClient, session: str) -> None:
    message = (await begin(client, session, model="gpt-4o", temperature=0.5, metadata={"a": 1}))["message"]["id"]

    payload = await complete(
        client, message, content="Sales rose.", tokensUsed=12, processingTimeMs=840,
        streaming={"durationMs": 790, "chunkCount": 11},
    )  # fmt: skip

    found = payload["message"]
    assert (payload["success"], payload["messageId"], payload["tokensUsed"]) == (True, message, 12)
    assert (found["status"], found["content"], found["metadata"]) == ("COMPLETED", "Sales rose.", {"a": 1})
    assert (found["tokenCount"], found["tokenCountEstimated"]) == (12, False)
    assert found["generation"] == {
        "model": "gpt-4o", "temperature": 0.5, "source": None, "processingTimeMs": 840,
        "streaming": {"durationMs": 790, "chunkCount": 11},
    }  # fmt: skip
    assert int(found["session"]["totalTokensUsed"]) >= 12
    assert found["session"]["totalDurationMs"] == "840"


@pytest.mark.parametrize("model", ["gpt-4o", "claude-sonnet", None])
async def test_tokens_are_counted_as_those_of_an_answer_that_is_stored_at_once(
    client: GraphQLClient, session: str, model: str | None
) -> None:
    content = "Sales rose by a tenth, and costs fell."
    at_once = await client.mutate(
        "persistAssistantMessage", MESSAGE, {"sessionId": session, "content": content, "modelUsed": model}
    )
    message = (await begin(client, session, model=model))["message"]["id"]

    found = (await complete(client, message, content=content))["message"]

    counted = {name: found[name] for name in ("tokenCount", "tokenCountEstimated")}
    assert counted == {name: at_once["message"][name] for name in counted}
    assert found["tokenCount"] > 5


async def test_a_failed_answer_keeps_what_was_written_of_it(client: GraphQLClient, begun: str) -> None:
    await client.mutate("updateMessage", "success", {"messageId": begun, "content": "Sales rose by a ten"})

    payload = await complete(client, begun, errorCode="TIMEOUT", errorMessage="the model went away")

    found = payload["message"]
    assert (found["status"], found["content"]) == ("FAILED", "Sales rose by a ten")
    assert (found["errorCode"], found["errorMessage"]) == ("TIMEOUT", "the model went away")
    assert found["tokenCount"] > 3


async def test_a_failed_answer_may_bring_what_was_written_of_it(client: GraphQLClient, begun: str) -> None:
    found = (await complete(client, begun, content="Sales ro", errorCode="TIMEOUT"))["message"]

    assert (found["status"], found["content"]) == ("FAILED", "Sales ro")


async def test_a_cancelled_answer_ends_without_a_word(client: GraphQLClient, begun: str) -> None:
    found = (await complete(client, begun, cancelled=True))["message"]

    assert (found["status"], found["content"], found["tokenCount"]) == ("CANCELLED", "", 0)


async def test_an_answer_of_tool_calls_may_be_empty(client: GraphQLClient, begun: str) -> None:
    await add_call(client, begun)

    found = (await complete(client, begun, content="", callsTools=True))["message"]

    assert (found["status"], found["content"], len(found["toolCalls"])) == ("COMPLETED", "", 1)


@pytest.mark.parametrize(
    ("input_", "field"),
    [
        ({}, "content"),
        ({"content": None}, "content"),
        ({"content": " "}, "content"),
        ({"content": "", "callsTools": False}, "content"),
        ({"content": "x", "cancelled": True, "errorCode": "E"}, "cancelled"),
        ({"content": "x", "errorCode": ""}, "errorCode"),
        ({"content": "x", "tokensUsed": -1}, "tokensUsed"),
        ({"content": "x", "processingTimeMs": -1}, "processingTimeMs"),
        ({"content": "x", "metadata": [1]}, "metadata"),
        ({"content": "x" * 1_000_001}, "content"),
        ({"content": "x", "errorMessage": "x" * 4_001}, "errorMessage"),
    ],
    ids=lambda found: str(found)[:40],
)
async def test_an_end_that_cannot_be_stored_is_refused(
    client: GraphQLClient, begun: str, dsn: str, input_: dict[str, Any], field: str
) -> None:
    before = await stored(dsn)

    payload = await complete(client, begun, **input_)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", field)
    assert await stored(dsn) == before


async def test_what_an_answer_is_begun_with_is_refused_by_its_own_name(client: GraphQLClient, session: str) -> None:
    payload = await begin(client, session, model="x" * 256)

    assert (payload["error"]["code"], payload["error"]["field"]) == ("VALIDATION_ERROR", "model")


@pytest.mark.parametrize(
    "first", [{"content": "first"}, {"errorCode": "E"}, {"cancelled": True}], ids=["completed", "failed", "cancelled"]
)
async def test_an_answer_ends_once(client: GraphQLClient, begun: str, dsn: str, first: dict[str, Any]) -> None:
    ended = await complete(client, begun, **first)
    before = await stored(dsn)

    again = await complete(client, begun, content="second", tokensUsed=99)

    assert ended["success"]
    assert (again["error"]["code"], again["error"]["field"]) == ("INVALID_TRANSITION", "messageId")
    assert await stored(dsn) == before


async def test_a_repeated_end_is_answered_as_the_first(client: GraphQLClient, begun: str, dsn: str) -> None:
    input_ = {"content": "done", "tokensUsed": 3, "clientKey": "end"}
    first = await complete(client, begun, **input_)
    before = await stored(dsn)

    again = await complete(client, begun, **input_)

    assert (first["deduplicated"], again["deduplicated"]) == (False, True)
    assert again["message"] == first["message"]
    assert await stored(dsn) == before


async def test_a_deleted_answer_cannot_be_ended(client: GraphQLClient, begun: str, dsn: str) -> None:
    await client.mutate("deleteMessage", "success", {"messageId": begun})
    before = await stored(dsn)

    payload = await complete(client, begun, content="late")

    assert (payload["error"]["code"], payload["error"]["field"]) == ("INVALID_TRANSITION", "messageId")
    assert await stored(dsn) == before


async def test_of_many_ends_at_once_one_is_stored_and_counted(client: GraphQLClient, begun: str, dsn: str) -> None:
    before = await value(dsn, "SELECT total_tokens_used FROM chat_sessions")
    ends: list[dict[str, Any]] = [
        {"content": "done", "tokensUsed": 5}, {"errorCode": "E", "tokensUsed": 5}, {"cancelled": True, "tokensUsed": 5},
    ]  # fmt: skip

    payloads = await asyncio.gather(*(complete(client, begun, **input_) for input_ in ends * 4))

    assert [payload["success"] for payload in payloads].count(True) == 1
    assert await value(dsn, "SELECT total_tokens_used FROM chat_sessions") == before + 5
    assert await value(dsn, "SELECT count(*) FROM events WHERE kind = 'message.updated'") == 1
    [message] = await rows(dsn, "SELECT content, status FROM chat_messages WHERE role = 'assistant'")
    assert (message["content"] == "done") == (message["status"] == "completed")


async def test_the_event_tells_how_it_ended_and_not_what_was_said(client: GraphQLClient, begun: str) -> None:
    await complete(client, begun, content="secret", errorCode="E", errorMessage="secret")

    [event] = (await client.data("{ auditEvents(first: 1) { nodes { kind payload } } }"))["auditEvents"]["nodes"]

    assert (event["kind"], event["payload"]["status"]) == ("MESSAGE_UPDATED", "FAILED")
    assert event["payload"]["messageId"] == begun
    assert "secret" not in str(event)


async def test_begin_and_end_are_one_statement_each(
    client: GraphQLClient, session: str, statements: StatementRecorder
) -> None:
    statements.clear()
    answer = await client.data(
        f'mutation {{ createStreamingContext(input: {{ sessionId: "{session}" }}) {{ message {{ id }} }} }}'
    )
    begun = answer["createStreamingContext"]["message"]["id"]
    await client.data(
        f'mutation {{ completeStreamingMessage(input: {{ messageId: "{begun}", content: "x", tokensUsed: 1 }}) '
        "{ success } }"
    )

    assert len(statements.sent) == 2


class TestOfTheRoom:
    """What the other rooms can ask of the pipeline, beyond the graph."""

    async def test_what_an_answer_took_comes_on_top_of_what_was_counted_before(
        self, database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
    ) -> None:
        session = await new_session(database, actor)
        begun = [
            await say(database, pipeline, actor, session, "some words", MessageRole.ASSISTANT, MessageStatus.PENDING)
            for _ in range(3)
        ]
        early = begun[0].token_count
        tokens = [early + 40, early - 1, 0]
        costs = [Decimal("0.25"), Decimal("0.05"), None]
        ends = [MessageStatus.COMPLETED, MessageStatus.FAILED, MessageStatus.CANCELLED]

        for message, status, took, cost in zip(begun, ends, tokens, costs, strict=True):
            completion = Completion(
                MessageId(message.id), status, "x", tokens_used=took, cost=cost, processing_time_ms=10
            )
            await pipeline.complete(database, actor, completion, None)

        [row] = await rows(dsn, "SELECT total_tokens_used, estimated_cost, total_duration_ms FROM chat_sessions")
        assert tuple(row) == (3 * early + 40, Decimal("0.30"), 30)
        assert await recounted(dsn, session) == await counters(dsn, session)
        assert await broken_rules(dsn) == []

    async def test_an_answer_whose_tokens_cannot_be_counted_ends_with_a_warning(
        self, database: Database, pipeline: MessagePipeline, actor: Actor
    ) -> None:
        def broken(text: str, model: str | None) -> TokenCount:
            raise RuntimeError("no vocabulary")

        session = await new_session(database, actor)
        begun = await say(database, pipeline, actor, session, "", MessageRole.ASSISTANT, MessageStatus.PENDING)
        completion = Completion(MessageId(begun.id), MessageStatus.COMPLETED, "done")

        outcome = await MessagePipeline(pipeline.detector, broken).complete(database, actor, completion, None)

        assert (outcome.message.content, outcome.message.token_count) == ("done", 0)
        assert [warning.code for warning in outcome.message.pipeline.warnings] == ["TOKENS_UNAVAILABLE"]

    async def test_an_answer_can_end_inside_a_larger_piece_of_work(
        self, database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
    ) -> None:
        session = await new_session(database, actor)
        begun = await say(database, pipeline, actor, session, "", MessageRole.ASSISTANT, MessageStatus.PENDING)
        completion = Completion(MessageId(begun.id), MessageStatus.COMPLETED, "done")

        async def end_and_fail() -> None:
            async with database.unit_of_work() as uow:
                await pipeline.end(uow, actor, completion, None)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await end_and_fail()

        assert await value(dsn, "SELECT status FROM chat_messages") == "pending"
