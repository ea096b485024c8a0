"""What can be done with a tool call and its execution. Callers hold a unit of work."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.core.actor import Actor
from app.core.errors import AppError, ValidationError
from app.db.errors import Duplicate
from app.db.scopes import ReadScope, UnitOfWork
from app.events.values import EventKind
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.messages.errors import MessageDeleted, MessageNotFound
from app.messages.service import find_owned
from app.messages.values import Copies, MessageId, MessageRole
from app.sessions.values import SessionId
from app.tools import repository
from app.tools.errors import (
    AlreadyDecided,
    ApprovalExpired,
    CallAlreadyAdded,
    ExecutionAlreadyAdded,
    ExecutionNotFound,
    ExecutionTransition,
    NotAnAssistantMessage,
    StatusConflict,
    ToolCallNotFound,
    TooManyCalls,
)
from app.tools.models import ToolCall, ToolExecution
from app.tools.values import (
    MOST_CALLS,
    Decision,
    ExecutionInput,
    ExecutionStatus,
    Inbox,
    NewToolCall,
    NewToolExecution,
    PastExecution,
    ToolCallId,
    ToolExecutionId,
    check_changes,
    updatable_to,
)

DENIED = "approval denied"
EXPIRED = "approval expired"
CALLED_OFF = "called off"
"""Errors of executions that were cancelled before they ended by themselves, and of their calls."""


@dataclass(frozen=True, slots=True)
class ToolCallOutcome:
    """The call after it was added, and whether the same request had added it before."""

    tool_call: ToolCall
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class ExecutionOutcome:
    """The execution after a change, and whether the change had been made before."""

    execution: ToolExecution
    deduplicated: bool = False


async def add(uow: UnitOfWork, actor: Actor, new: NewToolCall, key: ClientKey | None) -> ToolCallOutcome:
    """Add a call to an assistant's message of the actor.

    ValidationError, MessageNotFound, MessageDeleted, NotAnAssistantMessage, TooManyCalls, CallAlreadyAdded, KeyReused.
    """
    new.check()
    return await _outcome(uow, actor, new, key, repository.add(uow, actor, new, key))


async def take_over(
    uow: UnitOfWork, actor: Actor, new: NewToolCall, created_at: datetime | None, key: ClientKey | None
) -> ToolCallOutcome:
    """Add a call that was made elsewhere, at a time of its own; its key lasts. Errors as of `add`."""
    new.check()
    return await _outcome(uow, actor, new, key, repository.take_over(uow, actor, new, created_at, key))


async def _outcome(
    uow: UnitOfWork, actor: Actor, new: NewToolCall, key: ClientKey | None, adding: Awaitable[ToolCall | None]
) -> ToolCallOutcome:
    try:
        added = await adding
    except Duplicate as duplicate:
        if duplicate.key != repository.SAME_CALL:
            raise
        # The statement looks for a call of the same id before it waits for the message, and then not again.
        raise CallAlreadyAdded from None
    if added is not None:
        return ToolCallOutcome(added)
    subject = await first_subject(uow, actor, key)
    if subject is None:
        return await _refuse(uow, actor, new)
    earlier = await repository.owned_call(uow, actor, ToolCallId(subject))
    if earlier is None:
        raise MessageNotFound
    return ToolCallOutcome(earlier, deduplicated=subject != new.id)


async def count_copied(scope: ReadScope, actor: Actor, session_id: SessionId, copies: Copies) -> int:
    """How many executions `copy` gives to the copies of a session's messages."""
    return await repository.count_copied(scope, actor, session_id, copies)


async def copy(uow: UnitOfWork, actor: Actor, copies: Copies) -> None:
    """Give the copies of messages the calls that these have, with new ids; the messages know their number already."""
    await repository.copy(uow, actor, copies)


async def _refuse(uow: UnitOfWork, actor: Actor, new: NewToolCall) -> ToolCallOutcome:
    message = await find_owned(uow, actor, new.message_id)
    if message is None:
        raise MessageNotFound
    if message.deleted_at is not None:
        raise MessageDeleted
    if message.role != MessageRole.ASSISTANT:
        raise NotAnAssistantMessage
    if message.tool_call_count >= MOST_CALLS:
        raise TooManyCalls
    raise CallAlreadyAdded


