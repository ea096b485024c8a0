"""What the graph shows of sessions."""

from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.branches.loaders import ActivePath
from app.branches.values import ForkOrigin, PathRequest
from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.core.text import require_storable
from app.execution.loaders import ExecutionsOfSession as PromptExecutionsOfSession
from app.execution.models import PromptExecution
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.loading import Loaded
from app.graph.nodes import Node
from app.graph.scalars import BigInt, Json
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow, MessagesOfSession
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.runs.loaders import ActiveRunOfSession, RunsOfSession
from app.runs.models import Run
from app.sessions.loaders import AgentStateOfSession, AgentStatesOfSession, MetadataOfSession, SessionById
from app.sessions.models import AgentState, ChatSession, SessionMetadata
from app.sessions.values import SessionId, SessionOrder, SessionStatus
from app.tools.loaders import ExecutionsOfSession
from app.tools.models import ToolExecution
from app.workflow.loaders import PROJECT_COLUMNS, ProjectOfRow
from app.workflow.models import Project
from app.workflow.values import ProjectId

DEFAULT_MESSAGES = 100
DEFAULT_RUNS = 20
DEFAULT_EXECUTIONS = 50
DEFAULT_PROMPT_EXECUTIONS = 20

if TYPE_CHECKING:
    from app.branches.graphql import ForkOriginType
    from app.execution.graphql import PromptExecutionType
    from app.messages.graphql import ChatMessageType
    from app.runs.graphql import RunType
    from app.tools.graphql import ToolExecutionType
    from app.workflow.graphql import ProjectType

Origin = Annotated["ForkOriginType", strawberry.lazy("app.branches.graphql")]
ExecutionNode = Annotated["ToolExecutionType", strawberry.lazy("app.tools.graphql")]
ProjectNode = Annotated["ProjectType", strawberry.lazy("app.workflow.graphql")]
PromptExecutionNode = Annotated["PromptExecutionType", strawberry.lazy("app.execution.graphql")]
RunNode = Annotated["RunType", strawberry.lazy("app.runs.graphql")]
Message = Annotated["ChatMessageType", strawberry.lazy("app.messages.graphql")]

described(
    SessionStatus,
    "How a session stands. Any status may follow any other.",
    {
        SessionStatus.ACTIVE: "In use.",
        SessionStatus.PAUSED: "Set aside for a while.",
        SessionStatus.COMPLETED: "Ended as intended.",
        SessionStatus.FAILED: "Ended by a failure.",
        SessionStatus.ARCHIVED: "Kept for the record.",
    },
)
described(
    SessionOrder,
    "How a list of sessions is ordered.",
    {
        SessionOrder.UPDATED_AT_DESC: "Last changed first.",
        SessionOrder.UPDATED_AT_ASC: "Last changed last.",
        SessionOrder.CREATED_AT_DESC: "Newest first.",
        SessionOrder.CREATED_AT_ASC: "Oldest first.",
    },
)


@strawberry.type(name="SessionMetadata", description="What a session is filed under.")
class SessionMetadataType(Node):
    tags: list[str] = field(description="Words to find it by.")
    custom_data: Json = field(description="Free JSON of the application.")
    summary: str | None = field(description="What the conversation is about, in short.")


