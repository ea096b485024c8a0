"""Following what happens to a session."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from app.events.following import HappenedEvents
from app.events.graphql import AuditEventType
from app.events.models import Event
from app.graph.context import Info
from app.graph.queries import subscription
from app.graph.scalars import BigInt
from app.sessions.errors import SessionNotFound
from app.sessions.graphql.types import session_id as session_named
from app.sessions.loaders import SessionById
from app.streams.values import StreamKey


@strawberry.type
class SessionSubscriptions:
    @subscription(AuditEventType, "Follow what happens to a session: its history from a number on, then live.")
    async def session_events(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID, strawberry.argument(description="The session.")],
        after: Annotated[
            BigInt | None,
            strawberry.argument(
                description="The `seq` of the last event one kept, 0 for all; without it, what happens from now on."
            ),
        ] = None,
    ) -> AsyncGenerator[Event, None]:
        found = await info.context.loader(SessionById).load(session_named(session_id))
        if found is None:
            raise SessionNotFound
        events = info.context.service(HappenedEvents)
        key = StreamKey(found.tenant_id, found.id)
        async with aclosing(events.follow(info.context.actor, key, after)) as happened:
            async for event in happened:
                yield event
