"""Statements that take over messages which were written elsewhere: at times of their own, in a tree that is known."""

from typing import Any

from sqlalchemy import DateTime, Text, Uuid, func, insert, literal, select

from app.core.actor import Actor
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param, past
from app.events.fragments import event
from app.events.values import EventKind
from app.idempotency.fragments import gate, passed
from app.idempotency.values import ClientKey
from app.messages.fragments import messages
from app.messages.models import ChatMessage
from app.messages.repository.append import GIVEN, appending, parent_is_of_this_session
from app.messages.values import MessageRole, MessageStatus, PastMessage
from app.sessions.fragments import is_session, one_past_message, session_claimed, tallied, touched
from app.sessions.values import TallyKind


def _take_over(role: MessageRole) -> Command[ChatMessage]:
    """As a message is appended, in one statement; a statement of its own, so that the other carries none of this."""
    right_parent = parent_is_of_this_session()
    completed = param("status", Text) == MessageStatus.COMPLETED.value
    written_at = past("created_at")
    through = gate(session_claimed() & right_parent, lasting=True)
    changes = one_past_message(role, completed, written_at)
    session = touched(is_session(), right_parent, passed(through), changes=changes)
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id,
        "id": param("message_id", Uuid),
        "session_id": session.c.id,
        "sequence_number": session.c.last_sequence,
        "parent_message_id": param("parent_message_id", Uuid),
        "role": literal(role.value, Text),
        "created_at": written_at,
        "updated_at": func.greatest(written_at, past("changed_at")),
        "deleted_at": param("deleted_at", DateTime(timezone=True)),
        **{name: param(name, kind) for name, kind in GIVEN.items()},
    }
    message = insert(messages).from_select(list(row), select(*row.values())).returning(*messages.c).cte("message")
    # The log says when it came here, not when it was written.
    numbered = {"sequenceNumber": session.c.last_sequence}
    taken = event(EventKind.MESSAGE_APPENDED, stream=session, facts=numbered, at=func.statement_timestamp())
    used = [tallied(session, TallyKind.MODEL, param("model", Text))] if role is MessageRole.ASSISTANT else []
    return Command(ChatMessage, select(*message.c).add_cte(*used, taken))


_TAKE_OVER = {role: _take_over(role) for role in MessageRole}


async def take_over(uow: UnitOfWork, actor: Actor, past: PastMessage, key: ClientKey | None) -> ChatMessage | None:
    """Store a message at its session's next number, with counters and event; its key lasts.

    None, and nothing stored, as of `repository.append`. Its parent must have been taken over before.
    """
    uow.announce(past.new.draft.session_id)
    return await uow.run_one(
        _TAKE_OVER[past.new.draft.role],
        created_at=past.created_at,
        changed_at=past.updated_at or past.created_at,
        deleted_at=past.deleted_at,
        moves_leaf=past.moves_leaf,
        **appending(actor, past.new, key),
    )
