"""GraphQL over a WebSocket, by the protocol graphql-transport-ws: many operations at once on one connection."""

import asyncio
from collections.abc import Collection, Coroutine, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, assert_never
from urllib.parse import urlsplit

import orjson
import structlog
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketDisconnected, WebSocketState

from app.core.actor import CorrelationId
from app.core.errors import AppError, LimitExceeded
from app.core.logging import correlate, correlated
from app.graph.body import GraphQLRequest
from app.graph.context import Context
from app.graph.frames import Frame, InvalidFrame, Kind, parse_frame
from app.graph.observing import trace_headers
from app.graph.operations import Correlate, MakeContext, Operations, errors_of
from app.telemetry.meters import SOCKETS_OPEN
from app.telemetry.observation import Observation, Transport

log = structlog.get_logger("colloquy.socket")

PROTOCOL = "graphql-transport-ws"
LEGACY_PROTOCOL = "graphql-ws"

INIT_SECONDS = 10.0
"""How long a client may take to say who it is; all clients do so at once."""
LONGEST_REASON_BYTES = 123
"""What a close frame has room for."""
CLOSING_SECONDS = 5.0
"""How long a client that does not read may delay its own end, and a resolver that of its operation."""
LONGEST_CORRELATION_ID = 112
"""Of a connection: the number of an operation must still fit behind it."""


LEFT = (WebSocketDisconnect, WebSocketDisconnected)
"""What sending to a client raises that has gone, or that we have closed."""


class CloseCode(IntEnum):
    """Why the server closes a socket; 1012 and 1009 are sent by the server beneath."""

    GOING_AWAY = 1001
    TRY_AGAIN = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    WRONG_SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    ID_TAKEN = 4409
    TOO_MANY_INITS = 4429
    INTERNAL_ERROR = 4500


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """What one socket may ask for."""

    operations: int
    message_bytes: int
    ping_seconds: float
    init_seconds: float = INIT_SECONDS


class GraphQLOverSocket:
    """The ASGI app behind /graphql for sockets."""

    def __init__(
        self,
        operations: Operations,
        correlate: Correlate,
        make_context: MakeContext,
        limits: SocketLimits,
        own_names: Collection[str],
        origins: Collection[str] = (),
    ) -> None:
        self._runner = operations
        self._correlate = correlate
        self._make_context = make_context
        self._limits = limits
        self._own_names = own_names
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it ends; nothing of it is left behind."""
        websocket = WebSocket(scope, receive, send)
        if not is_own_page(websocket.headers, self._own_names, self._origins):
            await websocket.send_denial_response(PlainTextResponse("sockets are not for pages of other sites", 403))
            return
        offered = scope["subprotocols"]
        if PROTOCOL not in offered:
            # Accepted first: only an open socket can be told a code, and only in the protocol it asked for.
            await websocket.accept(LEGACY_PROTOCOL if LEGACY_PROTOCOL in offered else None)
            await websocket.close(CloseCode.WRONG_SUBPROTOCOL, f"Subprotocol not acceptable: speak {PROTOCOL}")
            return
        await websocket.accept(PROTOCOL)
        with SOCKETS_OPEN.track_inprogress():
            connection = _Connection(websocket, send, self._runner, self._correlate, self._make_context, self._limits)
            await connection.serve()


def is_own_page(headers: Mapping[str, str], own_names: Collection[str], origins: Collection[str] = ()) -> bool:
    """Whether a page may open a socket here: one that this server sent, or one of the names it may be called by.

    Also those of `origins`, which are let in by the settings; `*` are all. A name may be `*.example.com`, for all below
    it, or `*`.

    Browsers let any page open a socket to any server, and say only by `Origin` whose page it is. Programs send none.
    """
    origin = headers.get("origin")
    if origin is None or origin in origins or "*" in origins or "*" in own_names:
        return True
    try:
        parts = urlsplit(origin)
        host = parts.hostname or ""
    except ValueError:
        return False
    return parts.netloc == headers.get("host") or any(_is_called(host, name) for name in own_names)


def _is_called(host: str, name: str) -> bool:
    name = name.strip("[]").lower()
    return host.endswith(name[1:]) if name.startswith("*.") else host == name


class TooManyOperations(LimitExceeded):
    """One socket runs so many operations at once; the others go on."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"a socket runs at most {limit:,} operations at once", hint="complete others first, or open another socket"
        )


