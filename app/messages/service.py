"""What can be done with a message that is there: one rule each. Callers hold a unit of work."""

from dataclasses import dataclass
from typing import Any

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.core.text import require_json_size, require_length
from app.db.scopes import ReadScope, UnitOfWork
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.llm.tokens import TokenCount
from app.messages import repository
from app.messages.errors import InvalidTransition, MessageDeleted, MessageNotFound
from app.messages.models import ChatMessage
from app.messages.values import (
    LONGEST_CONTENT,
    LONGEST_ERROR,
    LONGEST_NAME,
    TRANSITIONS,
    Completion,
    Copies,
    MessageId,
    MessageStatus,
)
from app.sessions.values import SessionId


@dataclass(frozen=True, slots=True)
class MessageOutcome:
    """The message after a change, and whether the change had been made before by the same request."""

    message: ChatMessage
    deduplicated: bool = False


async def update(
    uow: UnitOfWork, actor: Actor, message_id: MessageId, changes: dict[str, Any], key: ClientKey | None
) -> MessageOutcome:
    """Change content, status, error or metadata of a message; what `changes` does not name stays.

    What the message cost when it was stored (its tokens) is history and stays too. MessageNotFound, MessageDeleted,
    InvalidTransition, ValidationError.
    """
    _check(changes)
    wanted = MessageStatus(changes["status"]) if "status" in changes else None
    before = [status for status, after in TRANSITIONS.items() if wanted is None or wanted in after]
    changed = await repository.update_columns(uow, actor, message_id, changes, before, key)
    if changed is not None:
        return MessageOutcome(changed)
    earlier = await _as_before(uow, actor, key)
    if earlier is not None:
        return earlier
    found = await _required(uow, actor, message_id)
    if found.deleted_at is not None or wanted is None:
        raise MessageDeleted
    raise InvalidTransition(found.status, wanted)


async def end(
    uow: UnitOfWork,
    actor: Actor,
    completion: Completion,
    counted: TokenCount,
    pipeline_facts: dict[str, Any],
    key: ClientKey | None,
) -> MessageOutcome:
    """End an answer that was stored as PENDING or PROCESSING, once; its session counts it and what it took.

    `completion` is checked before. MessageNotFound, MessageDeleted, KeyReused, and InvalidTransition when it has ended.
    """
    changes: dict[str, Any] = {
        "status": completion.status.value,
        "token_count": counted.tokens,
        "token_count_estimated": counted.estimated,
        "processing_time_ms": completion.processing_time_ms,
        "error_code": completion.error_code,
        "error_message": completion.error_message,
        "pipeline_facts": pipeline_facts,
    }
    kept = {
        "content": completion.content,
        "streaming": completion.streaming or None,
        "custom_metadata": completion.metadata,
    }
    changes |= {name: value for name, value in kept.items() if value is not None}
    ended = await repository.end(uow, actor, completion.message_id, changes, completion.cost, key)
    if ended is not None:
        return MessageOutcome(ended)
    earlier = await _as_before(uow, actor, key)
    if earlier is not None:
        return earlier
    found = await _required(uow, actor, completion.message_id)
    if found.deleted_at is not None:
        raise MessageDeleted
    raise InvalidTransition(found.status, completion.status, "messageId")


async def delete(uow: UnitOfWork, actor: Actor, message_id: MessageId, key: ClientKey | None) -> MessageOutcome:
    """Leave a tombstone: the number and the place in the tree stay, the content is cleared. Twice is once."""
    gone = await repository.tombstone(uow, actor, message_id, key)
    if gone is not None:
        return MessageOutcome(gone)
    earlier = await _as_before(uow, actor, key)
    return earlier or MessageOutcome(await _required(uow, actor, message_id), deduplicated=True)


async def copy(uow: UnitOfWork, actor: Actor, origin_id: SessionId, session_id: SessionId, copies: Copies) -> None:
    """Begin a new session of the actor's with copies of a path of messages of another, which is locked.

    They are numbered 1, 2, 3 … and each answers the one before it; all else is as it is there, times included. What
    hangs on messages is copied by the rooms that it belongs to.
    """
    if copies:
        await repository.copy(uow, actor, origin_id, session_id, copies)


async def move_answers(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, message_id: MessageId, onto: MessageId, but: MessageId
) -> int:
    """Have what follows a message of a locked session of the actor follow `onto`, save `but`; how many there were."""
    return await repository.move_answers(uow, actor, session_id, message_id, onto, but)


async def _as_before(uow: UnitOfWork, actor: Actor, key: ClientKey | None) -> MessageOutcome | None:
    subject = await first_subject(uow, actor, key)
    return MessageOutcome(await _required(uow, actor, MessageId(subject)), deduplicated=True) if subject else None


async def find_owned(scope: ReadScope, actor: Actor, message_id: MessageId) -> ChatMessage | None:
    """The message, where its session is the actor's own."""
    return await repository.owned_message(scope, actor, message_id)


async def _required(uow: UnitOfWork, actor: Actor, message_id: MessageId) -> ChatMessage:
    # An admin may read what others wrote; changing it is answered as for anybody else.
    found = await find_owned(uow, actor, message_id)
    if found is None:
        raise MessageNotFound
    return found


def _check(changes: dict[str, Any]) -> None:
    if not changes:
        raise ValidationError("there is nothing to change", field="input", hint="send at least one field to change")
    if "content" in changes:
        require_length(changes["content"], "content", at_least=1, at_most=LONGEST_CONTENT)
    if changes.get("error_code") is not None:
        require_length(changes["error_code"], "errorCode", at_least=1, at_most=LONGEST_NAME)
    if changes.get("error_message") is not None:
        require_length(changes["error_message"], "errorMessage", at_most=LONGEST_ERROR)
    require_json_size(changes.get("custom_metadata"), "metadata")
