"""What the graph shows of messages."""

from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import field

from app.attachments.loaders import AttachmentsOfMessage
from app.attachments.models import MessageAttachment
from app.branches.loaders import SiblingsOfMessage
from app.branches.values import Place, Siblings
from app.core.ids import parse_global_id
from app.core.paging import Page, PageRequest
from app.graph.connections import After, Before, Connection, First, Last
from app.graph.context import Info
from app.graph.enums import described
from app.graph.loading import Loaded
from app.graph.nodes import Id, Node
from app.graph.payloads import WarningType
from app.graph.queries import query
from app.graph.scalars import Json
from app.messages.loaders import MESSAGE_COLUMNS, ChildrenOfMessage, MessageById, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageId, MessageRole, MessageStatus
from app.runs.loaders import RunOfMessage
from app.runs.models import Run
from app.sessions.graphql import DEFAULT_MESSAGES, ChatSessionType
from app.sessions.loaders import SessionById
from app.sessions.models import ChatSession
from app.sessions.values import SessionId
from app.tools.loaders import CALL_COLUMNS, ToolCallsOfMessage
from app.tools.models import ToolCall

if TYPE_CHECKING:
    from app.attachments.graphql import MessageAttachmentType
    from app.branches.graphql import MessageSiblingsType
    from app.runs.graphql import RunType
    from app.tools.graphql import ToolCallType

SiblingsOf = Annotated["MessageSiblingsType", strawberry.lazy("app.branches.graphql")]
AttachmentNode = Annotated["MessageAttachmentType", strawberry.lazy("app.attachments.graphql")]
RunNode = Annotated["RunType", strawberry.lazy("app.runs.graphql")]
ToolCallNode = Annotated["ToolCallType", strawberry.lazy("app.tools.graphql")]

described(
    MessageRole,
    "Who speaks.",
    {
        MessageRole.SYSTEM: "The application, with instructions for the model.",
        MessageRole.USER: "The person.",
        MessageRole.ASSISTANT: "The model.",
        MessageRole.TOOL: "A tool, with the result of a call.",
    },
)
described(
    MessageStatus,
    "How far a message is.",
    {
        MessageStatus.PENDING: "Expected; nothing of it is there.",
        MessageStatus.PROCESSING: "Being written.",
        MessageStatus.COMPLETED: "All there.",
        MessageStatus.FAILED: "Ended by an error; what had been written is kept.",
        MessageStatus.CANCELLED: "Ended on request; what had been written is kept.",
    },
)


@strawberry.type(name="Intent", description="What the user wants, as far as keywords tell.")
class IntentType:
    name: str = field(description="The intent's name in the catalogue.")
    confidence: float = field(description="How sure it is: above 0, at most 1.")
    keywords: list[str] = field(description="The words that told, in order.")


@strawberry.type(name="ContextItems", description="What a message was written with in view.")
class ContextItemsType:
    document_chunks: list[Json] = field(description="Parts of documents.")
    insights: list[Json] = field(description="Findings.")
    jtbds: list[Json] = field(description="Jobs to be done.")
    metrics: list[Json] = field(description="Measured values.")


@strawberry.type(
    name="Generation", description="How an assistant's message came about, as the application reported it."
)
class GenerationType:
    model: str | None = field(description="The model that wrote it.")
    temperature: float | None = field(description="The temperature it was asked with.")
    source: str | None = field(description="What produced it, as the application names it.")
    processing_time_ms: int | None = field(description="How long it took.")
    streaming: Json = field(description="Facts about its streaming: duration, chunks.")


@strawberry.type(name="Pipeline", description="What the server found out when it stored the message.")
class PipelineType:
    version: str = field(description="Version of the rules by which intent and tokens were found.")
    persisted_at: datetime = field(description="When it was stored.")
    processing_time_ms: float = field(description="How long checking, understanding and counting took.")
    warnings: list[WarningType] = field(description="What could not be found out.")


