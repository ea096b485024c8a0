"""A fork is a session of its own, with copies of what led to a message; the other is left as it is."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from app.branches import pipeline as branches
from app.branches.values import ForkRequest, PathStep, counted
from app.core.actor import Actor
from app.core.ids import new_id, parse_global_id
from app.db.base import Base, table_of
from app.db.database import Database
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, MessageId, MessageRole
from app.sessions.values import Counters
from app.tables import metadata
from tests.branches.forks import (
    calls_of,
    executions_of,
    files_of,
    fork_of,
    forked,
    key_of,
    messages_of,
    talk,
)
from tests.branches.trees import chain, of_message, of_session, plant, shown
from tests.client import GraphQLClient
from tests.conversations import broken_rules, new_session, rows, value
from tests.fakes import StatementRecorder
from tests.uploads import FileToSend
from tests.worlds import add_call, add_file, stored


async def test_a_fork_has_all_that_is_shown(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)

    payload = await forked(client, session)

    found = payload["session"]
    assert (payload["success"], payload["deduplicated"]) == (True, False)
    assert found["id"] != session
    assert {name: found[name] for name in ("title", "description", "status", "agentId", "model", "provider")} == {
        "title": "Trip", "description": "by train", "status": "ACTIVE", "agentId": "agent", "model": "echo",
        "provider": "local",
    }  # fmt: skip
    assert found["metadata"] == {"tags": ["a", "b"], "customData": {"n": 1}, "summary": "about trains"}
    assert found["forkedFrom"] == {"session": {"id": session}, "message": {"id": ids[3]}}
    assert await messages_of(dsn, found["id"]) == await messages_of(dsn, session)
    assert await shown(client, found["id"]) == [1, 2, 3, 4]
    assert await calls_of(dsn, found["id"]) == await calls_of(dsn, session)
    assert len(await calls_of(dsn, session)) == 5
    assert await executions_of(dsn, found["id"]) == await executions_of(dsn, session)
    assert len(await executions_of(dsn, session)) == 1
    waiting = "SELECT count(*) FROM tool_executions WHERE session_id = $1 AND status = 'awaiting_approval'"
    assert (await value(dsn, waiting, key_of(session)), await value(dsn, waiting, key_of(found["id"]))) == (1, 0)
    assert await files_of(dsn, found["id"]) == await files_of(dsn, session)
    assert len(await files_of(dsn, session)) == 3
    assert await broken_rules(dsn) == []


async def test_a_fork_counts_what_was_copied_and_has_spent_nothing(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)

    fork = await fork_of(client, session, atMessageId=ids[2])

    [row] = await rows(dsn, "SELECT * FROM chat_sessions WHERE id = $1", key_of(fork))
    path = await messages_of(dsn, fork)
    assert (row["user_messages"], row["assistant_messages"], row["system_messages"]) == (2, 1, 0)
    assert (row["last_sequence"], row["last_event"], row["tool_calls"]) == (3, 1, 2)
    assert row["total_tokens_used"] == sum(message["token_count"] for message in path)
    assert (row["total_duration_ms"], row["estimated_cost"], row["answered"]) == (40, Decimal(0), 1)
    assert row["awaiting_answer_since"] == path[2]["created_at"]
    used = await rows(dsn, "SELECT kind, name, times FROM session_tallies WHERE session_id = $1", key_of(fork))
    assert sorted(map(tuple, used)) == [("model", "gpt-4o", 1), ("tool", "search", 2)]


async def test_a_fork_goes_its_own_way(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)
    fork = await fork_of(client, session, atMessageId=ids[1], title="Another way")

    await client.say(fork, "Only here")
    await client.say(session, "Only there")
    [copy] = await rows(
        dsn, "SELECT id FROM chat_messages WHERE session_id = $1 AND content = 'At five.'", key_of(fork)
    )
    await client.mutate("deleteMessage", "message { id }", {"messageId": of_message(copy["id"])})

    assert [message["content"] for message in await messages_of(dsn, fork)] == ["When?", "", "Only here"]
    assert [message["content"] for message in await messages_of(dsn, session)][1] == "At five."
    assert await calls_of(dsn, fork) == []
    titles = await rows(dsn, "SELECT title FROM chat_sessions ORDER BY created_at")
    assert [row["title"] for row in titles] == ["Trip", "Another way"]
    events = await rows(dsn, "SELECT seq, kind FROM events WHERE stream_id = $1 ORDER BY seq", key_of(fork))
    assert [tuple(row) for row in events] == [
        (1, "session.forked"), (2, "message.appended"), (3, "message.deleted"),
    ]  # fmt: skip
    assert await broken_rules(dsn) == []


async def test_the_origin_is_not_changed(client: GraphQLClient, dsn: str) -> None:
    session, _ = await talk(client)
    of_origin = """
      SELECT (SELECT s::text FROM chat_sessions s WHERE id = $1), (SELECT count(*) FROM events WHERE stream_id = $1),
             (SELECT string_agg(m::text, ' ' ORDER BY m) FROM chat_messages m WHERE session_id = $1)"""
    before = await rows(dsn, of_origin, key_of(session))

    await fork_of(client, session)

    assert await rows(dsn, of_origin, key_of(session)) == before


async def test_a_branch_that_is_not_shown_can_be_forked(client: GraphQLClient, dsn: str) -> None:
    session, _ = await talk(client)
    beside = await value(dsn, "SELECT id FROM chat_messages WHERE content = 'beside'")

    fork = await fork_of(client, session, atMessageId=of_message(beside))

    assert [message["content"] for message in await messages_of(dsn, fork)] == ["When?", "beside"]


async def test_a_fork_of_a_fork_names_the_one_it_came_from(client: GraphQLClient) -> None:
    session, _ = await talk(client)
    fork = await fork_of(client, session)

    payload = await forked(client, fork)

    assert payload["session"]["forkedFrom"]["session"] == {"id": fork}
    assert payload["session"]["messageCount"] == 4


async def test_a_tombstone_is_copied_as_one(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)
    await client.mutate("deleteMessage", "message { id }", {"messageId": ids[1]})

    fork = await fork_of(client, session)

    assert await messages_of(dsn, fork) == await messages_of(dsn, session)
    assert [message["content"] for message in await messages_of(dsn, fork)][1] == ""
    assert await value(dsn, "SELECT tool_calls FROM chat_sessions WHERE id = $1", key_of(fork)) == 3


async def test_a_session_without_messages_is_forked_to_one(client: GraphQLClient, dsn: str) -> None:
    session = await client.create_session(tags=["empty"])

    payload = await forked(client, session)

    assert payload["session"]["messageCount"] == 0
    assert payload["session"]["metadata"]["tags"] == ["empty"]
    assert payload["session"]["forkedFrom"] == {"session": {"id": session}, "message": None}
    assert await broken_rules(dsn) == []


async def test_a_fork_outlives_its_origin(client: GraphQLClient, dsn: str) -> None:
    session, _ = await talk(client)
    fork = await fork_of(client, session)
    path = await messages_of(dsn, fork)

    await client.mutate("deleteSession", "deletedSessionId", {"sessionId": session})

    found = await client.data(
        "query ($id: ID!) { session(id: $id) { messageCount forkedFrom { session { id } } } }", {"id": fork}
    )
    assert found["session"] == {"messageCount": 4, "forkedFrom": None}
    assert await messages_of(dsn, fork) == path


@pytest.mark.parametrize("status", ["PENDING", "PROCESSING"])
async def test_what_is_being_written_at_the_end_is_left_out(client: GraphQLClient, dsn: str, status: str) -> None:
    session, _ = await talk(client)
    asked = (await client.say(session, "Really?"))["message"]["id"]
    begun = (await client.reply(session, "", status=status))["message"]["id"]
    before = await stored(dsn)

    refused = await forked(client, session, atMessageId=begun)
    unchanged = await stored(dsn)
    taken = await forked(client, session)

    error = refused["error"]
    assert (error["code"], error["field"], error["retryable"]) == ("INVALID_TRANSITION", "atMessageId", True)
    assert unchanged == before
    assert taken["session"]["messageCount"] == 5
    assert taken["session"]["forkedFrom"]["message"] == {"id": asked}


async def test_a_path_through_what_is_being_written_is_refused(client: GraphQLClient, dsn: str) -> None:
    session, _ = await talk(client)
    await client.reply(session, "", status="PROCESSING")
    later = (await client.say(session, "Go on"))["message"]["id"]
    before = await stored(dsn)

    refused = [await forked(client, session), await forked(client, session, atMessageId=later)]

    assert [payload["error"]["code"] for payload in refused] == ["INVALID_TRANSITION"] * 2
    assert await stored(dsn) == before


async def test_a_fork_that_cannot_be_leaves_nothing(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)
    other, _ = await talk(client)
    before = await stored(dsn)

    refused = [
        await forked(client, other, atMessageId=ids[0], clientKey="k"),
        await forked(client, session, atMessageId=of_message(new_id()), clientKey="k"),
        await forked(client, of_session(new_id()), clientKey="k"),
        await forked(client, session, title=" ", clientKey="k"),
    ]

    assert [(payload["error"]["code"], payload["error"]["field"]) for payload in refused] == [
        ("MESSAGE_NOT_FOUND", "atMessageId"), ("MESSAGE_NOT_FOUND", "atMessageId"),
        ("SESSION_NOT_FOUND", "sessionId"), ("VALIDATION_ERROR", "title"),
    ]  # fmt: skip
    assert await stored(dsn) == before


@pytest.mark.parametrize("length", [2, 10_000])
async def test_a_fork_is_as_many_statements_however_long_the_path(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor, statements: StatementRecorder, length: int
) -> None:
    session_id = await new_session(database, actor)
    ids = await plant(dsn, actor, session_id, chain(length))
    await add_call(client, of_message(ids[-1]))
    await add_file(client, of_message(ids[-1]), FileToSend())
    statements.clear()

    outcome = await branches.fork(database, actor, ForkRequest(session_id), None)

    assert outcome.session
    assert len(statements.sent) == 9
    fork = outcome.session
    assert (fork.last_sequence, fork.user_messages, fork.answered) == (length, length // 2, length // 2)
    wrong = """SELECT count(*) FROM chat_messages c LEFT JOIN chat_messages p ON p.id = c.parent_message_id
      WHERE c.session_id = $1 AND (coalesce(p.sequence_number, 0) <> c.sequence_number - 1 OR p.session_id <> $1
      OR c.content <> 'message ' || c.sequence_number)"""
    assert await value(dsn, wrong, fork.id) == 0
    assert await value(dsn, "SELECT count(*) FROM chat_messages WHERE session_id = $1", fork.id) == length


async def test_forks_of_a_session_that_is_written_are_each_as_it_was_at_one_moment(
    client: GraphQLClient, database: Database, pipeline: MessagePipeline, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)

    async def write(number: int) -> None:
        for turn in range(10):
            role = MessageRole.ASSISTANT if turn % 2 else MessageRole.USER
            stored_ = await pipeline.persist(database, actor, Draft(session_id, role, f"{number}-{turn}"), None)
            if role is MessageRole.ASSISTANT:
                await add_call(client, stored_.message.global_id)

    async def fork() -> UUID:
        outcome = await branches.fork(database, actor, ForkRequest(session_id), None)
        assert outcome.session
        return outcome.session.id

    forks, *_ = await asyncio.gather(
        asyncio.gather(*(fork() for _ in range(12))), *(write(number) for number in range(6))
    )

    path = await messages_of(dsn, of_session(session_id))
    assert len(path) == 60
    assert forks
    for each in forks:
        copied = await messages_of(dsn, of_session(each))
        assert [message["content"] for message in copied] == [message["content"] for message in path[: len(copied)]]
    assert await broken_rules(dsn) == []


BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def step(
    role: MessageRole, at_seconds: float, status: str = "completed", took_ms: int | None = None, changed: float = 0
) -> PathStep:
    """A message of a path."""
    at = BEGAN + timedelta(seconds=at_seconds)
    return PathStep(new_id(), role, status, 5, took_ms, 2, at, at + timedelta(seconds=changed))


USER, ASSISTANT, TOOL = MessageRole.USER, MessageRole.ASSISTANT, MessageRole.TOOL


@pytest.mark.parametrize(
    ("path", "answered", "answer_ms", "waiting"),
    [
        ([], 0, 0, None),
        ([step(USER, 0), step(ASSISTANT, 2)], 1, 2_000, None),
        ([step(USER, 0), step(USER, 1), step(ASSISTANT, 3), step(ASSISTANT, 4)], 1, 2_000, None),
        ([step(ASSISTANT, 0), step(USER, 1)], 0, 0, 1),
        ([step(USER, 0), step(ASSISTANT, 1, "failed"), step(ASSISTANT, 2, "cancelled")], 0, 0, 0),
        ([step(USER, 0), step(ASSISTANT, 1, "failed"), step(TOOL, 2), step(ASSISTANT, 4)], 1, 4_000, None),
        # Begun with the question, complete 1.5 s later; and the same changed a day after.
        ([step(USER, 0), step(ASSISTANT, 0, took_ms=1_500, changed=1.6)], 1, 1_500, None),
        ([step(USER, 0), step(ASSISTANT, 0, took_ms=1_500, changed=86_400)], 1, 1_500, None),
        # Stored when it was complete; what it took had passed before.
        ([step(USER, 0), step(ASSISTANT, 2, took_ms=1_500)], 1, 2_000, None),
    ],
)
def test_answers_of_a_path_are_counted_by_the_rule(
    path: list[PathStep], answered: int, answer_ms: int, waiting: float | None
) -> None:
    """S1-27: the first completed answer after the latest question."""
    found = counted(path)

    assert (found.answered, found.answer_ms) == (answered, answer_ms)
    assert found.awaiting_answer_since == (None if waiting is None else BEGAN + timedelta(seconds=waiting))
    assert (found.messages, found.total_tokens_used, found.tool_calls) == (len(path), 5 * len(path), 2 * len(path))
    assert Counters().messages == 0


NOT_COPIED = {
    "runs": "an attempt of a model that was made and paid once, for the message that it wrote",
    "prompt_executions": "what a run was asked with: it is counted where that was",
}
"""Tables whose rows hang on messages and stay there, and why."""


def test_whatever_hangs_on_messages_is_copied_or_has_a_reason_not_to_be() -> None:
    copied = {"chat_messages", *(copy.__module__.split(".")[1] for copy in branches._HANGING)}
    rooms = {str(table_of(each.class_)): each.class_.__module__.split(".")[1] for each in Base.registry.mappers}

    hanging = {
        table.name
        for table in metadata.tables.values()
        if any(key.column.table.name in ("chat_messages", "tool_calls") for key in table.foreign_keys)
    }

    assert {name for name in hanging if {name, rooms[name]}.isdisjoint(copied)} == NOT_COPIED.keys()


async def test_the_message_ids_of_a_fork_are_new(client: GraphQLClient, dsn: str) -> None:
    session, ids = await talk(client)

    fork = await fork_of(client, session)

    found = await rows(dsn, "SELECT id FROM chat_messages WHERE session_id = $1", key_of(fork))
    assert not {MessageId(row["id"]) for row in found} & {parse_global_id(each, "ChatMessage") for each in ids}
