"""Statements that append messages."""

from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    Double,
    Integer,
    Text,
    Uuid,
    exists,
    insert,
    literal,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import held, locked_message, messages, session_of
from app.messages.models import ChatMessage
from app.messages.values import MessageRole, MessageStatus, NewMessage
from app.sessions.fragments import is_session, named_parent, one_more_message, session_claimed, tallied, touched
from app.sessions.values import TallyKind

GIVEN: dict[str, Any] = {
    "status": Text, "content": Text, "token_count": Integer, "token_count_estimated": Boolean, "tool_call_id": Text,
    "error_code": Text, "error_message": Text, "intent_name": Text, "intent_confidence": Double,
    "intent_keywords": ARRAY(Text), "model": Text, "temperature": Double, "generation_source": Text,
    "processing_time_ms": Integer, "context": JSONB, "streaming": JSONB, "pipeline_facts": JSONB,
    "custom_metadata": JSONB,
}  # fmt: skip
"""Columns of a new message that come from outside, with their types."""


_COMPLETED = param("status", Text) == MessageStatus.COMPLETED.value


def _append(role: MessageRole, beside: bool) -> Command[ChatMessage]:
    """Gate, session, message and event in one statement (S3-18)."""
    session = _one_more_beside(role) if beside else _one_more(role)
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id,
        "id": param("message_id", Uuid),
        "session_id": session.c.id,
        "sequence_number": session.c.last_sequence,
        "parent_message_id": session.c.active_leaf_parent_id,
        "role": literal(role.value, Text),
        "created_at": session.c.updated_at,
        "updated_at": session.c.updated_at,
        **{name: param(name, kind) for name, kind in GIVEN.items()},
    }
    message = insert(messages).from_select(list(row), select(*row.values())).returning(*messages.c).cte("message")
    numbered = {"sequenceNumber": session.c.last_sequence}
    written = [event(EventKind.MESSAGE_APPENDED, stream=session, facts=numbered)]
    if role is MessageRole.ASSISTANT:
        written.append(tallied(session, TallyKind.MODEL, param("model", Text)))
    return Command(ChatMessage, select(*message.c).add_cte(*written))


def _one_more(role: MessageRole) -> CTE:
    """The session with one message more, which answers the parent that is named, or else the active leaf."""
    right_parent = parent_is_of_this_session()
    through = gate(session_claimed() & right_parent)
    changes = one_more_message(role, _COMPLETED, named_parent())
    return touched(is_session(), right_parent, passed(through), changes=changes)


def _one_more_beside(role: MessageRole) -> CTE:
    """The session with one message more, which answers what the message `beside` answers, be that nothing."""
    locked = locked_message("beside")
    of_session = locked.c.session_id == param("session_id", Uuid)
    beside = held(locked, of_session, locked.c.role == literal(role.value, Text))
    through = gate(exists(select(beside.c.id)))
    changes = one_more_message(role, _COMPLETED, select(beside.c.parent_message_id).scalar_subquery())
    return touched(session_of(beside), passed(through), changes=changes)


def parent_is_of_this_session() -> ColumnElement[bool]:
    """Whether the parent that was named, if one was, is a message of the session. Parameters: parent_message_id …"""
    parent = param("parent_message_id", Uuid)
    found = select(messages.c.id).where(
        messages.c.tenant_id == param("tenant_id"),
        messages.c.id == parent,
        messages.c.session_id == param("session_id", Uuid),
    )
    return or_(parent.is_(None), exists(found))


_APPEND = {(role, beside): _append(role, beside) for role in MessageRole for beside in (False, True)}


async def append(uow: UnitOfWork, actor: Actor, new: NewMessage, key: ClientKey | None) -> ChatMessage | None:
    """Store a message at its session's next number, with counters and event.

    None, and nothing stored, when the actor owns no such session, the parent is not in it, the message to stand beside
    is not in it, deleted or of another role, or the key was used before.
    The session's row stays locked until the transaction ends: its writers follow each other, numbers have no gaps.
    """
    uow.announce(new.draft.session_id)
    return await uow.run_one(_APPEND[new.draft.role, new.draft.beside is not None], **appending(actor, new, key))


def appending(actor: Actor, new: NewMessage, key: ClientKey | None) -> dict[str, object]:
    """The parameters of a statement that appends a message."""
    draft, intent, generation = new.draft, new.intent, new.draft.generation
    facts = {
        "messageId": global_id(ChatMessage.node_type, new.id),
        "role": draft.role.name,
        "status": draft.status.name,
    }
    parent = {"parent_message_id": draft.parent_message_id} if draft.beside is None else {"beside": draft.beside}
    return {
        "session_id": draft.session_id,
        "message_id": new.id,
        **parent,
        "status": draft.status,
        "content": draft.content,
        "token_count": new.token_count,
        "token_count_estimated": new.token_count_estimated,
        "tool_call_id": draft.tool_call_id,
        "error_code": generation.error_code,
        "error_message": generation.error_message,
        "intent_name": intent and intent.name,
        "intent_confidence": intent and intent.confidence,
        "intent_keywords": intent and list(intent.keywords),
        "model": generation.model,
        "temperature": generation.temperature,
        "generation_source": generation.source,
        "processing_time_ms": generation.processing_time_ms,
        "context": draft.context_items.as_json(),
        "streaming": generation.streaming,
        "pipeline_facts": new.pipeline_facts,
        "custom_metadata": draft.metadata,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, facts),
    }
