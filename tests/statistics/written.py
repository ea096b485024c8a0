"""Messages that were stored at chosen times."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from hypothesis import strategies as st

from app.core.ids import new_id


@dataclass(frozen=True, slots=True)
class Written:
    """A message, so long after the beginning of the range, in one of several sessions."""

    session: int
    after_minutes: int
    role: str
    model: str | None
    intent: str | None
    status: str
    error: str | None
    tokens: int
    took_ms: int | None
    calls: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """As statistics have it."""
        return self.status == "failed" or self.error is not None


writings = st.lists(
    st.builds(
        Written,
        st.integers(0, 2),
        st.integers(-600, 9_000),
        st.sampled_from(["user", "assistant", "tool"]),
        st.sampled_from([None, "echo", "odd"]),
        st.sampled_from([None, "GREETING", "QUESTION"]),
        st.sampled_from(["completed", "failed", "cancelled"]),
        st.sampled_from([None, "E1"]),
        st.integers(0, 10**9),
        st.none() | st.integers(0, 100_000),
        st.lists(st.sampled_from(["search", "weather"]), max_size=2).map(tuple),
    ),
    max_size=25,
)


async def write(dsn: str, start: datetime, written: list[Written], sessions: list[UUID]) -> None:
    """Store them in these sessions, which were begun a day before: by time in each, as messages are."""
    connection = await asyncpg.connect(dsn)
    try:
        for number, session in enumerate(sessions):
            its = sorted((each for each in written if each.session == number), key=lambda each: each.after_minutes)
            await _write(connection, start, its, session)
    finally:
        await connection.close()


async def _write(connection: Any, start: datetime, written: list[Written], session: UUID) -> None:
    ids = [new_id() for _ in written]
    await connection.executemany(
        "INSERT INTO chat_messages (tenant_id, id, session_id, sequence_number, role, content, model, intent_name, "
        "status, error_code, token_count, processing_time_ms, created_at) "
        "VALUES ('default', $1, $2, $3, $4, 'x', $5, $6, $7, $8, $9, $10, $11)",
        [
            (
                id_, session, sequence, each.role, each.model, each.intent, each.status, each.error, each.tokens,
                each.took_ms, start + timedelta(minutes=each.after_minutes),
            )
            for sequence, (id_, each) in enumerate(zip(ids, written, strict=True), 1)
        ],
    )  # fmt: skip
    await connection.executemany(
        "INSERT INTO tool_calls (tenant_id, id, message_id, position, name, arguments) "
        "VALUES ('default', $1, $2, $3, $4, '{}')",
        [
            (new_id(), id_, place, name)
            for id_, each in zip(ids, written, strict=True)
            for place, name in enumerate(each.calls, 1)
        ],
    )
    await connection.execute(
        "UPDATE chat_sessions SET last_sequence = $2, created_at = $3, updated_at = now() WHERE id = $1",
        session, len(written), start - timedelta(days=1),
    )  # fmt: skip
