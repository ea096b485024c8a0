"""Requests that are made of good ones by breaking them: their documents, variables, bodies and headers."""

import json
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from tests.docs.test_pages import PAGES, blocks
from tests.schema_walk import Ids, answer_of, document, random_ids, root_fields, valid_arguments
from tests.uploads import without_files

JSON = b"application/json"

HOSTILE_TOKENS = [
    "{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "...", "|", "=", "&", "#", '"', '"""', "\\", ",", "\x00",
    "\ufeff", "null", "true", "-0", "0.0", "1e999", "9" * 400, "-2147483649", "9223372036854775808", "0x1", "1.",
    "on", "query",
    "mutation", "subscription", "fragment F on Query", "...F", "$x", "$x: Int", "@skip(if: true)", "@include(if: $x)",
    "@deprecated", "@defer", "__typename", "__schema { types { name } }", "__type(name: 5)", "id", "first: 101",
    '"\\u0000"', '"\\ud800"', '"\\u{110000}"', "'a'", "\u202e", "🙂", "é" * 300, "{ a " * 300, "[" * 600, "\n" * 300,
]  # fmt: skip

HOSTILE_VALUES: list[Any] = [
    None, True, False, 0, -1, 1.5, -0.0, 2**31, -(2**63), 2**63, 10**30, 1e308, "", " ", "0", "null", "\x00", "\u2028",
    "🙂" * 50, "x" * 70_000, [], {}, [[[[]]]], [None], {"": None}, {"a": {"b": [1, {"c": "\x00"}]}}, ["x"] * 300,
    "2026-02-30T25:00:00Z", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "1E+400", "NaN", "Infinity",
]  # fmt: skip

RAW_VALUES = [
    b"NaN", b"Infinity", b"1e999", b"-", b"01", b"9" * 5_000, b'"\\ud800"', b'"\\u0000"', b"'a'", b"undefined", b"",
    b"[" * 70 + b"]" * 70, b"[" * 3_000 + b"]" * 3_000, b'{"a":' * 200 + b"1" + b"}" * 200, b'"\xff\xfe"',
]  # fmt: skip

HOSTILE_HEADERS = {
    b"content-type": [
        b"", b"text/plain", b"application/json; charset=utf-16", b"application/json;charset=\xff", b"application", b";",
        b"application/graphql", b"multipart/form-data", b"multipart/form-data; boundary=", b"APPLICATION/JSON ; x=\"",
        b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=b", b"application/json, text/plain",
    ],
    b"accept": [
        b"", b"*/*", b"text/event-stream", b"multipart/mixed;subscriptionSpec=1.0",
        b"application/graphql-response+json",
        b"text/html", b"application/json;q=0", b"application/json;q=x, text/event-stream;q=9", b",;,=", b"\xff/\xff",
        b"multipart/mixed; deferSpec=20220824", b"application/*;q=0.1, */*;q=0", b"a" * 3_000,
    ],
    b"x-colloquy-user": [b"", b"@", b"a@", b"alice@acme@x", b"a b", b"\xe9", b"x" * 5_000, b"alice@default"],
    b"x-correlation-id": [b"", b"a b", b"\xe9", b"x" * 5_000, b"{}", b"trip/7"],
    b"content-length": [b"0", b"99999999999", b"-1", b"x"],
    b"content-encoding": [b"gzip", b"br"],
    b"origin": [b"null", b"http://elsewhere"],
    b"x-colloquy-preflight": [b"", b"1"],
}  # fmt: skip

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\s+|.', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Broken:
    """A request to /graphql, over HTTP."""

    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ((b"content-type", JSON),)
    method: str = "POST"
    query_string: bytes = b""


@dataclass(frozen=True, slots=True)
class Operation:
    """What a good request asks for."""

    query: str
    variables: dict[str, Any]


