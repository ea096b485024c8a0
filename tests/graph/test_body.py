"""Request bodies: any bytes are a value, or a refusal that names the member."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from app.core.errors import AppError, ErrorCode
from app.graph.body import BodyTooLarge, has_many_digits, parse_json, parse_request, whole_body

# Without the one letter that no text of PostgreSQL holds: where a body is read by Python's json, it is refused at once.
_texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
_json: Any = st.recursive(
    st.none()
    | st.booleans()
    | _texts
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_texts, inner, max_size=4),
    max_leaves=12,
)


@given(_json, st.booleans(), st.sampled_from([None, 2]))
def test_valid_json_is_what_python_reads(value: object, ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()

    assert parse_json(body) == json.loads(body) == value


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (r'"\ud83d"', "input"),
        (r'{"text": "a\udc00"}', "input.text"),
        (r'{"tags": ["fine", "\ud800x"]}', "input.tags[1]"),
        ("1e999", "input"),
        ('{"metadata": {"cost": [-1e999]}}', "input.metadata.cost[0]"),
    ],
)
def test_value_that_cannot_be_stored_is_refused_by_its_place(content: str, field: str) -> None:
    body = f'{{"query": "{{ a }}", "variables": {{"input": {content}}}}}'.encode()

    with pytest.raises(AppError) as refused:
        parse_request(body)

    assert (refused.value.code, refused.value.field) == (ErrorCode.VALIDATION_ERROR, field)


@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")], ids=["lists", "objects"])
def test_10_000_levels_are_refused_by_the_member_that_has_them(opening: str, closing: str) -> None:
    deep = opening * 10_000 + "1" + closing * 10_000
    body = f'{{"query": "{{ a }}", "variables": {{"metadata": {deep}}}}}'.encode()

    with pytest.raises(AppError) as refused:
        parse_request(body)

    assert refused.value.code == ErrorCode.VALIDATION_ERROR
    assert refused.value.field is not None
    assert refused.value.field.startswith("metadata")
    assert len(refused.value.message) < 200


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"{} x", b"\xff\xfe", b"\x00", b'{"query": "\xed\xa0\x80"}', b"nul", b"[" * 10_000, b'{"a":' * 10_000],
)
def test_what_is_not_json_is_refused(body: bytes) -> None:
    with pytest.raises(AppError):
        parse_json(body)


@given(st.binary() | st.text(alphabet='{}[]":,\\u0d8 e19-nul', max_size=40).map(str.encode))
def test_any_bytes_are_a_value_or_a_refusal(body: bytes) -> None:
    try:
        parse_request(body)
    except AppError as refused:
        assert refused.message.encode()  # noqa: PT017 - what is refused is not known beforehand


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("[]", None), ("1", None), ("{}", "query"), ('{"query": ""}', "query"), ('{"query": 1}', "query"),
        ('{"query": "{ a }", "variables": []}', "variables"),
        ('{"query": "{ a }", "operationName": 1}', "operationName"),
        ('{"query": "{ a }", "extensions": [1]}', "extensions"),
    ],
)  # fmt: skip
def test_body_that_is_no_request_is_refused_by_member(body: str, field: str | None) -> None:
    with pytest.raises(AppError) as refused:
        parse_request(body.encode())

    assert (refused.value.code, refused.value.field) == (ErrorCode.BAD_USER_INPUT, field)


def test_extensions_are_kept_as_they_come() -> None:
    asked = parse_request(b'{"query": "{ a }", "extensions": {"persistedQuery": {"version": 1}}, "other": 5}')

    assert asked.extensions == {"persistedQuery": {"version": 1}}
    assert parse_request(b'{"query": "{ a }", "extensions": null}').extensions is None


@pytest.mark.parametrize("digits", [25, 5_000])
def test_whole_number_of_many_digits_is_refused_or_read_as_it_is(digits: int) -> None:
    body = b'{"query": "{ a }", "variables": {"input": ' + b"9" * digits + b"}}"

    try:
        found = parse_request(body)
    except AppError:
        return
    assert found.variables == {"input": float("9" * digits)}


def _receiving(*messages: Message) -> Receive:
    """What an app is given to read a body by."""
    left = list(messages)

    async def receive() -> Message:
        return left.pop(0)

    return receive


def _piece(body: bytes, *, more: bool) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


@pytest.mark.parametrize("pieces", [[b""], [b"abcdef"], [b"abc", b"def"], [b"", b"abc", b"", b"def", b""]])
async def test_a_body_is_read_to_its_end(pieces: list[bytes]) -> None:
    messages = [_piece(piece, more=number < len(pieces)) for number, piece in enumerate(pieces, 1)]

    assert await whole_body(_receiving(*messages), 6) == b"".join(pieces)


@pytest.mark.parametrize("pieces", [[b"abcdefg"], [b"abcdef", b"g"]])
async def test_a_body_that_proves_too_long_is_not_read_to_its_end(pieces: list[bytes]) -> None:
    messages = [_piece(piece, more=True) for piece in pieces]

    with pytest.raises(BodyTooLarge):
        await whole_body(_receiving(*messages), 6)


async def test_who_leaves_within_a_body_is_not_answered() -> None:
    with pytest.raises(ClientDisconnect):
        await whole_body(_receiving(_piece(b"abc", more=True), {"type": "http.disconnect"}), 6)


@given(st.from_regex(rb'[0-9a-c"\xb2\xd9-]{0,40}', fullmatch=True))
def test_numbers_of_many_digits_are_noticed(body: bytes) -> None:
    assert has_many_digits(body) == (re.search(rb"[0-9]{19}", body) is not None)
