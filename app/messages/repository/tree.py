"""Statements about the tree of messages: what leads to one, copies of that, and what follows moved."""

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Uuid, cast, func, insert, select, update

from app.core.actor import Actor
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.messages.fragments import copies, copies_parameters, messages, of_session
from app.messages.models import ChatMessage
from app.messages.values import Copies, MessageId, MessageRole
from app.sessions.fragments import owned, tallied_copies
from app.sessions.values import SessionId, TallyKind

_OWNED = Query(
    ChatMessage,
    select(*messages.c).where(
        messages.c.tenant_id == param("tenant_id"), messages.c.id == param("message_id", Uuid), of_session(owned())
    ),
)


def _copy() -> Command[int]:
    """A path of messages once more, as the first ones of another session."""
    copied = copies()
    changed: dict[str, Any] = {
        "id": copied.c.copy_id,
        "session_id": param("session_id", Uuid),
        "sequence_number": cast(copied.c.number, Integer),
        "parent_message_id": func.lag(copied.c.copy_id).over(order_by=copied.c.number),
    }
    row = {column.name: changed.get(column.name, column) for column in messages.c if column.computed is None}
    found = select(*row.values()).join(copied, messages.c.id == copied.c.original_id)
    of_origin = messages.c.tenant_id == param("tenant_id"), messages.c.session_id == param("origin_id", Uuid)
    stored = insert(messages).from_select(list(row), found.where(*of_origin)).returning(*messages.c).cte("stored")
    answers = select(*stored.c).where(stored.c.role == MessageRole.ASSISTANT.value).cte("answers")
    used = tallied_copies(TallyKind.MODEL, answers.c.session_id, answers.c.model, answers)
    return Command(int, select(func.count().label("count")).select_from(stored).add_cte(used))


_COPY = _copy()


_MOVE = Command(
    UUID,
    update(messages)
    .where(
        messages.c.tenant_id == param("tenant_id"),
        messages.c.parent_message_id == param("message_id", Uuid),
        messages.c.session_id == param("session_id", Uuid),
        messages.c.id != param("but_id", Uuid),
    )
    .values(parent_message_id=param("onto_id", Uuid))
    .returning(messages.c.id),
)


async def move_answers(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, message_id: MessageId, onto: MessageId, but: MessageId
) -> int:
    """Have what follows a message follow another, save one; how many. The session must be locked and the actor's."""
    moved = await uow.run(
        _MOVE, tenant_id=actor.tenant_id, session_id=session_id, message_id=message_id, onto_id=onto, but_id=but
    )
    return len(moved)


async def owned_message(scope: ReadScope, actor: Actor, message_id: MessageId) -> ChatMessage | None:
    """The message, where its session is the actor's."""
    return await scope.first(_OWNED, message_id=message_id, **actor.as_owner())


async def copy(uow: UnitOfWork, actor: Actor, origin_id: SessionId, session_id: SessionId, copied: Copies) -> None:
    """Store copies of messages of a session, which is the actor's and locked, as the first of another that is new."""
    places = {"tenant_id": actor.tenant_id, "origin_id": origin_id, "session_id": session_id}
    await uow.run(_COPY, **places, **copies_parameters(copied))
