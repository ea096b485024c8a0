"""What can be done in one conversation, in any order, and what its rows then say of time."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from app.core.actor import Actor
from app.core.ids import new_id
from app.db.database import Database
from app.messages import service as messages
from app.messages.errors import InvalidTransition, MessageDeleted
from app.messages.pipeline import MessagePipeline
from app.messages.values import Completion, Draft, Generation, MessageId, MessageRole, MessageStatus
from app.sessions.values import SessionId
from app.tools import service as tools
from app.tools.errors import ExecutionAlreadyAdded, NotAnAssistantMessage, ToolCallNotFound
from app.tools.values import NewToolCall, NewToolExecution, ToolCallId, ToolExecutionId
from tests.conversations import rows, value

ENDS = {
    "go on": MessageStatus.PROCESSING, "complete": MessageStatus.COMPLETED, "fail": MessageStatus.FAILED,
    "cancel": MessageStatus.CANCELLED,
}  # fmt: skip

REFUSALS = (InvalidTransition, MessageDeleted, NotAnAssistantMessage, ExecutionAlreadyAdded, ToolCallNotFound)

LATER = "UPDATE chat_sessions SET updated_at = updated_at + $2 * interval '1 microsecond' WHERE id = $1"
"""As if time had gone by: no change is earlier than the session's last one."""


@dataclass(frozen=True, slots=True)
class Append:
    """A new message, with the tokens and the time that its model reports; some after a while."""

    role: MessageRole
    status: MessageStatus
    tokens: int | None
    processing_time_ms: int | None
    model: str | None
    answers: int | None
    """Which of the messages there are; None, or where there are none, the active leaf."""
    after_microseconds: int


@dataclass(frozen=True, slots=True)
class Touch:
    """Something done to one of the messages there are."""

    what: str
    which: int
    after_microseconds: int


@dataclass(frozen=True, slots=True)
class End:
    """The end of an answer, with what it took."""

    which: int
    status: MessageStatus
    tokens: int | None
    processing_time_ms: int | None
    after_microseconds: int


Action = Append | Touch | End

appends = st.builds(
    Append,
    st.sampled_from([MessageRole.USER, MessageRole.ASSISTANT, *MessageRole]),
    st.sampled_from([MessageStatus.PENDING, MessageStatus.PENDING, *MessageStatus]),
    st.none() | st.integers(0, 2**31 - 1),
    st.none() | st.integers(0, 2**31 - 1),
    st.sampled_from([None, "local:echo", "local:extractive"]),
    st.none() | st.integers(0, 9),
    st.integers(0, 5_000_000),
)
touches = st.builds(
    Touch, st.sampled_from(["call", "execute", "delete", *sorted(ENDS)]), st.integers(0, 9), st.integers(0, 5_000_000)
)
ends = st.builds(
    End,
    st.integers(0, 9),
    st.sampled_from([MessageStatus.COMPLETED, MessageStatus.FAILED, MessageStatus.CANCELLED]),
    st.none() | st.integers(0, 2**31 - 1),
    st.none() | st.integers(0, 2**31 - 1),
    st.integers(0, 5_000_000),
)
programs: st.SearchStrategy[list[Action]] = st.lists(appends | touches | ends, min_size=1, max_size=14)


class Conversation:
    """One session, and what is done in it."""

    def __init__(
        self, database: Database, pipeline: MessagePipeline, actor: Actor, dsn: str, session: SessionId
    ) -> None:
        self._database, self._pipeline, self._actor, self._dsn = database, pipeline, actor, dsn
        self._session = session
        self._messages: list[MessageId] = []
        self._called: ToolCallId | None = None
        """The last call that was made."""

    async def do(self, action: Action) -> None:
        """Do it; what the rules refuse is left undone."""
        match action:
            case Append():
                await self._append(action)
            case Touch() | End() if self._messages:
                message = self._messages[action.which % len(self._messages)]
                await rows(self._dsn, LATER, self._session, action.after_microseconds)
                with suppress(*REFUSALS):
                    await (
                        self._touch(action.what, message) if isinstance(action, Touch) else self._end(action, message)
                    )

    async def _append(self, action: Append) -> None:
        await rows(self._dsn, LATER, self._session, action.after_microseconds)
        generation = Generation(action.model, tokens_used=action.tokens, processing_time_ms=action.processing_time_ms)
        parent = None
        if action.answers is not None and self._messages:
            parent = self._messages[action.answers % len(self._messages)]
        draft = Draft(self._session, action.role, "some words", parent, action.status, generation=generation)
        stored = await self._pipeline.persist(self._database, self._actor, draft, None)
        self._messages.append(MessageId(stored.message.id))

    async def _end(self, action: End, message: MessageId) -> None:
        completion = Completion(
            message, action.status, "all of it", tokens_used=action.tokens,
            processing_time_ms=action.processing_time_ms,
        )  # fmt: skip
        await self._pipeline.complete(self._database, self._actor, completion, None)

    async def _touch(self, what: str, message: MessageId) -> None:
        async with self._database.single_statement() as uow:
            match what:
                case "call":
                    new = NewToolCall(ToolCallId(new_id()), message, f"tool {message.int % 3}", "{}")
                    self._called = ToolCallId((await tools.add(uow, self._actor, new, None)).tool_call.id)
                case "execute":
                    if self._called is not None:
                        execution = NewToolExecution(ToolExecutionId(new_id()), self._called)
                        await tools.execute(uow, self._actor, execution, None)
                case "delete":
                    await messages.delete(uow, self._actor, message, None)
                case _:
                    changes = {"status": ENDS[what].value, "content": "many more words than before"}
                    await messages.update(uow, self._actor, message, changes, None)


async def recounted_times(dsn: str, session: SessionId) -> dict[str, Any]:
    """What the session's row should say about time, from what happened (S1-27)."""
    answers, asked_at = await answer_times(dsn, session)
    took = await value(
        dsn, "SELECT coalesce(sum(processing_time_ms), 0) FROM chat_messages WHERE session_id = $1", session
    )
    return {
        "total_duration_ms": took, "answered": len(answers), "answer_ms": sum(answers),
        "awaiting_answer_since": asked_at,
    }  # fmt: skip


async def answer_times(
    dsn: str, session: SessionId, among: Callable[[str], bool] = lambda _: True
) -> tuple[list[int], datetime | None]:
    """Of every question the time to the first completed answer that was begun after it; and what is yet unanswered.

    Answers are walked as they are completed (S1-27 walks messages as they are stored, which is when they are complete).
    Only messages count whose global ids are `among` those that are wanted.
    """
    happened = await rows(dsn, "SELECT at, payload::text FROM events WHERE stream_id = $1 ORDER BY seq", session)
    asked_at: datetime | None = None
    begun_at: dict[str, datetime] = {}
    complete: set[str] = set()
    answers: list[int] = []
    for event in happened:
        facts = json.loads(event["payload"])
        message = facts.get("messageId")
        if message is None or not among(message):
            continue
        if facts.get("role") == MessageRole.USER.name:
            asked_at = event["at"]
        elif facts.get("role") == MessageRole.ASSISTANT.name:
            begun_at[message] = event["at"]
        if message in begun_at and facts.get("status") == MessageStatus.COMPLETED.name and message not in complete:
            complete.add(message)
            if asked_at is not None and asked_at <= begun_at[message]:
                answers.append(rounded_ms(event["at"] - asked_at))
                asked_at = None
    return answers, asked_at


def rounded_ms(duration: timedelta) -> int:
    """Whole milliseconds, a half rounded up."""
    return (duration // timedelta(microseconds=1) + 500) // 1000