@strawberry.type(name="AgentState", description="What an agent remembers of a session, replaced as a whole.")
class AgentStateType(Node):
    agent_id: str = field(description="The agent, as the application names it.")
    state: Json = field(description="What it keeps: free JSON object.")
    version: int = field(description="1, 2, 3 …: how often it was set. Send it as `expectedVersion` to replace it.")
    created_at: datetime = field(description="When it was first set.")
    updated_at: datetime = field(description="When it was last set.")

    @field(
        graphql_type=Annotated["ChatSessionType", strawberry.lazy("app.sessions.graphql.types")] | None,
        description="The session it belongs to.",
    )
    def session(self, info: Info, root: strawberry.Parent[AgentState]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(SessionId(root.session_id))


@strawberry.type(
    name="ChatSession", description="One conversation, private to its user; all of a tenant read those of its projects."
)
class ChatSessionType(Node):
    title: str = field(description="Its name in lists.")
    description: str | None = field(description="What it is for.")
    status: SessionStatus = field(description="How it stands.")
    user_id: str = field(description="The user it belongs to.")
    agent_id: str | None = field(description="The agent that takes part, as the application names it.")
    model: str | None = field(description="The model it usually talks to.")
    provider: str | None = field(description="The provider of that model.")
    created_at: datetime = field(description="When it was created.")
    updated_at: datetime = field(description="When it, or anything in it, last changed.")
    last_modified_at: datetime = field(description="The same as `updatedAt`.")
    message_count: int = field(description="How many messages were ever stored in it, deleted ones included.")
    total_tokens_used: BigInt = field(description="Tokens of all its messages; never decreases.")
    estimated_cost: Decimal = field(description="What they cost, in US dollars, as far as prices are known.")
    total_duration_ms: BigInt = field(description="Sum of the processing times of its assistant messages.")

    @field(graphql_type=SessionMetadataType | None, description="What it is filed under.")
    def metadata(self, info: Info, root: strawberry.Parent[ChatSession]) -> Awaitable[SessionMetadata | None]:
        return info.context.loader(MetadataOfSession).load(SessionId(root.id))

    @field(
        graphql_type=list[AgentStateType],
        description="What its agents keep, in the order of their ids; at most 100 agents keep a state in a session.",
    )
    def agent_states(self, info: Info, root: strawberry.Parent[ChatSession]) -> Awaitable[list[AgentState]]:
        return info.context.loader(AgentStatesOfSession).load(SessionId(root.id))

    @field(graphql_type=AgentStateType | None, description="What one agent keeps; null when it keeps nothing.")
    def agent_state(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        agent_id: Annotated[str, strawberry.argument(description="The agent, as the application names it.")],
    ) -> Awaitable[AgentState | None]:
        require_storable(agent_id, "agentId")
        return info.context.loader(AgentStateOfSession).load((SessionId(root.id), agent_id))

    @field(graphql_type=Connection[Message], description="Its messages of all branches, by number; 100 by default.")
    def messages(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[ChatMessage]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_MESSAGES)
        return info.context.loader(MessagesOfSession).load((SessionId(root.id), request, MESSAGE_COLUMNS.wanted(info)))

    @field(graphql_type=Message | None, description="Where it is: the message that the next one answers.")
    def active_leaf(self, info: Info, root: strawberry.Parent[ChatSession]) -> Loaded[ChatMessage | None]:
        if root.active_leaf_id is None:
            return None
        return info.context.loader(MessageOfRow).load((MessageId(root.active_leaf_id), MESSAGE_COLUMNS.wanted(info)))

    @field(
        graphql_type=Connection[Message],
        description="The conversation as it is shown: the messages from a first one to `activeLeaf`, oldest first; 100 "
        "by default. `messages` has those of all branches.",
    )
    def active_path(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[ChatMessage]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_MESSAGES)
        wanted = PathRequest(root.id, root.active_leaf_id, request, MESSAGE_COLUMNS.wanted(info))
        return info.context.loader(ActivePath).load(wanted)

    @field(
        graphql_type=Origin | None,
        description="Where it was forked from; null where it was not, or where that is not there, or not yours.",
    )
    async def forked_from(self, info: Info, root: strawberry.Parent[ChatSession]) -> ForkOrigin | None:
        if root.forked_from_session_id is None:
            return None
        session = await info.context.loader(SessionById).load(SessionId(root.forked_from_session_id))
        return ForkOrigin(session, root.forked_from_message_id) if session else None

    @field(
        graphql_type=ProjectNode | None,
        description="The project for which a stage is generated in it; null for all other conversations.",
    )
    def project(self, info: Info, root: strawberry.Parent[ChatSession]) -> Loaded[Project | None]:
        if root.project_id is None:
            return None
        return info.context.loader(ProjectOfRow).load((ProjectId(root.project_id), PROJECT_COLUMNS.wanted(info)))

    @field(
        graphql_type=RunNode | None,
        description="The run that has the session's turn; null when nothing is being answered.",
    )
    def active_run(self, info: Info, root: strawberry.Parent[ChatSession]) -> Awaitable[Run | None]:
        return info.context.loader(ActiveRunOfSession).load(SessionId(root.id))

    @field(graphql_type=Connection[RunNode], description="Its runs, newest first; 20 by default.")
    def runs(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[Run]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_RUNS)
        return info.context.loader(RunsOfSession).load((root.id, request))

    @field(
        graphql_type=Connection[ExecutionNode],
        description="What was done about its tool calls, oldest first; 50 by default.",
    )
    def tool_executions(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[ToolExecution]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_EXECUTIONS)
        return info.context.loader(ExecutionsOfSession).load((root.id, None, request))

    @field(
        graphql_type=Connection[PromptExecutionNode],
        description="The prompts that were executed in it, newest first; 20 by default.",
    )
    def prompt_executions(
        self,
        info: Info,
        root: strawberry.Parent[ChatSession],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[PromptExecution]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_PROMPT_EXECUTIONS)
        return info.context.loader(PromptExecutionsOfSession).load((root.id, request))


def session_id(value: str, place: str = "sessionId") -> SessionId:
    """The id of a session from its global id; ValidationError naming `place`."""
    return SessionId(parse_global_id(value, ChatSession.node_type, place))
