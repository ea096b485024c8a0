"""A session is deleted with its whole tree, however deep or wide: a parent may not go before its answers (S1-32)."""

import asyncio
from typing import Any

import pytest

from app.core.actor import Actor
from app.db.database import Database
from app.sessions import service as sessions
from tests.branches.trees import chain, of_message, of_session, plant
from tests.client import GraphQLClient
from tests.conversations import new_session, value
from tests.worlds import add_call

DEEP = chain(5_000)
WIDE = [None, *[1] * 1_000]
ROOTS = [None] * 1_000


@pytest.mark.parametrize("parents", [DEEP, WIDE, ROOTS], ids=["deep", "wide", "first messages"])
async def test_a_session_is_deleted_with_its_tree(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor, parents: list[Any]
) -> None:
    kept, gone = await new_session(database, actor), await new_session(database, actor)
    await plant(dsn, actor, kept, chain(3))
    ids = await plant(dsn, actor, gone, parents)
    if parents is not ROOTS:
        await add_call(client, of_message(ids[1]))

    payload = await client.mutate("deleteSession", "deletedSessionId", {"sessionId": of_session(gone)})

    assert payload["success"], payload
    assert await value(dsn, "SELECT count(*) FROM chat_messages") == 3
    assert await value(dsn, "SELECT count(*) FROM tool_calls") == 0


async def test_a_tree_is_deleted_while_it_is_read(
    client: GraphQLClient, database: Database, dsn: str, actor: Actor
) -> None:
    session_id = await new_session(database, actor)
    await plant(dsn, actor, session_id, DEEP)
    query = """query ($id: ID!) { session(id: $id) { activePath(last: 100) { totalCount nodes {
      siblings { index count } } } } }"""

    async def read() -> list[dict[str, Any]]:
        return [await client.answer(query, {"id": of_session(session_id)}) for _ in range(5)]

    async def delete() -> None:
        async with database.single_statement() as uow:
            await sessions.delete(uow, actor, session_id, None)

    *answers, _ = await asyncio.gather(*(read() for _ in range(4)), delete())

    assert not [answer for found in answers if found for answer in found if "errors" in answer]
