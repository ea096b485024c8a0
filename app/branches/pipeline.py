"""How one moves in the tree of messages, and forks it: each in one transaction, which has the session to itself."""

from collections.abc import Awaitable, Callable

from app.attachments import service as attachments
from app.branches import repository
from app.branches.errors import UnfinishedPath
from app.branches.values import ForkRequest, PathStep, counted
from app.core.actor import Actor, TenantId
from app.core.ids import new_id
from app.db.database import Database
from app.db.scopes import UnitOfWork
from app.idempotency.service import earlier_subject
from app.idempotency.values import ClientKey
from app.messages import service as messages
from app.messages.errors import MessageNotFound
from app.messages.values import UNFINISHED, Copies, MessageId
from app.sessions import service as sessions
from app.sessions.errors import SessionNotFound
from app.sessions.models import ChatSession
from app.sessions.service import SessionOutcome
from app.sessions.values import Fork, SessionId
from app.tools import service as tools

CopyHanging = Callable[[UnitOfWork, Actor, Copies], Awaitable[None]]
"""Gives the copies of messages what hangs on these."""

_HANGING: tuple[CopyHanging, ...] = (tools.copy, attachments.copy)
"""By the rooms whose rows hang on messages, in the order of what hangs on what; a new one is added here."""


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


async def fork(database: Database, actor: Actor, wanted: ForkRequest, key: ClientKey | None) -> SessionOutcome:
    """Begin a session with copies of what leads to a message of another, and of all that hangs on it.

    The other is locked meanwhile and is not changed. Without a message it is all that is shown, save what is still
    being written at its end. However long the path, it is the same number of statements. SessionNotFound,
    MessageNotFound, UnfinishedPath, ValidationError, KeyReused.
    """
    session_id = SessionId(new_id())

    async def work(uow: UnitOfWork) -> SessionOutcome:
        earlier = await earlier_subject(uow, actor, key, session_id)
        if earlier is not None:
            return SessionOutcome(await _owned(uow, actor, SessionId(earlier)), deduplicated=True)
        origin = await _locked(uow, actor, wanted.session_id)
        path = await _path(uow, origin, wanted.at_message_id)
        copies = {MessageId(step.id): MessageId(new_id()) for step in path}
        executions = await tools.count_copied(uow, actor, wanted.session_id, copies)
        created = await sessions.fork(uow, actor, _fork_of(origin, session_id, wanted, path, copies, executions))
        await messages.copy(uow, actor, wanted.session_id, session_id, copies)
        for copy in _HANGING:
            await copy(uow, actor, copies)
        return SessionOutcome(created)

    return await database.transact(work)


async def _path(uow: UnitOfWork, origin: ChatSession, at: MessageId | None) -> list[PathStep]:
    """What is to be copied. MessageNotFound, UnfinishedPath."""
    last = at or origin.active_leaf_id
    if last is None:
        return []
    path = await repository.path_to(uow, TenantId(origin.tenant_id), SessionId(origin.id), MessageId(last))
    if not path:
        raise MessageNotFound("atMessageId")
    while at is None and path and path[-1].status in UNFINISHED:
        path.pop()
    unfinished = next((step.status for step in path if step.status in UNFINISHED), None)
    if unfinished is not None:
        raise UnfinishedPath(unfinished)
    return path


def _fork_of(
    origin: ChatSession,
    session_id: SessionId,
    wanted: ForkRequest,
    path: list[PathStep],
    copies: Copies,
    executions: int,
) -> Fork:
    # None stands for what is not there, before the first of them as after the last.
    parent, leaf = [None, None, *copies.values()][-2:]
    return Fork(
        session_id,
        wanted.session_id,
        origin.title if wanted.title is None else wanted.title,
        counted(path, executions),
        origin_leaf_id=path[-1].id if path else None,
        leaf_id=leaf,
        leaf_parent_id=parent,
    )


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
