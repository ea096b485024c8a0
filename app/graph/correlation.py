"""The correlation id of a request: bound to what is logged of it, and on its answer, whatever that is."""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import correlated
from app.graph.operations import Correlate

HEADER = "x-correlation-id"

_STARTS = ("http.response.start", "websocket.http.response.start")


class Correlated:
    """The outermost layer of the application: also what is refused before a route is found can be found in the log."""

    def __init__(self, app: ASGIApp, correlate: Correlate) -> None:
        self._app = app
        self._correlate = correlate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its id, which every layer below finds in its headers."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        correlation = self._correlate(Headers(scope=scope))
        named = (HEADER.encode(), correlation.encode())
        others = [header for header in scope["headers"] if header[0] != named[0]]

        async def marked(message: Message) -> None:
            if message["type"] in _STARTS:
                MutableHeaders(scope=message).setdefault(HEADER, correlation)
            await send(message)

        with correlated(correlation):
            await self._app({**scope, "headers": [*others, named]}, receive, marked)
