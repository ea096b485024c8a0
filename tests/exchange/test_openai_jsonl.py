"""Lines of OpenAI's chat format: what is understood of them, and why one is refused."""

from typing import Any

import pytest

from app.core.errors import ValidationError
from app.exchange.files.lines import LONGEST_LINE_BYTES, Line
from app.exchange.formats.openai_jsonl import read_conversation
from app.messages.values import MessageRole
from tests.exchange.conversations import HELLO, LOOKED_UP, answers, calls, line, read, says

FIRST = says("user", "hello")


def refused(text: bytes, *, is_whole: bool = True, is_too_long: bool = False) -> str:
    with pytest.raises(ValidationError) as caught:
        read_conversation(Line(1, text, is_whole, is_too_long, len(text)))
    return caught.value.message


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"hello", "not JSON: Expecting value at character 1"),
        (b'{"messages": [', "not JSON: Expecting value at character 15"),
        (b'{"messages": "\xff"}', "not UTF-8: byte 15 of the line"),
        (b'"hello"', "it must be an object with messages, or a list of messages"),
        (b"{}", "it must be an object with messages, or a list of messages"),
        (b'{"messages": null}', "messages must be a list"),
        (b'{"messages": []}', "it has no messages"),
        (b"[]", "it has no messages"),
        (b"[" * 100_000, "it nests more than 64 levels deep"),
        (b'{"messages": [], "x": ' + b"[" * 70 + b"]" * 70 + b"}",
         "x" + "[0]" * 33 + " nests more than 64 levels deep"),
        (b'{"messages": [], "x": NaN}', "x contains a number too large for a double, which cannot be stored"),
        (
            b'{"messages": [], "x": [18446744073709551616]}',
            "x[0] contains a whole number of more than 64 bits, which cannot be stored",
        ),
        (b'{"messages": [], "x": ' + b"9" * 5_000 + b"}",
         "not JSON that can be stored: it has a number of thousands of digits"),
        (b'{"a\\u0000": 1}', "it (a key) contains the character U+0000, which cannot be stored"),
    ],
    ids=lambda value: None if isinstance(value, str) else value[:24].decode(errors="replace"),
)  # fmt: skip
def test_a_line_that_is_no_conversation_is_refused_with_the_reason(text: bytes, reason: str) -> None:
    assert refused(text) == reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("hello", "messages[1] must be an object"),
        ({"content": "x"}, "messages[1].role must be system, user, assistant, tool, not null"),
        (says("robot", "x"), 'messages[1].role must be system, user, assistant, tool, not "robot"'),
        (says("user", 7), "messages[1].content must be a string, not 7"),
        (says("user", {"text": "x" * 60}), 'messages[1].content must be a string, not {"text": "' + "x" * 29 + "…"),
        (says("user", None), "messages[1].content must not be empty"),
        (says("user", " \n"), "messages[1].content must not be empty"),
        (says("assistant", None), "messages[1].content must not be empty"),
        (says("user", "x" * 1_000_001), "messages[1].content has 1,000,001 characters; at most 1,000,000 are stored"),
        (says("user", "a\x00"), "messages[1].content contains the character U+0000, which cannot be stored"),
        (
            says("user", "\ud800"),
            "messages[1].content contains a lone surrogate (half of a UTF-16 pair), which cannot be stored",
        ),
        (says("user", [{"type": "text", "text": 7}]), "messages[1].content[0].text must be a string"),
        (says("user", ["x"]), "messages[1].content[0] must be an object with type and text"),
        (
            says("user", [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {}}]),
            'messages[1].content[1] is a part of type "image_url": only text can be taken',
        ),
        (says("user", "x", note="x" * 530_000),
         "messages[1].metadata is 530,011 bytes of JSON; at most 524,288 are stored"),
        (says("user", "x", tool_calls=[{}]), "messages[1].tool_calls: only an assistant's message calls tools"),
        (says("assistant", "x", tool_calls="y"), "messages[1].tool_calls must be a list"),
        (
            says("assistant", "x", tool_calls=[{"id": "a"}]),
            "messages[1].tool_calls[0] must be an object with a function: its name and arguments, both strings",
        ),
        (
            says("assistant", "x", tool_calls=[{"function": {"name": "look", "arguments": {}}}]),
            "messages[1].tool_calls[0] must be an object with a function: its name and arguments, both strings",
        ),
        (
            says("assistant", "x", tool_calls=[{"type": "custom", "custom": {}}]),
            'messages[1].tool_calls[0] is a call of type "custom": only function can be taken',
        ),
        (
            says("assistant", "x", tool_calls=[{"id": 7, "function": {"name": "look", "arguments": ""}}]),
            "messages[1].tool_calls[0].id must be a string, not 7",
        ),
        (calls("a", "a"), "messages[1].tool_calls: two calls of one message have the same id"),
        (calls(""), "messages[1].tool_calls[0].callId must not be empty"),
        (calls("a" * 256), "messages[1].tool_calls[0].callId has 256 characters; at most 255 are stored"),
        (
            calls("a", "b", arguments="x" * 8_001),
            "messages[1].tool_calls[0].arguments has 8,001 characters; at most 8,000 are stored",
        ),
        (calls(*map(str, range(129))), "messages[1].tool_calls has 129 members; at most 128 are stored"),
        (says("tool", "x", tool_call_id=7), "messages[1].tool_call_id must be a string, not 7"),
        (
            says("tool", "x", tool_call_id="a" * 256),
            "messages[1].tool_call_id has 256 characters; at most 255 are stored",
        ),
    ],
)  # fmt: skip
def test_a_message_that_cannot_be_stored_refuses_its_line_with_place_and_reason(message: object, reason: str) -> None:
    assert refused(line([FIRST, message])) == reason


