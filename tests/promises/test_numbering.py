"""Whoever writes at the same time: numbers have no gaps, nothing is doubled, counters agree with the rows."""

import asyncio
from contextlib import suppress

import pytest

from app.core.actor import Actor
from app.core.errors import ErrorCode
from app.db.database import Database
from app.idempotency.values import ClientKey
from app.messages.pipeline import MessagePipeline
from app.messages.service import MessageOutcome
from app.messages.values import Draft, MessageId, MessageRole, MessageStatus
from app.sessions import service as sessions
from app.sessions.errors import SessionNotFound
from app.sessions.values import SessionId
from tests.conftest import an_actor
from tests.conversations import (
    Kitchen,
    broken_rules,
    counters,
    new_session,
    recounted,
    rows,
    say,
    value,
    waiting_for_locks,
)

WRITERS = 24
EACH = 10
"""Requests of one writer."""


class RolledBackOnPurpose(Exception):
    """Ends a unit of work after its message was stored."""


class Writer:
    """Sends messages to one session, by both ways there are."""

    def __init__(self, database: Database, pipeline: MessagePipeline, actor: Actor, session_id: SessionId) -> None:
        self._database = database
        self._pipeline = pipeline
        self._actor = actor
        self._session_id = session_id

    async def send(self, content: str, key: ClientKey | None, *, alone: bool, roll_back: bool) -> MessageOutcome | None:
        """What the message was answered; None when it was rolled back."""
        role = MessageRole.USER if len(content) % 2 else MessageRole.ASSISTANT
        draft = Draft(self._session_id, role, content)
        if alone and not roll_back:
            return await self._pipeline.persist(self._database, self._actor, draft, key)
        outcome = None
        with suppress(RolledBackOnPurpose):
            async with self._database.unit_of_work() as uow:
                outcome = await self._pipeline.append(uow, self._actor, draft, key)
                if roll_back:
                    raise RolledBackOnPurpose
        return outcome

    async def send_all(self, number: int, *, keyed: bool) -> list[MessageOutcome]:
        """Every message once; with keys, of which two writers have the same, every fifth first rolled back."""
        answers = []
        for turn in range(EACH):
            # Two writers share a pair number: every key is sent twice, at the same time.
            content = f"message {number // 2 if keyed else number}-{turn}"
            key = ClientKey.of(content, "test", content) if keyed else None
            alone = (number + turn) % 2 == 0
            if turn % 5 == 0:
                await self.send(content, key, alone=False, roll_back=True)
            outcome = await self.send(content, key, alone=alone, roll_back=False)
            assert outcome is not None
            answers.append(outcome)
        return answers


@pytest.mark.parametrize("keyed", [False, True])
async def test_writers_of_one_session_share_numbers_without_gaps(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, keyed: bool
) -> None:
    session_id = await new_session(database, actor)
    writer = Writer(database, pipeline, actor, session_id)

    answers = await asyncio.gather(*(writer.send_all(number, keyed=keyed) for number in range(WRITERS)))

    outcomes = [outcome for answer in answers for outcome in answer]
    first = [outcome for outcome in outcomes if not outcome.deduplicated]
    stored = WRITERS * EACH // (2 if keyed else 1)
    assert len(first) == stored
    assert len({outcome.message.id for outcome in outcomes}) == stored
    assert sorted(outcome.message.sequence_number for outcome in first) == list(range(1, stored + 1))
    found = await recounted(dsn, session_id)
    assert found == await counters(dsn, session_id)
    assert found.messages == list(range(1, stored + 1))
    assert found.events == list(range(1, stored + 2))
    assert await value(dsn, "SELECT count(*) FROM client_keys") == (stored if keyed else 0)
    assert await broken_rules(dsn) == []