class _Closing(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class _Connection:
    """One socket: a reader, a task for each operation, and one that pings.

    Nothing is queued for a client that does not read: whoever has something to send waits for the socket, one after
    the other, and an operation's stream is not advanced meanwhile.
    """

    def __init__(
        self,
        websocket: WebSocket,
        to_server: Send,
        operations: Operations,
        correlate: Correlate,
        make_context: MakeContext,
        limits: SocketLimits,
    ) -> None:
        self._websocket = websocket
        self._to_server = to_server
        self._runner = operations
        self._correlate = correlate
        self._make_context = make_context
        self._limits = limits
        self._context: Context | None = None
        self._trace: dict[str, str] | None = None
        self._operations: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = 0
        self._sending = asyncio.Lock()
        self._heard = asyncio.Event()
        self._deadline = asyncio.timeout(None)
        self._at_deadline = _Closing(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")

    async def serve(self) -> None:
        """Return when the socket has ended, with all its operations."""
        closing: _Closing | None = None
        try:
            await self._read()
        except LEFT:
            pass
        except _Closing as asked:
            closing = asked
        except Exception as error:
            log.exception("socket_failed", exc_info=error)
            closing = _Closing(CloseCode.INTERNAL_ERROR, "something went wrong on the server")
        finally:
            left = set(self._tasks)
            for task in left:
                task.cancel()
            try:
                if closing is not None:
                    await self._close(closing)
            finally:
                if left:
                    await asyncio.wait(left, timeout=CLOSING_SECONDS)

    async def _read(self) -> None:
        """Take messages until the client leaves or the time is over."""
        now = asyncio.get_running_loop().time()
        self._deadline = asyncio.timeout_at(now + self._limits.init_seconds)
        try:
            async with self._deadline:
                while True:
                    await self._take(await self._frame())
        except TimeoutError:
            if not self._deadline.expired():
                raise
            raise self._at_deadline from None

    async def _frame(self) -> Frame:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received["code"])
        try:
            return parse_frame(received.get("text"), self._limits.message_bytes)
        except InvalidFrame as error:
            raise _Closing(CloseCode.BAD_REQUEST, f"Invalid message: {error}") from None

    async def _take(self, frame: Frame) -> None:
        self._heard.set()
        match frame.kind:
            case Kind.INIT:
                await self._init(frame.payload or {})
            case Kind.PING:
                await self._send({"type": "pong", **({} if frame.payload is None else {"payload": frame.payload})})
            case Kind.PONG:
                pass
            case Kind.SUBSCRIBE:
                await self._subscribe(frame)
            case Kind.COMPLETE:
                await self._complete(frame.id)
            case _:
                assert_never(frame.kind)

    async def _init(self, payload: dict[str, Any]) -> None:
        """Let the client in, as whoever the headers of its handshake and those in the payload name."""
        if self._context is not None:
            raise _Closing(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")
        headers = {**self._websocket.headers, **_as_headers(payload)}
        correlation_id = self._correlate(headers)
        try:
            context = await self._make_context(self._websocket, headers, correlation_id)
        except AppError as error:
            code = CloseCode.TRY_AGAIN if error.retryable else CloseCode.FORBIDDEN
            raise _Closing(
                code, f"Forbidden: {error.message}" if code is CloseCode.FORBIDDEN else error.message
            ) from None
        self._context = context
        self._trace = trace_headers(headers)
        self._at_deadline = _Closing(CloseCode.FORBIDDEN, "Forbidden: token expired")
        self._deadline.reschedule(_moment(context.actor.expires_at))
        await self._send({"type": "connection_ack"})
        self._start(self._ping())
        self._start(self._watch(context))

    async def _watch(self, context: Context) -> None:
        """Close the socket when what let the client in is taken back."""
        await context.withdrawn()
        self._at_deadline = _Closing(CloseCode.FORBIDDEN, "Forbidden: the key was revoked")
        self._deadline.reschedule(asyncio.get_running_loop().time())

    async def _subscribe(self, frame: Frame) -> None:
        if self._context is None:
            raise _Closing(CloseCode.UNAUTHORIZED, "Unauthorized")
        if frame.id in self._operations:
            raise _Closing(CloseCode.ID_TAKEN, f"Subscriber for {frame.id} already exists")
        self._started += 1
        connection = self._context.actor.correlation_id[:LONGEST_CORRELATION_ID]
        context = self._context.for_operation(CorrelationId(f"{connection}/{self._started}"))
        try:
            if len(self._operations) >= self._limits.operations:
                raise TooManyOperations(self._limits.operations)
            asked = frame.operation()
        except AppError as error:
            with correlated(context.actor.correlation_id), Observation(Transport.SOCKET) as observed:
                observed.actor, observed.status = context.actor, "error"
                errors = errors_of(error, context.actor.correlation_id)
                observed.bytes = await self._send({"id": frame.id, "type": "error", "payload": errors})
            return
        self._operations[frame.id] = self._start(self._operate(frame.id, asked, context))

    async def _complete(self, id_: str) -> None:
        """End an operation, if it has not ended by itself: its answers and the client's message may cross."""
        task = self._operations.pop(id_, None)
        if task is not None:
            task.cancel()
            await asyncio.wait([task], timeout=CLOSING_SECONDS)

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("socket_task_failed", exc_info=error)

    async def _operate(self, id_: str, asked: GraphQLRequest, context: Context) -> None:
        """One operation, from its first answer to its end."""
        correlate(context.actor.correlation_id)
        with Observation(Transport.SOCKET, self._trace) as observed:
            observed.actor = context.actor
            last: dict[str, Any] = {"id": id_, "type": "complete"}
            begins = b'{"id":' + orjson.dumps(id_) + b',"type":"next","payload":'
            try:
                operation = self._runner.prepare(asked, context)
                async with aclosing(await self._runner.start(operation, context)) as answers:
                    observed.status = "ok"
                    async for answer in answers:
                        observed.bytes += await self._send_encoded(begins + orjson.dumps(answer) + b"}")
            except LEFT:
                return
            except Exception as error:
                observed.status = "error"
                last = {"id": id_, "type": "error", "payload": errors_of(error, context.actor.correlation_id)}
            # Free before the client knows: it may take the same id again as soon as it does.
            self._operations.pop(id_, None)
            with suppress(*LEFT):
                observed.bytes += await self._send(last)

    async def _ping(self) -> None:
        """Ask now and then whether the client is there; end the socket of one that neither answers nor reads."""
        while True:
            await asyncio.sleep(self._limits.ping_seconds)
            self._heard.clear()
            try:
                async with asyncio.timeout(self._limits.ping_seconds):
                    await self._send({"type": "ping"})
                    await self._heard.wait()
            except TimeoutError:
                self._at_deadline = _Closing(CloseCode.GOING_AWAY, "no answer to a ping")
                self._deadline.reschedule(asyncio.get_running_loop().time())
                return
            except LEFT:
                return

    async def _send(self, message: dict[str, Any]) -> int:
        """How many bytes were sent."""
        return await self._send_encoded(orjson.dumps(message))

    async def _send_encoded(self, encoded: bytes) -> int:
        await self._sending.acquire()
        try:
            # Past Starlette's own functions, which would look at the same for each event once more.
            if self._websocket.application_state is not WebSocketState.CONNECTED:
                raise WebSocketDisconnected
            await self._to_server({"type": "websocket.send", "text": encoded.decode()})
        except OSError:
            # How servers tell that the client is gone (ASGI 2.4).
            raise WebSocketDisconnected from None
        finally:
            self._sending.release()
        return len(encoded)

    async def _close(self, closing: _Closing) -> None:
        reason = closing.reason.encode()[:LONGEST_REASON_BYTES].decode(errors="ignore")
        try:
            async with asyncio.timeout(CLOSING_SECONDS):
                await self._websocket.close(closing.code, reason)
        except (TimeoutError, *LEFT):
            # The client does not read, or is gone: the server beneath drops the connection when we return.
            return


def _as_headers(payload: dict[str, Any]) -> dict[str, str]:
    """Members of connection_init's payload as headers: a browser can send no others with a socket."""
    return {
        name.lower(): value if isinstance(value, str) else orjson.dumps(value).decode()
        for name, value in payload.items()
        if value is not None
    }


def _moment(expires_at: datetime | None) -> float | None:
    """A moment of the calendar on the clock of the event loop."""
    if expires_at is None:
        return None
    return asyncio.get_running_loop().time() + (expires_at - datetime.now(UTC)).total_seconds()
