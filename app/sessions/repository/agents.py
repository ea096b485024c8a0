"""Statements that keep the states of agents."""

from typing import Any

from sqlalchemy import Integer, Text, Uuid, case, exists, literal, or_, select, true
from sqlalchemy import func as sql
from sqlalchemy.dialects.postgresql import JSONB, insert

from app.core.actor import Actor
from app.db.base import table_of
from app.db.scopes import ReadScope, UnitOfWork
from app.db.statement import Command, Query, param
from app.events.fragments import event
from app.events.values import EventKind
from app.idempotency.fragments import gate, passed
from app.idempotency.values import ClientKey
from app.sessions.fragments import claimed, is_session, owned, sessions, touched
from app.sessions.models import AgentState
from app.sessions.repository.facts import on
from app.sessions.values import MOST_AGENTS, NewAgentState, SessionId

_states = table_of(AgentState)

SAME_AGENT = "pk_agent_states"
"""The key that refuses a second first state of an agent in a session."""


def _set_agent_state(is_first: bool) -> Command[AgentState]:
    """Gate, session, compare-and-set and event in one statement; `is_first` where there is to be no state yet.

    A statement sees the rows as they were when it began, which is before it waited for the session. So a state that was
    there is compared by its lock, and one that others add meanwhile is met as a conflict of keys: it is replaced, or
    where this one is to be the first, the whole statement fails. A state never goes before its session does.
    """
    there = exists(select(_states.c.id).where(*_OF_AGENT))
    room = or_(there, sessions.c.agent_states < MOST_AGENTS)
    session = claimed(is_session(), room, columns=("tenant_id", "id", "updated_at"))
    locked = (
        select(_states.c.version)
        # The session's id as a value: PostgreSQL cannot come to this lock before it holds that of the session.
        .where(*_OF_AGENT, (_states.c.session_id == select(session.c.id).scalar_subquery()).is_(true()))
        .with_for_update(key_share=True)
        .cte("locked")
    )
    expected = param("expected_version", Integer)
    as_expected = exists(select(locked.c.version).where(locked.c.version == expected))
    fits = ~there if is_first else or_(expected.is_(None), as_expected)
    through = gate(exists(select(session.c.id)) & fits)
    at = sql.greatest(session.c.updated_at, sql.statement_timestamp())
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "session_id": session.c.id, "agent_id": param("agent_id", Text),
        "id": param("agent_state_id", Uuid), "state": param("state", JSONB), "version": literal(1, Integer),
        "created_at": at, "updated_at": at,
    }  # fmt: skip
    stored: Any = insert(_states).from_select(list(row), select(*row.values()).where(passed(through), fits))
    if not is_first:
        given = stored.excluded
        again = {"state": given.state, "version": _states.c.version + 1, "updated_at": given.updated_at}
        stored = stored.on_conflict_do_update(constraint=SAME_AGENT, set_=again)
    kept = stored.returning(*_states.c).cte("agent_state")
    version = select(kept.c.version).scalar_subquery()
    counted = {"agent_states": sessions.c.agent_states + case((version == 1, 1), else_=0)}
    changed = touched(is_session(), exists(select(kept.c.id)), changes=counted)
    written = event(EventKind.SESSION_AGENT_STATE_SET, stream=changed, facts={"version": version})
    return Command(AgentState, select(*kept.c).add_cte(written))


_OF_AGENT = (
    _states.c.tenant_id == param("tenant_id"),
    _states.c.session_id == param("session_id", Uuid),
    _states.c.agent_id == param("agent_id", Text),
)


_OWNED_STATE = Query(
    AgentState,
    select(*_states.c)
    .join(sessions, (sessions.c.tenant_id == _states.c.tenant_id) & (sessions.c.id == _states.c.session_id))
    .where(owned(), *_OF_AGENT),
)


_SET_AGENT_STATE = {is_first: _set_agent_state(is_first) for is_first in (False, True)}


async def set_agent_state(
    uow: UnitOfWork, actor: Actor, new: NewAgentState, key: ClientKey | None
) -> AgentState | None:
    """Keep the state of an agent, where the one there is has the version expected.

    None, and nothing stored, when the actor owns no such session, the state has another version, the session is full,
    or the key was used before. Duplicate of SAME_AGENT when another state became the agent's first meanwhile.
    """
    uow.announce(new.session_id)
    is_first = new.expected_version == 0
    expected = {} if is_first else {"expected_version": new.expected_version}
    return await uow.run_one(
        _SET_AGENT_STATE[is_first],
        agent_state_id=new.id,
        agent_id=new.agent_id,
        state=new.state,
        **expected,
        **on(actor, new.session_id, key, {"agentId": new.agent_id}),
    )


async def owned_agent_state(scope: ReadScope, actor: Actor, session_id: SessionId, agent_id: str) -> AgentState | None:
    """The state of an agent, where its session is the actor's own."""
    return await scope.first(_OWNED_STATE, session_id=session_id, agent_id=agent_id, **actor.as_owner())
