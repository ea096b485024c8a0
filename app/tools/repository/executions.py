"""Statements that write the executions of tool calls."""

from collections.abc import Collection
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    Integer,
    Interval,
    Text,
    Uuid,
    any_,
    case,
    cast,
    exists,
    func,
    insert,
    null,
    select,
    update,
)  # fmt: skip

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import held, locked_message, session_of
from app.messages.values import MessageId
from app.sessions.fragments import owned, sessions, touched
from app.tools.fragments import FACTS, ONE_MORE_EXECUTION, calls, executions, has_ended, locked_execution
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import LONGEST_RESULT, ExecutionInput, ExecutionStatus, NewToolExecution, ToolExecutionId

ONE_EXECUTION = "uq_tool_executions_tool_call_id"
"""The key that refuses a second execution of a call (S1-16)."""

_LONGEST_DURATION_MS = 2**31 - 1
"""24 days: what the column holds; of a longer execution it says this."""


def _add() -> Command[ToolExecution]:
    another = exists(
        select(executions.c.id).where(
            executions.c.tenant_id == param("tenant_id"), executions.c.tool_call_id == param("tool_call_id", Uuid)
        )
    )
    message = held(locked_message(), ~another)
    through = gate(exists(select(message.c.id)))
    session = touched(session_of(message), passed(through), changes=ONE_MORE_EXECUTION)
    status = param("status", Text)
    now = session.c.updated_at
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "id": param("tool_execution_id", Uuid), "session_id": session.c.id,
        "user_id": session.c.user_id, "message_id": param("message_id", Uuid),
        "tool_call_id": param("tool_call_id", Uuid), "run_id": param("run_id", Uuid),
        "tool_name": param("tool_name", Text), "input": param("input", Text), "status": status,
        "required_approval": param("required_approval", Boolean),
        "approval_expires_at": case(
            (param("required_approval", Boolean), now + param("approval_lasts", Interval)), else_=null()
        ),
        "agent_id": param("agent_id", Text),
        "started_at": case((status == ExecutionStatus.RUNNING.value, now), else_=null()),
        "created_at": now, "updated_at": now,
    }  # fmt: skip
    added = insert(executions).from_select(list(row), select(*row.values())).returning(*FACTS).cte("tool_execution")
    return Command(ToolExecution, select(*added.c).add_cte(event(EventKind.TOOL_EXECUTION_ADDED, stream=session)))


@lru_cache(maxsize=32)
def _change(kind: EventKind, columns: frozenset[str]) -> Command[ToolExecution]:
    """Change columns of an execution that is in one of the statuses `status_before`.

    Where its status is the last, when it was worked is told, and what came of it goes to its call (C9, C10).
    """
    locked = locked_execution()
    conditions = [locked.c.status == any_(param("status_before", ARRAY(Text)))]
    if kind is EventKind.TOOL_EXECUTION_DECIDED:
        conditions.append(locked.c.approval_expires_at > func.statement_timestamp())
    if kind is EventKind.TOOL_EXECUTION_EXPIRED:
        conditions.append(locked.c.approval_expires_at <= func.statement_timestamp())
    execution = select(*locked.c).where(*conditions).cte("held_execution")
    through = gate(exists(select(execution.c.id)))
    session = touched(sessions.c.id == select(execution.c.session_id).scalar_subquery(), passed(through))
    changes: dict[str, Any] = {name: param(f"new_{name}", executions.c[name].type) for name in sorted(columns)}
    if kind is EventKind.TOOL_EXECUTION_DECIDED:
        changes["approved_at"] = session.c.updated_at
    if "status" in columns:
        changes |= _worked(param("new_status", Text), session.c.updated_at)
    changed = (
        update(executions)
        .where(
            # Not the session's column, as in changed_message().
            executions.c.tenant_id == param("tenant_id"),
            executions.c.id == execution.c.id,
            executions.c.session_id == session.c.id,
        )
        .values(updated_at=session.c.updated_at, **changes)
        .returning(*executions.c)
        .cte("tool_execution")
    )
    facts = [changed.c[column.name] for column in FACTS]
    written = [event(kind, stream=session), *([_told(changed)] if "status" in columns else [])]
    return Command(ToolExecution, select(*facts).add_cte(*written))


def _worked(status: ColumnElement[Any], now: ColumnElement[Any]) -> dict[str, Any]:
    """When it was worked, as far as the new status tells: one that ends without having been RUNNING took no time."""
    begun = func.coalesce(executions.c.started_at, now)
    started = has_ended(status) | (status == ExecutionStatus.RUNNING.value)
    took = cast(func.extract("epoch", now - begun) * 1000, BigInteger)
    return {
        "started_at": case((started, begun), else_=executions.c.started_at),
        "completed_at": case((has_ended(status), now), else_=null()),
        "duration_ms": case((has_ended(status), cast(func.least(took, _LONGEST_DURATION_MS), Integer)), else_=null()),
    }


