"""The served schema: the rooms' queries and mutations merged."""

from strawberry.tools import merge_types
from strawberry.types import get_object_definition

from app.attachments.graphql import AttachmentMutations
from app.attachments.loaders import AttachmentById
from app.branches.graphql import BranchMutations
from app.budgets.graphql import BudgetMutations, BudgetQueries
from app.budgets.loaders import BudgetById
from app.catalogue.graphql import CatalogueQueries
from app.erasure.graphql import ErasureMutations
from app.events.graphql import EventQueries
from app.events.loaders import EventByKey
from app.execution.graphql import ExecutionMutations, ExecutionQueries
from app.execution.loaders import PromptExecutionById
from app.graph.nodes import NodeLoaders, node_queries
from app.graph.schema import build_schema
from app.identity.graphql import IdentityMutations, IdentityQueries
from app.identity.loaders import ApiKeyById
from app.messages.graphql import MessageMutations, MessageQueries
from app.messages.loaders import MessageById
from app.prompts.graphql import PromptMutations, PromptQueries
from app.prompts.loaders import TemplateById, VersionById
from app.runs.graphql import RunMutations, RunQueries, RunSubscriptions
from app.runs.loaders import RunById
from app.search.graphql import SearchQueries
from app.sessions.graphql import SessionMutations, SessionQueries, SessionSubscriptions
from app.sessions.loaders import AgentStateById, MetadataOfSession, SessionById
from app.statistics.graphql import StatisticsQueries
from app.toolbox.graphql import ToolboxQueries
from app.tools.graphql import ToolMutations, ToolQueries, ToolSubscriptions
from app.tools.loaders import ToolCallById, ToolExecutionById
from app.workflow.graphql import WorkflowMutations, WorkflowQueries, WorkflowSubscriptions
from app.workflow.loaders import (
    ProjectById,
    ProjectPlanningById,
    PromptGenerationById,
    RequirementsAnalysisById,
    ReviewById,
    StoryByKey,
    StoryGenerationById,
)

NODES: NodeLoaders = {
    "AgentState": AgentStateById,
    "ApiKey": ApiKeyById,
    "AuditEvent": EventByKey,
    "Budget": BudgetById,
    "ChatMessage": MessageById,
    "ChatSession": SessionById,
    "MessageAttachment": AttachmentById,
    "Project": ProjectById,
    "ProjectPlanning": ProjectPlanningById,
    "PromptExecution": PromptExecutionById,
    "PromptGeneration": PromptGenerationById,
    "PromptTemplate": TemplateById,
    "PromptTemplateVersion": VersionById,
    "RequirementsAnalysis": RequirementsAnalysisById,
    "Review": ReviewById,
    "Run": RunById,
    "SessionMetadata": MetadataOfSession,
    "Story": StoryByKey,
    "StoryGeneration": StoryGenerationById,
    "ToolCall": ToolCallById,
    "ToolExecution": ToolExecutionById,
}
"""Every type with a global id, and how it is loaded."""

QUERIES = (
    node_queries(NODES),
    SessionQueries,
    MessageQueries,
    ToolQueries,
    RunQueries,
    ExecutionQueries,
    PromptQueries,
    StatisticsQueries,
    SearchQueries,
    EventQueries,
    IdentityQueries,
    CatalogueQueries,
    ToolboxQueries,
    BudgetQueries,
    WorkflowQueries,
)
MUTATIONS = (
    SessionMutations,
    MessageMutations,
    ToolMutations,
    AttachmentMutations,
    BranchMutations,
    RunMutations,
    BudgetMutations,
    ExecutionMutations,
    PromptMutations,
    WorkflowMutations,
    IdentityMutations,
    ErasureMutations,
)
SUBSCRIPTIONS = (SessionSubscriptions, ToolSubscriptions, RunSubscriptions, WorkflowSubscriptions)


def _root(name: str, description: str, parts: tuple[type, ...]) -> type:
    merged = merge_types(name, parts)
    get_object_definition(merged, strict=True).description = description
    return merged


schema = build_schema(
    query=_root("Query", "What can be read.", QUERIES),
    mutation=_root("Mutation", "What can be changed: fields are done in their order, each by itself.", MUTATIONS),
    subscription=_root("Subscription", "What can be followed.", SUBSCRIPTIONS),
)
