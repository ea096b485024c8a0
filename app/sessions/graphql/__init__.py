"""Sessions in the graph."""

import strawberry

from app.sessions.graphql.agents import AgentMutations
from app.sessions.graphql.change import ChangeMutations
from app.sessions.graphql.find import SessionFilterInput, SessionQueries
from app.sessions.graphql.follow import SessionSubscriptions
from app.sessions.graphql.types import DEFAULT_EXECUTIONS, DEFAULT_MESSAGES, ChatSessionType, session_id

__all__ = [
    "DEFAULT_EXECUTIONS",
    "DEFAULT_MESSAGES",
    "ChatSessionType",
    "SessionFilterInput",
    "SessionMutations",
    "SessionQueries",
    "SessionSubscriptions",
    "session_id",
]


@strawberry.type
class SessionMutations(ChangeMutations, AgentMutations):
    pass
