"""Request bodies: JSON as clients send it, and what to say of JSON that cannot be taken."""

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import ClientDisconnect
from starlette.types import Receive

from app.core.errors import AppError, ErrorCode
from app.core.text import DEEPEST_JSON, require_storable, too_deep

_MANY_DIGITS = b"0" * 19
_DIGITS_AS_ZEROS = bytes(ord("0") if byte in b"0123456789" else ord(" ") for byte in range(256))


class BadRequest(AppError):
    """A body that is not a GraphQL request."""

    code = ErrorCode.BAD_USER_INPUT


class BodyTooLarge(AppError):
    """More than is taken of a body, or of a part of it."""

    code = ErrorCode.LIMIT_EXCEEDED

    def __init__(
        self,
        limit: int,
        *,
        what: str = "the request",
        hint: str = "send less at once",
        field: str | None = None,
    ) -> None:
        super().__init__(f"{what} is larger than {limit:,} bytes", hint=hint, field=field)


async def whole_body(receive: Receive, max_bytes: int) -> bytes:
    """A whole body, refused with BodyTooLarge as soon as it proves too long, whatever its header said.

    ClientDisconnect where its sender leaves before its end.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        piece = message.get("body", b"")
        if len(body) + len(piece) > max_bytes:
            raise BodyTooLarge(max_bytes)
        if not message.get("more_body", False) and not body:
            # As most come, in one piece: it is passed on as it is.
            return bytes(piece)
        body += piece
        if not message.get("more_body", False):
            return bytes(body)


@dataclass(frozen=True, slots=True)
class GraphQLRequest:
    """One operation as a client sent it."""

    query: str
    """Its document; empty where that is named by its id or hash."""
    variables: dict[str, Any] | None = None
    operation_name: str | None = None
    files: tuple[tuple[str, ...], ...] = ()
    """Where in the variables files stand."""
    extensions: dict[str, Any] | None = None
    """What the client says beside it; members that nobody here knows are passed over."""
    document_id: str | None = None
    """The name of a document that the server knows."""


def parse_request(body: bytes) -> GraphQLRequest:
    """The operation inside a JSON body. BadRequest, or ValidationError naming the variable that cannot be taken."""
    return request_of(parse_json(body))


def request_of(found: object) -> GraphQLRequest:
    """The operation in a decoded body; BadRequest naming the member that is missing or of the wrong type.

    Members that the specification does not know are passed over, as it says.
    """
    if not isinstance(found, dict):
        raise BadRequest("the body must be a JSON object", hint='send {"query": "{ viewer { userId } }"}')
    query, variables, name = found.get("query"), found.get("variables"), found.get("operationName")
    extensions, document_id = found.get("extensions"), found.get("documentId")
    if extensions is not None and not isinstance(extensions, dict):
        raise BadRequest("extensions must be an object", field="extensions", hint="send names with their values")
    if document_id is not None and not isinstance(document_id, str):
        raise BadRequest("documentId must be a string", field="documentId", hint="send the document's id")
    is_named = document_id is not None or (extensions is not None and "persistedQuery" in extensions)
    if query is None and is_named:
        query = ""
    elif not isinstance(query, str) or not query.strip():
        raise BadRequest("query must be a GraphQL document", field="query", hint="send it as a string")
    if variables is not None and not isinstance(variables, dict):
        raise BadRequest("variables must be an object", field="variables", hint="send names with their values")
    if name is not None and not isinstance(name, str):
        raise BadRequest("operationName must be a string", field="operationName", hint="name one of the operations")
    return GraphQLRequest(query, variables, name, extensions=extensions, document_id=document_id)


def parse_json(body: bytes, what: str = "the body") -> object:
    """The value of a JSON text, which is `what` of a request.

    orjson refuses, without saying where, what JSON allows and we cannot store: lone surrogates, numbers beyond a
    double, deep nesting. Only then the text is read a second time, to name the place.
    """
    found, is_storable = decoded(body, what)
    if not is_storable:
        require_storable_members(found)
    return found


def decoded(body: bytes, what: str = "the body") -> tuple[object, bool]:
    """The value of a JSON text, and whether it is known to be storable; `require_storable_members` tells otherwise.

    Of a member that an object has twice, the last one counts, as with JavaScript's JSON.parse.
    """
    if not has_many_digits(body):
        try:
            return orjson.loads(body), True
        except orjson.JSONDecodeError:
            pass
    try:
        # As text: of bytes, json would also guess UTF-16 and UTF-32.
        return json.loads(body.decode()), False
    except RecursionError:
        raise too_deep(_deepest_member(body)) from None
    except ValueError:
        hint = "send JSON in UTF-8, without a byte order mark"
        raise BadRequest(f"{what} is not valid JSON", hint=hint) from None


def has_many_digits(body: bytes) -> bool:
    """Whether there is perhaps a whole number of more than 64 bits, which orjson 3.13 takes for a double, silently.

    Two passes in C: a search for the pattern `[0-9]{19}` takes eighteen times as long.
    """
    return _MANY_DIGITS in body.translate(_DIGITS_AS_ZEROS)


def require_storable_members(found: object) -> None:
    """Raise ValidationError when text somewhere in a decoded body cannot be stored; names it as the client would."""
    for name, value in found.items() if isinstance(found, dict) else ():
        if name == "variables" and isinstance(value, dict):
            for variable, content in value.items():
                require_storable(variable, f"{variable} (a key)")
                require_storable(content, variable)
        else:
            require_storable(value, name)
    if not isinstance(found, dict):
        require_storable(found, "body")


_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[\]{},:]')


def _deepest_member(body: bytes) -> str:
    """The path to the member that nests too deep, by one pass over the text without a stack of calls."""
    path: list[str] = []
    last = b""
    for token in _TOKEN.finditer(body):
        found = token.group()
        if found in (b"{", b"["):
            path.append("")
            if len(path) > DEEPEST_JSON:
                break
        elif found in (b"}", b"]"):
            path = path[:-1]
        elif found == b":" and path:
            path[-1] = last.strip(b'"').decode(errors="replace")
        last = found
    named = [name for name in path if name]
    return ".".join(named[1:] if named[:1] == ["variables"] else named)[:100] or "body"
