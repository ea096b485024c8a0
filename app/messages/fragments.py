"""Pieces of statements about messages, for this room and those that hang rows on a message."""

from sqlalchemy import CTE, ColumnElement, Uuid, exists, select

from app.db.base import table_of
from app.db.statement import param
from app.messages.models import ChatMessage
from app.sessions.fragments import owned, sessions

messages = table_of(ChatMessage)


def held(*conditions: ColumnElement[bool]) -> CTE:
    """The actor's message `message_id`, locked against other changes, where `conditions` hold of its newest version.

    Taken before the session's row: whoever then takes an event number is sure to use it. The lock does not stand in the
    way of answers to the message. Columns: id, session_id. Parameters: tenant_id, user_id, message_id.
    """
    return (
        select(messages.c.id, messages.c.session_id)
        .join(sessions, (sessions.c.tenant_id == messages.c.tenant_id) & (sessions.c.id == messages.c.session_id))
        .where(
            messages.c.tenant_id == param("tenant_id"),
            messages.c.id == param("message_id", Uuid),
            messages.c.deleted_at.is_(None),
            owned(),
            *conditions,
        )
        .with_for_update(of=messages, key_share=True)
        .cte("held")
    )


def of_session(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether `condition` (readable(), owned()) holds of the session that a message hangs on."""
    return exists(
        select(sessions.c.id).where(
            condition, sessions.c.tenant_id == messages.c.tenant_id, sessions.c.id == messages.c.session_id
        )
    )


def session_of(held_message: CTE) -> ColumnElement[bool]:
    """The session of a held message."""
    return sessions.c.id == select(held_message.c.session_id).scalar_subquery()