async def execute(uow: UnitOfWork, actor: Actor, new: NewToolExecution, key: ClientKey | None) -> ExecutionOutcome:
    """Add the execution of a call of the actor; who follows the approvals they are asked for is told where it is one.

    ValidationError, ToolCallNotFound, MessageDeleted, ExecutionAlreadyAdded, KeyReused.
    """
    new.check()
    call = await repository.owned_call(uow, actor, new.tool_call_id)
    if call is None:
        raise ToolCallNotFound
    try:
        added = await repository.add_execution(uow, actor, call, new, key)
    except Duplicate as duplicate:
        if duplicate.key != repository.ONE_EXECUTION:
            raise
        # As in add(): the statement looks for another before it waits for the message.
        raise ExecutionAlreadyAdded from None
    if added is not None:
        if new.required_approval:
            uow.announce(Inbox.of(actor).id)
        return ExecutionOutcome(added)
    return await _not_added(uow, actor, MessageId(call.message_id), key)


async def _not_added(uow: UnitOfWork, actor: Actor, message_id: MessageId, key: ClientKey | None) -> ExecutionOutcome:
    subject = await first_subject(uow, actor, key)
    if subject is not None:
        return await _as_before(uow, actor, ToolExecutionId(subject))
    message = await find_owned(uow, actor, message_id)
    if message is None:
        raise ToolCallNotFound
    if message.deleted_at is not None:
        raise MessageDeleted
    raise ExecutionAlreadyAdded


async def take_over_execution(
    uow: UnitOfWork, actor: Actor, ended: PastExecution, key: ClientKey | None
) -> ExecutionOutcome:
    """Add an execution that ended elsewhere, at times of its own; its key lasts. The call is told nothing.

    ValidationError, ToolCallNotFound, MessageDeleted, ExecutionAlreadyAdded, KeyReused.
    """
    ended.check()
    try:
        added = await repository.take_over_execution(uow, actor, ended, key)
    except Duplicate as duplicate:
        if duplicate.key != repository.ONE_EXECUTION:
            raise
        raise ExecutionAlreadyAdded from None
    if added is not None:
        return ExecutionOutcome(added)
    return await _not_added(uow, actor, ended.message_id, key)


async def request(uow: UnitOfWork, actor: Actor, new: NewToolExecution) -> ToolExecution:
    """Add the execution of a call inside a transaction that holds the session's lock. Errors as of `execute`."""
    return (await execute(uow, actor, new, None)).execution


async def update(
    uow: UnitOfWork, actor: Actor, execution_id: ToolExecutionId, changes: dict[str, Any], key: ClientKey | None
) -> ExecutionOutcome:
    """Change status, output or error of an execution that has begun or may; those not named stay.

    With its last status the call is told what came of it. ValidationError, ExecutionNotFound, ExecutionTransition,
    KeyReused.
    """
    if not changes:
        raise ValidationError("there is nothing to change", field="input", hint="send at least one field to change")
    check_changes(changes)
    wanted: ExecutionStatus | None = changes.get("status")
    kind = EventKind.TOOL_EXECUTION_UPDATED
    changed = await repository.change_execution(uow, actor, execution_id, kind, changes, updatable_to(wanted), key)
    if changed is not None:
        return ExecutionOutcome(changed)
    if await first_subject(uow, actor, key) is not None:
        return await _as_before(uow, actor, execution_id)
    found = await _required(uow, actor, execution_id)
    raise ExecutionTransition(ExecutionStatus(found.status), wanted)


