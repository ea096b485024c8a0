"""Attachments in the graph."""

from collections.abc import Awaitable
from datetime import datetime

import strawberry
from strawberry import field

from app.attachments import service
from app.attachments.models import MessageAttachment
from app.attachments.pipeline import AttachmentPipeline
from app.attachments.values import AttachmentId
from app.core.ids import parse_global_id
from app.graph.context import Info
from app.graph.inputs import input_type
from app.graph.nodes import Node
from app.graph.payloads import Changed, Payload, mutation
from app.graph.scalars import BigInt, Upload
from app.idempotency.graphql import KEY_DESCRIPTION, keyed_write
from app.messages.graphql import ChatMessageType, message_id
from app.messages.loaders import MESSAGE_COLUMNS, MessageOfRow
from app.messages.models import ChatMessage
from app.messages.values import MessageId


@strawberry.type(name="MessageAttachment", description="A file of a message.")
class MessageAttachmentType(Node):
    file_name: str = field(description="Its name, without folders.")
    content_type: str = field(description="What it is by its content, whatever its sender said.")
    size: BigInt = field(description="Its length in bytes, at most 10,485,760.")
    digest: str = field(name="sha256", description="SHA-256 of its content, in hexadecimal digits.")
    uploaded_at: datetime = field(description="When it was stored.")
    url: str = field(description="Where it is downloaded, on this server: by GET, as the user who asks here.")

    @field(graphql_type=ChatMessageType | None, description="The message it hangs on.")
    def message(self, info: Info, root: strawberry.Parent[MessageAttachment]) -> Awaitable[ChatMessage | None]:
        return info.context.loader(MessageOfRow).load((MessageId(root.message_id), MESSAGE_COLUMNS.wanted(info)))


@input_type("A file for a message.")
class UploadAttachmentInput:
    message_id: strawberry.ID = field(description="The message to attach it to.")
    file: Upload = field(description="The file: a part of a multipart request.")
    file_name: str | None = field(
        default=None, description="Its name, at most 255 characters; without one, the name that the part has."
    )
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@input_type("An attachment to delete.")
class DeleteAttachmentInput:
    attachment_id: strawberry.ID = field(description="The attachment.")
    client_key: str | None = field(default=None, description=KEY_DESCRIPTION)


@strawberry.type(description="What uploadAttachment answers.")
class UploadAttachmentPayload(Payload):
    attachment: MessageAttachmentType | None = field(description="The attachment as it is stored.")


@strawberry.type(description="What deleteAttachment answers.")
class DeleteAttachmentPayload(Payload):
    attachment: MessageAttachmentType | None = field(
        description="The attachment as it was; null where the same request had deleted it before."
    )


@strawberry.type
class AttachmentMutations:
    @mutation(UploadAttachmentPayload, "Attach a file to a message; by a multipart request.")
    async def upload_attachment(self, info: Info, input: UploadAttachmentInput) -> Changed:
        to = message_id(input.message_id)
        pipeline = info.context.service(AttachmentPipeline)
        stored = await pipeline.store(info.context, to, input.file, input.file_name, input.client_key)
        return Changed({"attachment": stored.attachment}, stored.deduplicated, stored.warnings)

    @mutation(DeleteAttachmentPayload, "Delete an attachment for good.")
    async def delete_attachment(self, info: Info, input: DeleteAttachmentInput) -> Changed:
        async with keyed_write(info, input) as (uow, key):
            outcome = await service.delete(uow, info.context.actor, attachment_id(input.attachment_id), key)
        return Changed({"attachment": outcome.attachment}, outcome.deduplicated)


def attachment_id(value: str, place: str = "attachmentId") -> AttachmentId:
    """The id of an attachment from its global id; ValidationError naming `place`."""
    return AttachmentId(parse_global_id(value, MessageAttachment.node_type, place))
