"""Every request is watched from here: the layer of the application that all transports over HTTP share."""

from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.telemetry.observation import Observation, Transport
from app.telemetry.spans import TRACING

QUIET = ("/health/live", "/health/ready", "/metrics")
"""What machines ask every few seconds."""


class Observed:
    """The layer below `Correlated`: at the end of each request there is a line in the log, and it was counted.

    Operations on a socket are watched by the socket, one by one.
    """

    def __init__(self, app: ASGIApp, graphql_path: str) -> None:
        self._app = app
        self._graphql_path = graphql_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at what is answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        is_graphql = scope["path"] == self._graphql_path

        async def seen(message: Message) -> None:
            match message["type"]:
                case "http.response.start":
                    observed.answers(message["status"], _content_type(message))
                case "http.response.body":
                    observed.bytes += len(message.get("body", b""))
            await send(message)

        observed = Observation(Transport.HTTP if is_graphql else Transport.PLAIN, trace_headers(Headers(scope=scope)))
        observed.quiet = scope["path"] in QUIET
        with observed:
            try:
                await self._app(scope, receive, seen)
            except Exception:
                observed.status = "broken"
                raise


def trace_headers(headers: Mapping[str, str]) -> dict[str, str] | None:
    """What names the span of the client; None where nobody would look at it."""
    if TRACING.spans is None:
        return None
    return {name: value for name in ("traceparent", "tracestate") if (value := headers.get(name)) is not None}


def _content_type(start: Message) -> str:
    return next((value.decode("latin-1") for name, value in start.get("headers", ()) if name == b"content-type"), "")
