"""Whatever conversation comes in by a file goes out through the graph as it was."""

from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.db.database import Database
from app.exchange.values import Stored
from app.messages.pipeline import MessagePipeline
from tests.client import GraphQLClient
from tests.exchange.conversations import imported, written

_CHARACTERS = st.characters(exclude_characters="\x00", codec="utf-8")
_ANY_TEXT = st.text(_CHARACTERS, max_size=60)
_TEXT = _ANY_TEXT.filter(str.strip)
_NAME = st.text(_CHARACTERS, min_size=1, max_size=12).filter(str.strip)
_CALL_ID = st.sampled_from(["a", "b", "c", "später"])
"""Few, so that they come again."""

# Beyond 2^53 every double is whole, and PostgreSQL's jsonb returns it as the whole number that it writes it as.
_FLOATS = st.floats(-(2**53), 2**53)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | _FLOATS
    | _ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAME, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
_MORE = st.dictionaries(_NAME.map("x-{}".format), _JSON, max_size=2)
"""Members that the format does not know."""

_CALL = st.builds(
    lambda one, name, arguments: {"id": one, "type": "function", "function": {"name": name, "arguments": arguments}},
    _CALL_ID,
    _NAME,
    _ANY_TEXT,
)


def _message(role: str, content: st.SearchStrategy[Any], **members: st.SearchStrategy[Any]) -> Any:
    known = st.fixed_dictionaries({"role": st.just(role), "content": content, **members})
    return st.builds(lambda message, more: {**more, **message}, known, _MORE)


_MESSAGES = st.lists(
    st.one_of(
        _message("system", _TEXT),
        _message("user", _TEXT),
        _message("assistant", _TEXT),
        _message(
            "assistant",
            st.none() | _ANY_TEXT,
            tool_calls=st.lists(_CALL, min_size=1, max_size=3, unique_by=lambda call: str(call["id"])),
        ),
        _message("tool", st.none() | _ANY_TEXT, tool_call_id=_CALL_ID),
    ),
    min_size=1,
    max_size=8,
)

_SESSIONS = """{ sessions { nodes { title metadata { customData } messages { nodes {
    sequenceNumber role content toolCallId metadata toolCalls { position callId name arguments result success }
} } } } }"""

numbers = count()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(messages=_MESSAGES, more=_MORE)
async def test_a_conversation_comes_out_as_it_came_in(
    database: Database,
    pipeline: MessagePipeline,
    client: GraphQLClient,
    tmp_path: Path,
    messages: list[dict[str, Any]],
    more: dict[str, Any],
) -> None:
    # Every example has a user of its own, and with it an empty list of sessions.
    user = f"user-{next(numbers)}"
    file = written(tmp_path, [{**more, "messages": messages}])

    totals = await imported(database, pipeline, file, user=user)

    assert (totals.conversations, totals.refused) == (Stored(1), 0)
    answer = (await client.post(_SESSIONS, None, **{"X-Colloquy-User": user})).json()
    (session,) = answer["data"]["sessions"]["nodes"]
    assert session["metadata"]["customData"] == more
    assert [_as_it_came(message) for message in session["messages"]["nodes"]] == [_plain(one) for one in messages]
    assert [message["sequenceNumber"] for message in session["messages"]["nodes"]] == list(range(1, len(messages) + 1))
    called = [call for message in session["messages"]["nodes"] for call in message["toolCalls"]]
    assert [call["success"] for call in called] == [None if call["result"] is None else True for call in called]
    assert _answers(called) <= _answers_in(messages)


def _as_it_came(stored: dict[str, Any]) -> dict[str, Any]:
    found = {**stored["metadata"], "role": stored["role"].lower(), "content": stored["content"]}
    if stored["toolCallId"] is not None:
        found["tool_call_id"] = stored["toolCallId"]
    if stored["toolCalls"]:
        assert [call["position"] for call in stored["toolCalls"]] == list(range(1, len(stored["toolCalls"]) + 1))
        found["tool_calls"] = [
            {
                "id": call["callId"],
                "type": "function",
                "function": {"name": call["name"], "arguments": call["arguments"]},
            }
            for call in stored["toolCalls"]
        ]
    return found


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    return {**message, "content": message["content"] or ""}


def _answers(called: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(call["callId"], call["result"]) for call in called if call["result"] is not None}


def _answers_in(messages: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["tool_call_id"], one["content"] or "") for one in messages if one["role"] == "tool"}
