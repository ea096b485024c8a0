"""What statements about a session are given."""

from app.core.actor import Actor
from app.core.ids import global_id
from app.events.fragments import event_parameters
from app.idempotency.fragments import gate_parameters
from app.idempotency.values import ClientKey
from app.sessions.models import ChatSession
from app.sessions.values import SessionId


def on(actor: Actor, session_id: SessionId, key: ClientKey | None, facts: dict[str, object]) -> dict[str, object]:
    """The parameters of a keyed change of a session, and of its event with `facts`."""
    return {
        "session_id": session_id,
        **actor.as_owner(),
        **gate_parameters(key, session_id),
        **event_parameters(actor, {"sessionId": named(session_id), **facts}),
    }


def named(session_id: SessionId) -> str:
    """Its global id, as events have it."""
    return global_id(ChatSession.node_type, session_id)
