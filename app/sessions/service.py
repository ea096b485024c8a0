"""What can be done with a session: one rule each. Callers hold a unit of work."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from app.core.actor import Actor
from app.core.errors import ValidationError
from app.db.errors import Duplicate
from app.db.scopes import ReadScope, UnitOfWork
from app.idempotency.service import first_subject
from app.idempotency.values import ClientKey
from app.sessions import repository
from app.sessions.errors import SessionNotFound, StateConflict, TooManyAgents
from app.sessions.models import AgentState, ChatSession
from app.sessions.values import Fork, NewAgentState, NewSession, PastAgentState, SessionId, check_fields, check_metadata


@dataclass(frozen=True, slots=True)
class SessionOutcome:
    """The session after a change, and whether the change had been made before by the same request."""

    session: ChatSession | None
    """None only for a deletion that was made before."""
    deduplicated: bool = False


@dataclass(frozen=True, slots=True)
class AgentStateOutcome:
    """The state that an agent has now, and whether the same request had set it before."""

    agent_state: AgentState
    deduplicated: bool = False


async def create(uow: UnitOfWork, actor: Actor, new: NewSession, key: ClientKey | None) -> SessionOutcome:
    """Store a session of the actor. ValidationError for what cannot be stored, KeyReused for another request's key."""
    new.check()
    created = await repository.create(uow, actor, new, key)
    if created is not None:
        return SessionOutcome(created)
    return await _as_before(uow, actor, key)


async def fork(uow: UnitOfWork, actor: Actor, new: Fork) -> ChatSession:
    """Store a session that is like another, and counts the messages which are copied into it next.

    ValidationError, SessionNotFound.
    """
    new.check()
    created = await repository.fork(uow, actor, new)
    if created is None:
        raise SessionNotFound
    return created


async def take_over(
    uow: UnitOfWork,
    actor: Actor,
    new: NewSession,
    created_at: datetime | None,
    updated_at: datetime | None,
    key: ClientKey | None,
) -> SessionOutcome:
    """Store a session that began elsewhere, at times of its own; its key lasts. Errors as of `create`."""
    new.check()
    created = await repository.take_over(uow, actor, new, created_at, updated_at, key)
    return SessionOutcome(created) if created is not None else await _as_before(uow, actor, key)


async def update(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, changes: dict[str, Any], key: ClientKey | None
) -> SessionOutcome:
    """Change columns of a session; those that `changes` does not name stay. SessionNotFound, ValidationError."""
    if not changes:
        raise ValidationError("there is nothing to change", field="input", hint="send at least one field to change")
    check_fields(changes)
    changed = await repository.update_columns(uow, actor, session_id, changes, key)
    return SessionOutcome(changed) if changed is not None else await _as_before(uow, actor, key)


async def set_metadata(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, changes: dict[str, Any], key: ClientKey | None
) -> SessionOutcome:
    """Change tags, custom data or summary, each as a whole. SessionNotFound, ValidationError."""
    if not changes:
        raise ValidationError("there is nothing to change", field="input", hint="send at least one field to change")
    check_metadata(changes)
    changed = await repository.set_metadata(uow, actor, session_id, changes, key)
    return SessionOutcome(changed) if changed is not None else await _as_before(uow, actor, key)


async def set_agent_state(
    uow: UnitOfWork, actor: Actor, new: NewAgentState, key: ClientKey | None
) -> AgentStateOutcome:
    """Keep the state of an agent in a session. SessionNotFound, ValidationError, StateConflict, TooManyAgents."""
    new.check()
    try:
        kept = await repository.set_agent_state(uow, actor, new, key)
    except Duplicate as duplicate:
        if duplicate.key != repository.SAME_AGENT:
            raise
        kept = None
    if kept is not None:
        return AgentStateOutcome(kept)
    subject = await first_subject(uow, actor, key)
    found = await repository.owned_agent_state(uow, actor, new.session_id, new.agent_id)
    if subject is not None and found is not None:
        return AgentStateOutcome(found, deduplicated=True)
    if await find_owned(uow, actor, new.session_id) is None:
        raise SessionNotFound
    if new.expected_version is None or (new.expected_version == 0 and found is None):
        raise TooManyAgents
    raise StateConflict(new.expected_version, found)


