"""How one moves in the tree of messages: each in one transaction, which has the session to itself."""

from app.branches import repository
from app.core.actor import Actor
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import earlier_subject
from app.idempotency.values import ClientKey
from app.messages.errors import MessageNotFound
from app.messages.values import MessageId
from app.sessions import service as sessions
from app.sessions.errors import SessionNotFound
from app.sessions.models import ChatSession
from app.sessions.service import SessionOutcome
from app.sessions.values import SessionId


async def set_leaf(
    database: Database, actor: Actor, session_id: SessionId, message_id: MessageId, key: ClientKey | None
) -> SessionOutcome:
    """Go to a message; where it has answers, on to the newest leaf below it. There already, nothing happens.

    SessionNotFound, MessageNotFound, KeyReused.
    """

    async def work(uow: UnitOfWork) -> SessionOutcome:
        if await earlier_subject(uow, actor, key, session_id) is not None:
            return SessionOutcome(await _owned(uow, actor, session_id), deduplicated=True)
        session = await _locked(uow, actor, session_id)
        # Asked behind the lock and not in the statement that takes it, which sees the messages as they were before it
        # waited: an answer that was given meanwhile would be left out, and the next message would part from it.
        leaf = await repository.newest_leaf(uow, actor.tenant_id, session_id, message_id)
        if leaf is None:
            raise MessageNotFound
        if leaf.id == session.active_leaf_id:
            return SessionOutcome(session, deduplicated=True)
        return SessionOutcome(await sessions.set_leaf(uow, actor, session_id, leaf.id, leaf.parent_message_id))

    return await database.transact(work)


async def _locked(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> ChatSession:
    found = await sessions.lock(uow, actor, session_id)
    if found is None:
        raise SessionNotFound
    return found


async def _owned(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> ChatSession:
    found = await sessions.find_owned(uow, actor, session_id)
    if found is None:
        raise SessionNotFound
    return found
