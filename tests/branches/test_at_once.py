"""Many at once in one tree: what was acknowledged is there, numbers have no gaps, and the leaf is a leaf."""

import asyncio
from random import Random

from app.branches import pipeline as branches
from app.branches.values import ForkRequest
from app.core.actor import Actor
from app.db.database import Database
from app.messages.models import ChatMessage
from app.messages.pipeline import MessagePipeline
from app.messages.values import Draft, Edit, MessageId, MessageRole
from app.sessions.values import SessionId
from tests.conversations import broken_rules, counters, new_session, recounted, rows, say

WRITERS = 24
EACH = 8

NO_LEAF = """SELECT count(*) FROM chat_sessions s WHERE NOT EXISTS (
  SELECT 1 FROM chat_messages m WHERE m.session_id = s.id AND m.id = s.active_leaf_id
  AND NOT EXISTS (SELECT 1 FROM chat_messages c WHERE c.parent_message_id = m.id))"""


class Writer:
    """Appends, edits and moves, by what it has seen before."""

    def __init__(self, database: Database, pipeline: MessagePipeline, actor: Actor, session: SessionId) -> None:
        self._database, self._pipeline, self._actor, self._session = database, pipeline, actor, session

    async def work(self, number: int, seen: MessageId) -> list[ChatMessage]:
        """The messages that were acknowledged."""
        random, known, acknowledged = Random(number), [seen], list[ChatMessage]()
        for turn in range(EACH):
            at = random.choice(known)
            match (number + turn) % 4:
                case 0:
                    await branches.set_leaf(self._database, self._actor, self._session, at, None)
                case 1:
                    edit = Edit(at, f"edit {number}-{turn}")
                    acknowledged.append((await self._pipeline.edit(self._database, self._actor, edit, None)).message)
                case kind:
                    parent = at if kind == 2 else None
                    draft = Draft(self._session, MessageRole.USER, f"message {number}-{turn}", parent)
                    stored = await self._pipeline.persist(self._database, self._actor, draft, None)
                    acknowledged.append(stored.message)
            known += [MessageId(each.id) for each in acknowledged[-1:]]
        return acknowledged


async def test_writers_of_one_tree_lose_nothing(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session = await new_session(database, actor)
    seen = MessageId((await say(database, pipeline, actor, session)).id)
    writer = Writer(database, pipeline, actor, session)
    watching = asyncio.Event()

    async def watch() -> set[int]:
        """The leaf, again and again, as others see it."""
        found: set[int] = set()
        while not watching.is_set():
            [[count]] = await rows(dsn, NO_LEAF)
            found.add(count)
        return found

    async def write() -> list[list[ChatMessage]]:
        try:
            return await asyncio.gather(*(writer.work(number, seen) for number in range(WRITERS)))
        finally:
            watching.set()

    without_leaf, answers = await asyncio.gather(watch(), write())

    acknowledged = [message for each in answers for message in each]
    stored = await rows(dsn, "SELECT id, content, sequence_number, parent_message_id FROM chat_messages")
    found = {row["id"]: (row["content"], row["sequence_number"], row["parent_message_id"]) for row in stored}
    assert len(acknowledged) == WRITERS * EACH * 3 // 4
    assert len(found) == len(acknowledged) + 1
    assert all(
        found[message.id] == (message.content, message.sequence_number, message.parent_message_id)
        for message in acknowledged
    )
    assert without_leaf == {0}
    assert await counters(dsn, session) == await recounted(dsn, session)
    assert (await counters(dsn, session)).messages == list(range(1, len(found) + 1))
    assert await broken_rules(dsn) == []


async def test_forks_and_moves_at_once_wait_for_each_other_in_a_line(
    database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str
) -> None:
    session = await new_session(database, actor)
    said = [MessageId((await say(database, pipeline, actor, session)).id) for _ in range(4)]
    writer = Writer(database, pipeline, actor, session)

    outcomes = await asyncio.gather(
        *(branches.fork(database, actor, ForkRequest(session, at), None) for at in said * 3),
        *(branches.set_leaf(database, actor, session, at, None) for at in said * 3),
    )
    await asyncio.gather(*(writer.work(number, said[0]) for number in range(6)))

    assert [outcome.session.last_sequence for outcome in outcomes[:12] if outcome.session] == [1, 2, 3, 4] * 3
    assert await counters(dsn, session) == await recounted(dsn, session)
    assert await broken_rules(dsn) == []
