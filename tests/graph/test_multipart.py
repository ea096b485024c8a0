"""Operations with files: read as the specification says, and refused with a reason where they are not so."""

import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import AppError
from app.graph.forms import FormLimits, read_form
from tests.client import GraphQLClient
from tests.worlds import stored

UPLOAD = """mutation ($input: UploadAttachmentInput!) { uploadAttachment(input: $input) {
success error { code field } attachment { fileName size } } }"""
INPUT = {"messageId": "TWVzc2FnZQ==", "file": None}
OPERATIONS = json.dumps({"query": UPLOAD, "variables": {"input": INPUT}})
MAP = '{"0": ["variables.input.file"]}'

FORM = "multipart/form-data; boundary=xyz"
LIMITS = FormLimits(field_bytes=1000, fields=2, files=2)


def field(name: str, content: str) -> bytes:
    """A part that is no file."""
    return f'--xyz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{content}\r\n'.encode()


def file(name: str, content: bytes = b"abc") -> bytes:
    """A part that is one."""
    head = f'--xyz\r\nContent-Disposition: form-data; name="{name}"; filename="a.txt"\r\n\r\n'
    return head.encode() + content + b"\r\n"


END = b"--xyz--\r\n"
GOOD = field("operations", OPERATIONS) + field("map", MAP) + file("0") + END


async def sent(client: GraphQLClient, body: Any, content_type: str = FORM, **headers: str) -> tuple[int, Any]:
    """Status and answer of a body."""
    chosen = {"Content-Type": content_type, "Apollo-Require-Preflight": "true", **headers}
    response = await client.http.post("/graphql", content=body, headers=chosen)
    return response.status_code, response.json()


def operations(query: str, variables: object) -> bytes:
    """The first field of a form."""
    return field("operations", json.dumps({"query": query, "variables": variables}))


async def test_a_file_takes_the_place_of_its_null(client: GraphQLClient) -> None:
    status, answer = await sent(client, GOOD)

    assert (status, answer["data"]["uploadAttachment"]["error"]["field"]) == (200, "messageId")


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_a_form_is_the_same_in_whatever_pieces_it_comes(size: int) -> None:
    content = b"\r\n--xy\r\n-\r\n--x" * 3

    async def pieces() -> AsyncIterator[bytes]:
        body = field("a", "text") + file("b", content) + END
        for start in range(0, len(body), size):
            yield body[start : start + size]

    with ExitStack() as closing:
        form = await read_form(FORM, pieces(), LIMITS, closing)

        assert form.fields == {"a": b"text"}
        assert await form.files["b"].content() == content
        assert form.files["b"].file_name == "a.txt"


async def test_a_form_that_any_page_could_send_is_refused(client: GraphQLClient, dsn: str) -> None:
    before = await stored(dsn)

    response = await client.http.post(
        "/graphql", content=GOOD, headers={"Content-Type": FORM, "X-Colloquy-User": "alice"}
    )
    del client.http.headers["X-Colloquy-User"]
    refused = await client.http.post("/graphql", content=GOOD, headers={"Content-Type": FORM})

    assert response.status_code == 200
    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
    assert await stored(dsn) == before


MALFORMED = {
    "nothing": b"",
    "only the end": END,
    "not a form": b"hello",
    "another boundary": GOOD.replace(b"--xyz", b"--abc"),
    "cut in a file": GOOD[:-20],
    "cut before the end": GOOD[: -len(END)],
    "cut in a header": GOOD[:20],
    "no map": field("operations", OPERATIONS) + file("0") + END,
    "no operations": field("map", MAP) + file("0") + END,
    "map before operations": field("map", MAP) + field("operations", OPERATIONS) + file("0") + END,
    "a part without a name": field("operations", OPERATIONS)
    + b"--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n"
    + END,
    "a part without headers": field("operations", OPERATIONS) + b"--xyz\r\n\r\nx\r\n" + END,
    "two operations": field("operations", OPERATIONS) * 2 + field("map", MAP) + file("0") + END,
    "two files of a name": GOOD[: -len(END)] + file("0") + END,
    "a file that is not mapped": GOOD[: -len(END)] + file("1") + END,
    "a file that does not come": field("operations", OPERATIONS) + field("map", MAP) + END,
    "too many fields": GOOD[: -len(END)] + field("other", "x") + END,
    "too many files": GOOD[: -len(END)] + b"".join(file(f"f{n}") for n in range(20)) + END,
    "endless headers": b"--xyz\r\n" + b"A: b\r\n" * 100 + b"\r\nx\r\n" + END,
    "an endless header": b"--xyz\r\nA: " + b"b" * 100_000 + b"\r\n\r\nx\r\n" + END,
    "operations that are no JSON": field("operations", "{") + field("map", MAP) + file("0") + END,
    "a batch": field("operations", f"[{OPERATIONS}]")
    + field("map", '{"0": ["0.variables.input.file"]}')
    + file("0")
    + END,
    "a file of no name": field("operations", OPERATIONS)
    + field("map", '{"": ["variables.input.file"]}')
    + file("")
    + END,
}

