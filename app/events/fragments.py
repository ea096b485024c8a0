"""Pieces of statements that write events, for the rooms where things happen."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import CTE, Text, func, insert, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from app.core.actor import Actor
from app.db.base import table_of
from app.db.statement import param
from app.events.models import Event
from app.events.values import EventKind

events = table_of(Event)


def event(kind: EventKind, *, stream: CTE, facts: dict[str, Any] | None = None, at: Any = None) -> CTE:
    """Insert one event for each row of `stream`, as part of the caller's statement.

    `stream` has the columns tenant_id, id, user_id (the owner; of a project, SHARED), updated_at (when it happened) and
    last_event, which was just counted up: its row lock orders the writers, so that numbers have no gaps. `facts` are
    expressions that join the `payload` parameter. `at` is when it happened, where that is not what the row says.
    Parameters: actor, correlation_id, payload.
    """
    payload: Any = param("payload", JSONB)
    if facts:
        pairs: list[Any] = [part for name, value in facts.items() for part in (literal(name, Text), value)]
        payload = payload.op("||")(func.jsonb_build_object(*pairs))
    row = select(
        stream.c.tenant_id, stream.c.id, stream.c.last_event, literal(kind.value, Text), payload, param("actor", Text),
        stream.c.user_id, param("correlation_id", Text), stream.c.updated_at if at is None else at,
    )  # fmt: skip
    columns = ["tenant_id", "stream_id", "seq", "kind", "payload", "actor", "owner_id", "correlation_id", "at"]
    return insert(events).from_select(columns, row).cte("event")


def event_parameters(actor: Actor, payload: Mapping[str, object]) -> dict[str, object]:
    """The parameters of an event: who did it, under which correlation id, and the facts known before it happens."""
    return {"actor": actor.user_id, "correlation_id": actor.correlation_id, "payload": payload}