def test_custom_data_that_cannot_be_stored_refuses_its_line() -> None:
    assert refused(line({"messages": [FIRST], "note": "x" * 530_000})) == (
        "customData is 530,011 bytes of JSON; at most 524,288 are stored"
    )


def test_a_line_that_was_cut_off_is_told_to_be() -> None:
    assert refused(b'{"messages": [{"role": "us', is_whole=False) == (
        "not JSON: Unterminated string starting at character 24; the line has no end, the file may have been cut off"
    )


def test_a_line_over_the_bound_is_refused() -> None:
    assert refused(b"[", is_too_long=True) == f"the line is longer than {LONGEST_LINE_BYTES:,} bytes"


def test_a_bare_list_of_messages_is_a_conversation() -> None:
    conversation = read([FIRST, says("assistant", "hi")])

    assert [message.content for message in conversation.messages] == ["hello", "hi"]
    assert conversation.custom_data == {}


def test_other_members_of_a_conversation_and_of_a_message_are_kept() -> None:
    conversation = read({"messages": [says("user", "hello", name="Amelia", weight=1)], "trial": 0, "reward": 0.5})

    assert conversation.custom_data == {"trial": 0, "reward": 0.5}
    assert conversation.messages[0].metadata == {"name": "Amelia", "weight": 1}


def test_text_parts_are_joined_line_by_line() -> None:
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]

    assert read([says("user", parts)]).messages[0].content == "one\ntwo"


def test_an_assistant_that_only_calls_tools_has_an_empty_content() -> None:
    message = read([FIRST, calls("a", arguments='{"x": 1}')]).messages[1]

    assert (message.role, message.content) == (MessageRole.ASSISTANT, "")
    assert [(call.name, call.arguments, call.call_id, call.result) for call in message.calls] == [
        ("look", '{"x": 1}', "a", None)
    ]


def results(*messages: dict[str, Any]) -> list[list[str | None]]:
    return [[call.result for call in one.calls] for one in read([FIRST, *messages]).messages if one.calls]


def test_a_call_gets_the_answer_with_its_id_in_whatever_order() -> None:
    assert results(calls("a", "b"), answers("b", "B"), answers("a", "")) == [["", "B"]]


def test_an_id_that_comes_again_means_the_nearest_call_before_the_answer() -> None:
    assert results(calls("a"), answers("a", "1"), calls("a"), answers("a", "2")) == [["1"], ["2"]]


def test_a_second_answer_goes_to_the_call_that_is_still_open() -> None:
    assert results(calls("a"), calls("a"), answers("a", "2"), answers("a", "1")) == [["1"], ["2"]]


def test_an_answer_to_no_call_is_a_message_like_any_other() -> None:
    conversation = read([FIRST, answers("z", "early"), calls("z"), says("tool", "of nobody")])

    assert [message.tool_call_id for message in conversation.messages] == [None, "z", None, None]
    assert conversation.messages[2].calls[0].result is None


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("  Where is\n my order? ", "Where is my order?"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("word " * 15 + "12345 more", ("word " * 15).strip() + "…"),
        ("word " * 15 + "1234 more", "word " * 15 + "1234…"),
    ],
)
def test_the_title_is_the_beginning_of_what_the_user_said(said: str, title: str) -> None:
    found = read([says("system", "Be kind."), says("user", said), says("user", "second")]).title

    assert found == title
    assert len(found) <= 80


def test_a_conversation_without_a_user_has_a_title_too() -> None:
    assert read([says("system", "Be kind.")]).title == "Imported conversation"


def test_the_digest_is_of_the_content_and_not_of_its_spelling() -> None:
    spelled = Line(1, b'{ "messages" :[{"content":"h\\u0065llo", "role":"user"}]}', True, False, 9)

    assert read_conversation(spelled).digest == read({"messages": [FIRST]}).digest
    assert read(HELLO).digest != read({**HELLO, "topic": "farewell"}).digest
    assert read(HELLO).digest != read(LOOKED_UP).digest
