"""What a request brings, by its URL and its headers: of which type, in which encoding, and whether it was meant."""

import re
from urllib.parse import parse_qsl

from starlette.datastructures import Headers

from app.core.errors import AppError, ErrorCode
from app.graph.accept import JSON
from app.graph.body import BadRequest, GraphQLRequest, parse_json, request_of
from app.graph.refusals import NotTaken, UrlTooLong

LONGEST_QUERY_STRING = 32 * 1024
"""Bytes, as much as most proxies pass on; what is longer is for POST. httptools 0.9 ends at 64 KiB, with no reason."""

PREFLIGHT_HEADERS = ("x-colloquy-preflight", "apollo-require-preflight", "x-colloquy-user")
"""A page of another site cannot send these without asking first (a CORS preflight); the settings say who gets leave."""

_WITHOUT_ASKING = {"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"}
_MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+")
_CHARSET = re.compile(r';\s*charset\s*=\s*"?([^";]*)', re.IGNORECASE)
_UTF8 = ("utf-8", "utf8", "us-ascii")


class PreflightMissing(AppError):
    """The request could be a form of another site, which the browser sends with all that lets its user in."""

    code = ErrorCode.FORBIDDEN

    def __init__(self) -> None:
        super().__init__(
            "a request that any page could send must say that it is meant",
            hint="send the header X-Colloquy-Preflight: 1, or Apollo-Require-Preflight: true",
        )


def media_type(headers: Headers) -> str:
    """The type of a body by its sender's account, in lower case and without parameters; empty where there is none.

    Two headers are both of them, which is no type at all: who stands before us may have looked at the other one.
    """
    named = headers.getlist("content-type")
    return named[0].partition(";")[0].strip().lower() if len(named) == 1 else ", ".join(named)


def require_preflight(headers: Headers) -> None:
    """Raise PreflightMissing for a body that a foreign page can send, unless one of the headers shows it is none."""
    sent = media_type(headers)
    is_simple = sent in _WITHOUT_ASKING or not _MEDIA_TYPE.fullmatch(sent)
    if is_simple and not (_bears_token(headers) or any(name in headers for name in PREFLIGHT_HEADERS)):
        raise PreflightMissing


def _bears_token(headers: Headers) -> bool:
    """Whether the caller shows a token, which a page must know and ask leave to send.

    Not so a name and a password: a browser that was told them by its user, for a proxy perhaps, adds them to what any
    page sends.
    """
    return headers.get("authorization", "").lower().startswith("bearer ")


def require_plain(headers: Headers) -> None:
    """Raise NotTaken for a body that is compressed: how long it would become is not known while it is read."""
    encodings = {each.strip().lower() for line in headers.getlist("content-encoding") for each in line.split(",")}
    if encodings - {"", "identity"}:
        raise NotTaken(
            "the body is compressed", hint="send it without Content-Encoding", headers={"accept-encoding": "identity"}
        )


def require_json(headers: Headers) -> None:
    """Raise NotTaken for a body that is not JSON in UTF-8.

    A form of another site can send text/plain without asking first, and files too; JSON it cannot.
    """
    if media_type(headers) != JSON:
        raise NotTaken(f"send the request as {JSON}", hint="set the header Content-Type", headers={"accept": JSON})
    charset = _CHARSET.search(headers["content-type"])
    if charset and charset[1].strip().lower() not in _UTF8:
        raise NotTaken("JSON is taken in UTF-8 alone", hint=f"set the header Content-Type: {JSON}; charset=utf-8")


def request_in(query_string: bytes) -> GraphQLRequest:
    """The operation in the query of a URL; UrlTooLong, BadRequest, or ValidationError as of a body."""
    if len(query_string) > LONGEST_QUERY_STRING:
        raise UrlTooLong(f"the URL is longer than {LONGEST_QUERY_STRING:,} bytes", hint="use POST")
    try:
        pairs = parse_qsl(query_string.decode(), errors="strict")
    except ValueError:
        hint = "encode it in UTF-8, as application/x-www-form-urlencoded"
        raise BadRequest("the URL cannot be read", hint=hint) from None
    given: dict[str, object] = dict(pairs)
    if len(given) < len(pairs):
        raise BadRequest("the URL has a parameter twice", hint="send each once")
    for name in ("variables", "extensions"):
        if isinstance(text := given.get(name), str):
            given[name] = parse_json(text.encode(), name)
    return request_of(given)
