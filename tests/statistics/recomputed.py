"""What statistics should say, from the rows, in plain Python."""

from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from app.core.ids import global_id
from app.sessions.values import SessionId
from app.statistics.values import KeyCount, SessionStatistics, StatisticsScope
from tests.conversations import rows
from tests.programs import answer_times


def by_count(names: Iterable[str]) -> tuple[KeyCount, ...]:
    """How often each comes, the highest count first, then by name."""
    return tuple(
        KeyCount(name, count) for name, count in sorted(Counter(names).items(), key=lambda pair: (-pair[1], pair[0]))
    )


async def session_statistics(dsn: str, session: SessionId, scope: StatisticsScope) -> SessionStatistics:
    """S1-26 and S1-27, walked by sequence. Tombstones count (C27); costs are those of the ledger."""
    messages = await rows(dsn, "SELECT * FROM chat_messages WHERE session_id = $1 ORDER BY sequence_number", session)
    events = await rows(
        dsn, "SELECT kind, payload->>'name' AS name FROM events WHERE stream_id = $1 ORDER BY seq", session
    )
    tools = [event["name"] for event in events if event["kind"] == "tool_call.added"]
    executed = sum(event["kind"] == "tool_execution.added" for event in events)
    if scope is StatisticsScope.ACTIVE_PATH:
        messages = await _active_path(dsn, session, messages)
        ids = [message["id"] for message in messages]
        tools = [row["name"] for row in await rows(dsn, "SELECT name FROM tool_calls WHERE message_id = ANY($1)", ids)]
        [[executed]] = await rows(dsn, "SELECT count(*) FROM tool_executions WHERE message_id = ANY($1)", ids)
    named = {global_id("ChatMessage", message["id"]) for message in messages}
    answers, _ = await answer_times(dsn, session, named.__contains__)
    return SessionStatistics(
        version=len(events),
        total_messages=len(messages),
        total_tokens=sum(message["token_count"] for message in messages),
        estimated_cost=await _cost(dsn, [message["id"] for message in messages]),
        duration_ms=sum(message["processing_time_ms"] or 0 for message in messages),
        tool_executions=executed,
        average_response_time_ms=sum(answers) / len(answers) if answers else 0.0,
        messages_by_role=by_count(message["role"].upper() for message in messages),
        tool_usage_count=by_count(tools),
    )


async def _active_path(dsn: str, session: SessionId, messages: list[Any]) -> list[Any]:
    by_id = {message["id"]: message for message in messages}
    [[step]] = await rows(dsn, "SELECT active_leaf_id FROM chat_sessions WHERE id = $1", session)
    path = []
    while step is not None:
        path.append(by_id[step])
        step = by_id[step]["parent_message_id"]
    return path[::-1]


async def _cost(dsn: str, messages: list[Any]) -> Decimal:
    of_messages = "SELECT run_id FROM runs JOIN usage_ledger ON run_id = id WHERE message_id = ANY($1)"
    spent = await rows(dsn, f"SELECT cost FROM usage_ledger WHERE run_id IN ({of_messages})", messages)
    return sum((row["cost"] for row in spent if row["cost"] is not None), Decimal(0))