async def test_writers_to_the_sessions_of_others_store_nothing(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session_id = await new_session(database, actor)
    mine = Writer(database, pipeline, actor, session_id)
    strangers = [
        Writer(database, pipeline, stranger, session_id)
        for stranger in (an_actor("mallory"), an_actor("system"), an_actor("alice", "acme"))
    ]

    async def refused(stranger: Writer, turn: int) -> None:
        key = ClientKey.of(f"{turn}", "test", "stolen") if turn % 2 else None
        with pytest.raises(SessionNotFound):
            await stranger.send("stolen", key, alone=turn % 4 < 2, roll_back=False)

    sending = asyncio.create_task(mine.send_all(0, keyed=True))
    await asyncio.gather(*(refused(stranger, turn) for stranger in strangers for turn in range(8)))
    answers = await sending

    assert [outcome.message.sequence_number for outcome in answers] == list(range(1, EACH + 1))
    assert await recounted(dsn, session_id) == await counters(dsn, session_id)
    assert await value(dsn, "SELECT count(*) FROM chat_messages WHERE content = 'stolen'") == 0
    assert await value(dsn, "SELECT count(*) FROM client_keys WHERE user_id <> 'alice' OR tenant_id <> 'default'") == 0


async def test_everything_at_once_leaves_no_gap(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session_id = await new_session(database, actor)
    kitchen = Kitchen(database, pipeline, actor, session_id)
    asked = [
        MessageId((await say(database, pipeline, actor, session_id, "…", MessageRole.ASSISTANT)).id) for _ in range(6)
    ]

    await asyncio.gather(
        *(kitchen.append(turn) for turn in range(40)),
        *(kitchen.call_tool(message_id) for message_id in asked for _ in range(8)),
        *(kitchen.file(f"tag {turn}") for turn in range(10)),
        *(kitchen.delete(message_id) for message_id in asked[:3] for _ in range(2)),
    )

    # A call that came after its message was deleted is refused, and nothing else is.
    assert set(kitchen.refused) <= {ErrorCode.INVALID_TRANSITION}
    found = await recounted(dsn, session_id)
    assert found == await counters(dsn, session_id)
    assert len(found.messages) == 46
    calls = 48 - len(kitchen.refused)
    assert len(found.events) == 1 + 46 + calls + 10 + 3
    assert await broken_rules(dsn) == []


async def test_of_two_ends_of_a_message_exactly_one_wins(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session_id = await new_session(database, actor)
    kitchen = Kitchen(database, pipeline, actor, session_id)
    pending = [
        await say(database, pipeline, actor, session_id, "", MessageRole.ASSISTANT, MessageStatus.PENDING)
        for _ in range(20)
    ]

    await asyncio.gather(
        *(
            kitchen.end(MessageId(message.id), status)
            for message in pending
            for status in (MessageStatus.COMPLETED, MessageStatus.FAILED)
        )
    )

    assert kitchen.refused == [ErrorCode.INVALID_TRANSITION] * len(pending)
    ended = await rows(dsn, "SELECT status, content FROM chat_messages")
    assert all(row["content"] == f"ended {row['status']}" for row in ended)
    changes = await value(
        dsn, "SELECT count(DISTINCT payload->>'messageId') FROM events WHERE kind = 'message.updated'"
    )
    assert changes == len(pending)
    assert await recounted(dsn, session_id) == await counters(dsn, session_id)


async def test_update_that_waits_behind_a_deletion_finds_no_message(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session_id = await new_session(database, actor)
    kitchen = Kitchen(database, pipeline, actor, session_id)
    message = await say(database, pipeline, actor, session_id, "", MessageRole.ASSISTANT, MessageStatus.PENDING)

    # Both wait for the session's row. The deletion came first, and takes the message with it.
    async with database.unit_of_work() as uow:
        await sessions.set_metadata(uow, actor, session_id, {"summary": "held"}, None)
        deletion = asyncio.create_task(kitchen.delete_session())
        await waiting_for_locks(dsn, 1)
        update = asyncio.create_task(kitchen.end(MessageId(message.id), MessageStatus.COMPLETED))
        await waiting_for_locks(dsn, 2)
    await asyncio.gather(deletion, update)

    assert set(kitchen.refused) <= {ErrorCode.MESSAGE_NOT_FOUND}
    events = await rows(dsn, "SELECT seq, kind FROM events WHERE stream_id = $1 ORDER BY seq", session_id)
    assert [row["seq"] for row in events] == list(range(1, len(events) + 1))
    assert events[-1]["kind"] == "session.deleted"
    assert await value(dsn, "SELECT count(*) FROM chat_messages") == 0


async def test_session_deleted_while_it_is_written_leaves_only_its_events(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    for _ in range(5):
        session_id = await new_session(database, actor)
        kitchen = Kitchen(database, pipeline, actor, session_id)
        message = await say(database, pipeline, actor, session_id, "", MessageRole.ASSISTANT, MessageStatus.PENDING)
        message_id = MessageId(message.id)

        await asyncio.gather(
            *(kitchen.append(turn) for turn in range(8)),
            *(kitchen.call_tool(message_id) for _ in range(3)),
            kitchen.end(message_id, MessageStatus.COMPLETED),
            kitchen.delete_session(),
            kitchen.delete(message_id),
            *(kitchen.append(turn) for turn in range(8)),
        )

        assert set(kitchen.refused) <= {
            ErrorCode.SESSION_NOT_FOUND, ErrorCode.MESSAGE_NOT_FOUND, ErrorCode.INVALID_TRANSITION,
        }  # fmt: skip
        events = await rows(dsn, "SELECT seq, kind FROM events WHERE stream_id = $1 ORDER BY seq", session_id)
        assert [row["seq"] for row in events] == list(range(1, len(events) + 1))
        assert events[-1]["kind"] == "session.deleted"
    for table in ("chat_sessions", "chat_messages", "tool_calls", "session_metadata"):
        assert await value(dsn, f"SELECT count(*) FROM {table}") == 0
