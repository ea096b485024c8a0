"""The event log in the graph."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.events.loaders import page_of_events
from app.events.models import Event
from app.events.values import EventFilter, EventKind
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.inputs import input_type
from app.graph.nodes import Node
from app.graph.queries import query
from app.graph.scalars import BigInt, Json

DEFAULT_EVENTS = 50

described(
    EventKind,
    "What happened.",
    {
        EventKind.SESSION_CREATED: "A session was started.",
        EventKind.SESSION_FORKED: "A session was begun with copies of the first `payload.messageCount` messages.",
        EventKind.SESSION_UPDATED: "A session's own fields were changed.",
        EventKind.SESSION_METADATA_SET: "A session was filed anew.",
        EventKind.SESSION_AGENT_STATE_SET: "An agent kept its state; `payload` has its id and the version.",
        EventKind.SESSION_LEAF_SET: "Another branch of a session's messages was chosen.",
        EventKind.SESSION_DELETED: "A session was deleted with all that hung on it.",
        EventKind.MESSAGE_APPENDED: "A message was stored.",
        EventKind.MESSAGE_UPDATED: "A message was changed in place; of a new status, `payload.status` tells.",
        EventKind.MESSAGE_DELETED: "A message was deleted; its number and place stayed.",
        EventKind.TOOL_CALL_ADDED: "A tool call was added to a message.",
        EventKind.ATTACHMENT_ADDED: "A file was attached to a message.",
        EventKind.ATTACHMENT_DELETED: "A file of a message was deleted.",
        EventKind.TOOL_EXECUTION_ADDED: "The execution of a tool call was added; `payload.status` tells how it began.",
        EventKind.TOOL_EXECUTION_UPDATED: "An execution was changed; of a new status, `payload.status` tells.",
        EventKind.TOOL_EXECUTION_DECIDED: "A person decided about an execution: `payload.approved`.",
        EventKind.TOOL_EXECUTION_EXPIRED: "Nobody decided about an execution in time; it was cancelled.",
        EventKind.RUN_QUEUED: "An answer was asked for.",
        EventKind.RUN_STARTED: "A worker took a run.",
        EventKind.RUN_REQUIRES_ACTION: "A model called tools; the run waits for what comes of them.",
        EventKind.RUN_CONTINUED: "A run has the results of its tools, and goes on with `payload.messageId`.",
        EventKind.RUN_COMPLETED: "A run ended with its whole answer.",
        EventKind.RUN_FAILED: "A run ended with an error; what had been written is kept.",
        EventKind.RUN_CANCELLED: "A run was cancelled; what had been written is kept.",
        EventKind.RUN_INTERRUPTED: "The server stopped in the middle of a run; what had been written is kept.",
        EventKind.PROMPT_EXECUTED: "A prompt was taken on; `payload` has the ids of its execution, run and version.",
        EventKind.PROJECT_CREATED: "A project was described.",
        EventKind.PROJECT_UPDATED: "A project's name or description was changed.",
        EventKind.PROJECT_DELETED: "A project was deleted with its stages and reviews.",
        EventKind.STAGE_REQUESTED: "An attempt at a stage was asked for, and waits for its turn.",
        EventKind.STAGE_GENERATING: "A model is at an attempt at a stage; `payload.runId` is the run to follow.",
        EventKind.STAGE_AWAITING_REVIEW: "An attempt at a stage is there; `payload.reviewId` is to be decided.",
        EventKind.STAGE_APPROVED: "A reviewer approved an attempt at a stage.",
        EventKind.STAGE_REJECTED: "A reviewer rejected an attempt at a stage, or took an approval back.",
        EventKind.STAGE_FAILED: "An attempt at a stage failed; `payload.errorCode` says why.",
        EventKind.STAGE_STALE: "What an attempt was built on, or the attempt itself, was replaced by another.",
    },
)


@strawberry.type(name="AuditEvent", description="One thing that happened to a session or a project.")
class AuditEventType(Node):
    seq: BigInt = field(description="Its number in the log of that session or project: 1, 2, 3 … without gaps.")
    kind: EventKind = field(description="What happened.")
    session_global_id: strawberry.ID | None = field(
        name="sessionId", description="The session it happened to, which may be deleted since; null for a project's."
    )
    project_global_id: strawberry.ID | None = field(
        name="projectId", description="The project it happened to, which may be deleted since; null for a session's."
    )
    payload: Json = field(description="Facts about it: ids and names, never the text of messages.")
    actor: str = field(description="The user who did it.")
    correlation_id: str = field(description="The request that did it.")
    at: datetime = field(description="When.")


@input_type("Which events: every condition that is given must hold.", name="AuditEventFilter")
class AuditEventFilterInput:
    session_id: strawberry.ID | None = field(default=None, description="Of this session, deleted ones included.")
    project_id: strawberry.ID | None = field(
        default=None, description="Of this project, deleted ones included: all of the tenant may read them."
    )
    kind: EventKind | None = field(default=None, description="Of this kind.")
    actor: str | None = field(default=None, description="Done by this user.")
    correlation_id: str | None = field(default=None, description="Done by this request.")
    at_from: datetime | None = field(default=None, name="from", description="At or after this moment.")
    at_to: datetime | None = field(default=None, name="to", description="Before this moment.")

    def to_filter(self) -> EventFilter:
        """As the rooms below know it."""
        session = _named(self.session_id, "ChatSession", "filter.sessionId")
        project = _named(self.project_id, "Project", "filter.projectId")
        return EventFilter(session, project, self.kind, self.actor, self.correlation_id, self.at_from, self.at_to)


def _named(value: str | None, type_name: str, place: str) -> UUID | None:
    return None if value is None else parse_global_id(value, type_name, place)


@strawberry.type
class EventQueries:
    @query(
        Connection[AuditEventType],
        "What happened in your sessions, newest first; 50 by default. With `filter.projectId`, what happened to a "
        "project of the tenant. Admins see all.",
    )
    async def audit_events(
        self,
        info: Info,
        filter: Annotated[AuditEventFilterInput | None, strawberry.argument(description="Which of them.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[Event]:
        wanted = filter.to_filter() if filter else EventFilter()
        request = PageRequest.of(first, last, after, before, DEFAULT_EVENTS)
        return await page_of_events(info.context.database, info.context.actor, wanted, request)
