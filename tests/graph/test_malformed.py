"""Whatever bytes come, the answer is JSON that says what is wrong with them, under an id, and never a fault."""

import asyncio
import json
import re
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.graph.wire import PATIENCE_SECONDS, Wire, wire

GOOD = b'{"query": "{ me }"}'
FORM = b"multipart/form-data; boundary=xyz"


@dataclass(frozen=True)
class Heard:
    """An answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The code of its first error; every one names the request's correlation id."""
        if not self.body:
            return ""
        errors = json.loads(self.body).get("errors", [])
        assert {error["extensions"]["correlationId"] for error in errors} <= {self.headers["x-correlation-id"]}
        assert all(error["message"] for error in errors)
        return errors[0]["extensions"]["code"] if errors else ""


async def said(served: Wire, request: bytes) -> Heard:
    """What is answered to the bytes of a request, after which the client says no more."""
    name, port = served.host.split(":")
    reader, writer = await asyncio.open_connection(name, int(port))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").strip().split("\r\n")
            headers = {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
            size = 0 if request.startswith(b"HEAD") else int(headers.get("content-length", "0"))
            return Heard(int(first.split()[1]), headers, await reader.readexactly(size))
    finally:
        writer.close()


def post(body: bytes, content_type: bytes | None = b"application/json", *headers: bytes) -> bytes:
    """The bytes of a POST."""
    typed = () if content_type is None else (b"Content-Type: " + content_type,)
    lines = (b"POST /graphql HTTP/1.1", b"Host: localhost", b"Content-Length: %d" % len(body), *typed, *headers)
    return b"\r\n".join((*lines, b"", body))


def ask(target: bytes, method: bytes = b"GET", *headers: bytes) -> bytes:
    """The bytes of a request without a body."""
    return b"\r\n".join((method + b" /graphql" + target + b" HTTP/1.1", b"Host: localhost", *headers, b"", b""))


def chunked(*pieces: bytes) -> bytes:
    """The bytes of a POST whose length is not told."""
    head = ask(b"", b"POST", b"Content-Type: application/json", b"Transfer-Encoding: chunked")
    return head + b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def asked(**members: Any) -> bytes:
    """The bytes of a POST of JSON."""
    return post(json.dumps({"query": "{ me }", **members}).encode())


def form(body: bytes, content_type: bytes = FORM) -> bytes:
    """The bytes of a POST of a form that says it is meant."""
    return post(body, content_type, b"X-Colloquy-Preflight: 1")


def field(name: bytes, content: bytes) -> bytes:
    """A part of a form."""
    return b'--xyz\r\nContent-Disposition: form-data; name="' + name + b'"\r\n\r\n' + content + b"\r\n"


WRONG = (400, "BAD_USER_INPUT")
INVALID = (400, "VALIDATION_ERROR")
TYPE = (415, "BAD_USER_INPUT")
METHOD = (405, "BAD_USER_INPUT")
LARGE = (413, "LIMIT_EXCEEDED")

BODIES = {
    "nothing": (b"", WRONG),
    "null": (b"null", WRONG),
    "a number": (b"5", WRONG),
    "a text": (b'"text"', WRONG),
    "a list": (b"[]", WRONG),
    "a batch": (b"[" + GOOD + b"," + GOOD + b"]", WRONG),
    "an empty object": (b"{}", WRONG),
    "no query": (b'{"qeury": "{ me }"}', WRONG),
    "cut": (GOOD[:-1], WRONG),
    "two values": (GOOD + GOOD, WRONG),
    "a comment": (b"/**/" + GOOD, WRONG),
    "single quotes": (GOOD.replace(b'"', b"'"), WRONG),
    "no UTF-8": (b'{"query": "{ me \xff }"}', WRONG),
    "bytes": (bytes(range(256)), WRONG),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD, WRONG),
    "UTF-16": (GOOD.decode().encode("utf-16"), WRONG),
    "UTF-16 without a mark": (GOOD.decode().encode("utf-16-le"), WRONG),
    "UTF-32": (GOOD.decode().encode("utf-32"), WRONG),
    "a surrogate as UTF-8": (b'{"query": "{ me }", "variables": {"a": "\xed\xa0\x80"}}', WRONG),
    "a lone surrogate": (rb'{"query": "{ me }", "variables": {"a": "\ud800"}}', INVALID),
    "a lone surrogate as a name": (rb'{"query": "{ me }", "variables": {"\udfff": 1}}', INVALID),
    "a lone surrogate in the query": (rb'{"query": "{ me } \ud800"}', INVALID),
    "the character 0": (rb'{"query": "{ me\u0000 }"}', WRONG),
    "100,000 brackets": (b"[" * 100_000, INVALID),
    "100,000 braces": (b'{"a":' * 100_000, INVALID),
    "100,000 brackets in a variable": (
        b'{"query": "{ me }", "variables": {"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}}", INVALID,
    ),
    "100,000 brackets in the document": (b'{"query": "' + b"{a" * 100_000 + b'"}', (400, "LIMIT_EXCEEDED")),
    "a number beyond 64 bits": (b'{"query": "{ me }", "variables": {"a": ' + b"9" * 30 + b"}}", INVALID),
    "a number of 5,000 digits": (b'{"query": "{ me }", "variables": {"a": ' + b"9" * 5000 + b"}}", WRONG),
    "a number beyond a double": (b'{"query": "{ me }", "variables": {"a": -1e999}}', INVALID),
    "no number": (b'{"query": "{ me }", "variables": {"a": NaN}}', INVALID),
    "the first query of two": (b'{"query": "{ me }", "query": "{"}', WRONG),
    "a document that ends early": (b'{"query": "{"}', WRONG),
    "a field that is not there": (b'{"query": "{ nonsense }"}', WRONG),
    "no operation": (b'{"query": "fragment F on Query { me }"}', WRONG),
    "two operations": (b'{"query": "query A { me } query B { me }"}', WRONG),
    "two operations without a name": (b'{"query": "{ me } { me }"}', WRONG),
    "another operation": (b'{"query": "query A { me }", "operationName": "B"}', WRONG),
    "a subscription": (b'{"query": "subscription { patience }"}', (406, "BAD_USER_INPUT")),
}  # fmt: skip
MEMBERS = {
    f"{name}: {value!r}": (asked(**{name: value}), WRONG)
    for name in ("query", "variables", "operationName", "extensions")
    for value in (5, 1.5, True, ["{ me }"], {"a": 1} if name in ("query", "operationName") else "x")
}  # fmt: skip
HEADERS = {
    "no type": (post(GOOD, None), TYPE),
    "an empty type": (post(GOOD, b""), TYPE),
    "half a type": (post(GOOD, b"application"), TYPE),
    "a malformed type": (post(GOOD, b"application/json/json"), TYPE),
    "a type of bytes": (post(GOOD, b"\xff\xfe/\x80"), TYPE),
    "two types in a line": (post(GOOD, b"application/json, text/plain"), TYPE),
    "two types": (post(GOOD, b"application/json", b"Content-Type: text/plain"), TYPE),
    "a form's type": (post(b"query=%7Bme%7D", b"application/x-www-form-urlencoded"), TYPE),
    "text": (post(GOOD, b"text/plain"), TYPE),
    "a GraphQL document": (post(b"{ me }", b"application/graphql"), TYPE),
    "UTF-16 by the type": (post(GOOD.decode().encode("utf-16"), b"application/json; charset=utf-16"), TYPE),
    "an unknown charset": (post(GOOD, b'application/json; charset="nonsense"'), TYPE),
    "no charset": (post(GOOD, b"application/json;charset="), TYPE),
    "gzip": (post(GOOD, b"application/json", b"Content-Encoding: gzip"), TYPE),
    "two encodings": (post(GOOD, b"application/json", b"Content-Encoding: identity", b"Content-Encoding: br"), TYPE),
    "nothing that is sent here": (post(GOOD, b"application/json", b"Accept: image/png"), (406, "BAD_USER_INPUT")),
    "a user who is none": (post(GOOD, b"application/json", b"X-Colloquy-User: a b"), (401, "UNAUTHENTICATED")),
    "too much": (post(b" " * 5000 + GOOD), LARGE),
    "too much in chunks": (chunked(*[b" " * 100] * 50, GOOD), LARGE),
    "too much that is cut": (ask(b"", b"POST", b"Content-Type: application/json", b"Content-Length: 9999999")
                             + b" " * 5000, LARGE),
}  # fmt: skip
FORMS = {
    "a form that any page could send": (post(b"--xyz--\r\n", FORM), (403, "FORBIDDEN")),
    "an empty form": (form(b""), WRONG),
    "a form of nothing": (form(b"--xyz--\r\n"), WRONG),
    "a form without a boundary": (form(b"--xyz--\r\n", b"multipart/form-data"), WRONG),
    "a form with an endless boundary": (form(b"--xyz--\r\n", b"multipart/form-data; boundary=" + b"x" * 500), WRONG),
    "no form": (form(b"hello"), WRONG),
    "a form that is cut": (form(field(b"operations", GOOD) + field(b"map", b"{}")), WRONG),
    "a form without a map": (form(field(b"operations", GOOD) + b"--xyz--\r\n"), WRONG),
    "a form of a batch": (form(field(b"operations", b"[]") + field(b"map", b"{}") + b"--xyz--\r\n"), WRONG),
    "a form with no JSON": (form(field(b"operations", b"{") + field(b"map", b"{}") + b"--xyz--\r\n"), WRONG),
    "a map that is none": (form(field(b"operations", GOOD) + field(b"map", b"[]") + b"--xyz--\r\n"), WRONG),
    "a form too long": (form(field(b"operations", b" " * 5000)), LARGE),
}
METHODS = {
    f"by {method.decode()}": (ask(b"?query=%7Bme%7D", method), METHOD)
    for method in (b"HEAD", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"PROPFIND")
}
URLS = {
    "no query by GET": (ask(b""), WRONG),
    "a mutation by GET": (ask(b"?query=mutation%7Bsay(input:%7Btext:%22a%22%7D)%7Bsaid%7D%7D"), METHOD),
    "a subscription by GET": (ask(b"?query=subscription%7Bpatience%7D"), METHOD),
    "a stream by GET": (ask(b"?query=%7Bme%7D", b"GET", b"Accept: text/event-stream"), METHOD),
    "a query twice": (ask(b"?query=%7Bme%7D&query=%7Bcorrelation%7D"), WRONG),
    "no UTF-8 by GET": (ask(b"?query=%7Bme%FF%7D"), WRONG),
    "a surrogate by GET": (ask(b"?query=%7Bme%7D&variables=%7B%22a%22:%22%ED%A0%80%22%7D"), WRONG),
    "a lone surrogate by GET": (ask(b"?query=%7Bme%7D&variables=%7B%22a%22:%22%5Cud800%22%7D"), INVALID),
    "variables that are no JSON": (ask(b"?query=%7Bme%7D&variables=%7B"), WRONG),
    "variables that are no object": (ask(b"?query=%7Bme%7D&variables=5"), WRONG),
    "extensions that are no object": (ask(b"?query=%7Bme%7D&extensions=%5B%5D"), WRONG),
    "brackets by GET": (ask(b"?query=%7Bme%7D&variables=" + b"[" * 20_000), INVALID),
    "a URL of 40,000 characters": (ask(b"?query=%7Bme%7D&x=" + b"x" * 40_000), (414, "LIMIT_EXCEEDED")),
}
REFUSED = {
    **{what: (post(body), refusal) for what, (body, refusal) in BODIES.items()},
    **MEMBERS, **HEADERS, **FORMS, **METHODS, **URLS,
}  # fmt: skip
"""Requests with the status and the code that they are refused with."""

