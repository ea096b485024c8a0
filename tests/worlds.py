"""Conversations to ask about, and what the database holds of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from app.core.ids import global_id, split_global_id
from tests.client import GraphQLClient

ClientAs = Callable[[str], Awaitable[GraphQLClient]]
"""Makes a client that asks as `user` or `user@tenant`."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session with a question, and chains of answers that each hang on the question."""

    session: str
    question: str
    chains: list[list[str]]
    """Per chain its messages, from the question down."""
    calls: list[str]

    @property
    def ids(self) -> dict[str, str]:
        """A global id for each type that implements Node: of a chain's second message, which has both sides."""
        key = split_global_id(self.session)[1]
        return {
            "ChatSession": self.session,
            "ChatMessage": self.chains[0][1],
            "ToolCall": self.calls[0],
            "SessionMetadata": global_id("SessionMetadata", key),
            "AuditEvent": global_id("AuditEvent", f"{key}:1"),
        }


async def conversation(client: GraphQLClient, chains: int = 1, mark: str = "plain") -> Conversation:
    """Store a session whose question was answered `chains` times, each answer followed by two; all call a tool.

    `mark` stands in every text, so that a leak can be found.
    """
    session = await client.create_session(
        title=mark, description=mark, agentId=mark, tags=[mark], summary=mark, customData={mark: mark}
    )
    question = (await client.say(session, mark, metadata={"mark": mark}))["message"]["id"]
    answers: list[list[str]] = []
    calls: list[str] = []
    for _ in range(chains):
        parent = question
        chain: list[str] = []
        for _ in range(3):
            # The second one is still being written: it can be completed.
            status = "PROCESSING" if len(chain) == 1 else "COMPLETED"
            answer = await client.reply(session, mark, parentMessageId=parent, errorMessage=mark, status=status)
            parent = answer["message"]["id"]
            calls.append(await add_call(client, parent, name=mark, arguments=mark, result=mark))
            chain.append(parent)
        answers.append(chain)
    return Conversation(session, question, answers, calls)


async def add_call(client: GraphQLClient, message: str, **input_: Any) -> str:
    """The id of a new tool call."""
    payload = await client.mutate(
        "addToolCall", "toolCall { id }", {"messageId": message, "name": "search", "arguments": "{}", **input_}
    )
    assert payload["success"], payload
    return str(payload["toolCall"]["id"])


async def stored(dsn: str) -> dict[str, tuple[int, str]]:
    """Rows and a digest of the contents of every table."""
    connection = await asyncpg.connect(dsn)
    try:
        names = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        digests = " UNION ALL ".join(
            f"SELECT '{row[0]}', count(*), coalesce(md5(string_agg(t::text, ' ' ORDER BY t::text)), '') FROM {row[0]} t"
            for row in names
        )
        return {row[0]: (row[1], row[2]) for row in await connection.fetch(digests)}
    finally:
        await connection.close()


async def rows(dsn: str, statement: str, *arguments: object) -> list[dict[str, Any]]:
    """What a statement answers on a connection of its own."""
    connection = await asyncpg.connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()
