"""Statements that write tool calls."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    DateTime,
    Integer,
    Text,
    Uuid,
    any_,
    column,
    exists,
    func,
    insert,
    null,
    select,
    update,
)  # fmt: skip

from app.core.actor import Actor
from app.core.ids import global_id, new_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param, past
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import copies, copies_parameters, held, locked_message, messages, session_of
from app.messages.values import Copies, MessageId, MessageRole
from app.sessions.fragments import owned, sessions, tallied, tallied_copies, touched
from app.sessions.values import SessionId, TallyKind
from app.tools.fragments import calls, executions, has_ended
from app.tools.models import ToolCall
from app.tools.values import MOST_CALLS, NewToolCall, ToolCallId

SAME_CALL = "uq_tool_calls_call_id"
"""The key that refuses a second call of the same id in a message."""

_GIVEN: dict[str, Any] = {
    "call_id": Text, "name": Text, "arguments": Text, "result": Text, "result_truncated": Boolean, "success": Boolean,
    "error": Text, "executed_at": DateTime(timezone=True), "duration_ms": Integer,
}  # fmt: skip
"""Columns of a new call that come from outside, with their types."""


def _add(taken_over: bool) -> Command[ToolCall]:
    """Of a call that was made elsewhere, the time is given, the session is no younger for it, and its key lasts."""
    same_call = exists(
        select(calls.c.id).where(
            calls.c.tenant_id == param("tenant_id"),
            calls.c.message_id == param("message_id", Uuid),
            calls.c.call_id == param("call_id", Text),
        )
    )
    locked = locked_message()
    message = held(
        locked, locked.c.role == MessageRole.ASSISTANT.value, locked.c.tool_call_count < MOST_CALLS, ~same_call
    )
    through = gate(exists(select(message.c.id)), lasting=taken_over)
    changes = {"tool_calls": sessions.c.tool_calls + 1}
    if taken_over:
        changes["updated_at"] = sessions.c.updated_at
    session = touched(session_of(message), passed(through), changes=changes)
    counted = (
        update(messages)
        .where(messages.c.tenant_id == session.c.tenant_id, messages.c.id == message.c.id)
        .values(tool_call_count=messages.c.tool_call_count + 1)
        .returning(messages.c.id, messages.c.tool_call_count)
        .cte("counted")
    )
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id,
        "id": param("tool_call_id", Uuid),
        "message_id": counted.c.id,
        "position": counted.c.tool_call_count,
        "created_at": past("created_at") if taken_over else session.c.updated_at,
        **{name: param(name, kind) for name, kind in _GIVEN.items()},
    }
    added = insert(calls).from_select(list(row), select(*row.values())).returning(*calls.c).cte("tool_call")
    in_session = select(session.c.id).scalar_subquery().label("session_id")
    used = tallied(session, TallyKind.TOOL, param("name", Text))
    at = func.statement_timestamp() if taken_over else None
    written = event(EventKind.TOOL_CALL_ADDED, stream=session, at=at)
    return Command(ToolCall, select(*added.c, in_session).add_cte(used, written))


_ADD = _add(taken_over=False)
_TAKE_OVER = _add(taken_over=True)

_OF_MESSAGE = Query(
    ToolCall,
    select(*calls.c)
    .where(calls.c.tenant_id == param("tenant_id"), calls.c.message_id == param("message_id", Uuid))
    .order_by(calls.c.position),
)

_OWNED = Query(
    ToolCall,
    select(*calls.c)
    .join(messages, (messages.c.tenant_id == calls.c.tenant_id) & (messages.c.id == calls.c.message_id))
    .join(sessions, (sessions.c.tenant_id == calls.c.tenant_id) & (sessions.c.id == messages.c.session_id))
    .where(owned(), calls.c.tenant_id == param("tenant_id"), calls.c.id == param("tool_call_id", Uuid)),
)


async def add(uow: UnitOfWork, actor: Actor, new: NewToolCall, key: ClientKey | None) -> ToolCall | None:
    """Add a call to an assistant's message, with the next position in it, counters and event.

    None, and nothing stored, when there is no such message of the actor's, it is deleted, not an assistant's, or full,
    it has a call of the same id, or the key was used before. The session's row is locked, then the message's.
    """
    added = await uow.run_one(_ADD, **_adding(actor, new, key))
    return _announced(uow, added)


async def take_over(
    uow: UnitOfWork, actor: Actor, new: NewToolCall, created_at: datetime | None, key: ClientKey | None
) -> ToolCall | None:
    """The same for a call that was made elsewhere; of its time, None is now."""
    added = await uow.run_one(_TAKE_OVER, created_at=created_at, **_adding(actor, new, key))
    return _announced(uow, added)


def _announced(uow: UnitOfWork, added: ToolCall | None) -> ToolCall | None:
    if added is not None:
        uow.announce(added.session_id)
    return added


def _adding(actor: Actor, new: NewToolCall, key: ClientKey | None) -> dict[str, object]:
    facts = {
        "messageId": global_id("ChatMessage", new.message_id),
        "toolCallId": global_id(ToolCall.node_type, new.id),
        "name": new.name,
    }
    return {
        "tool_call_id": new.id,
        "message_id": new.message_id,
        "call_id": new.call_id,
        "name": new.name,
        "arguments": new.arguments,
        "result": new.preview,
        "result_truncated": new.result_truncated,
        "success": new.success,
        "error": new.error,
        "executed_at": new.executed_at,
        "duration_ms": new.duration_ms,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, facts),
    }


_OF_MESSAGES = Query(
    UUID,
    select(calls.c.id)
    .where(calls.c.tenant_id == param("tenant_id"), calls.c.message_id == any_(param("messages", ARRAY(Uuid))))
    .order_by(calls.c.message_id, calls.c.position),
)


def _copy() -> Command[int]:
    """Calls on the copies of their messages, with what came of them; what still goes on is left to the original."""
    new_ids = func.unnest(
        param("calls", ARRAY(Uuid)), param("new_calls", ARRAY(Uuid)), param("new_executions", ARRAY(Uuid))
    )
    ids = [column(name, Uuid) for name in ("original_id", "copy_id", "execution_id")]
    named = new_ids.table_valued(*ids).render_derived(name="new_calls")
    copied = copies()
    changed = {"id": named.c.copy_id, "message_id": copied.c.copy_id}
    row = {column.name: changed.get(column.name, column) for column in calls.c}
    found = (
        select(*row.values())
        .join(named, calls.c.id == named.c.original_id)
        .join(copied, calls.c.message_id == copied.c.original_id)
        .where(calls.c.tenant_id == param("tenant_id"))
    )
    stored = insert(calls).from_select(list(row), found).returning(*calls.c).cte("stored")
    of_session = (
        select(*stored.c, messages.c.session_id)
        .join(stored, messages.c.id == stored.c.message_id)
        .where(messages.c.tenant_id == param("tenant_id"))
        .cte("of_session")
    )
    used = tallied_copies(TallyKind.TOOL, of_session.c.session_id, of_session.c.name, of_session)
    changed = {
        "id": named.c.execution_id, "session_id": of_session.c.session_id, "message_id": of_session.c.message_id,
        "tool_call_id": of_session.c.id, "run_id": null(),
    }  # fmt: skip
    row = {column.name: changed.get(column.name, column) for column in executions.c}
    ended = (
        select(*row.values())
        .join(named, executions.c.tool_call_id == named.c.original_id)
        .join(of_session, of_session.c.id == named.c.copy_id)
        .where(executions.c.tenant_id == param("tenant_id"), has_ended(executions.c.status))
    )
    told = insert(executions).from_select(list(row), ended).cte("executed")
    return Command(int, select(func.count().label("count")).select_from(stored).add_cte(used, told))


_COPY = _copy()


_COPIED = Query(
    int,
    select(func.count().label("count")).where(
        executions.c.tenant_id == param("tenant_id"),
        executions.c.session_id == param("session_id", Uuid),
        executions.c.message_id == any_(param("messages", ARRAY(Uuid))),
        has_ended(executions.c.status),
    ),
)


async def count_copied(scope: ReadScope, actor: Actor, session_id: SessionId, copied: Copies) -> int:
    """How many executions of a session's messages have ended."""
    [count] = await scope.all(_COPIED, tenant_id=actor.tenant_id, session_id=session_id, messages=list(copied))
    return count


async def copy(uow: UnitOfWork, actor: Actor, copied: Copies) -> None:
    """Store the calls of messages once more, on the copies of these, with what came of those that have ended."""
    found = await uow.all(_OF_MESSAGES, tenant_id=actor.tenant_id, messages=list(copied))
    if found:
        names = {"calls": found, **{kind: [new_id() for _ in found] for kind in ("new_calls", "new_executions")}}
        await uow.run(_COPY, tenant_id=actor.tenant_id, **names, **copies_parameters(copied))


async def calls_of_message(scope: ReadScope, actor: Actor, message_id: MessageId) -> list[ToolCall]:
    """The calls of a message that is known to be the actor's, by position."""
    return await scope.all(_OF_MESSAGE, tenant_id=actor.tenant_id, message_id=message_id)


async def owned_call(scope: ReadScope, actor: Actor, tool_call_id: ToolCallId) -> ToolCall | None:
    """The call, where its session is the actor's."""
    return await scope.first(_OWNED, tool_call_id=tool_call_id, **actor.as_owner())
