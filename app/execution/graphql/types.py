"""An execution as it is read, and what many add up to."""

from collections.abc import Awaitable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Any

import strawberry
from strawberry import field

from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.execution.loaders import ExecutionsOfSession, PromptExecutionById, VariablesOfExecution
from app.execution.models import PromptExecution
from app.execution.values import PromptExecutionId
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.errors import UserError
from app.graph.loading import Loaded
from app.graph.nodes import Id, Node
from app.graph.queries import query
from app.graph.scalars import BigInt, Json
from app.messages.graphql import ChatMessageType
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageId
from app.prompts.graphql import PromptTemplateType, PromptTemplateVersionType
from app.prompts.loaders import TEMPLATE_COLUMNS, VERSION_COLUMNS, TemplateOfRow, VersionOfRow
from app.prompts.models import PromptTemplate, PromptTemplateVersion
from app.prompts.values import TemplateId, VersionId
from app.runs.graphql import RunType
from app.runs.graphql.types import UsageType
from app.runs.loaders import RunById
from app.runs.models import Run
from app.runs.values import RunId, RunStatus
from app.sessions.errors import SessionNotFound
from app.sessions.graphql import ChatSessionType
from app.sessions.graphql import session_id as session_named
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.workflow.loaders import STAGE_COLUMNS, StageOfRow
from app.workflow.models import WorkflowStage
from app.workflow.values import StageId

if TYPE_CHECKING:
    from app.workflow.graphql.stages import PromptGenerationType

GeneratedNode = Annotated["PromptGenerationType", strawberry.lazy("app.workflow.graphql.stages")]

DEFAULT_EXECUTIONS = 20


@strawberry.type(
    name="PromptExecution",
    description="One prompt that a model was asked: the version of the template, the values, and the run that answers.",
)
class PromptExecutionType(Node):
    status: RunStatus = field(description="How far its run is.")
    label: str | None = field(description="The label by which the version was asked for.")
    chosen_version: int | None = field(
        description="The number by which the version was asked for; without it and a label, the latest was meant."
    )
    context_file_id: str | None = field(description="The file that it was asked with, as it was named.")
    correlation_id: str = field(description="The request that asked: finds it in the log and in the audit trail.")
    cost: Decimal | None = field(description="What its run costs, in US dollars; null where the price is not known.")
    duration_ms: int | None = field(description="From when a worker took its run to the end of that.")
    created_at: datetime = field(description="When it was asked.")
    finished_at: datetime | None = field(description="When its run ended.")

    @field(graphql_type=Json, description="The values of the variables, as they were given.")
    def variables(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Awaitable[dict[str, Any]]:
        return info.context.loader(VariablesOfExecution).load(PromptExecutionId(root.id))

    @field(graphql_type=ChatSessionType | None, description="The session it belongs to.")
    def session(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(SessionId(root.session_id))

    @field(graphql_type=RunType | None, description="The run that answers it.")
    def run(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Awaitable[Run | None]:
        return _run(info, root)

    @field(graphql_type=ChatMessageType | None, description="The prompt as the model was asked it, values and all.")
    def user_message(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.user_message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(graphql_type=ChatMessageType | None, description="The answer: what its run writes in the turn it is at.")
    async def message(self, info: Info, root: strawberry.Parent[PromptExecution]) -> ChatMessage | None:
        run = await _run(info, root)
        if run is None:
            return None
        return await info.context.loader(MessageOfRow).load((MessageId(run.message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(
        graphql_type=PromptTemplateType | None,
        description="The template, as it is now; null where the prompt was a text of its own.",
    )
    def template(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Loaded[PromptTemplate | None]:
        if root.template_id is None:
            return None
        return info.context.loader(TemplateOfRow).load((TemplateId(root.template_id), TEMPLATE_COLUMNS.wanted(info)))

    @field(
        graphql_type=PromptTemplateVersionType | None,
        description="The very version that was asked, which never changes; null where there was no template.",
    )
    def template_version(
        self, info: Info, root: strawberry.Parent[PromptExecution]
    ) -> Loaded[PromptTemplateVersion | None]:
        if root.template_version_id is None:
            return None
        key = (VersionId(root.template_version_id), VERSION_COLUMNS.wanted(info))
        return info.context.loader(VersionOfRow).load(key)

    @field(
        graphql_type=GeneratedNode | None,
        description="The prompt of a project that was asked; null where it was another, and where that was deleted.",
    )
    def prompt_generation(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Loaded[WorkflowStage | None]:
        if root.prompt_generation_id is None:
            return None
        key = (StageId(root.prompt_generation_id), STAGE_COLUMNS.wanted(info))
        return info.context.loader(StageOfRow).load(key)

    @field(graphql_type=UsageType | None, description="What its run used; null before its first turn has ended.")
    async def usage(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Any:
        run = await _run(info, root)
        return run and run.usage

    @field(graphql_type=UserError | None, description="Why its run failed or was interrupted.")
    async def error(self, info: Info, root: strawberry.Parent[PromptExecution]) -> Any:
        run = await _run(info, root)
        return run and run.error


def _run(info: Info, execution: PromptExecution) -> Awaitable[Run | None]:
    return info.context.loader(RunById).load(RunId(execution.run_id))


@strawberry.type(
    name="PromptExecutionStatistics",
    description="What all executions add up to, whoever of the tenant asked: figures, and no content. Those of deleted "
    "sessions are not among them.",
)
class PromptExecutionStatisticsType:
    count: int = field(description="How many there are.")
    completed: int = field(description="How many have their whole answer.")
    failed: int = field(description="How many ended by an error.")
    cancelled: int = field(description="How many were cancelled.")
    interrupted: int = field(description="How many ended with the server.")
    running: int = field(description="How many are not finished.")
    success_rate: float | None = field(
        description="The share of the completed among those that have ended, from 0 to 1; null where none has."
    )
    p50_ms: int | None = field(description="Half of the completed took at most so long, from worker to end.")
    p95_ms: int | None = field(description="95 of 100 of the completed took at most so long.")
    input_tokens: BigInt = field(description="Tokens that were read, from a provider's cache too.")
    output_tokens: BigInt = field(description="Tokens that were written, of thought too.")
    total_tokens: BigInt = field(description="All of them.")
    cost: Decimal | None = field(
        description="In US dollars, of the executions with a known price; null where none has one."
    )
    cost_unknown: int = field(description="How many have ended whose price is not known: they are not in `cost`.")


@strawberry.type
class ExecutionQueries:
    @query(PromptExecutionType | None, "An execution by its id; null when it is not there, or not yours.")
    async def prompt_execution(self, info: Info, id: Id) -> PromptExecution | None:
        return await info.context.loader(PromptExecutionById).load(execution_id(id, "id"))

    @query(Connection[PromptExecutionType], "The executions of a session, newest first; 20 by default.")
    async def prompt_executions(
        self,
        info: Info,
        session_id: Annotated[strawberry.ID, strawberry.argument(description="The session.")],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Page[PromptExecution]:
        request = PageRequest.of(first, last, after, before, DEFAULT_EXECUTIONS)
        found = await info.context.loader(SessionById).load(session_named(session_id))
        if found is None:
            raise SessionNotFound
        return await info.context.loader(ExecutionsOfSession).load((found.id, request))


def execution_id(value: str, place: str = "executionId") -> PromptExecutionId:
    """The id of an execution from its global id; ValidationError naming `place`."""
    return PromptExecutionId(parse_global_id(value, PromptExecution.node_type, place))