@strawberry.type(name="ChatMessage", description="One turn of a conversation.")
class ChatMessageType(Node):
    sequence_number: int = field(description="Its number in the session: 1, 2, 3 … without gaps.")
    role: MessageRole = field(description="Who speaks.")
    status: MessageStatus = field(description="How far it is.")
    content: str = field(description="What is said; empty once it is deleted.")
    token_count: int = field(description="Its tokens.")
    token_count_estimated: bool = field(description="Whether the model's own tokenizer was not at hand.")
    tool_call_id: str | None = field(description="Of a tool's message: the id of the call it answers.")
    error_code: str | None = field(description="Why it failed, as a name.")
    error_message: str | None = field(description="Why it failed, in words.")
    custom_metadata: Json = field(name="metadata", description="Free JSON of the application.")
    created_at: datetime = field(description="When it was stored.")
    updated_at: datetime = field(description="When it last changed.")
    deleted_at: datetime | None = field(description="When it was deleted; its number and place stay.")
    intent: IntentType | None = field(description="What the user wants; null when that is not known.")
    context_items: ContextItemsType = field(description="What it was written with in view.")
    generation: GenerationType = field(description="How it came about.")
    pipeline: PipelineType = field(description="What the server found out when it stored it.")

    @field(graphql_type=ChatSessionType | None, description="The session it belongs to.")
    def session(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Awaitable[ChatSession | None]:
        return info.context.loader(SessionById).load(SessionId(root.session_id))

    @field(
        graphql_type=Annotated["ChatMessageType", strawberry.lazy("app.messages.graphql.types")] | None,
        description="The message it answers; null for a first one of its session.",
    )
    def parent(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Loaded[ChatMessage | None]:
        if root.parent_message_id is None:
            return None
        return info.context.loader(MessageOfRow).load((MessageId(root.parent_message_id), MESSAGE_COLUMNS.wanted(info)))

    @field(
        graphql_type=Connection[Annotated["ChatMessageType", strawberry.lazy("app.messages.graphql.types")]],
        description="The messages that answer it, by number: several where it was answered anew; 100 by default.",
    )
    def children(
        self,
        info: Info,
        root: strawberry.Parent[ChatMessage],
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Awaitable[Page[ChatMessage]]:
        request = PageRequest.of(first, last, after, before, DEFAULT_MESSAGES)
        return info.context.loader(ChildrenOfMessage).load((root.id, request, MESSAGE_COLUMNS.wanted(info)))

    @field(graphql_type=SiblingsOf, description="Where it stands among the messages beside it: 2 of 3.")
    def siblings(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Awaitable[Siblings]:
        return info.context.loader(SiblingsOfMessage).load(Place(root.id, root.session_id, root.parent_message_id))

    @field(graphql_type=list[ToolCallNode], description="What the model asked for in it, in order; at most 128.")
    def tool_calls(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Loaded[list[ToolCall]]:
        # Most messages have none, and know it.
        if not root.tool_call_count:
            return []
        return info.context.loader(ToolCallsOfMessage).load((MessageId(root.id), CALL_COLUMNS.wanted(info)))

    @field(graphql_type=list[AttachmentNode], description="The files that hang on it, oldest first; at most 32.")
    def attachments(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Loaded[list[MessageAttachment]]:
        if not root.attachment_count:
            return []
        return info.context.loader(AttachmentsOfMessage).load(MessageId(root.id))

    @field(
        graphql_type=RunNode | None, description="The run that writes it, or wrote it; null where no model was asked."
    )
    def run(self, info: Info, root: strawberry.Parent[ChatMessage]) -> Loaded[Run | None]:
        if root.role != MessageRole.ASSISTANT:
            return None
        return info.context.loader(RunOfMessage).load(MessageId(root.id))


@strawberry.type
class MessageQueries:
    @query(ChatMessageType | None, "A message by its id; null when it is not there, or not yours.")
    async def message(self, info: Info, id: Id) -> ChatMessage | None:
        return await info.context.loader(MessageById).load(message_id(id, "id"))


def message_id(value: str, place: str = "messageId") -> MessageId:
    """The id of a message from its global id; ValidationError naming `place`."""
    return MessageId(parse_global_id(value, ChatMessage.node_type, place))
