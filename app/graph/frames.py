"""What a client says over a socket, by the protocol graphql-transport-ws."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from app.core.errors import AppError
from app.core.text import require_storable
from app.graph.body import BadRequest, GraphQLRequest, decoded, request_of, require_storable_members


class Kind(StrEnum):
    """The messages that clients send."""

    INIT = "connection_init"
    PING = "ping"
    PONG = "pong"
    SUBSCRIBE = "subscribe"
    COMPLETE = "complete"


class InvalidFrame(Exception):
    """It is no message of the protocol, which then has the socket closed."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; `id` is empty where its kind has none."""

    kind: Kind
    id: str
    payload: Any
    is_storable: bool

    def operation(self) -> GraphQLRequest:
        """What `subscribe` asks for; an AppError is that operation's alone, for the message is one of the protocol."""
        if not isinstance(self.payload, dict):
            raise BadRequest("the payload must be a JSON object", hint='send {"query": "subscription { ... }"}')
        if not self.is_storable:
            require_storable_members(self.payload)
        return request_of(self.payload)


def parse_frame(text: str | None, max_bytes: int) -> Frame:
    """The message in a text frame; InvalidFrame where it is none."""
    if text is None:
        raise InvalidFrame("messages are text")
    body = text.encode()
    if len(body) > max_bytes:
        raise InvalidFrame(f"it is larger than {max_bytes:,} bytes")
    try:
        message, is_storable = decoded(body)
    except AppError:
        raise InvalidFrame("it must be JSON") from None
    if not isinstance(message, dict):
        raise InvalidFrame("it must be a JSON object")
    return _frame(message, is_storable=is_storable)


def _frame(message: dict[str, Any], *, is_storable: bool) -> Frame:
    try:
        kind = Kind(message.get("type"))  # type: ignore[arg-type]
    except ValueError:
        raise InvalidFrame("its type is not one that clients send") from None
    id_, payload = message.get("id"), message.get("payload")
    if kind in (Kind.SUBSCRIBE, Kind.COMPLETE):
        if not isinstance(id_, str) or not id_ or not _can_be_told(id_):
            raise InvalidFrame("it needs an id, as a string")
        return Frame(kind, id_, payload, is_storable)
    # Sent back, or taken as headers: it must be fit for both.
    if payload is not None and not (isinstance(payload, dict) and _can_be_told(payload)):
        raise InvalidFrame("its payload must be an object")
    return Frame(kind, "", payload, is_storable)


def _can_be_told(value: object) -> bool:
    try:
        require_storable(value, "payload")
    except AppError:
        return False
    return True