TAKEN = {
    "JSON": post(GOOD),
    "JSON in a type of capitals": post(GOOD, b'APPLICATION/JSON ; Charset="UTF-8"; odd=1'),
    "JSON with nothing done to it": post(GOOD, b"application/json", b"Content-Encoding: identity"),
    "JSON in chunks": chunked(GOOD[:3], GOOD[3:]),
    "nulls": asked(variables=None, operationName=None, extensions=None),
    "extensions": asked(extensions={"unknown": {"a": [1]}}),
    "members nobody knows": asked(id=5, doc_id="x"),
    "the last query of two": post(b'{"query": "{", "query": "{ me }"}'),
    "an id that is none": post(GOOD, b"application/json", b"X-Correlation-Id: <script>"),
    "an endless Accept": post(GOOD, b"application/json", b"Accept: " + b"a/b;q=0.1," * 2000 + b"*/*"),
    "a GET": ask(b"?query=%7Bme%7D&operationName=&variables=&extensions=%7B%7D&other=1"),
    "a GET with null": ask(b"?query=%7Bme%7D&variables=null&extensions=null"),
    "a GET with variables": ask(b"?query=query($a:Boolean!)%7Bme+@skip(if:$a)%7D&variables=%7B%22a%22:false%7D"),
}
NO_HTTP = {
    "two lengths": post(GOOD, b"application/json", b"Content-Length: 5"),
    "a length that is none": ask(b"", b"POST", b"Content-Type: application/json", b"Content-Length: many"),
    "a length and chunks": post(GOOD, b"application/json", b"Transfer-Encoding: chunked"),
    "a URL of 100,000 characters": ask(b"?query=%7Bme%7D&x=" + b"x" * 100_000),
    "no HTTP": b"hello\r\n\r\n",
    "a header without a name": ask(b"", b"GET", b": nothing"),
    "a method nobody knows": ask(b"", b"NONSENSE"),
}
"""What the server beneath refuses, before there is a request."""


