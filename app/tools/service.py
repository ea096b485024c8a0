"""What can be done with a tool call. Callers hold a unit of work."""

from dataclasses import dataclass

from app.core.actor import Actor
from app.db.errors import Duplicate
from app.db.scopes import UnitOfWork
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.messages.errors import MessageDeleted, MessageNotFound
from app.messages.service import find_owned
from app.messages.values import Copies, MessageRole
from app.tools import repository
from app.tools.errors import CallAlreadyAdded, NotAnAssistantMessage, TooManyCalls
from app.tools.models import ToolCall
from app.tools.values import MOST_CALLS, NewToolCall, ToolCallId


@dataclass(frozen=True, slots=True)
class ToolCallOutcome:
    """The call after it was added, and whether the same request had added it before."""

    tool_call: ToolCall
    deduplicated: bool = False


async def add(uow: UnitOfWork, actor: Actor, new: NewToolCall, key: ClientKey | None) -> ToolCallOutcome:
    """Add a call to an assistant's message of the actor.

    ValidationError, MessageNotFound, MessageDeleted, NotAnAssistantMessage, TooManyCalls, CallAlreadyAdded, KeyReused.
    """
    new.check()
    try:
        added = await repository.add(uow, actor, new, key)
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
