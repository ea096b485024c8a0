"""Trees of messages, planted all at once, and what the graph shows of them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.sessions.values import SessionId
from tests.client import GraphQLClient

_PLANT = """
INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, parent_message_id, role, content, token_count)
SELECT $1, id, $2, number, parent, CASE number % 2 WHEN 1 THEN 'user' ELSE 'assistant' END, 'message ' || number, 1
FROM unnest($3::uuid[], $4::uuid[]) WITH ORDINALITY AS planted (id, parent, number)
"""
_COUNT = """
UPDATE chat_sessions SET last_sequence = $3::int, total_tokens_used = $3::int, user_messages = ($3::int + 1) / 2,
       assistant_messages = $3::int / 2, active_leaf_id = $4, active_leaf_parent_id = $5
WHERE tenant_id = $1 AND id = $2
"""


async def plant(dsn: str, actor: Actor, session: SessionId, parents: Sequence[int | None]) -> list[UUID]:
    """The ids of messages of a new session, number 1 first; each answers the one whose number is given for it.

    They are stored without events, people and models in turns. The last one is the active leaf.
    """
    ids = [new_id() for _ in parents]
    hung = [None if parent is None else ids[parent - 1] for parent in parents]
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(_PLANT, actor.tenant_id, session, ids, hung)
        await connection.execute(_COUNT, actor.tenant_id, session, len(ids), ids[-1], hung[-1])
    finally:
        await connection.close()
    return ids


def chain(length: int) -> list[int | None]:
    """Each answers the one before it."""
    return [None, *range(1, length)]


def of_message(message_id: UUID) -> str:
    """Its global id."""
    return global_id("ChatMessage", message_id)


def of_session(session_id: UUID) -> str:
    """Its global id."""
    return global_id("ChatSession", session_id)


async def siblings(client: GraphQLClient, *messages: str) -> list[tuple[int, int, int | None, int | None]]:
    """Of each message its place among those beside it, their number, and the numbers of its neighbours."""
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on ChatMessage {
      siblings { index count previous { sequenceNumber } next { sequenceNumber } } } } }"""
    found = [node["siblings"] for node in (await client.data(query, {"ids": messages}))["nodes"]]
    return [(each["index"], each["count"], _number(each["previous"]), _number(each["next"])) for each in found]


def _number(message: dict[str, Any] | None) -> int | None:
    return None if message is None else int(message["sequenceNumber"])


async def path(client: GraphQLClient, session: str, **page: Any) -> dict[str, Any]:
    """A page of the active path."""
    query = """query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { session(id: $id) {
      activePath(first: $first, after: $after, last: $last, before: $before) {
        nodes { sequenceNumber } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
    found: dict[str, Any] = (await client.data(query, {"id": session, **page}))["session"]["activePath"]
    return found


def numbers(page: dict[str, Any]) -> list[int]:
    """The numbers of the messages on a page."""
    return [node["sequenceNumber"] for node in page["nodes"]]


async def shown(client: GraphQLClient, session: str) -> list[int]:
    """The numbers of the last hundred messages of the active path."""
    return numbers(await path(client, session, last=100))


async def leaf(client: GraphQLClient, session: str) -> int | None:
    """The number of the active leaf."""
    found = await client.data(
        "query ($id: ID!) { session(id: $id) { activeLeaf { sequenceNumber } } }", {"id": session}
    )
    return _number(found["session"]["activeLeaf"])
