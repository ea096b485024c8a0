"""The statement that takes over executions which ended elsewhere."""

from typing import Any

from sqlalchemy import Boolean, DateTime, Integer, Text, Uuid, exists, func, insert, select

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param, past
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import held, locked_message, session_of
from app.sessions.fragments import sessions, touched
from app.tools.fragments import FACTS, ONE_MORE_EXECUTION, executions
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import PastExecution

_GIVEN: dict[str, Any] = {
    "message_id": Uuid, "tool_call_id": Uuid, "tool_name": Text, "input": Text, "output": Text, "status": Text,
    "error": Text, "required_approval": Boolean, "approved": Boolean, "approved_by": Text,
    "approved_at": DateTime(timezone=True), "decision_comment": Text, "approval_expires_at": DateTime(timezone=True),
    "agent_id": Text, "duration_ms": Integer,
}  # fmt: skip
"""Columns that come from outside as they are, with their types."""


def _take_over() -> Command[ToolExecution]:
    """As an execution is added; a statement of its own, so that the other carries none of this."""
    another = exists(
        select(executions.c.id).where(
            executions.c.tenant_id == param("tenant_id"), executions.c.tool_call_id == param("tool_call_id", Uuid)
        )
    )
    message = held(locked_message(), ~another)
    through = gate(exists(select(message.c.id)), lasting=True)
    # The session is no younger for it.
    session = touched(
        session_of(message), passed(through), changes={"updated_at": sessions.c.updated_at, **ONE_MORE_EXECUTION}
    )
    begun, ended = past("created_at"), past("completed_at")
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "id": param("tool_execution_id", Uuid), "session_id": session.c.id,
        "user_id": session.c.user_id,
        # One that ends without having been RUNNING took no time; least() passes over null.
        "started_at": func.least(param("started_at", DateTime(timezone=True)), ended), "completed_at": ended,
        "created_at": begun, "updated_at": func.greatest(begun, past("changed_at")),
        **{name: param(name, kind) for name, kind in _GIVEN.items()},
    }  # fmt: skip
    added = insert(executions).from_select(list(row), select(*row.values())).returning(*FACTS).cte("tool_execution")
    # The log says when it came here, not when it was made.
    written = event(EventKind.TOOL_EXECUTION_ADDED, stream=session, at=func.statement_timestamp())
    return Command(ToolExecution, select(*added.c).add_cte(written))


_TAKE_OVER = _take_over()


async def take_over_execution(
    uow: UnitOfWork, actor: Actor, ended: PastExecution, key: ClientKey | None
) -> ToolExecution | None:
    """Store an execution that ended elsewhere, with its event; its key lasts. The call knows already what came of it.

    None, and nothing stored, as of `add_execution`. The session's row is locked, then the message's.
    """
    facts = {
        "toolExecutionId": global_id(ToolExecution.node_type, ended.id),
        "toolCallId": global_id(ToolCall.node_type, ended.tool_call_id),
        "name": ended.tool_name,
        "status": ended.status.name,
    }
    added = await uow.run_one(
        _TAKE_OVER,
        tool_execution_id=ended.id,
        started_at=ended.started_at,
        completed_at=ended.completed_at,
        created_at=ended.created_at,
        changed_at=ended.updated_at or ended.completed_at,
        **{name: getattr(ended, name) for name in _GIVEN},
        **actor.as_owner(),
        **gate_parameters(key, ended.id),
        **event_parameters(actor, facts),
    )
    if added is not None:
        uow.announce(added.session_id)
    return added
