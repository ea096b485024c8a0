"""Takes over what agents keep in a session that began elsewhere: in its version, at times of its own."""

from typing import Any

from sqlalchemy import Integer, Text, Uuid, exists, func, insert, select
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor
from app.core.ids import global_id
from app.db.base import table_of
from app.db.scopes import UnitOfWork
from app.db.statement import Command, param, past
from app.events.fragments import event, event_parameters
from app.events.values import EventKind
from app.idempotency.fragments import gate, gate_parameters, passed
from app.idempotency.values import ClientKey
from app.sessions.fragments import claimed, is_session, sessions, touched
from app.sessions.models import AgentState, ChatSession
from app.sessions.values import MOST_AGENTS, PastAgentState

_states = table_of(AgentState)


def _take_over() -> Command[AgentState]:
    there = exists(
        select(_states.c.id).where(
            _states.c.tenant_id == param("tenant_id"),
            _states.c.session_id == param("session_id", Uuid),
            _states.c.agent_id == param("agent_id", Text),
        )
    )
    held = claimed(is_session(), sessions.c.agent_states < MOST_AGENTS)
    through = gate(exists(select(held.c.id)) & ~there, lasting=True)
    # The session is no younger for it.
    changes = {"agent_states": sessions.c.agent_states + 1, "updated_at": sessions.c.updated_at}
    session = touched(is_session(), exists(select(held.c.id)), ~there, passed(through), changes=changes)
    begun = past("created_at")
    row: dict[str, Any] = {
        "tenant_id": session.c.tenant_id, "session_id": session.c.id, "agent_id": param("agent_id", Text),
        "id": param("agent_state_id", Uuid), "state": param("state", JSONB), "version": param("version", Integer),
        "created_at": begun, "updated_at": func.greatest(begun, past("changed_at")),
    }  # fmt: skip
    kept = insert(_states).from_select(list(row), select(*row.values())).returning(*_states.c).cte("agent_state")
    facts = {"version": param("version", Integer)}
    # The log says when it came here, not when it was set.
    written = event(EventKind.SESSION_AGENT_STATE_SET, stream=session, facts=facts, at=func.statement_timestamp())
    return Command(AgentState, select(*kept.c).add_cte(written))


_TAKE_OVER = _take_over()


async def take_over_agent_state(
    uow: UnitOfWork, actor: Actor, found: PastAgentState, key: ClientKey | None
) -> AgentState | None:
    """Store the state of an agent that has none in the session; its key lasts.

    None, and nothing stored, when the actor owns no such session, the agent has a state, the session is full, or the
    key was used before. Duplicate of `repository.SAME_AGENT` when another state became the agent's first meanwhile.
    """
    new = found.new
    uow.announce(new.session_id)
    facts = {"sessionId": global_id(ChatSession.node_type, new.session_id), "agentId": new.agent_id}
    return await uow.run_one(
        _TAKE_OVER,
        session_id=new.session_id,
        agent_state_id=new.id,
        agent_id=new.agent_id,
        state=new.state,
        version=found.version,
        created_at=found.created_at,
        changed_at=found.updated_at or found.created_at,
        **actor.as_owner(),
        **gate_parameters(key, new.id),
        **event_parameters(actor, facts),
    )