async def decide(uow: UnitOfWork, actor: Actor, decision: Decision, key: ClientKey | None) -> ExecutionOutcome:
    """Approve or deny an execution that awaits it; a denied one is CANCELLED. The same decision again is no change.

    ValidationError, ExecutionNotFound, AlreadyDecided, StatusConflict, ApprovalExpired, ExecutionTransition, KeyReused.
    """
    decision.check()
    changes = {
        "status": decision.status,
        "approved": decision.approve,
        "approved_by": actor.user_id,
        "decision_comment": decision.comment,
        "error": None if decision.approve else DENIED,
    }
    awaiting = {ExecutionStatus.AWAITING_APPROVAL} & {decision.expected_status}
    kind = EventKind.TOOL_EXECUTION_DECIDED
    decided = await repository.change_execution(uow, actor, decision.execution_id, kind, changes, awaiting, key)
    if decided is not None:
        return ExecutionOutcome(decided)
    if await first_subject(uow, actor, key) is not None:
        return await _as_before(uow, actor, decision.execution_id)
    found = await _required(uow, actor, decision.execution_id)
    if found.approved == decision.approve:
        return ExecutionOutcome(found, deduplicated=True)
    raise _undecidable(found, decision)


async def expire(uow: UnitOfWork, actor: Actor, execution_id: ToolExecutionId) -> ToolExecution | None:
    """Cancel an execution that nobody decided about in time; None when somebody did, or there is time left."""
    changes = {"status": ExecutionStatus.CANCELLED, "error": EXPIRED}
    awaiting = {ExecutionStatus.AWAITING_APPROVAL}
    return await repository.change_execution(
        uow, actor, execution_id, EventKind.TOOL_EXECUTION_EXPIRED, changes, awaiting
    )


async def of_run_turn(uow: UnitOfWork, actor: Actor, message_id: MessageId) -> list[ToolExecution]:
    """The executions of a message's calls, in the calls' order, locked; with `input` and `output`.

    For a transaction that holds the session's lock.
    """
    return await repository.lock_of_message(uow, actor, message_id)


async def input_of(scope: ReadScope, actor: Actor, execution_id: ToolExecutionId) -> ExecutionInput | None:
    """Which tool an execution is of, and what it is given; None when it is gone. For workers, who know whose it is."""
    return await repository.input_of(scope, actor, execution_id)


async def calls_of_turn(uow: UnitOfWork, actor: Actor, message_id: MessageId) -> list[ToolCall]:
    """The calls of a message that is known to be the actor's, in their order."""
    return await repository.calls_of_message(uow, actor, message_id)


async def cancel_for(uow: UnitOfWork, actor: Actor, message_id: MessageId) -> list[ToolExecution]:
    """End all executions of a message's calls that have not ended; those that were ended, in the calls' order.

    For a transaction that holds the session's lock, of whoever called them off: no listener is told.
    """
    changes = {"status": ExecutionStatus.CANCELLED, "error": CALLED_OFF}
    live = [status for status in ExecutionStatus if not status.ended]
    ended = [
        await repository.change_execution(
            uow, actor, ToolExecutionId(found.id), EventKind.TOOL_EXECUTION_UPDATED, changes, live
        )
        for found in await repository.lock_of_message(uow, actor, message_id)
        if not ExecutionStatus(found.status).ended
    ]
    return [execution for execution in ended if execution is not None]


async def _required(uow: UnitOfWork, actor: Actor, execution_id: ToolExecutionId) -> ToolExecution:
    found = await repository.owned_execution(uow, actor, execution_id)
    if found is None:
        raise ExecutionNotFound
    return found


async def _as_before(uow: UnitOfWork, actor: Actor, execution_id: ToolExecutionId) -> ExecutionOutcome:
    return ExecutionOutcome(await _required(uow, actor, execution_id), deduplicated=True)


def _undecidable(found: ToolExecution, decision: Decision) -> AppError:
    """Why an execution that the actor owns could not be decided so."""
    status = ExecutionStatus(found.status)
    if found.approved is not None:
        return AlreadyDecided(approved=found.approved)
    if status is not decision.expected_status:
        return StatusConflict(decision.expected_status, status)
    if status is ExecutionStatus.AWAITING_APPROVAL:
        return ApprovalExpired()
    return ExecutionTransition(status, decision.status, "toolExecutionId")