async def take_over_agent_state(
    uow: UnitOfWork, actor: Actor, found: PastAgentState, key: ClientKey | None
) -> AgentStateOutcome:
    """Keep a state that an agent set elsewhere, in its version; its key lasts. One that the agent has here stays.

    SessionNotFound, ValidationError, TooManyAgents, KeyReused.
    """
    found.check()
    try:
        kept = await repository.take_over_agent_state(uow, actor, found, key)
    except Duplicate as duplicate:
        if duplicate.key != repository.SAME_AGENT:
            raise
        kept = None
    if kept is not None:
        return AgentStateOutcome(kept)
    await first_subject(uow, actor, key)
    there = await repository.owned_agent_state(uow, actor, found.new.session_id, found.new.agent_id)
    if there is not None:
        return AgentStateOutcome(there, deduplicated=True)
    if await find_owned(uow, actor, found.new.session_id) is None:
        raise SessionNotFound
    raise TooManyAgents


async def set_leaf(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, leaf_id: UUID, leaf_parent_id: UUID | None
) -> ChatSession:
    """Make a message of a session, which is known to be in it, what the next one answers. SessionNotFound."""
    changed = await repository.set_leaf(uow, actor, session_id, leaf_id, leaf_parent_id)
    if changed is None:
        raise SessionNotFound
    return changed


async def delete(uow: UnitOfWork, actor: Actor, session_id: SessionId, key: ClientKey | None) -> SessionOutcome:
    """Delete a session with its messages, tool calls and metadata; its events stay. SessionNotFound."""
    gone = await repository.remove(uow, actor, session_id, key)
    if gone is not None:
        return SessionOutcome(gone)
    if await first_subject(uow, actor, key) is None:
        raise SessionNotFound
    return SessionOutcome(None, deduplicated=True)


async def lock_of_project(uow: UnitOfWork, actor: Actor, project_id: UUID) -> list[SessionId]:
    """Lock all sessions of a project, whoever they belong to, until the unit of work ends; their ids, in their order.

    For who is about to delete the project: its own row comes behind them in the order of locks. A session that is added
    meanwhile is not among them.
    """
    return await repository.lock_of_project(uow, actor, project_id)


async def delete_of_project(uow: UnitOfWork, actor: Actor, project_id: UUID) -> int:
    """Delete all sessions of a project with all that hangs on them, whoever they belong to; how many there were.

    Each as `delete` does it: its events stay, with one that says who deleted it, and its runs end without a word. They
    are settled with their budgets by this statement, so that it comes late. Whether the actor may delete the project is
    settled before, and `lock_of_project` has locked the sessions: a deletion locks them in no order.
    """
    return await repository.remove_of_project(uow, actor, project_id)


async def lock(uow: UnitOfWork, actor: Actor, session_id: SessionId) -> ChatSession | None:
    """The session, where it is the actor's own, its row locked until the unit of work ends.

    The one order of locks: a session's row first, then what hangs on it.
    """
    return await repository.locked_session(uow, actor, session_id)


async def restore_leaf(
    uow: UnitOfWork, actor: Actor, session_id: SessionId, leaf_id: UUID, leaf_parent_id: UUID | None
) -> None:
    """Have the next message of a locked session of the actor answer again what it was to answer before others were
    appended in the same transaction; `leaf_parent_id` is what `leaf_id` answers now.
    """
    await repository.restore_leaf(uow, actor, session_id, leaf_id, leaf_parent_id)


async def find_owned(scope: ReadScope, actor: Actor, session_id: SessionId) -> ChatSession | None:
    """The session, where it is the actor's own."""
    return await repository.owned_session(scope, actor, session_id)


async def _as_before(uow: UnitOfWork, actor: Actor, key: ClientKey | None) -> SessionOutcome:
    """What the same request was answered when it came first; SessionNotFound when it never came."""
    subject = await first_subject(uow, actor, key)
    found = await find_owned(uow, actor, SessionId(subject)) if subject else None
    if found is None:
        raise SessionNotFound
    return SessionOutcome(found, deduplicated=True)
