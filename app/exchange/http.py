"""Downloads of sessions."""

from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute

from app.core.errors import ValidationError
from app.core.ids import parse_global_id
from app.exchange.export import exported, file_name
from app.exchange.formats.names import ExportFormat
from app.exchange.loaders import SessionReading
from app.graph.context import Context
from app.graph.endpoints import Endpoints
from app.sessions.values import SessionId


def routes(endpoint: Endpoints) -> list[BaseRoute]:
    """The routes of this room."""
    return [endpoint("/sessions/{session_id}/export", get=_export)]


async def _export(request: Request, context: Context) -> Response:
    """A session as a file. It is read while it is sent: no connection waits for the client."""
    format_ = _format(request.query_params.get("format", ExportFormat.JSONL))
    session_id = SessionId(parse_global_id(request.path_params["session_id"], "ChatSession", "sessionId"))
    reading = await SessionReading.of(context.database, context.actor, session_id)
    name = file_name(reading.session.title, format_)
    whole_name = quote(f"{reading.session.title}.{format_.ending}", safe="")
    headers = {
        "content-disposition": f"attachment; filename=\"{name}\"; filename*=UTF-8''{whole_name}",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    return StreamingResponse(exported(reading, format_), headers=headers, media_type=format_.media_type)


def _format(wanted: str) -> ExportFormat:
    of_sessions = [format_ for format_ in ExportFormat if format_ is not ExportFormat.PROMPTS]
    if wanted not in of_sessions:
        raise ValidationError(f"format must be {', '.join(of_sessions)}", field="format", hint="choose one of them")
    return ExportFormat(wanted)