MAPS = [
    "", "[]", "null", "5", '{"0": "variables.input.file"}', '{"0": []}', '{"0": [5]}', '{"0": [""]}', '{"0": ["."]}',
    '{"0": ["variables"]}', '{"0": ["variables."]}', '{"0": ["variables.input"]}', '{"0": ["variables.input.other"]}',
    '{"0": ["variables.input.file.0"]}', '{"0": ["variables.input.messageId"]}', '{"0": ["query"]}',
    '{"0": ["variables.input.messageId.0"]}', '{"0": ["variables.input.file", "variables.input.file"]}',
    '{"0": ["variables.input.file"], "1": ["variables.input.file"]}', '{"0": ["operations.variables.input.file"]}',
    '{"0": ["variables.__class__"]}', '{"0": ["variables.0"]}', '{"0": ["variables.input.' + "file." * 5000 + '"]}',
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
async def test_what_is_no_multipart_request_is_refused(client: GraphQLClient, body: bytes) -> None:
    status, answer = await sent(client, body)

    (error,) = answer["errors"]
    assert (status, error["extensions"]["code"]) in [(400, "BAD_USER_INPUT"), (413, "LIMIT_EXCEEDED")]
    assert "data" not in answer


@pytest.mark.parametrize("mapped", MAPS, ids=range(len(MAPS)))
async def test_a_map_that_leads_nowhere_is_refused(client: GraphQLClient, mapped: str) -> None:
    body = field("operations", OPERATIONS) + field("map", mapped) + file("0") + END

    status, answer = await sent(client, body)

    (error,) = answer["errors"]
    assert (status, error["extensions"]["code"]) == (400, "BAD_USER_INPUT")


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data", "multipart/form-data; boundary=", 'multipart/form-data; boundary="' + "x" * 300 + '"'],
)
async def test_a_form_without_a_boundary_is_refused(client: GraphQLClient, content_type: str) -> None:
    status, answer = await sent(client, GOOD, content_type)

    assert (status, answer["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")


CREATE = "mutation ($input: CreateSessionInput!) { createSession(input: $input) { success } }"


@pytest.mark.parametrize(
    ("query", "variables", "path"),
    [
        (CREATE, {"input": {"customData": None}}, "input.customData"),
        (CREATE, {"input": {"customData": {"deep": [None]}}}, "input.customData.deep.0"),
        (CREATE, {"input": {"title": None}}, "input.title"),
        (CREATE, {"input": {"tags": [None]}}, "input.tags.0"),
        (CREATE, {"input": {}, "other": None}, "other"),
        ("{ viewer { userId } }", {"file": None}, "file"),
        ("query ($file: Upload!) { viewer { userId } }", {"file": [None]}, "file.0"),
    ],
)
async def test_files_stand_only_where_an_upload_is_asked_for(
    client: GraphQLClient, dsn: str, query: str, variables: object, path: str
) -> None:
    before = await stored(dsn)
    body = operations(query, variables) + field("map", json.dumps({"0": [f"variables.{path}"]})) + file("0") + END

    status, answer = await sent(client, body)

    (error,) = answer["errors"]
    assert (status, error["extensions"]["code"]) == (400, "BAD_USER_INPUT")
    assert await stored(dsn) == before


@pytest.mark.parametrize("value", ["text", 5, None, {"name": "a.txt"}])
async def test_an_upload_is_nothing_but_a_file(client: GraphQLClient, value: object) -> None:
    response = await client.post(UPLOAD, {"input": {"messageId": "x", "file": value}})

    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (400, "BAD_USER_INPUT")


async def test_fields_are_bounded_as_bodies_are(client: GraphQLClient) -> None:
    status, answer = await sent(client, field("operations", "x" * 9_000_000) + END)

    assert (status, answer["errors"][0]["extensions"]["code"]) == (413, "LIMIT_EXCEEDED")


@given(
    st.lists(
        st.sampled_from([b"--xyz", b"--", b"\r\n", b"\r", b"\n", b"a", b": ", b'form-data; name="a"', b'; filename="b"',
                         b"Content-Disposition", b"\x00", b"\xff", END, file("c"), field("d", "x")]),
        max_size=30,
    )
)  # fmt: skip
async def test_any_body_is_a_form_or_a_refusal(parts: list[bytes]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    with ExitStack() as closing:
        try:
            form = await read_form(FORM, pieces(), LIMITS, closing)
        except AppError as refused:
            assert refused.hint  # noqa: PT017 - what is refused is not known beforehand
        else:
            assert len(form.fields) <= 2