def good_operations(ids: Ids) -> list[Operation]:
    """All of the pages, and one of each root field; what would delete things names some that are not there."""
    shown = [
        Operation(text, {"sessionId": ids["ChatSession"], "messageId": ids["ChatMessage"], "runId": ids["Run"]})
        for page in PAGES
        for text in blocks(page, "graphql")
        if not re.search("wait: true|delete|erase", text)
    ]
    fields = []
    for kind in ("query", "mutation", "subscription"):
        for field in root_fields(kind):
            known = random_ids() if field.startswith(("delete", "erase")) else ids
            arguments = valid_arguments(kind, field, known)
            fields.append(
                Operation(document(kind, field, arguments, answer_of(kind, field, 0)), without_files(arguments)[0])
            )
    return [*shown, *fields]


def broken(operations: list[Operation], seed: int, count: int) -> Iterator[Broken]:
    """So many requests, each of an operation that is broken in one to three places; the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        yield _broken(dice.choice(operations), dice)


def _broken(operation: Operation, dice: random.Random) -> Broken:
    query, variables = operation.query, operation.variables
    members: dict[str, Any] = {}
    in_document, in_variables, in_body, in_request = (dice.random() < chance for chance in (0.6, 0.4, 0.25, 0.2))
    if in_document:
        for _ in range(dice.choice((1, 1, 2, 3))):
            query = dice.choice(_DOCUMENT)(query, dice)
    if in_variables:
        variables = _with_hostile_leaf(variables, dice)
    if dice.random() < 0.1:
        members[dice.choice(("operationName", "extensions", "query", "variables", "id", "\ud800"))] = dice.choice(
            HOSTILE_VALUES
        )
    body = _json({"query": query, "variables": variables, **members})
    if in_body or not (in_document or in_variables):
        body = dice.choice(_BODY)(body, dice)
    request = Broken(body)
    return _with_hostile_request(request, query, variables, dice) if in_request else request


def _json(value: Any) -> bytes:
    """As JSON writes it, half pairs of surrogates and numbers of any size included."""
    return json.dumps(value).encode()


def _delete_tokens(text: str, dice: random.Random) -> str:
    tokens = _TOKEN.findall(text)
    at = dice.randrange(len(tokens) + 1)
    return "".join(tokens[:at] + tokens[at + dice.choice((1, 1, 2, 5)) :])


def _double_tokens(text: str, dice: random.Random) -> str:
    tokens = _TOKEN.findall(text)
    at, more = dice.randrange(len(tokens) + 1), dice.choice((1, 2, 4))
    return "".join(tokens[:at] + tokens[at : at + more] * dice.choice((2, 3, 30)) + tokens[at + more :])


def _swap_tokens(text: str, dice: random.Random) -> str:
    tokens = _TOKEN.findall(text)
    if tokens:
        one, other = dice.randrange(len(tokens)), dice.randrange(len(tokens))
        tokens[one], tokens[other] = tokens[other], tokens[one]
    return "".join(tokens)


def _hostile_token(text: str, dice: random.Random) -> str:
    tokens = _TOKEN.findall(text)
    at = dice.randrange(len(tokens) + 1)
    return "".join([*tokens[:at], " ", dice.choice(HOSTILE_TOKENS), " ", *tokens[at + dice.choice((0, 1)) :]])


def _nest(text: str, dice: random.Random) -> str:
    inner, levels = text.partition("{")[2], dice.choice((2, 20, 400))
    return "{ nodes(ids: []) " * levels + "{" + inner + "}" * levels


def _twice(text: str, dice: random.Random) -> str:
    return text + "\n" + (text if dice.random() < 0.5 else "query Other { viewer { userId } }")


def _character(text: str, dice: random.Random) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + chr(dice.choice((0, 7, 34, 92, 123, 125, 0x85, 0xFEFF, 0x1F642, 0x10FFFF))) + text[at + 1 :]


_DOCUMENT: list[Callable[[str, random.Random], str]] = [
    _delete_tokens, _double_tokens, _swap_tokens, _hostile_token, _hostile_token, _nest, _twice, _character,
]  # fmt: skip


def _with_hostile_leaf(value: Any, dice: random.Random) -> Any:
    """The same with one part of it exchanged, taken away or added."""
    if isinstance(value, dict) and value and dice.random() < 0.8:
        name = dice.choice(list(value))
        match dice.randrange(6):
            case 0:
                return {key: item for key, item in value.items() if key != name}
            case 1:
                return {**value, dice.choice(("x", "clientKey", "after", "")): dice.choice(HOSTILE_VALUES)}
            case _:
                return {**value, name: _with_hostile_leaf(value[name], dice)}
    if isinstance(value, list) and value and dice.random() < 0.5:
        return [_with_hostile_leaf(value[0], dice), *value[1:]]
    return dice.choice(HOSTILE_VALUES)


def flipped(body: bytes, dice: random.Random) -> bytes:
    """The same with one to eight of its bits turned."""
    changed = bytearray(body)
    for _ in range(dice.choice((1, 2, 8))):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)


def _truncate(body: bytes, dice: random.Random) -> bytes:
    return body[: dice.randrange(len(body))]


def _cut_out(body: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(body))
    return body[:at] + body[at + dice.choice((1, 3, 20)) :]


def _repeat(body: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(body))
    return body[:at] + body[at : at + 40] * dice.choice((2, 50)) + body[at:]


def _raw_value(body: bytes, dice: random.Random) -> bytes:
    """A value that no JSON has, or that few can read, in the place of one."""
    places = [found.end() for found in re.finditer(rb":", body)] or [0]
    at = dice.choice(places)
    return body[:at] + dice.choice(RAW_VALUES) + re.sub(rb'^\s*("(?:[^"\\]|\\.)*"|[^,}\]]*)', b"", body[at:], count=1)


def _something_else(body: bytes, dice: random.Random) -> bytes:
    return dice.choice(
        [b"", b"null", b"[]", b'"text"', b"5", b"{}", b"[" + body + b"," + body + b"]", b"\x00", *RAW_VALUES]
    )


_BODY: list[Callable[[bytes, random.Random], bytes]] = [
    flipped, flipped, _truncate, _cut_out, _repeat, _raw_value, _raw_value, _something_else,
]  # fmt: skip


def _with_hostile_request(good: Broken, query: str, variables: Any, dice: random.Random) -> Broken:
    """The same with another header, by another method, or as a form."""
    match dice.randrange(4):
        case 0:
            parts = {
                "query": query,
                "variables": _json(variables).decode(),
                "operationName": dice.choice(("", "x", None)),
            }
            asked = urlencode(
                {name: text for name, text in parts.items() if text is not None and dice.random() < 0.9},
                errors="replace",
            )
            string = asked.encode() if dice.random() < 0.7 else flipped(asked.encode() + b"&", dice)
            return replace(good, body=b"", method="GET", query_string=string)
        case 1:
            return replace(good, method=dice.choice(("PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "BREW")))
        case 2:
            return _form(good, dice)
        case _:
            name = dice.choice(list(HOSTILE_HEADERS))
            kept = tuple(header for header in good.headers if header[0] != name or dice.random() < 0.3)
            return replace(good, headers=(*kept, (name, dice.choice(HOSTILE_HEADERS[name]))))


def _form(good: Broken, dice: random.Random) -> Broken:
    where = dice.choice(
        (b'{"0": ["variables.input.file"]}', b'{"0": ["variables"]}', b"[]", b"{}", b'{"0": 5}', b"\xff")
    )
    parts = [(b'name="operations"', good.body), (b'name="map"', where), (b'name="0"; filename="a.txt"', b"a text")]
    if dice.random() < 0.5:
        dice.shuffle(parts)
    body = b"".join(
        b"--b\r\nContent-Disposition: form-data; " + head + b"\r\n\r\n" + content + b"\r\n" for head, content in parts
    ) + (b"--b--\r\n" if dice.random() < 0.8 else b"--b")
    headers = ((b"content-type", b"multipart/form-data; boundary=b"), (b"x-colloquy-preflight", b"1"))
    return replace(good, body=flipped(body, dice) if dice.random() < 0.4 else body, headers=headers)
