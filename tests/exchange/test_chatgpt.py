"""Conversations of ChatGPT exports: what is understood of them, and why one is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.errors import ValidationError
from app.exchange.values import Conversation
from app.messages.values import MessageRole
from app.sessions.values import SessionStatus
from tests.exchange.exports import BEGUN, branched, chat, node, silent, understood


def refused(found: object) -> str:
    with pytest.raises(ValidationError) as caught:
        understood(found)
    return caught.value.message


def shape(conversation: Conversation) -> list[tuple[str, int | None, bool]]:
    """Of each message its text, whom it answers, and whether the conversation goes on from it."""
    return [(message.content, message.parent, message.is_active) for message in conversation.messages]


def content_of(kind: str, **members: Any) -> tuple[str, dict[str, Any]] | None:
    """The text and the rest of a message with such a content; None where it says nothing."""
    said = node("b", "a", "assistant", content={"content_type": kind, **members}, status=None, weight=None)
    said["message"]["recipient"] = None
    messages = understood(chat(node("a", None), said)).messages
    if len(messages) == 1:
        return None
    return messages[1].content, {name: value for name, value in messages[1].metadata.items() if name != "node_id"}


def test_branches_and_the_way_through_them_are_kept_in_the_order_of_time() -> None:
    conversation = understood(branched())

    assert shape(conversation) == [
        ("question", None, True), ("first", 0, True), ("second", 0, False), ("more", 1, True),
    ]  # fmt: skip
    assert [message.generation.model for message in conversation.messages] == [None, "gpt-4o-mini", None, None]
    assert conversation.messages[0].created_at == datetime.fromtimestamp(BEGUN + 1, UTC)


def test_a_conversation_keeps_what_it_is_filed_under() -> None:
    conversation = understood({**branched(), "is_archived": True, "gizmo_id": "g-1"})

    assert (conversation.title, conversation.model, conversation.status) == (
        "Lisbon", "gpt-4o", SessionStatus.ARCHIVED,
    )  # fmt: skip
    assert conversation.created_at == datetime.fromtimestamp(BEGUN, UTC)
    assert conversation.updated_at == datetime.fromtimestamp(BEGUN + 100, UTC)
    assert conversation.custom_data == {
        "conversation_id": "c1", "id": "c1", "default_model_slug": "gpt-4o", "is_archived": True, "gizmo_id": "g-1",
    }  # fmt: skip


def test_nodes_that_say_nothing_are_passed_over_and_those_below_them_move_up() -> None:
    conversation = understood(
        chat(
            silent("root", None),
            node("hidden", "root", "system", ""),
            node("a", "hidden"),
            silent("gap", "a"),
            node("blank", "gap", "assistant", " \n"),
            node("b", "blank", "assistant"),
            silent("end", "b"),
        )
    )

    assert shape(conversation) == [("a", None, True), ("b", 0, True)]


def test_several_roots_and_parents_that_do_not_exist_are_roots() -> None:
    conversation = understood(chat(node("a", None), node("b", "nowhere"), node("c", "a", "assistant")))

    assert shape(conversation) == [("a", None, True), ("c", 0, True), ("b", None, False)]


def test_a_parent_that_is_not_named_is_found_by_its_children() -> None:
    found = branched()
    for one in found["mapping"].values():
        del one["parent"]

    assert shape(understood(found)) == shape(understood(branched()))


def test_parents_come_first_whatever_their_times_and_places_say() -> None:
    conversation = understood(
        chat(node("c", "b", at=BEGUN + 1), node("a", None, at=BEGUN + 50), node("b", "a", "assistant", at=BEGUN))
    )

    assert shape(conversation) == [("a", None, True), ("b", 0, True), ("c", 1, False)]


@pytest.mark.parametrize("current", [None, "nowhere", 7])
def test_without_a_current_node_it_goes_on_from_the_last(current: object) -> None:
    found = {**branched(), "current_node": current}

    assert shape(understood(found))[-1] == ("more", 1, True)


def test_a_chain_of_ten_thousand_is_read_without_recursion() -> None:
    nodes = [node("0", None), *(node(f"{n}", f"{n - 1}") for n in range(1, 10_000))]

    conversation = understood(chat(*reversed(nodes)))

    assert [message.parent for message in conversation.messages] == [None, *range(9_999)]


@pytest.mark.parametrize(
    ("at", "moment"),
    [
        (1_700_000_001, 1_700_000_001.0),
        ("1700000001.25", 1_700_000_001.25),
        (None, BEGUN),
        (float("nan"), BEGUN),
        (float("inf"), BEGUN),
        (-5, BEGUN),
        (0, BEGUN),
        (1e18, BEGUN),
        ("yesterday", BEGUN),
        (True, BEGUN),
        ([1], BEGUN),
    ],
)
def test_a_time_that_is_none_is_that_of_the_conversation(at: object, moment: float) -> None:
    (message,) = understood(chat(node("a", None, at=at))).messages

    assert message.created_at == datetime.fromtimestamp(moment, UTC)


def test_a_message_without_a_time_has_that_of_what_it_answers() -> None:
    conversation = understood(chat(node("a", None, at=BEGUN + 7), node("b", "a", "assistant")))

    assert [message.created_at for message in conversation.messages] == [datetime.fromtimestamp(BEGUN + 7, UTC)] * 2


def test_everything_may_be_missing_but_who_speaks_and_what() -> None:
    conversation = understood(
        {"mapping": {"a": {"message": {"author": {"role": "user"}, "content": {"parts": ["hi"]}}}, "b": None, "c": {}}}
    )

    assert shape(conversation) == [("hi", None, True)]
    assert (conversation.title, conversation.model, conversation.custom_data) == ("hi", None, {})
    assert (conversation.created_at, conversation.messages[0].created_at) == (None, None)
    assert conversation.messages[0].metadata == {"node_id": "a"}


@pytest.mark.parametrize(
    ("kind", "members", "text", "rest"),
    [
        ("text", {"parts": ["one", "", "two"]}, "one\ntwo", {}),
        ("code", {"language": "python", "text": "1 + 1"}, "1 + 1", {"content": {"language": "python"}}),
        ("execution_output", {"text": "2"}, "2", {}),
        (
            "multimodal_text",
            {"parts": ["what is this?", {"content_type": "image_asset_pointer", "asset_pointer": "file-service://f1",
                                         "width": 640}]},
            "what is this?",
            {"assets": [{"content_type": "image_asset_pointer", "asset_pointer": "file-service://f1", "width": 640}]},
        ),
        (
            "multimodal_text", {"parts": [{"content_type": "image_asset_pointer", "asset_pointer": "sediment://f1"}]},
            "[image]",
            {"content_type": "multimodal_text",
             "assets": [{"content_type": "image_asset_pointer", "asset_pointer": "sediment://f1"}]},
        ),
        (
            "multimodal_text",
            {"parts": [{"content_type": "audio_transcription", "text": "hello", "direction": "in"}]},
            "hello",
            {"assets": [{"content_type": "audio_transcription", "direction": "in"}]},
        ),
        (
            "tether_quote", {"title": "Trains", "url": "https://example.org", "text": "9:05", "domain": "example.org"},
            "Trains\nhttps://example.org\n9:05",
            {"content_type": "tether_quote", "content": {"domain": "example.org"}},
        ),
        (
            "tether_browsing_display", {"result": "L1: Trains", "summary": None, "assets": []}, "L1: Trains",
            {"content_type": "tether_browsing_display"},
        ),
        (
            "user_editable_context", {"user_profile": "I am Amelia.", "user_instructions": "Be brief."},
            "I am Amelia.\nBe brief.", {"content_type": "user_editable_context"},
        ),
        (
            "thoughts",
            {"thoughts": [{"summary": "Trains", "content": "Look them up.", "chunks": ["Look ", "them up."],
                           "finished": True}],
             "source_analysis_msg_id": "x"},
            "Trains\nLook them up.",
            {"content_type": "thoughts",
             "content": {"thoughts": [{"finished": True}], "source_analysis_msg_id": "x"}},
        ),
        ("reasoning_recap", {"content": "Thought for 5s"}, "Thought for 5s", {"content_type": "reasoning_recap"}),
        ("hologram", {"rays": [1, 2]}, "[hologram]", {"content_type": "hologram", "content": {"rays": [1, 2]}}),
        ("hologram", {"text": "hi", "rays": 3}, "hi", {"content_type": "hologram", "content": {"rays": 3}}),
    ],
    ids=lambda value: value if isinstance(value, str) and "_" in value else None,
)  # fmt: skip
def test_every_kind_of_content_gives_its_text_and_loses_nothing(
    kind: str, members: dict[str, Any], text: str, rest: dict[str, Any]
) -> None:
    assert content_of(kind, **members) == (text, rest)


@pytest.mark.parametrize("members", [{"parts": []}, {"parts": [""]}, {"parts": [None]}, {"text": " "}, {}])
def test_a_content_without_anything_is_no_message(members: dict[str, Any]) -> None:
    assert content_of("text", **members) is None


def test_what_has_no_place_of_its_own_is_kept_by_its_name() -> None:
    said = node(
        "b", "a", "assistant", status="finished_partial_completion", end_turn=False, weight=0.0,
        channel="final", metadata={"model_slug": "gpt-4o", "citations": [{"start": 1}]}, id="other",
    )  # fmt: skip

    _, message = understood(chat(node("a", None), said)).messages

    assert message.metadata == {
        "node_id": "b", "id": "other", "status": "finished_partial_completion", "end_turn": False, "weight": 0.0,
        "recipient": "all", "channel": "final", "metadata": {"model_slug": "gpt-4o", "citations": [{"start": 1}]},
    }  # fmt: skip


def test_what_an_assistant_says_to_a_tool_is_a_call_with_what_the_tool_answered() -> None:
    called = node("call", "a", "assistant", content={"content_type": "code", "text": "1 + 1"}, recipient="python")
    output = {"content_type": "execution_output", "text": "2"}
    answer = node("answer", "call", "tool", content=output, author={"role": "tool", "name": "python"})

    _, call, answered = understood(chat(node("a", None), called, answer)).messages

    assert call.content == "1 + 1"
    assert [(one.name, one.arguments, one.call_id, one.result, one.success) for one in call.calls] == [
        ("python", "1 + 1", None, "2", None)
    ]
    assert (answered.role, answered.content, answered.calls) == (MessageRole.TOOL, "2", ())
    assert answered.metadata["author"] == {"name": "python"}


def test_what_is_too_long_for_a_call_is_a_message_alone() -> None:
    (_, message) = understood(
        chat(node("a", None), node("b", "a", "assistant", "x" * 8_001, recipient="canmore.create"))
    ).messages

    assert (len(message.content), message.calls, message.metadata["recipient"]) == (8_001, (), "canmore.create")


def test_a_million_characters_are_taken_and_one_more_is_not() -> None:
    assert len(understood(chat(node("a", None, text="ü" * 1_000_000))).messages[0].content) == 1_000_000
    assert refused(chat(node("a", None, text="ü" * 1_000_001))) == (
        "mapping.a.message.content has 1,000,001 characters; at most 1,000,000 are stored"
    )


def circle() -> dict[str, Any]:
    return chat(node("a", None), node("b", "d"), node("c", "b"), node("d", "c"))


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ([], "it must be an object with a mapping"),
        (None, "it must be an object with a mapping"),
        ({}, "mapping must be an object of nodes"),
        ({"mapping": []}, "mapping must be an object of nodes"),
        (chat(), "it has no messages"),
        (chat(silent("a", None)), "it has no messages"),
        (circle(), "mapping.b answers itself: its parents go round in a circle"),
        (chat(node("a", "a")), "mapping.a answers itself: its parents go round in a circle"),
        ({"mapping": {"a": {"message": "hi"}}}, "mapping.a.message must be an object"),
        ({"mapping": {"a": {"message": {"content": "hi"}}}},
         "mapping.a.message.author.role must be system, user, assistant, tool"),
        (chat(node("a", None, "robot")), "mapping.a.message.author.role must be system, user, assistant, tool"),
        (chat(node("a", None, content=7)), "mapping.a.message.content must be an object"),
        (chat(node("a", None, content={"parts": 7})), "mapping.a.message.content.parts must be a list"),
        (chat(node("a", None, text="a\x00")),
         "mapping.a.message.content.parts[0] contains the character U+0000, which cannot be stored"),
        (chat(node("a", None, text="\ud800")),
         "mapping.a.message.content.parts[0] contains a lone surrogate (half of a UTF-16 pair), "
         "which cannot be stored"),
        (chat(node("a", None, metadata={"x": float("nan")})),
         "mapping.a.message.metadata.x contains a number too large for a double, which cannot be stored"),
        ({"mapping": {"\x00": {}}}, "mapping (a key) contains the character U+0000, which cannot be stored"),
        (chat(node("a", None), title="\x00"), "title contains the character U+0000, which cannot be stored"),
        (chat(node("a", None, metadata={"x": "y" * 530_000})),
         "mapping.a.message.metadata is 530,099 bytes of JSON; at most 524,288 are stored"),
        (b'{"mapping": {"a": {}, "a": {}}}', "an object in it has the member a twice"),
        (b'{"mapping": {"a": ' + b"[" * 100_000, "it nests more than 64 levels deep"),
        (b"{'mapping'}", "not JSON: Expecting property name enclosed in double quotes at character 2"),
        (b"", "the list has no end, the file may have been cut off"),
    ],
)  # fmt: skip
def test_a_conversation_that_cannot_be_taken_is_refused_with_the_place(found: object, reason: str) -> None:
    assert refused(found) == reason


def test_a_later_export_knows_its_conversation_and_its_messages_by_their_ids() -> None:
    before, after = understood(branched()), understood({**branched(), "title": "Porto", "update_time": BEGUN + 500})
    other = understood(branched("c2"))

    assert before.digest == after.digest != other.digest
    assert [message.name for message in before.messages] == [message.name for message in after.messages]
    assert len({message.name for message in before.messages}) == 4


def test_two_nodes_of_one_message_id_are_two_messages() -> None:
    conversation = understood(chat(node("a", None, id="same"), node("b", "a", "assistant", id="same")))

    assert shape(conversation) == [("a", None, True), ("b", 0, True)]
    assert conversation.messages[0].name != conversation.messages[1].name
