"""Sessions by id and in lists."""

from datetime import datetime
from typing import Annotated

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.nodes import Id
from app.graph.queries import query
from app.sessions.graphql.types import ChatSessionType, session_id
from app.sessions.loaders import SESSION_COLUMNS, SessionById, page_of_sessions
from app.sessions.models import ChatSession
from app.sessions.values import SessionFilter, SessionOrder, SessionStatus

DEFAULT_SESSIONS = 50


@input_type("Which sessions: every condition that is given must hold.", name="SessionFilter")
class SessionFilterInput:
    user_id: str | None = field(default=None, description="Another user's sessions; empty unless you are an admin.")
    status: list[SessionStatus] | None = field(default=None, description="In one of these states.")
    agent_id: str | None = field(default=None, description="With this agent.")
    tags: list[str] | None = field(default=None, description="With all of these tags.")
    updated_from: datetime | None = field(default=None, description="Last changed at or after this moment.")
    updated_to: datetime | None = field(default=None, description="Last changed before this moment.")
    project_id: strawberry.ID | None = field(
        default=None,
        description="In which stages of this project were generated. Without it, `sessions` lists conversations alone.",
    )

    def to_filter(self) -> SessionFilter:
        """As the rooms below know it."""
        return SessionFilter(
            self.user_id,
            None if self.status is None else tuple(self.status),
            self.agent_id,
            None if self.tags is None else tuple(self.tags),
            self.updated_from,
            self.updated_to,
            None if self.project_id is None else parse_global_id(self.project_id, "Project", "filter.projectId"),
        )


@strawberry.type
class SessionQueries:
    @query(ChatSessionType | None, "A session by its id; null when it is not there, or not yours.")
    async def session(self, info: Info, id: Id) -> ChatSession | None:
        return await info.context.loader(SessionById).load(session_id(id, "id"))

    @query(
        Connection[ChatSessionType],
        "Your conversations, last changed first; 50 by default. With `filter.projectId`, your sessions of a project.",
    )
    async def sessions(
        self,
        info: Info,
        filter: Annotated[SessionFilterInput | None, strawberry.argument(description="Which of them.")] = None,
        order_by: Annotated[
            SessionOrder, strawberry.argument(description="In which order.")
        ] = SessionOrder.UPDATED_AT_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[ChatSession]:
        context = info.context
        wanted = filter.to_filter() if filter else SessionFilter()
        request = PageRequest.of(first, last, after, before, DEFAULT_SESSIONS)
        columns = SESSION_COLUMNS.wanted(info)
        return await page_of_sessions(context.database, context.actor, wanted, order_by, request, columns)