async def test_what_is_wrong_with_a_request_is_told() -> None:
    async with wire(max_body_bytes=4096) as small, wire() as served:
        found = {}
        for what, (request, _) in REFUSED.items():
            heard = await said(small if "too " in what else served, request)
            found[what] = (heard.status, heard.code or "BAD_USER_INPUT")
            assert heard.headers["content-type"] == "application/json; charset=utf-8", what
            assert (heard.headers.get("allow") == "GET, POST") is (heard.status == 405), what
            assert len(heard.headers["x-correlation-id"]) == 36, what
        taken = {what: (await said(served, request)).body for what, request in TAKEN.items()}
        beneath = {what: (await said(served, request)).status for what, request in NO_HTTP.items()}

        assert found == {what: refusal for what, (_, refusal) in REFUSED.items()}
        assert taken == dict.fromkeys(TAKEN, b'{"data":{"me":"system@default"}}')
        assert beneath == dict.fromkeys(NO_HTTP, 400)
        assert served.running.started == small.running.started == 0
        await served.is_quiet()


async def test_what_415_and_401_are_about_is_in_a_header() -> None:
    async with wire() as served:
        gzip, text, nobody = [
            (await said(served, HEADERS[what][0])).headers for what in ("gzip", "text", "a user who is none")
        ]

    assert (gzip["accept-encoding"], text["accept"]) == ("identity", "application/json")
    assert nobody["www-authenticate"] == "Bearer"


_LINES = st.sampled_from(["Accept", "Content-Type", "Content-Encoding", "X-Correlation-Id", "Authorization", "Origin"])
_VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=60)


async def test_any_headers_and_any_body_are_answered() -> None:
    async with wire() as served:
        loop = asyncio.get_running_loop()
        await asyncio.to_thread(_say_anything, loop, served)
        await served.is_quiet()


def _say_anything(loop: asyncio.AbstractEventLoop, served: Wire) -> None:
    @settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(_LINES, _VALUES), max_size=4), st.binary(max_size=80) | st.just(GOOD))
    def check(lines: list[tuple[str, str]], body: bytes) -> None:
        headers = [f"{name}: {value}".encode("latin-1") for name, value in lines]
        heard = asyncio.run_coroutine_threadsafe(said(served, post(body, None, *headers)), loop).result(30)
        assert 200 <= heard.status < 500
        assert re.match(rb'\{"(data|errors)":', heard.body)

    check()
