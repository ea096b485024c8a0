"""The correlation id of a request: bound to what is logged of it, and on its answer, whatever that is."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.core.logging import correlated
from app.graph.operations import Correlate

HEADER = "x-correlation-id"
_NAME = HEADER.encode()

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
        given = [value for name, value in scope["headers"] if name == _NAME]
        correlation = self._correlate({HEADER: given[0].decode("latin-1")} if given else {})
        named = (_NAME, correlation.encode())
        others = [header for header in scope["headers"] if header[0] != _NAME]

        async def marked(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = message.get("headers", ())
                if _NAME not in dict(headers):
                    message["headers"] = [*headers, named]
            await send(message)

        with correlated(correlation):
            await self._app({**scope, "headers": [*others, named]}, receive, marked)