def _told(execution: CTE) -> CTE:
    """The call is told what came of it, once its execution has ended."""
    return (
        update(calls)
        .where(
            calls.c.tenant_id == param("tenant_id"),
            calls.c.id == execution.c.tool_call_id,
            has_ended(execution.c.status),
        )
        .values(
            result=func.left(execution.c.output, LONGEST_RESULT),
            result_truncated=func.coalesce(func.char_length(execution.c.output) > LONGEST_RESULT, False),
            success=execution.c.status == ExecutionStatus.COMPLETED.value,
            error=execution.c.error,
            executed_at=execution.c.completed_at,
            duration_ms=execution.c.duration_ms,
        )
        .cte("tool_call")
    )


_ADD = _add()

_OWNED = Query(
    ToolExecution,
    select(*FACTS)
    .join(
        sessions,
        (sessions.c.tenant_id == executions.c.tenant_id) & (sessions.c.id == executions.c.session_id),
    )
    .where(owned(), executions.c.tenant_id == param("tenant_id"), executions.c.id == param("tool_execution_id", Uuid)),
)

_INPUT = Query(
    ExecutionInput,
    select(executions.c.tool_name, executions.c.input).where(
        executions.c.tenant_id == param("tenant_id"), executions.c.id == param("tool_execution_id", Uuid)
    ),
)

_LOCK_OF_MESSAGE = Command(
    ToolExecution,
    select(*executions.c)
    .join(calls, (calls.c.tenant_id == executions.c.tenant_id) & (calls.c.id == executions.c.tool_call_id))
    .where(
        executions.c.tenant_id == param("tenant_id"),
        calls.c.tenant_id == param("tenant_id"),
        calls.c.message_id == param("message_id", Uuid),
    )
    .order_by(calls.c.position)
    .with_for_update(key_share=True, of=executions),
)


async def add_execution(
    uow: UnitOfWork, actor: Actor, call: ToolCall, new: NewToolExecution, key: ClientKey | None
) -> ToolExecution | None:
    """Add the execution of a call, with its event.

    None, and nothing stored, when the call's message is not the actor's or deleted, the call has an execution, or the
    key was used before. The session's row is locked, then the message's.
    """
    facts = {
        "toolExecutionId": global_id(ToolExecution.node_type, new.id),
        "toolCallId": global_id(ToolCall.node_type, new.tool_call_id),
        "name": call.name,
        "status": new.first_status.name,
    }
    added = await uow.run_one(
        _ADD,
        tool_execution_id=new.id,
        message_id=call.message_id,
        tool_call_id=new.tool_call_id,
        run_id=new.run_id,
        tool_name=call.name,
        input=call.arguments if new.input is None else new.input,
        status=new.first_status,
        required_approval=new.required_approval,
        approval_lasts=new.approval_lasts,
        agent_id=new.agent_id,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, facts),
    )
    if added is not None:
        uow.announce(added.session_id)
    return added


async def change_execution(
    uow: UnitOfWork,
    actor: Actor,
    execution_id: ToolExecutionId,
    kind: EventKind,
    changes: dict[str, Any],
    status_before: Collection[ExecutionStatus],
    key: ClientKey | None = None,
) -> ToolExecution | None:
    """Change columns of an execution that is in one of the statuses named.

    None, and nothing changed, when there is no such execution of the actor's, it is in another status, or the key was
    used before; nor is one decided after its approval has expired, or expires before. The session's row is locked,
    then the execution's.
    """
    facts: dict[str, object] = {"toolExecutionId": global_id(ToolExecution.node_type, execution_id)}
    if "status" in changes:
        facts["status"] = ExecutionStatus(changes["status"]).name
    if kind is EventKind.TOOL_EXECUTION_DECIDED:
        facts["approved"] = changes["approved"]
    if kind is EventKind.TOOL_EXECUTION_UPDATED:
        facts["changed"] = sorted(changes)
    changed = await uow.run_one(
        _change(kind, frozenset(changes)),
        tool_execution_id=execution_id,
        status_before=list(status_before),
        **{f"new_{name}": value for name, value in changes.items()},
        **actor.as_owner(),
        **gate_parameters(key, execution_id),
        **event_parameters(actor, facts),
    )
    if changed is not None:
        uow.announce(changed.session_id)
    return changed


async def owned_execution(scope: ReadScope, actor: Actor, execution_id: ToolExecutionId) -> ToolExecution | None:
    """The execution, where its session is the actor's."""
    return await scope.first(_OWNED, tool_execution_id=execution_id, **actor.as_owner())


async def input_of(scope: ReadScope, actor: Actor, execution_id: ToolExecutionId) -> ExecutionInput | None:
    """Which tool an execution that is known to be the actor's is of, and what it is given."""
    return await scope.first(_INPUT, tenant_id=actor.tenant_id, tool_execution_id=execution_id)


async def lock_of_message(uow: UnitOfWork, actor: Actor, message_id: MessageId) -> list[ToolExecution]:
    """The executions of a message's calls with their texts, by the calls' positions, locked."""
    return await uow.run(_LOCK_OF_MESSAGE, tenant_id=actor.tenant_id, message_id=message_id)
