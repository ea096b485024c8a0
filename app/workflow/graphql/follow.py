"""Following what happens to a project, and what is to be reviewed in all of them."""

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
from app.streams.values import StreamKey
from app.workflow.errors import ProjectNotFound
from app.workflow.following import PendingReviews
from app.workflow.graphql.projects import project_id as project_named
from app.workflow.graphql.reviews import ReviewType
from app.workflow.loaders import ProjectOfRow
from app.workflow.models import Review


@strawberry.type
class WorkflowSubscriptions:
    @subscription(
        AuditEventType,
        "Follow what happens to a project, its stages and reviews: its history from a number on, then live. Ends with "
        "the project.",
    )
    async def project_events(
        self,
        info: Info,
        project_id: Annotated[strawberry.ID, strawberry.argument(description="The project.")],
        after: Annotated[
            BigInt | None,
            strawberry.argument(
                description="The `seq` of the last event one kept, 0 for all; without it, what happens from now on."
            ),
        ] = None,
    ) -> AsyncGenerator[Event, None]:
        found = await info.context.loader(ProjectOfRow).load((project_named(project_id), frozenset()))
        if found is None:
            raise ProjectNotFound
        events = info.context.service(HappenedEvents)
        key = StreamKey(found.tenant_id, found.id)
        async with aclosing(events.follow(info.context.actor, key, after)) as happened:
            async for event in happened:
                yield event

    @subscription(
        ReviewType,
        "Follow what is to be reviewed in all projects of your tenant: what is already, then each as it comes, once.",
    )
    async def review_requested(self, info: Info) -> AsyncGenerator[Review, None]:
        reviews = info.context.service(PendingReviews)
        async with aclosing(reviews.follow(info.context.actor)) as requested:
            async for review in requested:
                yield review
