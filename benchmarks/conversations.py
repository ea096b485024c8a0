"""What is said in the benchmarks, by whom, and where."""

import random
from uuid import UUID

from app.core.actor import Actor, CorrelationId, TenantId, UserId
from app.core.ids import global_id
from app.identity.service import local_actor
from app.messages.values import Draft, MessageRole
from app.sessions.values import SessionId
from benchmarks.cluster import execute

USER = "bench"
ACTOR: Actor = local_actor(UserId(USER), TenantId("default"), CorrelationId("0190b6a2-5d1e-7c3b-9f4a-3f1f0c7d2e11"))

SESSIONS = 20
"""Writers that meet now and then, as in a busy team; one session is measured apart."""

_STORED_SESSIONS = 10_000
_OTHER_USERS = 500

_SENTENCES = (
    "Could you summarise what the committee decided about the budget for next year, please?",
    "The export fails after roughly 4,200 rows with a timeout, although the server is idle.",
    "I'd like to compare both suppliers by price, delivery time and the number of complaints.",
    "Please write a short test for the parser that covers nested lists and an empty document.",
    "Our customers mostly ask how they can change the address on an invoice that was sent.",
    "What would you change in the second paragraph so that it is easier to read aloud?",
    "The numbers for March look wrong: 12,500 units were booked twice, I believe.",
    "Explain the difference between both approaches to somebody who has never used either.",
    "Let's keep the old behaviour for existing users and announce the change in two weeks.",
    "Find the three most important risks of the plan and say how likely each of them is.",
)


def spoken(count: int) -> list[str]:
    """Messages of about 300 characters, always the same ones."""
    chance = random.Random(7)
    return [" ".join(chance.sample(_SENTENCES, 4))[:320] for _ in range(count)]


def session_id(number: int) -> SessionId:
    """The id of a seeded session: 1, 2, 3 …"""
    return SessionId(UUID(f"0190b6a2-0000-7000-8000-{number:012}"))


def session_global_id(number: int) -> str:
    """The same for the graph."""
    return global_id("ChatSession", session_id(number))


def draft(number: int, content: str) -> Draft:
    """A user's message into a seeded session."""
    return Draft(session_id(number), MessageRole.USER, content)


async def empty_sessions(dsn: str) -> None:
    """Make the database as new: sessions 1 to SESSIONS of USER among many of others, without messages.

    Analyzed, and no checkpoint due. In a table of twenty rows alone the planner would take any index, or none.
    """
    await execute(
        dsn,
        "TRUNCATE chat_sessions, events, client_keys CASCADE",
        "INSERT INTO chat_sessions (tenant_id, id, user_id, title) SELECT 'default', "
        "('0190b6a2-0000-7000-8000-' || lpad(number::text, 12, '0'))::uuid, "
        f"CASE WHEN number <= {SESSIONS} THEN '{USER}' ELSE 'user' || number % {_OTHER_USERS} END, "
        f"'Session ' || number FROM generate_series(1, {_STORED_SESSIONS}) AS number",
        "VACUUM ANALYZE chat_sessions",
        "CHECKPOINT",
    )


async def filled_sessions(dsn: str, messages: int) -> None:
    """As new, and in each of USER's sessions so many messages.

    Every other message is an assistant's, with one tool call, or two in every fourth.
    """
    await empty_sessions(dsn)
    contents = ", ".join("'" + text.replace("'", "''") + "'" for text in spoken(16))
    await execute(
        dsn,
        "INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, role, content, token_count, "
        "tool_call_count) SELECT s.tenant_id, gen_random_uuid(), s.id, n, "
        "CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END, "
        f"(ARRAY[{contents}])[1 + n % 16], 70, CASE WHEN n % 4 = 0 THEN 2 WHEN n % 2 = 0 THEN 1 ELSE 0 END "
        f"FROM chat_sessions AS s, generate_series(1, {messages}) AS n WHERE s.user_id = '{USER}'",
        "INSERT INTO tool_calls (tenant_id, id, message_id, position, name, arguments, result, success, duration_ms) "
        "SELECT m.tenant_id, gen_random_uuid(), m.id, n, 'search_documents', "
        """'{"query": "invoice address change", "limit": 5}', """
        "'3 documents: how to change an address, what an invoice must contain, who to ask', true, 120 + n "
        "FROM chat_messages AS m, LATERAL generate_series(1, m.tool_call_count) AS n",
        f"UPDATE chat_sessions SET last_sequence = {messages} WHERE user_id = '{USER}'",
        "VACUUM ANALYZE chat_sessions, chat_messages, tool_calls",
        "CHECKPOINT",
    )
