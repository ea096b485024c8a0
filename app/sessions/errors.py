"""What can be wrong with a session."""

from typing import TYPE_CHECKING

from app.core.errors import AppError, ErrorCode
from app.sessions.values import MOST_AGENTS

if TYPE_CHECKING:
    from app.sessions.models import AgentState


class SessionNotFound(AppError):
    """There is no such session, or it is not the actor's: the same answer on purpose."""

    code = ErrorCode.SESSION_NOT_FOUND

    def __init__(self, field: str = "sessionId") -> None:
        super().__init__("there is no such session", field=field, hint="list your sessions with the query sessions")


class StateConflict(AppError):
    """Somebody else set the agent's state first: whoever works it out anew from what is there now loses nothing."""

    code = ErrorCode.VERSION_CONFLICT

    def __init__(self, expected: int, found: "AgentState | None") -> None:
        version = found.version if found else 0
        super().__init__(
            f"the state is at version {version}, not {expected}" if found else "the agent has no state yet",
            field="expectedVersion",
            hint=f"work from the state as it is now, and send expectedVersion: {version}",
            details={"version": version},
        )
        self.found = found


class TooManyAgents(AppError):
    """As many agents keep a state in the session as may."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(self) -> None:
        super().__init__(f"at most {MOST_AGENTS} agents keep a state in one session", field="agentId")
