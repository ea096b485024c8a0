"""Attachments over plain HTTP: `POST /messages/{id}/attachments` and `GET /attachments/{id}`."""

from contextlib import ExitStack
from email.message import Message
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from app.attachments import service
from app.attachments.content_types import served_type
from app.attachments.errors import AttachmentNotFound
from app.attachments.loaders import AttachmentById
from app.attachments.models import MessageAttachment
from app.attachments.pipeline import AttachmentPipeline, Stored, slices
from app.attachments.values import AttachmentId
from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.graph.content import media_type
from app.graph.context import Context
from app.graph.endpoints import Endpoints, json_response
from app.graph.forms import FormLimits, read_form
from app.graph.ranges import RangeNotSatisfiable, asked_range, is_known
from app.graph.uploads import LARGEST_FILE_BYTES, FileTooLarge, UploadedFile, filled
from app.messages.models import ChatMessage
from app.messages.values import MessageId

_ONE_FILE = FormLimits(field_bytes=64 * 1024, fields=8, files=1)

_KEPT = {
    "accept-ranges": "bytes",
    # An attachment never changes. Who may no longer read it still has what they have.
    "cache-control": "private, max-age=31536000, immutable",
    # Another user at the same browser is another reader.
    "vary": "X-Colloquy-User",
    "x-content-type-options": "nosniff",
    "content-security-policy": "sandbox; default-src 'none'",
    "cross-origin-resource-policy": "same-origin",
}


def routes(endpoint: Endpoints) -> list[BaseRoute]:
    """What this room answers beside the graph."""
    return [
        endpoint("/messages/{message_id}/attachments", post=upload),
        endpoint("/attachments/{attachment_id}", get=download),
    ]


async def upload(request: Request, context: Context) -> Response:
    """Attach the body, or the one file of a form, to a message."""
    message_id = MessageId(parse_global_id(request.path_params["message_id"], ChatMessage.node_type, "messageId"))
    # Before the body is read: it is up to 10 MiB, and who sends `Expect: 100-continue` is spared them.
    async with context.database.read() as scope:
        await service.require_message(scope, context.actor, message_id)
    with ExitStack() as closing:
        file = await _received(request, closing)
        name = request.query_params.get("fileName")
        key = request.headers.get("idempotency-key")
        stored = await context.service(AttachmentPipeline).store(context, message_id, file, name, key)
    response = json_response(_shown(stored), 201)
    response.headers["location"] = stored.attachment.url
    return response


async def _received(request: Request, closing: ExitStack) -> UploadedFile:
    if media_type(request.headers) == "multipart/form-data":
        form = await read_form(request.headers["content-type"], request.stream(), _ONE_FILE, closing)
        if not form.files:
            raise ValidationError("the form has no file", field="file", hint="send one, under any name")
        return next(iter(form.files.values()))
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > LARGEST_FILE_BYTES:
        raise FileTooLarge
    file = UploadedFile(_name_sent(request), request.headers.get("content-type", ""))
    closing.callback(file.close)
    return await filled(file, request.stream())


def _name_sent(request: Request) -> str | None:
    """The file's name in the header Content-Disposition, in either of its forms (RFC 6266)."""
    header = Message()
    header["content-disposition"] = request.headers.get("content-disposition", "")
    return header.get_filename()


def _shown(stored: Stored) -> dict[str, object]:
    attachment = stored.attachment
    return {
        "id": attachment.global_id,
        "fileName": attachment.file_name,
        "contentType": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.digest,
        "uploadedAt": attachment.uploaded_at.isoformat(),
        "url": attachment.url,
        "deduplicated": stored.deduplicated,
        "warnings": [{"code": warning.code, "message": warning.message} for warning in stored.warnings],
    }


async def download(request: Request, context: Context) -> Response:
    """The content, or the part of it that is asked for."""
    given = request.path_params["attachment_id"]
    attachment_id = AttachmentId(parse_global_id(given, MessageAttachment.node_type, "id"))
    found = await context.loader(AttachmentById).load(attachment_id)
    if found is None:
        raise AttachmentNotFound("id")
    etag = f'"sha256-{found.digest}"'
    headers = {**_KEPT, "etag": etag}
    if is_known(request.headers, etag):
        return Response(status_code=304, headers=headers)
    headers |= {"content-type": served_type(found.content_type), "content-disposition": disposition(found.file_name)}
    try:
        # Of HEAD, a range means nothing (RFC 9110, 14.2).
        part = asked_range(request.headers, etag, found.size) if request.method == "GET" else None
    except RangeNotSatisfiable:
        return Response(status_code=416, headers={**_KEPT, "content-range": f"bytes */{found.size}"})
    wanted = range(found.size) if part is None else part
    headers["content-length"] = str(len(wanted))
    if part is not None:
        headers["content-range"] = f"bytes {part.start}-{part.stop - 1}/{found.size}"
    body = slices(context.database, context.actor.tenant_id, attachment_id, wanted)
    return StreamingResponse(body, 200 if part is None else 206, headers)


def disposition(file_name: str) -> str:
    """The header that has a browser keep the file and not show it, with its name in ASCII and in full (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in file_name)
    escaped = plain.replace("\\", "_").replace('"', "_").replace("%", "_")
    return f"attachment; filename=\"{escaped}\"; filename*=UTF-8''{quote(file_name, safe='')}"
