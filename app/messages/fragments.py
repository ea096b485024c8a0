"""Pieces of statements about messages, for this room and those that hang rows on a message."""

from typing import Any

from sqlalchemy import ARRAY, CTE, ColumnElement, Uuid, case, column, exists, func, select, true, update

from app.db.base import table_of
from app.db.statement import param
from app.messages.models import ChatMessage
from app.messages.values import Copies
from app.sessions.fragments import claimed, sessions

messages = table_of(ChatMessage)


def locked_message(named: str = "message_id") -> CTE:
    """The actor's message that the parameter `named` names, in its newest version: locked after its session's row.

    A statement sees the rows as they were when it began, which is before it waited for the session. So the message is
    read by the lock, which gives what others have made of it since; whatever a change depends on is asked of these
    columns and never of the table. The lock does not stand in the way of answers to the message.
    Columns: what is asked of a message. Parameters: tenant_id, user_id, and `named`.
    """
    of_message = messages.c.tenant_id == param("tenant_id"), messages.c.id == param(named, Uuid)
    session = claimed(sessions.c.id == select(messages.c.session_id).where(*of_message).scalar_subquery())
    # PostgreSQL cannot come to the message's lock before it has the value, and with it the lock, of the session. IS
    # TRUE, as in owned(): the index of a session's messages is no way to find one.
    after_session = (messages.c.session_id == select(session.c.id).scalar_subquery()).is_(true())
    asked = (
        "id", "session_id", "parent_message_id", "role", "status", "token_count", "processing_time_ms",
        "tool_call_count", "attachment_count", "created_at", "deleted_at",
    )  # fmt: skip
    return (
        select(*(messages.c[name] for name in asked))
        .where(*of_message, after_session)
        .with_for_update(key_share=True)
        .cte("locked_message")
    )


def held(locked: CTE, *conditions: ColumnElement[bool]) -> CTE:
    """A message locked by `locked_message`, where it is not deleted and `conditions` hold of its columns.

    Columns: those of `locked`.
    """
    return select(*locked.c).where(locked.c.deleted_at.is_(None), *conditions).cte("held")


def changed_message(session: CTE, message_id: Any, changes: dict[str, Any]) -> CTE:
    """Change columns of one message of a session that was `touched` by the same statement; a tombstone stays as it is.

    `changes` are expressions. Columns: all. Parameters: tenant_id.
    """
    kept = {
        name: case((messages.c.deleted_at.is_(None), value), else_=messages.c[name]) for name, value in changes.items()
    }
    return (
        update(messages)
        .where(
            # Not the session's column: the planner may join later, and look through all tenants' messages for the id.
            messages.c.tenant_id == param("tenant_id"),
            messages.c.id == message_id,
            messages.c.session_id == session.c.id,
        )
        .values(updated_at=session.c.updated_at, **kept)
        .returning(*messages.c)
        .cte("message")
    )


def copies() -> Any:
    """Messages with their copies, as a table. Columns: original_id, copy_id, number (1, 2, 3 …). Parameters: originals,
    copies.
    """
    listed = func.unnest(param("originals", ARRAY(Uuid)), param("copies", ARRAY(Uuid)))
    columns = column("original_id", Uuid), column("copy_id", Uuid)
    return listed.table_valued(*columns, with_ordinality="number").render_derived(name="copies")


def copies_parameters(copied: Copies) -> dict[str, object]:
    """The parameters of `copies`."""
    return {"originals": list(copied.keys()), "copies": list(copied.values())}


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
