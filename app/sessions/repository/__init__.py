"""Every statement that writes sessions, their metadata, and what agents keep in them."""

from app.sessions.repository.agents import SAME_AGENT, owned_agent_state, set_agent_state
from app.sessions.repository.past import take_over_agent_state
from app.sessions.repository.projects import lock_of_project, remove_of_project
from app.sessions.repository.sessions import (
    create,
    locked_session,
    owned_session,
    remove,
    set_metadata,
    take_over,
    update_columns,
)
from app.sessions.repository.tree import fork, restore_leaf, set_leaf

__all__ = [
    "SAME_AGENT",
    "create",
    "fork",
    "lock_of_project",
    "locked_session",
    "owned_agent_state",
    "owned_session",
    "remove",
    "remove_of_project",
    "restore_leaf",
    "set_agent_state",
    "set_leaf",
    "set_metadata",
    "take_over",
    "take_over_agent_state",
    "update_columns",
]
